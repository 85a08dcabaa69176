// SPDX-License-Identifier: Apache-2.0
//! Verifiers of client certificates for C++.

pub(crate) mod boundary;

use std::sync::Arc;

use mod_tls_core::tls::signatures::schemes;
use mod_tls_core::verify::fetched::FetchSettings;
use mod_tls_core::verify::{
    self, Authorities, Ends, Mode, News, Request, Responders, RevocationDepth, Sources,
    WatchedAuthorities, Weight,
};

use crate::guard::{PANICKED, Thrown, guard, guard_result};
use boundary::ffi::{ClientMode, ClientNews, FetchRule, Lookup, VerifierProblem, VerifierSpec};

named_in_cpp!(ClientVerifier, "tls::rs::ClientVerifier");

/// Authorities and lists of clients, with the files that they come from. Owned by the configuration; children have
/// copies, which change apart.
pub(crate) struct ClientVerifier(WatchedAuthorities);

/// A verifier that asks no client for a certificate.
pub(crate) fn no_verifier() -> Box<ClientVerifier> {
    let nothing = || Box::new(ClientVerifier(WatchedAuthorities::default()));
    guard(nothing, nothing)
}

/// Reads the files of `spec`. Fails after a panic alone.
pub(crate) fn load_verifier(
    spec: &VerifierSpec,
    problems: &mut Vec<VerifierProblem>,
) -> Result<Box<ClientVerifier>, Thrown> {
    guard_result(|| {
        let (loaded, found) = WatchedAuthorities::load(request(spec));
        problems.extend(found.into_iter().map(VerifierProblem::from));
        Ok(Box::new(ClientVerifier(loaded)))
    })
}

impl ClientVerifier {
    pub(crate) fn authorities(&self) -> &Arc<Authorities> {
        self.0.authorities()
    }

    /// Content hash of the CAs.
    pub(crate) fn digest(&self) -> [u8; 32] {
        guard(|| [0; 32], || self.0.digest())
    }

    /// How OCSP responders are asked about clients; see the boundary.
    pub(crate) fn ocsp_rules(&self) -> Vec<FetchRule> {
        guard(Vec::new, || {
            self.0.rules().iter().map(FetchRule::from).collect()
        })
    }

    /// Reads changed files ahead of the children; see the boundary.
    pub(crate) fn foresee(&self) -> bool {
        guard(|| false, || self.0.foresee())
    }

    /// Looks at the files, and takes up what has changed.
    pub(crate) fn refresh(&self, authorities_too: bool) -> ClientNews {
        let panicked = || News {
            problem: Some(PANICKED.to_owned()),
            ..News::default()
        };
        guard(panicked, || self.0.refresh(authorities_too)).into()
    }
}

impl From<verify::SourceProblem> for VerifierProblem {
    fn from(problem: verify::SourceProblem) -> Self {
        Self {
            fatal: problem.weight == Weight::Fatal,
            loss: matches!(problem.weight, Weight::Loss | Weight::Kept),
            source: problem.source,
            text: problem.text,
        }
    }
}

impl From<News> for ClientNews {
    fn from(news: News) -> Self {
        Self {
            renewed: news.renewed,
            lists_replaced: news.lists_replaced,
            unfetched: news.unfetched,
            problem: news.problem.unwrap_or_default(),
        }
    }
}

impl From<ClientMode> for Mode {
    fn from(mode: ClientMode) -> Self {
        match mode {
            ClientMode::Optional => Self::Optional,
            ClientMode::Required => Self::Required,
            ClientMode::OptionalNoCa => Self::OptionalNoCa,
            ClientMode::Any => Self::Any,
            ClientMode::AnyUnverified => Self::AnyUnverified,
            _ => Self::None,
        }
    }
}

impl From<Lookup> for RevocationDepth {
    fn from(lookup: Lookup) -> Self {
        match lookup {
            Lookup::Leaf => Self::Leaf,
            Lookup::Chain => Self::Chain,
            _ => Self::None,
        }
    }
}

fn request(spec: &VerifierSpec) -> Request {
    let sources = |files: &Vec<String>, directories: &Vec<String>| Sources {
        files: files.clone(),
        directories: directories.clone(),
    };
    Request {
        mode: spec.mode.into(),
        depth: spec.depth,
        ends: match spec.only_roots {
            true => Ends::AtRoots,
            false => Ends::Anywhere,
        },
        authorities: sources(&spec.authority_files, &spec.authority_directories),
        names: sources(&spec.name_files, &spec.name_directories),
        lists: sources(&spec.list_files, &spec.list_directories),
        fetch: spec.list_fetch.then(|| FetchSettings {
            allow: spec.list_allow,
            urls: spec.list_urls.clone(),
            proxy: (!spec.list_proxy.is_empty()).then(|| spec.list_proxy.clone()),
        }),
        lookup: spec.lookup.into(),
        missing_ok: spec.missing_ok,
        responders: (spec.ocsp_lookup != Lookup::None).then(|| {
            Responders::new(
                spec.ocsp_lookup.into(),
                spec.ocsp_none_ok,
                spec.ocsp_soft,
                (&spec.ocsp).into(),
            )
        }),
        responder_file: spec.responder_file.clone(),
        signatures: schemes(&spec.signatures),
    }
}
