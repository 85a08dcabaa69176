//! Verifiers of client certificates for C++.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use mod_tls_core::signatures::schemes;
use mod_tls_core::verify::{
    self, Ends, Mode, Request, RevocationDepth, Sources, Verifier, Watch, Weight,
};

use crate::ffi::{ClientNews, VerifierProblem, VerifierSpec};
use crate::guard::{guard, guard_result};

/// See the bridge.
pub struct ClientVerifier {
    pub(crate) authorities: Arc<Authorities>,
    request: Request,
    lists: Watch,
    certificates: Watch,
}

/// What clients are judged by, as this process has it.
#[derive(Default)]
pub(crate) struct Authorities {
    verifier: RwLock<Option<Arc<Verifier>>>,
    state: AtomicU64,
}

impl Authorities {
    /// The verifier to begin with; `None` judges nobody.
    pub(crate) fn current(&self) -> Option<Arc<Verifier>> {
        let verifier = self.verifier.read().unwrap_or_else(PoisonError::into_inner);
        verifier.clone()
    }

    /// Changes whenever `current` does.
    pub(crate) fn state(&self) -> u64 {
        self.state.load(Ordering::Acquire)
    }

    fn replace(&self, verifier: Arc<Verifier>) {
        *self
            .verifier
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(verifier);
        self.state.fetch_add(1, Ordering::Release);
    }
}

impl ClientVerifier {
    fn new(verifier: Option<Arc<Verifier>>, request: Request) -> Self {
        let both = Sources {
            files: [&request.authorities.files[..], &request.names.files].concat(),
            directories: [
                &request.authorities.directories[..],
                &request.names.directories,
            ]
            .concat(),
        };
        Self {
            authorities: Arc::new(Authorities {
                verifier: RwLock::new(verifier),
                state: AtomicU64::new(0),
            }),
            lists: Watch::new(request.lists.clone()),
            certificates: Watch::new(both),
            request,
        }
    }
}

/// See the bridge.
pub fn no_verifier() -> Box<ClientVerifier> {
    let nothing = || Box::new(ClientVerifier::new(None, Request::default()));
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
            fatal: problem.weight == Weight::Fatal,
            loss: problem.weight == Weight::Loss,
            source: problem.source,
            text: problem.text,
        }));
        Ok(Box::new(ClientVerifier::new(verifier, request)))
    })
}

impl ClientVerifier {
    /// See the bridge.
    pub fn digest(&self) -> [u8; 32] {
        let id = || {
            self.authorities
                .current()
                .map_or([0; 32], |verifier| verifier.id())
        };
        guard(|| [0; 32], id)
    }

    /// See the bridge.
    pub fn refresh(&self, authorities_too: bool) -> ClientNews {
        let failed = || ClientNews {
            problem: "internal error: a panic was caught; please report it".to_owned(),
            ..ClientNews::default()
        };
        guard(failed, || {
            let Some(verifier) = self.authorities.current() else {
                return ClientNews::default();
            };
            if authorities_too && self.certificates.settled() {
                return self.load_again();
            }
            let lists = self.lists.refresh(&verifier);
            ClientNews {
                lists_replaced: lists.replaced,
                problem: lists.problem.unwrap_or_default(),
                ..ClientNews::default()
            }
        })
    }

    fn load_again(&self) -> ClientNews {
        let (verifier, problems) = verify::load(&self.request);
        let fatal = problems
            .into_iter()
            .find(|problem| problem.weight == Weight::Fatal);
        if let Some(verifier) = verifier {
            self.authorities.replace(verifier);
        }
        ClientNews {
            renewed: fatal.is_none(),
            lists_replaced: false,
            problem: fatal.map(|problem| problem.text).unwrap_or_default(),
        }
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
        signatures: schemes(&spec.signatures),
    }
}
