#!/bin/sh
# Put TensorFlow's build for GPUs in the place of its build for CPUs, with CUDA's libraries, and let the dynamic linker
# find these under every name that they are opened by.
set -eu

# The two builds hold the same files, so one goes first.
REPLACED=tensorflow-cpu sh "$(dirname "$0")/install_packages.sh" "$@"

nvidia=$(/opt/ferry/bin/python -c 'import nvidia; print(nvidia.__path__[0])')
ls -d "$nvidia"/*/lib >/etc/ld.so.conf.d/cuda.conf
# cuDNN falls back to the name without a version.
ln -s libnvrtc.so.11.2 "$nvidia/cuda_nvrtc/lib/libnvrtc.so"
ldconfig
rm -rf /var/cache/ldconfig
# CUDA 11.0 called it .so.10. Every function that TensorFlow 2.4 asks of it is in .so.11 too; a test asks for each.
# ldconfig lists libraries by the name they bear inside, so this one has to lie where the linker looks without a list.
ln -s "$nvidia/cusolver/lib/libcusolver.so.11" /usr/lib/libcusolver.so.10
