# qbitopt and its worker in /usr/local. For the CPU:
#   docker build -t qbitopt .
# For NVIDIA GPUs (the base image brings nvcc; torch comes as a build for its CUDA):
#   docker build -t qbitopt --build-arg BASE=nvidia/cuda:12.6.3-devel-ubuntu24.04 \
#     --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu126 .
ARG BASE=debian:bookworm
FROM $BASE
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY . /opt/qbitopt
RUN /opt/qbitopt/tools/image.sh
ENTRYPOINT ["qbitopt"]
