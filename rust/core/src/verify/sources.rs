// SPDX-License-Identifier: Apache-2.0
//! The files that verifiers are made of, and what is wrong with them.

use std::collections::HashSet;
use std::path::Path;

use ::aws_lc_rs::digest::{SHA256, digest};

use super::certificate::PathCertificate;
use super::kept::{self, Form, REST, Stead, Unread};
use crate::creds::contents::{Found, LOST};
use crate::system::file;
use crate::x509::uses::CLIENT_AUTH;

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
    /// A file is damaged, and what it held before goes on to be used.
    Kept,
    /// An authority or a list is not taken that the file may have been meant to hold.
    Loss,
    /// The server must not start with it.
    Fatal,
}

/// Something that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceProblem {
    /// How bad it is.
    pub weight: Weight,
    /// The file or directory as the configuration names it.
    pub source: String,
    /// What is wrong, with the file's name and what to do.
    pub text: String,
}

/// What a lost list means.
const LOST_LIST: &str = ": that list is left out, and clients of its CA are refused where lists are looked up: get it \
     again from its CA";

/// What is done about a file that was better before.
const KEPT: &str = "what was read from it before stays in force";

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
pub(crate) struct Problems {
    pub(super) found: Vec<SourceProblem>,
}

impl Problems {
    /// What was found, without its weight.
    pub(crate) fn into_texts(self) -> impl Iterator<Item = String> {
        self.found.into_iter().map(|problem| problem.text)
    }

