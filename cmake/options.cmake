# Compiler and sanitizer settings that every target of the project shares.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
# DWARF 4: the valgrind of Debian 12 cannot read what clang 19 writes as DWARF 5.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -gdwarf-4 -DNDEBUG")

set(BURROW_SANITIZE "" CACHE STRING "Comma-separated sanitizers, as -fsanitize= takes them")
option(BURROW_WERROR "Warnings are errors" ${PROJECT_IS_TOP_LEVEL})

add_library(burrow_options INTERFACE)
target_include_directories(burrow_options INTERFACE
  ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
target_compile_options(burrow_options INTERFACE
  -Wall -Wextra -Wshadow -Wno-unused-parameter
  -fno-omit-frame-pointer
  $<$<BOOL:${BURROW_WERROR}>:-Werror>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety -Wimplicit-fallthrough>)
if(BURROW_SANITIZE)
  target_compile_options(burrow_options INTERFACE -fsanitize=${BURROW_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(burrow_options INTERFACE -fsanitize=${BURROW_SANITIZE})
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_link_options(burrow_options INTERFACE -fuse-ld=lld-19)
endif()

# Archives: the preload must not load libraries into programs that never ask.
find_library(BURROW_DEFLATE NAMES libdeflate.a REQUIRED)
find_library(BURROW_HTTP_PARSER NAMES libhttp_parser.a REQUIRED)
