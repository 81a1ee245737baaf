#!/usr/bin/env bash
# messages.sh <case> <source folder> <compiler>: configures the project against fake LibTorch packages and compares
# what CMake says with the words that the user should read.
set -euo pipefail
source=$2
compiler=$3
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT

# fake_torch <folder> <version> [<more CMake>]: a package that looks like LibTorch's.
fake_torch() {
  mkdir -p "$1"/{lib,include,share/cmake/Torch}
  touch "$1"/lib/libc10.so
  echo "set(PACKAGE_VERSION $2)
if(NOT PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()" >"$1"/share/cmake/Torch/TorchConfigVersion.cmake
  echo "get_filename_component(TORCH_INSTALL_PREFIX \${CMAKE_CURRENT_LIST_DIR}/../../.. ABSOLUTE)
set(TORCH_INCLUDE_DIRS \${TORCH_INSTALL_PREFIX}/include)
set(TORCH_LIBRARIES \${TORCH_INSTALL_PREFIX}/lib/libc10.so)
set(Torch_FOUND TRUE)
${3:-}" >"$1"/share/cmake/Torch/TorchConfig.cmake
}

# says <words> <arguments of cmake>...: the configuration fails with these words, however CMake breaks the lines.
says() {
  local words=$1 output
  shift
  if output=$(cmake -S "$source" -B "$temporary/build" -DCMAKE_CXX_COMPILER="$compiler" "$@" 2>&1); then
    echo "configured, but should have said: $words"
    exit 1
  fi
  if ! tr -s ' \n' ' ' <<<"$output" | grep -qF -- "$words"; then
    printf 'expected: %s\nsaid:\n%s\n' "$words" "$output"
    exit 1
  fi
}

torch=$temporary/torch
other=$temporary/other
case $1 in
  missing_libraries_are_named_together)
    says "These libraries are missing: yaml-cpp: sweep files (Debian: libyaml-cpp-dev) SQLiteCpp: the results' database (Debian: libsqlitecpp-dev libsqlite3-dev) \`make setup\` installs them" \
      -DCMAKE_DISABLE_FIND_PACKAGE_yaml-cpp=ON -DCMAKE_DISABLE_FIND_PACKAGE_SQLiteCpp=ON ;;
  torch_is_missing)
    says "Torch: tensors and gradients: LibTorch 2.4 or newer, which \`make setup\` puts into .venv" \
      -DCMAKE_DISABLE_FIND_PACKAGE_Torch=ON ;;
  torch_is_too_old)
    fake_torch "$torch" 2.1.0
    says "LibTorch 2.1.0 in $torch is too old: 2.4 or newer is needed." -DCMAKE_PREFIX_PATH="$torch" ;;
  torch_has_the_old_string_abi)
    fake_torch "$torch" 2.5.0 'set(TORCH_CXX_FLAGS "-D_GLIBCXX_USE_CXX11_ABI=0")'
    says "LibTorch 2.5.0 in $torch is built for the old std::string ABI" -DCMAKE_PREFIX_PATH="$torch" ;;
  library_of_another_torch)
    fake_torch "$torch" 2.9.0 "set(TORCH_LIBRARIES $other/lib/libc10.so)"
    says "Two LibTorchs would mix: 2.9.0 is in $torch, but the linker would get $other/lib/libc10.so Two LibTorchs in one process abort. Keep one: name its folder in CMAKE_PREFIX_PATH and begin anew with \`cmake --fresh\`, or remove the other (Debian's is the package libtorch-dev)." \
      -DCMAKE_PREFIX_PATH="$torch" ;;
  headers_of_another_torch)
    mkdir -p "$other/include/torch/csrc/api/include/torch"
    touch "$other/include/torch/csrc/api/include/torch/torch.h"
    fake_torch "$torch" 2.9.0 "set_property(TARGET nlohmann_json::nlohmann_json APPEND PROPERTY INTERFACE_INCLUDE_DIRECTORIES $other/include)"
    says "Two LibTorchs would mix: 2.9.0 is in $torch, but nlohmann_json::nlohmann_json brings the headers of another, in $other/include" \
      -DCMAKE_PREFIX_PATH="$torch" ;;
  environment_points_elsewhere)
    mkdir -p "$other"
    fake_torch "$torch" 2.9.0 'set(TORCH_INSTALL_PREFIX $ENV{TORCH_INSTALL_PREFIX})
set(TORCH_LIBRARIES ${TORCH_INSTALL_PREFIX}/lib/libc10.so)'
    TORCH_INSTALL_PREFIX=$other says "Two LibTorchs would mix: the package in $torch points to $other (is TORCH_INSTALL_PREFIX set in the environment?)." \
      -DCMAKE_PREFIX_PATH="$torch" ;;
  own_torch_goes_before_the_wheel)
    fake_torch "$torch" 2.1.0
    CMAKE_PREFIX_PATH=$other:$torch says "LibTorch 2.1.0 in $torch is too old" ;;
  *)
    echo "no such case: $1"
    exit 2 ;;
esac
