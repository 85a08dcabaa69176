//! Verifiers of client certificates for C++.

use std::sync::Arc;

use mod_tls_core::verify::{self, Ends, Mode, Request, RevocationDepth, Sources, Watch};

use crate::ffi::{VerifierProblem, VerifierSpec};
use crate::guard::{guard, guard_result};

/// See the bridge.
pub struct ClientVerifier {
    pub(crate) verifier: Option<Arc<verify::Verifier>>,
    watch: Watch,
}

/// See the bridge.
pub fn no_verifier() -> Box<ClientVerifier> {
    let nothing = || {
        Box::new(ClientVerifier {
            verifier: None,
            watch: Watch::new(Sources::default()),
        })
    };
    guard(nothing, nothing)
}

/// See the bridge.
pub fn load_verifier(
    spec: &VerifierSpec,
    problems: &mut Vec<VerifierProblem>,
) -> Result<Box<ClientVerifier>, String> {
    guard_result(|| {
        let request = request(spec);
        let (verifier, found) = verify::load(&request);
        problems.extend(found.into_iter().map(|problem| VerifierProblem {
            fatal: problem.fatal,
            text: problem.text,
        }));
        Ok(Box::new(ClientVerifier {
            verifier,
            watch: Watch::new(request.lists),
        }))
    })
}

impl ClientVerifier {
    pub fn digest(&self) -> [u8; 32] {
        guard(
            || [0; 32],
            || {
                self.verifier
                    .as_ref()
                    .map_or([0; 32], |verifier| verifier.id())
            },
        )
    }

    pub fn refresh_lists(&self) -> String {
        guard(
            || "internal error: a panic was caught; please report it".to_owned(),
            || match &self.verifier {
                Some(verifier) => self.watch.refresh(verifier).err().unwrap_or_default(),
                None => String::new(),
            },
        )
    }
}

/// The mode with this number; numbers are those of `tls::config::VerifyClient`, 4 is [`Mode::Any`] and 5
/// [`Mode::AnyGenerous`].
pub fn mode(number: u8) -> Mode {
    match number {
        1 => Mode::Optional,
        2 => Mode::Required,
        3 => Mode::OptionalNoCa,
        4 => Mode::Any,
        5 => Mode::AnyGenerous,
        _ => Mode::None,
    }
}

fn request(spec: &VerifierSpec) -> Request {
    let sources = |files: &Vec<String>, directories: &Vec<String>| Sources {
        files: files.clone(),
        directories: directories.clone(),
    };
    Request {
        mode: mode(spec.mode),
        depth: spec.depth,
        ends: if spec.only_roots {
            Ends::AtRoots
        } else {
            Ends::Anywhere
        },
        authorities: sources(&spec.authority_files, &spec.authority_directories),
        names: sources(&spec.name_files, &spec.name_directories),
        lists: sources(&spec.list_files, &spec.list_directories),
        lookup: match spec.lookup {
            1 => RevocationDepth::Leaf,
            2 => RevocationDepth::Chain,
            _ => RevocationDepth::None,
        },
        missing_ok: spec.missing_ok,
    }
}
