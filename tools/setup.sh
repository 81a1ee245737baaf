#!/usr/bin/env bash
# Brings a machine to where this project builds: `make setup`. Asks CMake what is missing (cmake/probe), installs it as
# root or with sudo on Debian and its relatives, and prints the line to type elsewhere; then LibTorch, HiGHS
# and vl-convert into .venv. Under a second when nothing is missing.
#   CMAKE_PREFIX_PATH  folders with libraries of your own, ":" between them; a LibTorch there is used instead of .venv's
#   TORCH_INDEX        the package index to take LibTorch from, e.g. https://download.pytorch.org/whl/cpu
set -euo pipefail
cd "$(dirname "$0")/.."

torch_version=2.13.0
probe=.cache/setup

say() { printf '%s\n' "$*" >&2; }
fail() { say "setup: $*"; exit 1; }

# What was found earlier is looked for again (-U); what is known of the compiler and its OpenMP stays and saves a second.
ask_cmake() {
  cmake -U '*_DIR' -U '[A-NP-Za-z]*_LIBRARY*' -U 'OPENSSL_*' -U '*_INCLUDE_DIR*' -U 'PROGRAM_*' -S cmake/probe -B $probe >$probe.log 2>&1 || { cat $probe.log >&2; fail "CMake could not look around; see above"; }
}

# field <number> <file>: one column of all lines in one line, without repetitions.
field() { cut -d'|' -f"$1" "$2" | tr ' ' '\n' | sed '/^$/d' | sort -u | tr '\n' ' '; }

describe() {  # <title> <file>
  [ -n "$(field 1 "$2")" ] || return 0
  say "$1"
  grep . "$2" | awk -F'|' '{printf "  %-16s %s\n", $1, $2}' >&2
}

print_lines() {  # <title> <file>...
  say "$1"
  shift
  cat "$@" >$probe/wanted.txt
  say "  apt:    sudo apt-get install $(field 3 $probe/wanted.txt)"
  say "  dnf:    sudo dnf install $(field 4 $probe/wanted.txt)"
  say "  conda:  conda install -c conda-forge $(field 5 $probe/wanted.txt)  (then CMAKE_PREFIX_PATH=\$CONDA_PREFIX)"
}

# The words that start a command as root, if there is a way: none for root itself.
become_root() {
  command -v apt-get >/dev/null || return 1
  [ "$(id -u)" != 0 ] || return 0
  command -v sudo >/dev/null || return 1
  if sudo -n true 2>/dev/null; then echo sudo; elif [ -t 0 ]; then echo sudo; else return 1; fi
}

apt_install() {  # <words that become root> <packages>...
  local -a root=()
  [ -z "$1" ] || root=("$1")
  shift
  say "Installing: $*"
  local -a install=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@")
  "${install[@]}" >$probe.apt.log 2>&1 && return 0
  "${root[@]}" apt-get update >>$probe.apt.log 2>&1 || true
  "${install[@]}" >>$probe.apt.log 2>&1
}

any() { [ -n "$(field 1 "$1")" ]; }

# Installs what <file> lists, as root; false if there is no way to.
install_listed() {  # <file>
  local root
  any "$1" || return 0
  root=$(become_root) || return 1
  if ! apt_install "$root" $(field 3 "$1"); then
    tail -n 5 $probe.apt.log >&2
    say "apt-get could not install them (its whole output: $probe.apt.log)."
    return 1
  fi
  ask_cmake
  describe "Still missing after the installation:" "$1"
  ! any "$1"
}

system_packages() {
  describe "Missing:" $probe/missing.txt
  if ! install_listed $probe/missing.txt; then
    describe "Missing, and useful:" $probe/useful.txt
    print_lines "Install with the line that fits this machine, then run the command again:" $probe/missing.txt $probe/useful.txt
    exit 1
  fi
  cmp -s $probe/useful.txt $probe/left_out.txt && return 0  # said before
  describe "Missing, and useful:" $probe/useful.txt
  if ! install_listed $probe/useful.txt; then
    print_lines "Going on without. The line that installs it:" $probe/useful.txt
    cp $probe/useful.txt $probe/left_out.txt
  fi
}

make_venv() {
  [ -x .venv/bin/pip ] && return 0
  python3 -m venv .venv >$probe.venv.log 2>&1 && return 0
  rm -rf .venv
  return 1
}

pip_install() { .venv/bin/pip install --quiet --disable-pip-version-check "$@"; }

# The pinned wheel, as a build for the CPU where the index has one.
install_torch() {
  make_venv || { cat $probe.venv.log >&2; fail "python3 cannot make .venv; install its venv module (Debian: python3-venv, which brings ensurepip)"; }
  local -a index=()
  [ -z "${TORCH_INDEX:-}" ] || index=(--index-url "$TORCH_INDEX" --extra-index-url https://pypi.org/simple)
  say "Installing LibTorch $torch_version (pip, torch==$torch_version) into .venv; about 900 MB on disk"
  pip_install "${index[@]}" "torch==$torch_version+cpu" 2>$probe.pip.log && return 0
  grep -q 'No matching distribution' $probe.pip.log || { cat $probe.pip.log >&2; fail "pip could not install LibTorch; see above"; }
  command -v nvcc >/dev/null ||
    fail "your package index has no CPU build of torch $torch_version, and its CUDA build needs the CUDA toolkit (nvcc), which is not here.
  The CPU build:           make setup TORCH_INDEX=https://download.pytorch.org/whl/cpu
  A LibTorch of your own:  make setup CMAKE_PREFIX_PATH=/path/to/libtorch"
  pip_install "${index[@]}" "torch==$torch_version" || fail "pip could not install LibTorch; see above"
}

torch() {
  local version folder
  read -r version folder <$probe/torch.txt || true
  case "${folder:-$PWD/.venv}" in
    "$PWD"/.venv*) ;;
    *) return 0 ;;  # the user's own
  esac
  [ "${version:-}" = $torch_version ] && return 0
  install_torch
  ask_cmake
  [ -s $probe/torch.txt ] || fail "LibTorch is in .venv, but CMake does not find it there; see $probe.log"
}

useful_wheel() {  # <folder in site-packages> <wheel> <name> <what needs it>
  compgen -G ".venv/lib/python3*/site-packages/$1" >/dev/null && return 0
  grep -qsxF "$2" $probe/without.txt && return 0  # said before
  { make_venv && pip_install "$2" 2>$probe.pip.log; } && return 0
  say "setup: $3 (pip: $2) cannot be installed; everything works but $4"
  echo "$2" >>$probe/without.txt
}

# A copied or moved tree asks anew.
grep -qsx "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD/cmake/probe" $probe/CMakeCache.txt || rm -rf $probe
mkdir -p $probe
ask_cmake
system_packages
torch
useful_wheel highsbox highsbox HiGHS "the solver 'milp'"
useful_wheel vl_convert vl-convert-python==1.9.0.post1 vl-convert "the figures"
