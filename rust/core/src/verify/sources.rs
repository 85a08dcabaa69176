//! The files that verifiers are made of, and what is wrong with them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use ::aws_lc_rs::digest::{SHA256, digest};

use crate::creds::contents::{self, Found, LOST};
use crate::file::{self, Limit, Refusal};

/// Where a set of certificates or lists comes from: files, and directories of which every file is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// Files in PEM or DER; one that is a directory is taken as such.
    pub files: Vec<String>,
    /// Directories of such files.
    pub directories: Vec<String>,
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

    /// One of them, so that a line of the configuration can be told.
    pub(super) fn any(&self) -> &str {
        let mut all = self.files.iter().chain(&self.directories);
        all.next().map_or("", String::as_str)
    }

    pub(super) fn listed(&self) -> String {
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

/// What a problem means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Somebody will see a fault.
    Warning,
    /// An authority or a list is not taken that the file may have been meant to hold.
    Loss,
    /// The server must not start with it.
    Fatal,
}

/// Something that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub weight: Weight,
    /// The file or directory as the configuration names it.
    pub source: String,
    /// What is wrong, with the file's name and what to do.
    pub text: String,
}

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Certificates,
    Lists,
}

/// clientAuth: 1.3.6.1.5.5.7.3.2
const CLIENTS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 2];

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Certificates => "certificate",
            Kind::Lists => "revocation list",
        }
    }

    fn read(self, path: &Path) -> Result<Found, String> {
        let limit = match self {
            Kind::Certificates => Limit::AUTHORITIES,
            Kind::Lists => Limit::LISTS,
        };
        let content = file::read(path, limit).map_err(unreadable)?;
        let found = file::contained(|| match self {
            Kind::Certificates => contents::authorities(&content.bytes),
            Kind::Lists => contents::lists(&content.bytes),
        });
        found.ok_or_else(|| file::PANICKED.to_owned())
    }

    /// What a loss means.
    fn loss(self) -> &'static str {
        match self {
            Kind::Certificates => "no authority is taken from there",
            Kind::Lists => {
                "that list is left out, and clients of its CA are refused where lists are looked up: get it again from its CA"
            }
        }
    }
}

/// A certificate or list with where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The file or directory as the configuration names it.
    pub source: String,
    /// The file, and the line in which it begins if that is not the first.
    pub place: String,
    /// The element itself.
    pub der: Vec<u8>,
}

/// One of which no file is known.
impl From<Vec<u8>> for Listed {
    fn from(der: Vec<u8>) -> Self {
        Self {
            source: String::new(),
            place: String::new(),
            der,
        }
    }
}

/// Collects problems.
#[derive(Default)]
pub(super) struct Problems {
    pub(super) found: Vec<Problem>,
}

impl Problems {
    pub(super) fn add(&mut self, weight: Weight, source: &str, text: String) {
        self.found.push(Problem {
            weight,
            source: source.to_owned(),
            text,
        });
    }

    pub(super) fn any_fatal(&self) -> bool {
        self.found.iter().any(|p| p.weight == Weight::Fatal)
    }

    /// Whether something is missing of what the files were meant to hold.
    pub(super) fn any_loss(&self) -> bool {
        self.found.iter().any(|p| p.weight >= Weight::Loss)
    }

    /// All elements of a kind, each once, since a directory made by c_rehash names each file twice. Files of a directory
    /// that hold nothing of the kind are passed over, as directories of CAs hold README and index files too.
    pub(super) fn read(&mut self, sources: &Sources, kind: Kind) -> Vec<Listed> {
        let mut all = Vec::new();
        let (directories, files) = sources.sorted();
        for file in files {
            match kind.read(Path::new(file)) {
                Ok(found) => self.take_file(file, found, kind, &mut all),
                Err(why) => self.add(Weight::Fatal, file, format!("{file}: {why}")),
            }
        }
        for directory in directories {
            let before = all.len();
            match file::list(Path::new(directory)) {
                Ok(files) => self.take_directory(directory, &files, kind, &mut all),
                Err(why) => {
                    let text = format!("{directory}: {}", unreadable(why));
                    self.add(Weight::Fatal, directory, text);
                    continue;
                }
            }
            if all.len() == before {
                let text = format!("{directory}: no file in it holds a {}", kind.name());
                self.add(Weight::Warning, directory, text);
            }
        }
        let mut seen = HashSet::new();
        all.retain(|listed| seen.insert(digest(&SHA256, &listed.der).as_ref().to_vec()));
        all
    }

    /// Takes what a named file holds. Damage to a file of authorities is told before anybody is judged by the rest; a
    /// list that is damaged must not keep the others out.
    fn take_file(&mut self, file: &str, found: Found, kind: Kind, all: &mut Vec<Listed>) {
        if found.taken.is_empty() && found.damaged.is_empty() {
            let text = format!("{file}: holds no {}{}", kind.name(), found.instead());
            self.add(Weight::Fatal, file, text);
        }
        let is_fatal = kind == Kind::Certificates || found.taken.is_empty();
        for damage in &found.damaged {
            let (weight, end) = match is_fatal {
                true => (Weight::Fatal, String::new()),
                false => (Weight::Loss, format!(": {}", kind.loss())),
            };
            self.add(weight, file, format!("{file}: {damage}{end}"));
        }
        self.take(file, Path::new(file), found, kind, all);
    }

    fn take_directory(
        &mut self,
        directory: &str,
        files: &[PathBuf],
        kind: Kind,
        all: &mut Vec<Listed>,
    ) {
        for path in files {
            let name = path.display();
            match kind.read(path) {
                Ok(found) if kind == Kind::Certificates && !found.damaged.is_empty() => {
                    for damage in &found.damaged {
                        let text = format!("{name}: {damage}; the file is left out");
                        self.add(Weight::Loss, directory, text);
                    }
                }
                Ok(found) => {
                    for damage in &found.damaged {
                        let text = format!("{name}: {damage}: {}", kind.loss());
                        self.add(Weight::Loss, directory, text);
                    }
                    self.take(directory, path, found, kind, all);
                }
                Err(why) => {
                    let text = format!("{name}: {why}; it is left out");
                    self.add(Weight::Loss, directory, text);
                }
            }
        }
    }

    fn take(&mut self, source: &str, path: &Path, found: Found, kind: Kind, all: &mut Vec<Listed>) {
        let name = path.display();
        for line in &found.lost {
            let text = format!("{name}: line {line} {LOST}: {}", kind.loss());
            self.add(Weight::Loss, source, text);
        }
        for taken in &found.taken {
            let place = match taken.line {
                1 => name.to_string(),
                line => format!("{name} (line {line})"),
            };
            if kind == Kind::Certificates && !taken.may_vouch_for(CLIENTS) {
                let text = format!(
                    "{place}: this CA is not to be trusted for clients, as OpenSSL's settings behind the certificate \
                     say; it is left out, and taken without them: openssl x509 -in {name} -out FILE"
                );
                self.add(Weight::Loss, source, text);
                continue;
            }
            all.push(Listed {
                source: source.to_owned(),
                place,
                der: taken.element().to_vec(),
            });
        }
    }
}

fn unreadable(why: Refusal) -> String {
    format!("cannot be read: {why}; check the path, and that root may read it")
}
