// SPDX-License-Identifier: Apache-2.0
//! Verifiers of client certificates for C++.

use std::sync::Arc;

use mod_tls_core::metrics::{self, Counter};
use mod_tls_core::tls::signatures::schemes;
use mod_tls_core::verify::{
    self, Authorities, Ends, Mode, News, Request, Responders, RevocationDepth, Sources,
    WatchedAuthorities, Weight,
};

use crate::ffi::{ClientMode, ClientNews, FetchRule, Lookup, VerifierProblem, VerifierSpec};
use crate::guard::{guard, guard_result};

/// Authorities and lists of clients, with the files that they come from. Owned by the configuration; children have
/// copies, which change apart.
pub struct ClientVerifier(WatchedAuthorities);

/// A verifier that asks no client for a certificate.
pub fn no_verifier() -> Box<ClientVerifier> {
    let nothing = || Box::new(ClientVerifier(WatchedAuthorities::default()));
    guard(nothing, nothing)
}

/// Reads the files of `spec`. Fails after a panic alone.
pub fn load_verifier(
    spec: &VerifierSpec,
    problems: &mut Vec<VerifierProblem>,
) -> Result<Box<ClientVerifier>, String> {
    guard_result(|| {
        let (loaded, found) = WatchedAuthorities::load(request(spec));
        problems.extend(found.into_iter().map(problem));
        Ok(Box::new(ClientVerifier(loaded)))
    })
}

impl ClientVerifier {
    pub(crate) fn authorities(&self) -> &Arc<Authorities> {
        self.0.authorities()
    }

    /// Content hash of the CAs.
    pub fn digest(&self) -> [u8; 32] {
        guard(|| [0; 32], || self.0.digest())
    }

    /// How OCSP responders are asked about clients: one rule, or none where they are not.
    pub fn ocsp_rule(&self) -> Vec<FetchRule> {
        guard(Vec::new, || {
            let verifier = self.0.authorities().current();
            let rule = verifier.and_then(|verifier| Some(verifier.rule()?.into()));
            rule.into_iter().collect()
        })
    }

    /// Looks at the files, and takes up what has changed.
    pub fn refresh(&self, authorities_too: bool) -> ClientNews {
        let failed = || ClientNews {
            problem: "internal error: a panic was caught; please report it".to_owned(),
            ..ClientNews::default()
        };
        guard(failed, || {
            let news = news(self.0.refresh(authorities_too));
            if news.renewed || news.lists_replaced {
                metrics::count(Counter::ListsTaken);
            }
            if !news.problem.is_empty() {
                metrics::count(Counter::ListsRefused);
            }
            news
        })
    }
}

fn problem(problem: verify::SourceProblem) -> VerifierProblem {
    VerifierProblem {
        fatal: problem.weight == Weight::Fatal,
        loss: matches!(problem.weight, Weight::Loss | Weight::Kept),
        source: problem.source,
        text: problem.text,
    }
}

fn news(news: News) -> ClientNews {
    ClientNews {
        renewed: news.renewed,
        lists_replaced: news.lists_replaced,
        problem: news.problem.unwrap_or_default(),
    }
}

pub(crate) fn mode(mode: ClientMode) -> Mode {
    match mode {
        ClientMode::Optional => Mode::Optional,
        ClientMode::Required => Mode::Required,
        ClientMode::OptionalNoCa => Mode::OptionalNoCa,
        ClientMode::Any => Mode::Any,
        ClientMode::AnyUnverified => Mode::AnyUnverified,
        _ => Mode::None,
    }
}

fn lookup(lookup: Lookup) -> RevocationDepth {
    match lookup {
        Lookup::Leaf => RevocationDepth::Leaf,
        Lookup::Chain => RevocationDepth::Chain,
        _ => RevocationDepth::None,
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
        ends: match spec.only_roots {
            true => Ends::AtRoots,
            false => Ends::Anywhere,
        },
        authorities: sources(&spec.authority_files, &spec.authority_directories),
        names: sources(&spec.name_files, &spec.name_directories),
        lists: sources(&spec.list_files, &spec.list_directories),
        lookup: lookup(spec.lookup),
        missing_ok: spec.missing_ok,
        responders: (spec.ocsp_lookup != Lookup::None).then(|| {
            Responders::new(
                lookup(spec.ocsp_lookup),
                spec.ocsp_none_ok,
                spec.ocsp_soft,
                (&spec.ocsp).into(),
            )
        }),
        responder_file: spec.responder_file.clone(),
        signatures: schemes(&spec.signatures),
    }
}
