#!/bin/sh
# What Dockerfile and apptainer.def run as root in a fresh Debian or Ubuntu: builds this copy of the repository, installs it into
# /usr/local and removes what was only needed on the way. LibTorch stays in .venv, where the programs look for it.
set -eu
cd "$(dirname "$0")/.."
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends ca-certificates cmake g++ git make ninja-build python3 python3-venv
make install PREFIX=/usr/local
qbitopt --version
make clean
rm -rf /var/lib/apt/lists/*
