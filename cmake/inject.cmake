# SPDX-License-Identifier: Apache-2.0
# Faults on demand (src/inject), for tests alone. A release cannot be built with it.
option(TLS_INJECT "Let allocations, bridge calls and calls into httpd fail on demand" OFF)
if(TLS_INJECT)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    message(FATAL_ERROR "TLS_INJECT is for tests: use the preset inject")
  endif()
  target_sources(mod_tls PRIVATE ${CMAKE_SOURCE_DIR}/src/inject/inject.cpp)
  # libstdc++'s own instantiations would allocate by its own operator new.
  target_compile_definitions(tls_flags INTERFACE _GLIBCXX_EXTERN_TEMPLATE=0)
  target_compile_options(tls_flags INTERFACE -fno-omit-frame-pointer)
  file(STRINGS ${CMAKE_SOURCE_DIR}/src/inject/calls.def rows REGEX "^TLS_INJECT_CALL")
  foreach(row ${rows})
    string(REGEX REPLACE "^TLS_INJECT_CALL.([a-z_]+),.*" "\\1" name "${row}")
    target_link_options(mod_tls PRIVATE LINKER:--wrap=${name})
  endforeach()
endif()