    pub(super) fn add(&mut self, weight: Weight, source: &str, text: String) {
        self.found.push(SourceProblem {
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

    /// All elements of a form, each once, since a directory made by c_rehash names each file twice. Files of a directory
    /// that hold nothing of it are passed over, as directories of CAs hold README and index files too. What was better
    /// before, when it was read last for this configuration or the one before it, is taken as it was then.
    pub(super) fn read(&mut self, sources: &Sources, form: Form) -> Vec<Listed> {
        let mut all = Vec::new();
        let (directories, files) = sources.sorted();
        for file in files {
            let reading = kept::read(Path::new(file), form);
            let now = FileRead::new(file, Path::new(file), form).named(&reading.now);
            self.take(now, &reading.stead, &mut all);
        }
        for directory in directories {
            let before = all.len();
            self.read_directory(directory, form, &mut all);
            let is_file = sources.files.contains(directory);
            if all.len() == before {
                self.nothing_in(directory, is_file, form, &mut all);
            }
        }
        let mut seen = HashSet::new();
        all.retain(|listed| seen.insert(digest(&SHA256, &listed.der).as_ref().to_vec()));
        all
    }

    fn read_directory(&mut self, directory: &str, form: Form, all: &mut Vec<Listed>) {
        let listing = kept::list(Path::new(directory), form);
        if let Some(why) = listing.refusal {
            let before = all.len();
            for path in &listing.files {
                if let Some(found) = kept::last(path, form) {
                    all.extend(FileRead::new(directory, path, form).elements(&found).taken);
                }
            }
            let text = format!("{directory}: {}", kept::unlisted(directory, &why));
            match all.len() > before {
                true => self.add(Weight::Kept, directory, format!("{text}; {KEPT}")),
                false => self.add(Weight::Fatal, directory, text),
            }
            return;
        }
        for path in &listing.files {
            let reading = kept::read(path, form);
            let file = FileRead::new(directory, path, form);
            let now = match reading.stead {
                Stead::Rest => file.named(&reading.now),
                _ => file.listed(&reading.now),
            };
            self.take(now, &reading.stead, all);
        }
    }

    /// Where a directory has nothing: it may be empty, but not where a file is to be.
    fn nothing_in(&mut self, directory: &str, is_file: bool, form: Form, all: &mut Vec<Listed>) {
        if self
            .found
            .iter()
            .any(|p| p.source == directory && p.weight == Weight::Fatal)
        {
            return;
        }
        let text = format!("{directory}: no file in it holds a {}", form.name());
        let path = Path::new(directory);
        match kept::last(path, form).filter(|_| is_file) {
            Some(found) => {
                self.add(Weight::Kept, directory, format!("{text}; {KEPT}"));
                all.extend(FileRead::new(directory, path, form).elements(&found).taken);
            }
            None if is_file => self.add(Weight::Fatal, directory, text),
            None => self.add(Weight::Warning, directory, text),
        }
    }

    /// Takes what a file holds, or what it held before.
    fn take(&mut self, now: FileRead<'_>, stead: &Stead, all: &mut Vec<Listed>) {
        let (before, done) = match stead {
            Stead::Nothing => {
                for fault in now.faults {
                    self.add(fault.weight, now.source, fault.text + &fault.means);
                }
                all.extend(now.taken);
                return;
            }
            Stead::Before(before) => (Some(before), KEPT),
            Stead::Rest => (None, REST),
        };
        if now.faults.is_empty() {
            let (name, form) = (now.path.display(), now.form.name());
            let text = format!("{name}: holds a {form} that cannot be read; {done}");
            self.add(Weight::Kept, now.source, text);
        }
        for fault in now.faults {
            self.add(Weight::Kept, now.source, format!("{}; {done}", fault.text));
        }
        let Some(before) = before else {
            all.extend(now.taken);
            return;
        };
        // A list is never worse beside another: of each CA and scope the latest counts.
        if now.form == Form::Lists {
            all.extend(now.taken);
        }
        let then = FileRead::new(now.source, now.path, now.form);
        all.extend(then.elements(before).taken);
    }
}

/// A file that the configuration names, or one of a directory that it names, as it was read.
struct FileRead<'a> {
    /// As the configuration names it.
    source: &'a str,
    path: &'a Path,
    form: Form,
    faults: Vec<Fault>,
    taken: Vec<Listed>,
}

/// What is wrong with it.
struct Fault {
    weight: Weight,
    text: String,
    /// What that means where nothing better is known.
    means: String,
}

impl<'a> FileRead<'a> {
    fn new(source: &'a str, path: &'a Path, form: Form) -> Self {
        Self {
            source,
            path,
            form,
            faults: Vec::new(),
            taken: Vec::new(),
        }
    }

    fn fault(&mut self, weight: Weight, text: &str, means: &str) {
        let (text, means) = (format!("{}: {text}", self.path.display()), means.to_owned());
        self.faults.push(Fault {
            weight,
            text,
            means,
        });
    }

    /// One that the configuration names. Damage to a file of authorities is told before anybody is judged by the rest; a
    /// list that is damaged must not keep the others out.
    fn named(mut self, now: &Result<Found, Unread>) -> Self {
        let found = match now {
            Ok(found) => found,
            Err(why) => {
                self.fault(Weight::Fatal, &kept::unread(why), "");
                return self;
            }
        };
        if found.taken.is_empty() && found.damaged.is_empty() {
            let (name, but, remedy) = (self.form.name(), found.instead(), self.form.remedy());
            self.fault(
                Weight::Fatal,
                &format!("holds no {name}{but}; {remedy}"),
                "",
            );
        }
        let (weight, means) = match self.form {
            Form::Lists if !found.taken.is_empty() => (Weight::Loss, LOST_LIST),
            _ => (Weight::Fatal, ""),
        };
        for damage in &found.damaged {
            self.fault(weight, &damage.to_string(), means);
        }
        self.elements(found)
    }

    /// One of a directory.
    fn listed(mut self, now: &Result<Found, Unread>) -> Self {
        let found = match now {
            Ok(found) => found,
            Err(why) => {
                self.fault(Weight::Loss, &kept::unread(why), "; it is left out");
                return self;
            }
        };
        let means = match self.form {
            Form::Lists => LOST_LIST,
            _ => "; the file is left out",
        };
        for damage in &found.damaged {
            self.fault(Weight::Loss, &damage.to_string(), means);
        }
        match self.form != Form::Lists && !found.damaged.is_empty() {
            true => self,
            false => self.elements(found),
        }
    }

    fn elements(mut self, found: &Found) -> Self {
        let means = match self.form {
            Form::Lists => LOST_LIST,
            _ => ": no authority is taken from there",
        };
        for line in &found.lost {
            self.fault(Weight::Loss, &format!("line {line} {LOST}"), means);
        }
        let name = self.path.display();
        for taken in &found.taken {
            let place = match taken.line {
                1 => name.to_string(),
                line => format!("{name} (line {line})"),
            };
            if self.form != Form::Lists && !taken.may_vouch_for(CLIENT_AUTH) {
                self.faults.push(Fault {
                    weight: Weight::Loss,
                    text: format!(
                        "{place}: this CA is not to be trusted for clients, as OpenSSL's settings behind the \
                         certificate say"
                    ),
                    means: format!(
                        "; it is left out, and taken without them: openssl x509 -in {name} -out FILE"
                    ),
                });
                continue;
            }
            self.taken.push(Listed {
                source: self.source.to_owned(),
                place,
                der: taken.element().to_vec(),
            });
        }
        self
    }
}

/// A CA, and where it is listed.
pub(super) type Ca<'a> = (&'a Listed, PathCertificate<'a>);

/// The CAs of these that can be read.
pub(super) fn cas(listed: &[Listed]) -> Vec<Ca<'_>> {
    listed
        .iter()
        .filter_map(|listed| Some((listed, PathCertificate::parse(&listed.der)?)))
        .collect()
}

/// What names the file of the list at `place`.
pub(super) fn source_of<'a>(listed: &'a [Listed], place: &str) -> &'a str {
    let found = listed.iter().find(|one| one.place == place);
    found.map_or("", |one| &one.source)
}
