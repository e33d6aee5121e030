# Install rules, the CMake package and the pkg-config file. Sanitizer builds are not for use.
if(BURROW_SANITIZE)
  return()
endif()
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set_target_properties(burrow_malloc PROPERTIES EXPORT_NAME malloc)
install(TARGETS burrow_static burrow_shared burrow_malloc EXPORT BurrowTargets)
if(TARGET burrow)
  install(TARGETS burrow)
endif()
install(DIRECTORY include/burrow DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Burrow)
install(EXPORT BurrowTargets NAMESPACE Burrow:: DESTINATION ${package_dir})
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/BurrowConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES cmake/BurrowConfig.cmake cmake/BurrowEnable.cmake
        ${PROJECT_BINARY_DIR}/BurrowConfigVersion.cmake
        DESTINATION ${package_dir})

# The prefix is known only when installing: pkg-config works it out from where the file lies.
file(RELATIVE_PATH BURROW_PC_INCLUDE
     ${CMAKE_INSTALL_FULL_LIBDIR} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
configure_file(cmake/burrow.pc.in ${PROJECT_BINARY_DIR}/burrow.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/burrow.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
