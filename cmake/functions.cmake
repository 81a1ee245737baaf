# Small helpers, so that a folder's CMakeLists.txt stays a list of files.

# Settings that every target of this project shares.
function(qbitopt_defaults target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -Werror=invalid-pch)
  if(QBITOPT_SANITIZERS)
    target_compile_options(${target} PRIVATE -fsanitize=${QBITOPT_SANITIZERS} -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=${QBITOPT_SANITIZERS})
  endif()
  if(QBITOPT_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined)
  endif()
endfunction()

# A target that includes LibTorch. Every such target is compiled with the same definitions, so that all share
# one precompiled header. The wheel carries fmt headers of its own, so fmt is used header-only there.
function(qbitopt_uses_torch target)
  target_link_libraries(${target} PUBLIC "$<BUILD_INTERFACE:${TORCH_LIBRARIES};${QBITOPT_OPENMP}>")
  target_compile_options(${target} PUBLIC ${OpenMP_CXX_FLAGS})
  target_compile_definitions(${target} PRIVATE FMT_HEADER_ONLY $<$<BOOL:${QBITOPT_CUDA}>:QBITOPT_CUDA>)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)  # executables would get -fPIE
  target_compile_options(${target} PRIVATE -fPIC)
  if(QBITOPT_EACH_FILE_ALONE)
    return()
  endif()
  if(target STREQUAL "qbitopt")
    target_precompile_headers(qbitopt PRIVATE <qbitopt/quant/torch.h>)
  else()
    target_precompile_headers(${target} REUSE_FROM qbitopt)
  endif()
endfunction()

# Compiles a target's sources together, 8 or `ARGV1` in one go.
function(qbitopt_unite target)
  if(QBITOPT_EACH_FILE_ALONE)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON)
  if(ARGC GREATER 1)
    set_target_properties(${target} PROPERTIES UNITY_BUILD_BATCH_SIZE ${ARGV1})
  endif()
endfunction()

# Compiles the sources of each folder below `root` together, at most `most` in one go. Every file that includes LibTorch
# costs 12 s, whatever it says (templates that its headers leave to the end), and one with JSON and fmt 5 s; together they
# pay that once. Names in anonymous namespaces must differ within a folder. Call when all sources are known;
# those that have a UNITY_GROUP keep it.
function(qbitopt_unite_folders target root most)
  if(QBITOPT_EACH_FILE_ALONE)
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  foreach(source IN LISTS sources)
    get_source_file_property(group ${source} TARGET_DIRECTORY ${target} UNITY_GROUP)
    if(group)
      continue()
    endif()
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${root} OUTPUT_VARIABLE relative)
    cmake_path(GET relative PARENT_PATH folder)
    string(MAKE_C_IDENTIFIER "${folder}" group)
    math(EXPR count_${group} "0${count_${group}} + 1")
    math(EXPR part "${count_${group}} / ${most}")
    set_source_files_properties(${source} TARGET_DIRECTORY ${target} PROPERTIES UNITY_GROUP "${group}${part}")
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()
