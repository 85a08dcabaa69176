// SPDX-License-Identifier: Apache-2.0
//! A rustls client for tests and benchmarks: one thread, connections one after the other (or all
//! held open), what was negotiated printed as JSON lines. `tls-client --help` lists the options.
#![forbid(unsafe_code)]
#![allow(
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "a tool of tests: what goes wrong ends it"
)]

mod accept_any;
mod compression;
mod config;
mod damage;
mod ech;
mod http;
mod json;
mod options;
mod pki;
mod records;
mod run;
mod store;
mod transport;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match &words[..] {
        [word, directory] if word == "make-ml-dsa" => {
            Some(pki::make(directory.as_ref()).map_err(|error| error.to_string()))
        }
        [word, rest @ ..] if word == "ech" => Some(ech::run(rest)),
        _ => None,
    };
    if let Some(done) = done {
        return match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("tls-client: {error}");
                ExitCode::FAILURE
            }
        };
    }
    let options = match options::parse(words.into_iter()) {
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
