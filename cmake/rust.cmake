# SPDX-License-Identifier: Apache-2.0
# One custom command runs cargo; the bridge's static library and its generated headers come out of it.
find_program(CARGO cargo REQUIRED)
set(cargo_target ${CMAKE_SOURCE_DIR}/target)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  set(cargo_profile release)
  set(cargo_flags --release)
else()
  set(cargo_profile debug)
  set(cargo_flags "")
endif()
# TSan has to see every access: Rust's own library is compiled for it too, which takes the nightly compiler and rust-src.
if(TLS_SANITIZE MATCHES thread)
  set(cargo_target ${CMAKE_SOURCE_DIR}/target/threads)
  set(cargo_environment RUSTUP_TOOLCHAIN=nightly "RUSTFLAGS=-Zsanitizer=thread -Cdebug-assertions=off")
  list(APPEND cargo_flags -Zbuild-std --target x86_64-unknown-linux-gnu)
  set(cargo_products ${cargo_target}/x86_64-unknown-linux-gnu)
else()
  set(cargo_products ${cargo_target})
endif()
set(bridge_lib ${cargo_products}/${cargo_profile}/libmod_tls_bridge.a)
set(bridge_include ${cargo_target}/cxxbridge)

# cargo decides what to compile; this only says when to ask it. Headers of ours count, since the bridge's C++ half
# may include them. The headers are named as products, so that a changed one rebuilds its users in the same run.
file(GLOB_RECURSE rust_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/rust/*.rs ${CMAKE_SOURCE_DIR}/rust/*.toml)
add_custom_command(
  OUTPUT ${bridge_lib}
  BYPRODUCTS
    ${bridge_include}/mod_tls_bridge/src/lib.rs.h
    ${bridge_include}/mod_tls_bridge/src/agent/boundary.rs.h
    ${bridge_include}/mod_tls_bridge/src/credentials/boundary.rs.h
    ${bridge_include}/mod_tls_bridge/src/ech/boundary.rs.h
    ${bridge_include}/mod_tls_bridge/src/fetch/boundary.rs.h
    ${bridge_include}/mod_tls_bridge/src/identity/boundary.rs.h
    ${bridge_include}/mod_tls_bridge/src/resumption/boundary.rs.h
    ${bridge_include}/mod_tls_bridge/src/status/boundary.rs.h
    ${bridge_include}/mod_tls_bridge/src/verifier/boundary.rs.h
  COMMAND ${CMAKE_COMMAND} -E env CARGO_TARGET_DIR=${cargo_target} ${cargo_environment}
    ${CARGO} build --locked --package mod_tls_bridge ${cargo_flags}
  COMMAND ${CMAKE_COMMAND} -E touch ${bridge_lib}
  DEPENDS ${rust_sources} ${CMAKE_SOURCE_DIR}/Cargo.lock ${CMAKE_SOURCE_DIR}/Cargo.toml
    ${CMAKE_SOURCE_DIR}/.cargo/config.toml
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
  USES_TERMINAL
  COMMENT "cargo build (${cargo_profile})")
add_custom_target(rust_bridge_build DEPENDS ${bridge_lib})
add_library(rust_bridge INTERFACE)
add_dependencies(rust_bridge rust_bridge_build)
target_include_directories(rust_bridge SYSTEM INTERFACE ${bridge_include})
target_link_libraries(rust_bridge INTERFACE ${bridge_lib})
