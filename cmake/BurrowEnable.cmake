# burrow_enable(TARGET [ELIDE_NEW] [EXPLAIN 1|2|json] [SUMMARIES LIBRARY...]): compiles the target
# with the plugin, as `burrow c++` does; needs clang 19. What static libraries that were enabled too
# say of their functions' parameters is relied on for SUMMARIES. Linking to Burrow::burrow or
# Burrow::burrow_shared is the target's own affair.
function(burrow_enable target)
  cmake_parse_arguments(ARG "ELIDE_NEW" "EXPLAIN" "SUMMARIES" ${ARGN})
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR NOT CMAKE_CXX_COMPILER_VERSION MATCHES "^19\\.")
    message(FATAL_ERROR "burrow_enable(${target}): the plugin is for clang 19, not for "
                        "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}")
  endif()
  if(TARGET burrow_plugin)
    set(plugin $<TARGET_FILE:burrow_plugin>)
    add_dependencies(${target} burrow_plugin)
  elseif(BURROW_PLUGIN)
    set(plugin ${BURROW_PLUGIN})
  else()
    message(FATAL_ERROR "burrow_enable(${target}): this Burrow was built without the plugin, which needs "
                        "clang 19 and Debian's llvm-19-dev and libclang-19-dev")
  endif()
  set(options -fplugin=${plugin} -fpass-plugin=${plugin})
  if(ARG_ELIDE_NEW)
    list(APPEND options "SHELL:-Xclang -mllvm -Xclang -burrow-elide-new")
  endif()
  if(ARG_EXPLAIN)
    list(APPEND options "SHELL:-Xclang -mllvm -Xclang -burrow-m=${ARG_EXPLAIN}" -fno-discard-value-names -gline-tables-only)
  endif()
  foreach(library IN LISTS ARG_SUMMARIES)
    add_dependencies(${target} ${library})
    set(file $<TARGET_FILE:${library}>)
    if(CMAKE_GENERATOR MATCHES "Ninja")
      # By the name that Ninja has for it, or it would not know that it is about to change.
      set(file $<PATH:RELATIVE_PATH,${file},${CMAKE_BINARY_DIR}>)
    endif()
    list(APPEND options "SHELL:-Xclang -mllvm -Xclang -burrow-summaries=${file}" "SHELL:-Xclang -fdepfile-entry=${file}")
    list(APPEND files ${file})
  endforeach()
  get_target_property(launcher ${target} CXX_COMPILER_LAUNCHER)
  if(files AND "${launcher} ${CMAKE_CXX_COMPILER}" MATCHES "ccache")
    # ccache knows of no input but the preprocessed source, and would go on giving an object that
    # relies on what the libraries said before.
    list(JOIN files ":" files)
    if(NOT launcher)
      set(launcher "")
    endif()
    set_property(TARGET ${target} PROPERTY CXX_COMPILER_LAUNCHER
                 ${CMAKE_COMMAND} -E env CCACHE_EXTRAFILES=${files} ${launcher})
  endif()
  set_target_properties(${target} PROPERTIES BURROW_ENABLED ON)
  target_compile_definitions(${target} PRIVATE __BURROW_PLUGIN__)
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:${options}>")
endfunction()
