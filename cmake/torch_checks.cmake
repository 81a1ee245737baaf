# Refuses a LibTorch that cannot work, before a compiler or a linker says it less clearly.
if(Torch_VERSION VERSION_LESS QBITOPT_TORCH_MINIMUM)
  message(FATAL_ERROR "LibTorch ${Torch_VERSION} in ${TORCH_INSTALL_PREFIX} is too old: ${QBITOPT_TORCH_MINIMUM} or newer is needed.\n"
    "Name a newer one in CMAKE_PREFIX_PATH, or leave it out of CMAKE_PREFIX_PATH and run `make setup`, which puts one into .venv.")
endif()
if("${TORCH_CXX_FLAGS}" MATCHES "_GLIBCXX_USE_CXX11_ABI=0")
  message(FATAL_ERROR "LibTorch ${Torch_VERSION} in ${TORCH_INSTALL_PREFIX} is built for the old std::string ABI, all other libraries for the new one.\n"
    "Take the build with `cxx11-abi` in its name, or run `make setup` without it in CMAKE_PREFIX_PATH.")
endif()

# Two LibTorchs in one process abort. Every library must come from the place that the headers come from, ...
get_filename_component(_torch_home ${TORCH_INSTALL_PREFIX} REALPATH)
get_filename_component(_package_home ${Torch_DIR}/../../.. REALPATH)
set(_remedy "Two LibTorchs in one process abort. Keep one: name its folder in CMAKE_PREFIX_PATH and begin anew with `cmake --fresh`, "
  "or remove the other (Debian's is the package libtorch-dev).")
foreach(_target torch torch_cpu torch_library c10)
  if(TARGET ${_target})
    foreach(_property IMPORTED_LOCATION IMPORTED_LOCATION_RELEASE INTERFACE_LINK_LIBRARIES)
      get_target_property(_value ${_target} ${_property})
      if(_value)
        list(APPEND _torch_files ${_value})
      endif()
    endforeach()
  endif()
endforeach()
foreach(_file IN LISTS TORCH_LIBRARIES _torch_files)
  get_filename_component(_name "${_file}" NAME)
  if(IS_ABSOLUTE "${_file}" AND _name MATCHES "^lib(torch|c10)")
    get_filename_component(_folder "${_file}" DIRECTORY)
    get_filename_component(_folder "${_folder}" REALPATH)
    string(FIND "${_folder}/" "${_torch_home}/" _inside)
    if(NOT _inside EQUAL 0)
      message(FATAL_ERROR "Two LibTorchs would mix: ${Torch_VERSION} is in ${TORCH_INSTALL_PREFIX}, but the linker would get\n"
        "  ${_file}\n" ${_remedy})
    endif()
  endif()
endforeach()
if(NOT _torch_home STREQUAL _package_home AND NOT Torch_DIR MATCHES "^/usr/")
  message(FATAL_ERROR "Two LibTorchs would mix: the package in ${_package_home} points to ${TORCH_INSTALL_PREFIX} "
    "(is TORCH_INSTALL_PREFIX set in the environment?).\n" ${_remedy})
endif()

# ... and no other library's include folder may bring headers of another LibTorch along.
foreach(_target Boost::headers Boost::program_options fmt::fmt yaml-cpp nlohmann_json::nlohmann_json SQLiteCpp
    OpenSSL::Crypto ZLIB::ZLIB GTest::gtest benchmark::benchmark)
  if(TARGET ${_target})
    get_target_property(_folders ${_target} INTERFACE_INCLUDE_DIRECTORIES)
    foreach(_folder IN LISTS _folders)
      get_filename_component(_folder "${_folder}" REALPATH)
      if(EXISTS ${_folder}/torch/csrc/api/include/torch/torch.h AND NOT _folder IN_LIST TORCH_INCLUDE_DIRS
          AND NOT _folder IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
        message(FATAL_ERROR "Two LibTorchs would mix: ${Torch_VERSION} is in ${TORCH_INSTALL_PREFIX}, but ${_target} brings the headers of another, in\n"
          "  ${_folder}\n" ${_remedy})
      endif()
    endforeach()
  endif()
endforeach()

# The wheel brings its own OpenMP runtime; a second one in the process would cost threads.
set(QBITOPT_OPENMP $<TARGET_NAME_IF_EXISTS:OpenMP::OpenMP_CXX>)
if(EXISTS ${TORCH_INSTALL_PREFIX}/lib/libgomp.so.1)
  set(QBITOPT_OPENMP ${TORCH_INSTALL_PREFIX}/lib/libgomp.so.1)
endif()
message(STATUS "LibTorch ${Torch_VERSION} in ${TORCH_INSTALL_PREFIX}")
