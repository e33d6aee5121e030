# What `./dev test` builds of a variant (asan, tsan, gcc): see tools/test.sh.
add_custom_target(unit_tests)
add_custom_target(libraries)

# Layers that run below malloc and free, perhaps in a thread of PTHREAD_STACK_MIN. Sanitizers and -O0
# have larger frames. The largest one allowed is that of a sample: 128 return addresses and a little.
set(BURROW_FRAME_LIMIT "")
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo" AND NOT BURROW_SANITIZE)
  set(BURROW_FRAME_LIMIT -Wframe-larger-than=1152)
endif()

# burrow_keep_bases(LIBRARY): targets that link the library are compiled without the pass that may
# leave, as a loop's only trace of an array, a sum that points to no object (see
# plugin/KeepBases.h). Those of burrow_enable have the plugin instead, which keeps the bases. The
# property BURROW_HEAP_ONLY says of a target that it makes no collected objects.
function(burrow_keep_bases library)
  set(plain $<NOT:$<OR:$<BOOL:$<TARGET_PROPERTY:BURROW_ENABLED>>,$<BOOL:$<TARGET_PROPERTY:BURROW_HEAP_ONLY>>>>)
  target_compile_options(${library} INTERFACE
    "$<$<AND:$<COMPILE_LANG_AND_ID:CXX,GNU>,${plain}>:-fno-ivopts>"
    "$<$<AND:$<COMPILE_LANG_AND_ID:CXX,Clang>,${plain}>:SHELL:-mllvm -disable-lsr>")
endfunction()

# burrow_any_frame(FILES...): sources that are not below malloc and free.
function(burrow_any_frame)
  if(BURROW_FRAME_LIMIT)
    set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_OPTIONS -Wno-frame-larger-than)
  endif()
endfunction()

# burrow_layer(NAME sources...): the object library of one layer of src/.
function(burrow_layer name)
  add_library(burrow_${name} OBJECT ${ARGN})
  target_link_libraries(burrow_${name} PUBLIC burrow_options)
  # No exceptions or RTTI inside the runtime: see docs/hacking.md.
  target_compile_options(burrow_${name} PRIVATE
    $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti> -ftls-model=initial-exec)
  if(name MATCHES "^(base|os|heap|shim|prof)$")
    target_compile_options(burrow_${name} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:${BURROW_FRAME_LIMIT}>")
  endif()
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

# burrow_program(NAME SOURCES a.cc... [LIBS ...] [OPTIONS ...] [DEFINITIONS ...] [FOLDER tests] [ARCHIVE_ONLY]):
# a program over the whole library, twice from the same objects: NAME is linked with libburrow.a, and
# NAME_shared, in FOLDER/shared under the same file name, with libburrow.so. ARCHIVE_ONLY: it calls
# what no library exports, as tests that reach inside do.
function(burrow_program name)
  cmake_parse_arguments(ARG "ARCHIVE_ONLY" "FOLDER" "SOURCES;LIBS;OPTIONS;DEFINITIONS" ${ARGN})
  if(NOT ARG_FOLDER)
    set(ARG_FOLDER tests)
  endif()
  add_library(${name}_objects OBJECT ${ARG_SOURCES})
  target_link_libraries(${name}_objects PRIVATE burrow_options ${ARG_LIBS})
  target_compile_options(${name}_objects PRIVATE ${ARG_OPTIONS})
  target_compile_definitions(${name}_objects PRIVATE ${ARG_DEFINITIONS})
  set(kinds static)
  if(NOT ARG_ARCHIVE_ONLY)
    list(APPEND kinds shared)
    set_property(GLOBAL APPEND PROPERTY BURROW_TWINS ${name})
  endif()
  foreach(kind ${kinds})
    set(program ${name})
    set(folder ${CMAKE_BINARY_DIR}/${ARG_FOLDER})
    if(kind STREQUAL shared)
      set(program ${name}_shared)
      set(folder ${folder}/shared)
    endif()
    add_executable(${program} $<TARGET_OBJECTS:${name}_objects>)
    target_link_libraries(${program} PRIVATE burrow_options burrow_${kind} ${ARG_LIBS})
    set_target_properties(${program} PROPERTIES
      OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${folder} LINKER_LANGUAGE CXX)
  endforeach()
endfunction()

# burrow_program_test(TEST COMMAND ... [PROPERTIES ...] [ONCE]): a test of programs of burrow_program,
# which the command names by target or $<TARGET_FILE:...>. TEST_shared runs their twins, if there are
# any. ONCE: the test is so long, or so much about what both share, that one run is enough.
function(burrow_program_test test)
  cmake_parse_arguments(ARG "ONCE" "" "COMMAND;PROPERTIES" ${ARGN})
  add_test(NAME ${BURROW_TEST_PREFIX}${test} COMMAND ${ARG_COMMAND})
  set_tests_properties(${BURROW_TEST_PREFIX}${test} PROPERTIES ${ARG_PROPERTIES})
  get_property(twins GLOBAL PROPERTY BURROW_TWINS)
  set(command ${ARG_COMMAND})
  foreach(twin ${twins})
    list(TRANSFORM command REPLACE "^${twin}$" "${twin}_shared")
    list(TRANSFORM command REPLACE "TARGET_FILE:${twin}>" "TARGET_FILE:${twin}_shared>")
  endforeach()
  if(NOT ARG_ONCE AND NOT command STREQUAL "${ARG_COMMAND}")
    add_test(NAME ${BURROW_TEST_PREFIX}${test}_shared COMMAND ${command})
    set_tests_properties(${BURROW_TEST_PREFIX}${test}_shared PROPERTIES ${ARG_PROPERTIES})
  endif()
endfunction()
