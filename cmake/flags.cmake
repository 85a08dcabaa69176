# Warnings are errors; the hardening set that g++ 12 knows.
add_library(tls_flags INTERFACE)
target_compile_options(tls_flags INTERFACE
  -Wall -Wextra -Wformat=2 -Wconversion -Wsign-conversion -Wimplicit-fallthrough -Wnull-dereference -Werror
  -fstack-protector-strong -fstack-clash-protection -fcf-protection=full
  -fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing
  -ffunction-sections -fdata-sections)
target_compile_definitions(tls_flags INTERFACE _GLIBCXX_ASSERTIONS)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(tls_flags INTERFACE -ftrivial-auto-var-init=zero -Wbidi-chars=any -Wtrampolines)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(tls_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
  set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1" CACHE STRING "" FORCE)
endif()
set(TLS_SANITIZE "" CACHE STRING "Sanitizers to build with, comma separated")
if(TLS_SANITIZE)
  target_compile_options(tls_flags INTERFACE -fsanitize=${TLS_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(tls_flags INTERFACE -fsanitize=${TLS_SANITIZE})
endif()
