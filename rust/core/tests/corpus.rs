// SPDX-License-Identifier: Apache-2.0
//! Replays the seeds of the fuzz targets, and all prefixes of the small ones, with the stable compiler.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a panic is how it fails"
)]

use std::path::PathBuf;

#[allow(unreachable_pub, reason = "what fuzz targets offer to their programs")]
#[path = "../../../fuzz/src/lib.rs"]
mod fuzzing;

fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    files(&format!("fuzz/corpus/{target}"))
}

/// The files of a directory of the repository.
fn files(directory: &str) -> Vec<(String, Vec<u8>)> {
    let corpus = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(directory);
    let entries = std::fs::read_dir(&corpus).unwrap_or_else(|e| panic!("{corpus:?}: {e}"));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .iter()
        .map(|file| {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(file).unwrap())
        })
        .collect()
}

fn replay(target: &str, least: usize, run: fn(&[u8])) {
    let seeds = seeds(target);
    assert!(seeds.len() >= least, "{target}: {} seeds", seeds.len());
    for (_, seed) in seeds {
        run(&seed);
        let step = (seed.len() / 64).max(1);
        (0..seed.len())
            .step_by(step)
            .for_each(|cut| run(&seed[..cut]));
    }
}

#[test]
fn hellos() {
    replay("hello", 10, fuzzing::hello);
}

#[test]
fn encrypted_hellos() {
    replay("ech", 10, fuzzing::ech);
}

#[test]
fn answers_of_responders() {
    replay("http", 10, fuzzing::http);
}

#[test]
fn answers_of_name_servers() {
    replay("names", 6, fuzzing::names);
}

#[test]
fn pem_files() {
    replay("pem", 8, fuzzing::pem);
}

#[test]
fn keys() {
    replay("key", 12, fuzzing::key);
}

#[test]
fn certificates() {
    replay("certificate", 40, fuzzing::certificate);
    for (_, der) in files("tests/data/pkits/certs") {
        fuzzing::certificate(&der);
    }
}

#[test]
fn tickets() {
    replay("ticket", 10, fuzzing::ticket);
}

#[test]
fn certificate_chains_for_brotli() {
    replay("brotli", 10, fuzzing::brotli);
}

#[test]
fn connections() {
    replay("connection", 20, fuzzing::connection);
}

#[test]
fn paths() {
    replay("path", 60, fuzzing::path);
}

#[test]
fn revocation_lists() {
    replay("lists", 20, fuzzing::lists);
}

#[test]
fn orders_and_answers() {
    replay("orders", 5, fuzzing::orders);
}

#[test]
fn agent_seeds() {
    replay("agent", 12, fuzzing::agent);
}

#[test]
fn ocsp_responses() {
    replay("ocsp", 10, fuzzing::ocsp);
    // Each seed is what its name says: the target gets to the end of the way, and to each refusal.
    use mod_tls_core::ocsp::{Fault, Refusal};
    for (name, seed) in seeds("ocsp") {
        let refusal = fuzzing::judge_ocsp(&seed).err();
        let expected = match name.as_str() {
            "revoked" => Some(Refusal::Revoked),
            "unknown" => Some(Refusal::Unknown),
            "foreign" => Some(Refusal::Fault(Fault::Foreign)),
            "try-later" => Some(Refusal::Fault(Fault::Unsuccessful(3))),
            "stranger" | "responder-without-certificate" => Some(Refusal::Fault(Fault::Signature)),
            _ => None,
        };
        assert_eq!(refusal, expected, "{name}");
    }
}
