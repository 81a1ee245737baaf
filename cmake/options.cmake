# How every target is compiled. LibTorch targets must share one set of definitions and -fPIC, or the
# precompiled header is not used.
option(QBITOPT_TESTS "Build the tests" ON)
option(QBITOPT_BENCHMARKS "Build the benchmarks" ON)
set(QBITOPT_SANITIZERS "" CACHE STRING "Sanitizers to build with: address,undefined or thread")
option(QBITOPT_EACH_FILE_ALONE "Neither unite sources nor share a precompiled header (tools/compile_alone.py)" OFF)
option(QBITOPT_FUZZ "Build the fuzzers instead of the tests (needs clang)" OFF)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug or Release" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2")

set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)

find_program(QBITOPT_CCACHE ccache)
if(QBITOPT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${QBITOPT_CCACHE})
endif()
find_program(QBITOPT_MOLD mold)
if(QBITOPT_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
