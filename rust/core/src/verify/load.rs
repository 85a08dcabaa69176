//! From the files of a configuration to a verifier.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::pem::{PemObject, SectionKind};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

use super::anchors::{Anchors, Ends};
use super::retained;
use super::revocation::{Depth, Revocation};
use super::verifier::{Mode, Spec, Verifier};
use crate::file::{self, Limit, Refusal};
use crate::x509::Certificate;

/// Where a set of certificates or lists comes from: PEM files, and directories of which every file is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// PEM files; one that is a directory is taken as such.
    pub files: Vec<String>,
    /// Directories of PEM files.
    pub directories: Vec<String>,
}

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
    /// Which certificates are looked up in them.
    pub lookup: Depth,
    /// Certificates that no list covers pass.
    pub missing_ok: bool,
    /// What clients may sign with, most wanted first; none: all there are.
    pub signatures: Vec<SignatureScheme>,
}

/// Something that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The server must not start with it.
    pub fatal: bool,
    /// What is wrong, with the file's name and what to do.
    pub text: String,
}

/// Reads the files and makes a verifier of them. `None` only beside a fatal problem.
pub fn load(request: &Request) -> (Option<Arc<Verifier>>, Vec<Problem>) {
    let mut problems = Problems::default();
    let authorities = problems.certificates(&request.authorities);
    let certificates: Vec<_> = authorities.iter().map(|(_, der)| der.clone()).collect();
    let (anchors, refused) = Anchors::new(&certificates, request.ends);
    for (index, why) in refused {
        let file = authorities
            .get(index)
            .map_or_else(String::new, |(file, _)| display(file));
        problems.warn(format!("{file}: certificate {why}; it is left out"));
    }
    if anchors.is_empty() && request.mode != Mode::None && request.mode != Mode::OptionalNoCa {
        problems.warn(format!(
            "no CA certificate to judge clients by{}, so none can pass; name one",
            request.authorities.listed()
        ));
    }
    let hints = (!request.names.is_empty()).then(|| problems.hints(&request.names));
    let revocation = problems.revocation(request);
    if problems.any_fatal() {
        return (None, problems.found);
    }
    let spec = Spec {
        mode: request.mode,
        depth: request.depth,
        anchors,
        hints,
        revocation,
        signatures: request.signatures.clone(),
    };
    let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
    (Some(Verifier::new(spec, algorithms)), problems.found)
}

/// Reads the revocation lists of `sources` anew. On any fault the lists in use stay.
pub fn reload_lists(verifier: &Verifier, sources: &Sources) -> Result<(), String> {
    let mut problems = Problems::default();
    let lists = problems.lists(sources);
    if let Some(problem) = problems.found.into_iter().next() {
        return Err(problem.text);
    }
    let ders: Vec<Vec<u8>> = lists.iter().map(|(_, der)| der.clone()).collect();
    verifier
        .revocation()
        .replace(&ders)
        .map_err(|(index, why)| {
            let file = lists
                .get(index)
                .map_or_else(String::new, |(file, _)| display(file));
            format!("{file}: revocation list {why}")
        })?;
    retained::keep(sources, &lists);
    Ok(())
}

impl Sources {
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.directories.is_empty()
    }

    /// Directories, and files that are none.
    pub(super) fn sorted(&self) -> (Vec<&String>, Vec<&String>) {
        let (mut directories, files): (Vec<_>, Vec<_>) = self
            .files
            .iter()
            .partition(|path| file::is_directory(Path::new(path)));
        directories.extend(&self.directories);
        (directories, files)
    }

    fn listed(&self) -> String {
        let all: Vec<&str> = self
            .files
            .iter()
            .chain(&self.directories)
            .map(String::as_str)
            .collect();
        if all.is_empty() {
            String::new()
        } else {
            format!(" in {}", all.join(", "))
        }
    }
}

#[derive(Default)]
struct Problems {
    found: Vec<Problem>,
}

impl Problems {
    fn fatal(&mut self, text: String) {
        self.found.push(Problem { fatal: true, text });
    }

    fn warn(&mut self, text: String) {
        self.found.push(Problem { fatal: false, text });
    }

    fn any_fatal(&self) -> bool {
        self.found.iter().any(|problem| problem.fatal)
    }

    /// All files with their contents. Files of a directory that hold nothing of the kind are passed over, as
    /// directories of CAs hold README and index files too.
    fn read<T>(
        &mut self,
        sources: &Sources,
        kind: &str,
        limit: Limit,
        parse: impl Fn(&[u8]) -> Result<Vec<T>, String>,
    ) -> Vec<(PathBuf, T)> {
        let mut all = Vec::new();
        let (directories, files) = sources.sorted();
        for file in files {
            match parse_file(Path::new(file), limit, &parse) {
                Ok(found) if found.is_empty() => {
                    self.fatal(format!("{file}: holds no {kind} in PEM form"));
                }
                Ok(found) => all.extend(found.into_iter().map(|item| (PathBuf::from(file), item))),
                Err(why) => self.fatal(format!("{file}: {why}")),
            }
        }
        for directory in directories {
            let before = all.len();
            match file::list(Path::new(directory)) {
                Ok(files) => {
                    for file in files {
                        match parse_file(&file, limit, &parse) {
                            Ok(found) => {
                                all.extend(found.into_iter().map(|item| (file.clone(), item)))
                            }
                            Err(why) => {
                                self.warn(format!("{}: {why}; it is left out", display(&file)))
                            }
                        }
                    }
                    if all.len() == before {
                        self.warn(format!(
                            "{directory}: no file in it holds a {kind} in PEM form"
                        ));
                    }
                }
                Err(why) => self.fatal(format!("{directory}: {}", unreadable(why))),
            }
        }
        all
    }

