//! A rustls client for tests and benchmarks.
fn main() {}
