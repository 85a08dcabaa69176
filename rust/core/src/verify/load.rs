// SPDX-License-Identifier: Apache-2.0
//! From the files of a configuration to a verifier.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::CertificateDer;

use super::anchors::{Anchors, Ends};
use super::fetched::{FetchSettings, FetchedLists};
use super::foresight;
use super::kept::Form;
use super::responders::Responders;
use super::revocation::{Depth, Revocation};
use super::sources::{Listed, Problems, SourceProblem, Sources, Weight};
use super::verifier::{Mode, Spec, Verifier};
use crate::system::clock::now;
use crate::x509::Certificate;

/// What a virtual host, or a section of one, asks of client certificates.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// What the handshake asks for.
    pub mode: Mode,
    /// Certificates that may stand above the client's own.
    pub depth: u32,
    /// Trusted CAs.
    pub authorities: Sources,
    /// Where chains may end.
    pub ends: Ends,
    /// Certificates whose names are sent to clients; empty: those of the CAs.
    pub names: Sources,
    /// Revocation lists.
    pub lists: Sources,
    /// Lists that are fetched besides; `None`: none are.
    pub fetch: Option<FetchSettings>,
    /// Which certificates are looked up in them.
    pub lookup: Depth,
    /// Certificates that no list covers pass.
    pub missing_ok: bool,
    /// OCSP responders that are asked; `None`: none are.
    pub responders: Option<Responders>,
    /// File with certificates of responders that are believed whoever issued them; may be empty.
    pub responder_file: String,
    /// What clients may sign with, most wanted first; none: all there are.
    pub signatures: Vec<SignatureScheme>,
}

/// Octets of names that a request for a certificate has room for: 65,535 in TLS 1.2 (RFC 5246 7.4.4), and in TLS 1.3
/// together with its other extensions (RFC 8446 4.3.2).
const MOST_NAMES: usize = 65_000;

/// What Java takes of one message (jdk.tls.maxHandshakeMessageSize), less what else stands in it.
const JAVAS_NAMES: usize = 32_000;

/// Reads the files and makes a verifier of them. `None` only beside a fatal problem.
pub fn load(request: &Request) -> (Option<Arc<Verifier>>, Vec<SourceProblem>) {
    let mut problems = Problems::default();
    let authorities = problems.read(&request.authorities, Form::Authorities);
    let certificates: Vec<CertificateDer<'static>> = authorities
        .iter()
        .map(|listed| CertificateDer::from(listed.der.clone()))
        .collect();
    let (anchors, refused) = Anchors::new(&certificates, request.ends);
    for (index, why) in refused {
        if let Some(Listed { source, place, .. }) = authorities.get(index) {
            let text = format!("{place}: certificate {why}; it is left out");
            problems.add(Weight::Warning, source, text);
        }
    }
    let judges = request.mode != Mode::None && request.mode != Mode::OptionalNoCa;
    // A file that cannot be read is fault enough.
    if anchors.is_empty() && judges && !problems.any_fatal() {
        let text = format!(
            "no CA certificate to judge clients by{}, so none can pass; name one by TLSClientCA (SSLCACertificateFile)",
            request.authorities.listed()
        );
        problems.add(Weight::Warning, request.authorities.any(), text);
    }
    if judges {
        foresight::tell_authorities(&mut problems, &authorities, now());
    }
    let hints = (!request.names.is_empty()).then(|| problems.hints(&request.names));
    let hints = problems.within_limits(hints, &anchors, request);
    let revocation = problems.revocation(request, &authorities);
    let responders = problems.responders(request);
    if problems.any_fatal() {
        return (None, problems.found);
    }
    let spec = Spec {
        mode: request.mode,
        depth: request.depth,
        anchors,
        hints,
        revocation,
        responders,
        signatures: request.signatures.clone(),
    };
    let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
    (Some(Verifier::new(spec, algorithms)), problems.found)
}

/// What came of reading lists anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// Other lists are in force now.
    pub replaced: bool,
    /// What is wrong with some of them, for which those of before stay in force.
    pub problem: Option<String>,
}

/// Reads the revocation lists of `sources` anew. What is damaged stays as it was when it was read last.
pub(super) fn reload_lists(verifier: &Verifier, sources: &Sources) -> Reloaded {
    let mut problems = Problems::default();
    let lists = problems.read(sources, Form::Lists);
    let (fatal, loss) = (problems.any_fatal(), problems.any_loss());
    let mut problem = problems
        .found
        .into_iter()
        .max_by_key(|p| p.weight)
        .map(|p| p.text);
    if fatal {
        let replaced = false;
        return Reloaded { replaced, problem };
    }
    let before = verifier.revocation().lists().generation();
    for (index, why) in verifier.revocation().replace(&lists, loss) {
        let place = lists.get(index).map_or("", |listed| &listed.place);
        problem = problem.or_else(|| Some(format!("{place}: revocation list {why}")));
    }
    Reloaded {
        replaced: problem.is_none() || before != verifier.revocation().lists().generation(),
        problem,
    }
}

