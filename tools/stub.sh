#!/bin/sh
# Links the library that httpd loads where the package is installed: it holds nothing, and needs the one with the code.
# usage: stub.sh CODE STUB [RUNPATH]     CODE: the library with the code; RUNPATH: where it will be, its folder by default
#
# The loader goes on with a library that it has of a path already, and the code is never unloaded, so that after an
# upgrade a graceful restart would go on with the code of before. httpd unloads the stub at each restart; the new one
# needs a library of another name (the package takes it from a digest of the code), which the loader has not got yet.
set -eu
code=$1 stub=$2 folder=$(dirname "$1")
${CXX:-g++} -shared -nostdlib -o "$stub" -Wl,-z,relro,-z,now,-z,noexecstack,--build-id,--no-as-needed \
  -Wl,-rpath,"${3:-$folder}" -L"$folder" -l:"$(basename "$code")"