    fn certificates(&mut self, sources: &Sources) -> Vec<(PathBuf, CertificateDer<'static>)> {
        let mut all = self.read(sources, "certificate", Limit::AUTHORITIES, certificates);
        // A directory made by c_rehash names each file twice.
        let mut seen = std::collections::HashSet::new();
        all.retain(|(_, der)| seen.insert(der.clone()));
        all
    }

    fn hints(&mut self, sources: &Sources) -> Vec<Vec<u8>> {
        let mut names: Vec<Vec<u8>> = Vec::new();
        for (file, der) in self.certificates(sources) {
            match Certificate::parse(&der) {
                Some(certificate)
                    if !names.iter().any(|name| name == certificate.subject_der()) =>
                {
                    names.push(certificate.subject_der().to_vec());
                }
                Some(_) => {}
                None => self.warn(format!(
                    "{}: holds no X.509 certificate; it is left out",
                    display(&file)
                )),
            }
        }
        // An empty list would mean that certificates of any CA are welcome.
        if names.is_empty() && !self.any_fatal() {
            self.fatal(format!(
                "no names of CAs to tell clients{}; put certificates there, or leave the directive out to send the \
                 names of the trusted CAs",
                sources.listed()
            ));
        }
        names
    }

    fn lists(&mut self, sources: &Sources) -> Vec<(PathBuf, Vec<u8>)> {
        let mut all = self.read(sources, "revocation list", Limit::LISTS, revocation_lists);
        let mut seen = std::collections::HashSet::new();
        all.retain(|(_, der)| seen.insert(der.clone()));
        all
    }

    fn revocation(&mut self, request: &Request) -> Revocation {
        let mut read = Self::default();
        let mut lists = read.lists(&request.lists);
        let mut revocation = read.usable(request, &lists);
        match retained::find(&request.lists).filter(|_| read.any_fatal()) {
            Some(kept) => {
                for problem in read.found {
                    self.warn(format!(
                        "{}. The lists read before stay in force",
                        problem.text
                    ));
                }
                lists = kept;
                revocation = Self::default().usable(request, &lists);
            }
            None => {
                if !read.any_fatal() {
                    retained::keep(&request.lists, &lists);
                }
                self.found.extend(read.found);
            }
        }
        for (file, der) in lists.iter().filter(|_| request.lookup != Depth::None) {
            if let Some(end) = end_of(der).filter(|end| *end < now()) {
                let days = (now() - end) / 86_400;
                self.warn(format!(
                    "{}: the revocation list has expired {days} days ago; clients of its CA are refused until \
                     there is a new one",
                    display(file)
                ));
            }
        }
        revocation
    }

    fn usable(&mut self, request: &Request, lists: &retained::Lists) -> Revocation {
        let ders: Vec<Vec<u8>> = lists.iter().map(|(_, der)| der.clone()).collect();
        let (revocation, refused) = Revocation::new(request.lookup, request.missing_ok, &ders);
        for (index, why) in refused {
            let file = lists
                .get(index)
                .map_or_else(String::new, |(file, _)| display(file));
            self.fatal(format!("{file}: revocation list {why}"));
        }
        revocation
    }
}

/// When the list must have been replaced, in seconds since 1970.
fn end_of(der: &[u8]) -> Option<i64> {
    let (_, list) = CertificateRevocationList::from_der(der).ok()?;
    list.next_update().map(|time| time.timestamp())
}

fn now() -> i64 {
    i64::try_from(UnixTime::now().as_secs()).unwrap_or(i64::MAX)
}

fn display(path: &Path) -> String {
    path.display().to_string()
}

/// What `parse` makes of a file; a panic of it is that file's fault.
fn parse_file<T>(
    path: &Path,
    limit: Limit,
    parse: impl Fn(&[u8]) -> Result<Vec<T>, String>,
) -> Result<Vec<T>, String> {
    let content = file::read(path, limit).map_err(unreadable)?;
    file::contained(|| parse(&content.bytes)).unwrap_or_else(|| Err(file::PANICKED.to_owned()))
}

fn unreadable(why: Refusal) -> String {
    format!("cannot be read: {why}")
}

/// Certificates in PEM, also in OpenSSL's TRUSTED form, of which what follows the certificate is left aside.
fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let plain =
        String::from_utf8_lossy(text).replace(" TRUSTED CERTIFICATE-----", " CERTIFICATE-----");
    let mut found = Vec::new();
    for section in <(SectionKind, Vec<u8>) as PemObject>::pem_slice_iter(plain.as_bytes()) {
        match section {
            Ok((SectionKind::Certificate, der)) => {
                found.push(CertificateDer::from(first_element(der)))
            }
            Ok(_) => {}
            Err(error) => return Err(format!("is damaged: {error}")),
        }
    }
    Ok(found)
}

fn first_element(mut der: Vec<u8>) -> Vec<u8> {
    if let Some(length) = crate::x509::first_element_length(&der) {
        der.truncate(length);
    }
    der
}

fn revocation_lists(text: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut found = Vec::new();
    for list in CertificateRevocationListDer::pem_slice_iter(text) {
        match list {
            Ok(der) => found.push(der.as_ref().to_vec()),
            Err(error) => return Err(format!("is damaged: {error}")),
        }
    }
    Ok(found)
}
