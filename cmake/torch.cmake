# LibTorch, exactly one. In this order: Torch_DIR or Torch_ROOT, CMAKE_PREFIX_PATH (the variable, then the environment's),
# the wheel that `make setup` puts into .venv. A distribution's LibTorch must be named (CMAKE_PREFIX_PATH=/usr).
# Gives TORCH_LIBRARIES, TORCH_INSTALL_PREFIX, Torch_VERSION and QBITOPT_OPENMP, the OpenMP runtime to link.
set(QBITOPT_TORCH_MINIMUM 2.4)

# What was searched first, so that `make` can tell when it has to begin anew.
if(NOT DEFINED QBITOPT_SEARCHED)
  set(QBITOPT_SEARCHED "$ENV{CMAKE_PREFIX_PATH}" CACHE INTERNAL "")
endif()

# CMake searches the variable before the environment; the wheel must come after both and before the system's folders,
# or TorchConfig.cmake, which looks for single libraries everywhere, takes some from a distribution's LibTorch.
if(NOT Torch_DIR AND NOT Torch_ROOT)
  string(REPLACE ":" ";" _environment "$ENV{CMAKE_PREFIX_PATH}")
  file(GLOB _wheel ${CMAKE_CURRENT_LIST_DIR}/../.venv/lib/python3*/site-packages/torch)
  list(APPEND CMAKE_PREFIX_PATH ${_environment} ${_wheel})
endif()
set(CMAKE_MESSAGE_LOG_LEVEL ERROR)  # the wheel warns that it has no kineto, which nothing here needs
find_package(Torch QUIET NO_CMAKE_SYSTEM_PATH NO_SYSTEM_ENVIRONMENT_PATH)
unset(CMAKE_MESSAGE_LOG_LEVEL)

if(NOT Torch_FOUND AND Torch_CONSIDERED_CONFIGS)
  message(FATAL_ERROR "LibTorch in ${Torch_CONSIDERED_CONFIGS} cannot be used:\n  ${Torch_NOT_FOUND_MESSAGE}\n"
    "A CUDA build needs the CUDA toolkit; `make setup` without CMAKE_PREFIX_PATH takes the CPU build.")
elseif(NOT Torch_FOUND)
  qbitopt_missing(Torch FOR "tensors and gradients: LibTorch ${QBITOPT_TORCH_MINIMUM} or newer, which `make setup` puts into .venv"
    APT "none new enough" DNF "none new enough" CONDA "none; unpack libtorch and name it in CMAKE_PREFIX_PATH")
else()
  include(torch_checks)
endif()
