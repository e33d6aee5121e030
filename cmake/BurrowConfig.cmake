# find_package(Burrow): Burrow::burrow (static), Burrow::burrow_shared, Burrow::malloc (to preload).
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/BurrowTargets.cmake)
# burrow_enable(TARGET): compile with the plugin.
find_file(BURROW_PLUGIN burrow-plugin.so PATHS ${CMAKE_CURRENT_LIST_DIR}/../.. NO_DEFAULT_PATH)
include(${CMAKE_CURRENT_LIST_DIR}/BurrowEnable.cmake)
