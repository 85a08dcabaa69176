# SPDX-License-Identifier: Apache-2.0
# Warnings are errors; the hardening set that g++ 12 knows (what -fhardened of newer compilers stands for, spelt out).
include(CheckCXXCompilerFlag)

add_library(tls_flags INTERFACE)
target_compile_options(tls_flags INTERFACE
  -Wall -Wextra -Wformat=2 -Wconversion -Wsign-conversion -Wimplicit-fallthrough -Wnull-dereference
  -Wnon-virtual-dtor -Woverloaded-virtual -Werror
  -fstack-protector-strong
  -fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing
  -ffunction-sections -fdata-sections)
target_compile_definitions(tls_flags INTERFACE _GLIBCXX_ASSERTIONS)

# What only some compilers or processors know.
foreach(flag
    -fcf-protection=full -mbranch-protection=standard -fstack-clash-protection
    -ftrivial-auto-var-init=zero -Wbidi-chars=any -Wtrampolines)
  string(MAKE_C_IDENTIFIER "HAS${flag}" has)
  set(CMAKE_REQUIRED_FLAGS -Werror)
  check_cxx_compiler_flag(${flag} ${has})
  unset(CMAKE_REQUIRED_FLAGS)
  if(${has})
    target_compile_options(tls_flags INTERFACE ${flag})
  endif()
endforeach()

# FORTIFY needs optimisation. -g1 keeps line numbers for backtraces; they are split off after linking.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3")

set(TLS_SANITIZE "" CACHE STRING "Sanitizers to build with, comma separated")
if(TLS_SANITIZE)
  target_compile_options(tls_flags INTERFACE
    -fsanitize=${TLS_SANITIZE} -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(tls_flags INTERFACE -fsanitize=${TLS_SANITIZE})
endif()
