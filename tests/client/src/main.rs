//! A rustls client for tests and benchmarks: one thread, connections one after the other (or all
//! held open), what was negotiated printed as JSON lines. `tls-client --help` lists the options.
#![forbid(unsafe_code)]

mod compression;
mod config;
mod damage;
mod http;
mod json;
mod options;
mod records;
mod run;
mod store;
mod transport;

use std::process::ExitCode;

fn main() -> ExitCode {
    let options = match options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    match run::run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("tls-client: {message}");
            ExitCode::from(2)
        }
    }
}
