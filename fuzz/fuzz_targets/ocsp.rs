#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mod_tls_fuzz::ocsp(data));
