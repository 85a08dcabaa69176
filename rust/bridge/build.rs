// SPDX-License-Identifier: Apache-2.0
//! Generates and compiles the C++ half of the bridge into the same static library.
const BOUNDARIES: [&str; 9] = [
    "src/lib.rs",
    "src/agent/boundary.rs",
    "src/credentials/boundary.rs",
    "src/ech/boundary.rs",
    "src/fetch/boundary.rs",
    "src/identity/boundary.rs",
    "src/resumption/boundary.rs",
    "src/status/boundary.rs",
    "src/verifier/boundary.rs",
];

fn main() {
    cxx_build::bridges(BOUNDARIES)
        .std("c++20")
        .flag("-fvisibility=hidden")
        .include("../../src")
        .compile("mod_tls_bridge_cxx");
    for file in BOUNDARIES {
        println!("cargo:rerun-if-changed={file}");
    }
    println!("cargo:rerun-if-changed=../../src/conn/sink.hpp");
    println!("cargo:rerun-if-changed=../../src/server/session_cache.hpp");
}
