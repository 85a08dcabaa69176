// SPDX-License-Identifier: Apache-2.0
#![no_main]

mod limited;

libfuzzer_sys::fuzz_target!(|data: &[u8]| limited::run(data, mod_tls_fuzz::certificate));
