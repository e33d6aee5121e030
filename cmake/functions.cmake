# What `./dev test` builds of a variant (asan, tsan, gcc): see tools/test.sh.
add_custom_target(unit_tests)
add_custom_target(libraries)

# burrow_layer(NAME sources...): the object library of one layer of src/.
function(burrow_layer name)
  add_library(burrow_${name} OBJECT ${ARGN})
  target_link_libraries(burrow_${name} PUBLIC burrow_options)
  # No exceptions or RTTI inside the runtime: see docs/hacking.md.
  target_compile_options(burrow_${name} PRIVATE
    $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti> -ftls-model=initial-exec)
endfunction()

# burrow_test(NAME SOURCES a_test.cc... LAYERS base os ... [LIBS ...]): a GoogleTest program
# over the named layers' objects, registered with CTest as NAME (one CTest entry a program;
# the variants' presets put their own name before it: asan.heap_test).
function(burrow_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LAYERS;LIBS;LABELS" ${ARGN})
  if(NOT BUILD_TESTING)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  foreach(layer ${ARG_LAYERS})
    target_sources(${name} PRIVATE $<TARGET_OBJECTS:burrow_${layer}>)
  endforeach()
  target_link_libraries(${name} PRIVATE burrow_options GTest::gtest GTest::gmock GTest::gtest_main
                        Threads::Threads ${ARG_LIBS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_dependencies(unit_tests ${name})
  set(test ${BURROW_TEST_PREFIX}${name})
  add_test(NAME ${test} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  set_tests_properties(${test} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "unit;${ARG_LABELS}")
endfunction()