impl Problems {
    fn hints(&mut self, sources: &Sources) -> Vec<Vec<u8>> {
        let mut names: Vec<Vec<u8>> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for Listed { source, place, der } in self.read(sources, Form::Authorities) {
            match Certificate::parse(&der) {
                Some(certificate) => {
                    let name = certificate.subject_der().to_vec();
                    if seen.insert(name.clone()) {
                        names.push(name);
                    }
                }
                None => {
                    let text = format!("{place}: holds no X.509 certificate; it is left out");
                    self.add(Weight::Warning, &source, text);
                }
            }
        }
        // An empty list would mean that certificates of any CA are welcome.
        if names.is_empty() && !self.any_fatal() {
            let text = format!(
                "no names of CAs to tell clients{}; put certificates there, or leave the directive out to send the \
                 names of the trusted CAs",
                sources.listed()
            );
            self.add(Weight::Fatal, sources.any(), text);
        }
        names
    }

    /// The names to send, as far as a request has room for them. A part of them would lock out who comes from the
    /// others; without names clients offer what they have.
    fn within_limits(
        &mut self,
        hints: Option<Vec<Vec<u8>>>,
        anchors: &Anchors,
        request: &Request,
    ) -> Option<Vec<Vec<u8>>> {
        let names = hints.as_deref().unwrap_or(anchors.subjects());
        let octets: usize = names.iter().map(|name| name.len().saturating_add(2)).sum();
        let from = match request.names.is_empty() {
            true => request.authorities.any().to_owned(),
            false => request.names.any().to_owned(),
        };
        let remedy = "name fewer by SSLCADNRequestFile (TLSClientCANames)";
        if octets > MOST_NAMES {
            let text = format!(
                "{from}: the names of {} CAs take {octets} octets, more than a request for a certificate holds ({MOST_NAMES}); \
                 none are sent, so that clients choose a certificate without help: {remedy}",
                names.len()
            );
            self.add(Weight::Warning, &from, text);
            return Some(Vec::new());
        }
        if octets > JAVAS_NAMES {
            let text = format!(
                "{from}: the names of {} CAs take {octets} octets; clients in Java refuse messages of more than 32768: \
                 {remedy}",
                names.len()
            );
            self.add(Weight::Warning, &from, text);
        }
        hints
    }

    /// How responders are asked, with the certificates of those that are believed in any case.
    fn responders(&mut self, request: &Request) -> Option<Responders> {
        let mut responders = request.responders.clone()?;
        if !request.responder_file.is_empty() {
            let file = Sources {
                files: vec![request.responder_file.clone()],
                directories: Vec::new(),
            };
            let certificates = self.read(&file, Form::Authorities);
            let ders = certificates.into_iter().map(|listed| listed.der);
            responders.believe(ders.collect());
        }
        Some(responders)
    }

    fn revocation(&mut self, request: &Request, authorities: &[Listed]) -> Revocation {
        let mut read = Self::default();
        let lists = read.read(&request.lists, Form::Lists);
        // Whose certificates a lost list was about nobody knows: those without a list do not pass then.
        let missing_ok = request.missing_ok && !read.any_loss();
        self.found.extend(read.found);
        let mut revocation = self.usable(request.lookup, missing_ok, &lists);
        let fetch = request.fetch.as_ref();
        if let Some(settings) = fetch.filter(|_| request.lookup != Depth::None) {
            let ders = authorities.iter().map(|listed| listed.der.clone());
            let wanted = FetchedLists::new(settings, ders.collect());
            if wanted.is_empty() {
                self.nothing_to_fetch(request);
            }
            revocation = revocation.with_fetched(wanted);
        }
        if request.lookup != Depth::None {
            let used = revocation.lists();
            let asked =
                !missing_ok && !request.lists.is_empty() && fetch.is_none() && !self.any_fatal();
            let missing = asked.then_some(request.lookup);
            foresight::tell_lists(self, authorities, &lists, &used, missing, now());
        }
        revocation
    }

    fn nothing_to_fetch(&mut self, request: &Request) {
        let text = format!(
            "none of the certificates of authorities{} names a distribution point whose address begins with http://, so \
             that no list is fetched, and clients are refused where lists are looked up: write the lists' addresses \
             behind \"TLSClientCRL auto\"",
            request.authorities.listed()
        );
        self.add(Weight::Loss, request.authorities.any(), text);
    }

    /// What can be judged by. A list that is of another kind is left out: where lists are looked up, clients of its CA
    /// are refused, so that it is a loss; where they are not, nobody misses it.
    fn usable(&mut self, lookup: Depth, missing_ok: bool, lists: &[Listed]) -> Revocation {
        let (revocation, refused) = Revocation::new(lookup, missing_ok, lists);
        let weight = match lookup {
            Depth::None => Weight::Warning,
            _ => Weight::Loss,
        };
        for (index, why) in refused {
            if let Some(Listed { source, place, .. }) = lists.get(index) {
                let text = format!(
                    "{place}: revocation list {why}; clients of its CA are refused where lists are looked up, unless there \
                     is another: get it again from its CA, or have a plain one issued (version 2, full, without critical \
                     extensions)"
                );
                self.add(weight, source, text);
            }
        }
        revocation
    }
}
