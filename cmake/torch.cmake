# LibTorch, exactly one. In this order: Torch_DIR or Torch_ROOT, CMAKE_PREFIX_PATH (the variable, then the environment's),
# QBITOPT_OWN_TORCH. A distribution's LibTorch must be named (CMAKE_PREFIX_PATH=/usr).
# Gives TORCH_LIBRARIES, TORCH_INSTALL_PREFIX, Torch_VERSION and QBITOPT_OPENMP, the OpenMP runtime to link.
set(QBITOPT_TORCH_MINIMUM 2.4)

# What was searched first, so that `make` can tell when it has to begin anew.
if(NOT DEFINED QBITOPT_SEARCHED)
  set(QBITOPT_SEARCHED "$ENV{CMAKE_PREFIX_PATH}" CACHE INTERNAL "")
endif()

# CMake searches the variable before the environment; our own must come after both and before the system's folders,
# or TorchConfig.cmake, which looks for single libraries everywhere, takes some from a distribution's LibTorch.
if(NOT Torch_DIR AND NOT Torch_ROOT)
  string(REPLACE ":" ";" _environment "$ENV{CMAKE_PREFIX_PATH}")
  list(APPEND CMAKE_PREFIX_PATH ${_environment} ${QBITOPT_OWN_TORCH})
endif()
set(CMAKE_MESSAGE_LOG_LEVEL ERROR)  # the wheel warns that it has no kineto, which nothing here needs
find_package(Torch QUIET NO_CMAKE_SYSTEM_PATH NO_SYSTEM_ENVIRONMENT_PATH)
unset(CMAKE_MESSAGE_LOG_LEVEL)

if(NOT Torch_FOUND AND Torch_CONSIDERED_CONFIGS)
  message(FATAL_ERROR "LibTorch in ${Torch_CONSIDERED_CONFIGS} cannot be used:\n  ${Torch_NOT_FOUND_MESSAGE}\n"
    "A CUDA build needs the CUDA toolkit; `make setup` without CMAKE_PREFIX_PATH takes the CPU build.")
elseif(Torch_FOUND)
  include(${CMAKE_CURRENT_LIST_DIR}/torch_checks.cmake)
endif()
if(TARGET torch_cuda)
  set(QBITOPT_CUDA ON)  # its package asks for the CUDA toolkit, so nvcc is there
endif()
