# find_package(Burrow): Burrow::burrow (static), Burrow::burrow_shared, Burrow::malloc (to preload).
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/BurrowTargets.cmake)
