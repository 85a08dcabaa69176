#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the library that httpd loads where the package is installed: it holds nothing, and opens the one with the code.
# usage: stub.sh CODE STUB [FOLDER]     CODE: the library with the code; FOLDER: where that will be, by default where it is
#
# The loader goes on with a library that it has of a path already, and the code is never unloaded, so that after an
# upgrade a graceful restart would go on with the code of before. httpd unloads the stub at each restart; the new one
# opens a library of another name (the package takes it from a digest of the code), which the loader has not got yet.
#
# The code is opened for the stub alone: its ssl_module would else stand for that of the real mod_ssl, where a restart
# loads that in the module's place. What httpd looks for in the stub is answered with the code's (an IFUNC).
set -eu
code=$1 stub=$2 folder=$(realpath "$(dirname "$1")")
${CC:-gcc} -shared -s -fPIC -O2 -Wall -Werror -o "$stub" -Wl,-z,relro,-z,now,-z,noexecstack,--build-id \
  -DCODE="\"${3:-$folder}/$(basename "$code")\"" -x c - <<'C'
#include <dlfcn.h>
#include <stdio.h>

static void* code;

__attribute__((constructor)) static void open_code(void) {
  code = dlopen(CODE, RTLD_NOW | RTLD_LOCAL);
  if (!code) fprintf(stderr, "mod_tls: %s\n", dlerror());
}

#define MODULE(name)                                                                         \
  static void (*resolve_##name(void))(void) { return code ? (void (*)(void))dlsym(code, #name) : 0; } \
  void name(void) __attribute__((ifunc("resolve_" #name)));

MODULE(tls_module)
MODULE(ssl_module)
C
