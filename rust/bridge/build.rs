// SPDX-License-Identifier: Apache-2.0
//! Generates and compiles the C++ half of the bridge into the same static library.
fn main() {
    cxx_build::bridge("src/lib.rs")
        .std("c++20")
        .flag("-fvisibility=hidden")
        .include("../../src")
        .compile("mod_tls_bridge_cxx");
    println!("cargo:rerun-if-changed=src/lib.rs");
    println!("cargo:rerun-if-changed=../../src/conn/sink.hpp");
    println!("cargo:rerun-if-changed=../../src/server/session_cache.hpp");
}
