// SPDX-License-Identifier: Apache-2.0
//! The certificates with keys that a client policy names, as one thing to be loaded: here, or by the key agent.

use std::path::Path;

use super::fault::BackendFileFault;
use super::files::{Warnings, files_of, read_blocks, read_machine, read_pair};
use super::identity::{Issuers, MachinePair};
use crate::system::file::{self, Refusal};
use crate::verify::kept::{Form, Generations};

/// What a client policy names of machine certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Machines {
    /// Files, or directories of files, that hold certificates with their keys.
    pub files: Vec<String>,
    /// Those of them that may be empty.
    pub directories: Vec<String>,
    /// CA certificates to send along and to find issuers in; empty for none.
    pub chain: String,
    /// Certificate files with their key files; an empty key file is the certificate's.
    pub pairs: Vec<(String, String)>,
}

impl Machines {
    /// Whether none is named.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.pairs.is_empty()
    }
}

/// One file, or directory, of machine certificates, in the way in which it is named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    /// A file with certificates and keys, and the file of the CAs above them.
    File(String, String),
    /// The file of a certificate, and that of its key.
    Pair(String, String),
    /// A directory that could be listed: it holds nothing by itself.
    Directory(String),
}

/// Machine certificates as they were loaded, file by file; those of the configuration before stand in where a file is
/// damaged, with the chain of then. For the process that holds the keys.
#[derive(Debug, Default)]
pub struct Machinery(Generations<Named, Vec<MachinePair>>);

/// What is done about a file that was better before.
const KEPT: &str = "what was loaded from it before is still used";

impl Machinery {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self(Generations::new())
    }

    /// A new configuration begins.
    pub fn begin(&mut self) {
        self.0.begin();
    }

    /// The keys of before have been there for long enough.
    pub fn forget_before(&mut self) {
        self.0.forget_before();
    }

    /// Reads what is named, private keys and all; of each file that cannot be used what was loaded from it before.
    ///
    /// # Errors
    /// A file is of no use, and nothing is known of it.
    pub fn load(
        &mut self,
        machines: &Machines,
        warnings: &mut Warnings,
    ) -> Result<Vec<MachinePair>, BackendFileFault> {
        let chain = match machines.chain.is_empty() {
            true => Ok(Vec::new()),
            false => read_blocks(&machines.chain, Form::Chain, false, warnings),
        };
        let chain = chain.map(|ders| Issuers::new(ders.into_iter().map(Into::into)));
        let mut pairs = Vec::new();
        for path in &machines.files {
            pairs.extend(self.load_path(path, machines, &chain, warnings)?);
        }
        for (certificate, key) in &machines.pairs {
            let named = Named::Pair(certificate.clone(), key.clone());
            pairs.extend(self.settle(named, read_pair(certificate, key), warnings)?);
        }
        // A chain that nobody needs is a fault all the same.
        match chain {
            Err(why) if machines.files.is_empty() => Err(why),
            _ => Ok(pairs),
        }
    }

    /// What a file holds, or all files of a directory.
    fn load_path(
        &mut self,
        path: &str,
        machines: &Machines,
        chain: &Result<Issuers, BackendFileFault>,
        warnings: &mut Warnings,
    ) -> Result<Vec<MachinePair>, BackendFileFault> {
        let file_of = |name: &str| Named::File(name.to_owned(), machines.chain.clone());
        let load = |name: &str| match chain {
            Ok(chain) => read_machine(name, chain),
            Err(why) => Err(why.clone()),
        };
        let directory = Named::Directory(path.to_owned());
        let was_directory = self.0.find(&directory).is_some();
        let listed = match file::is_directory(Path::new(path)) {
            true => files_of(path),
            false if was_directory => Err(BackendFileFault::NoDirectory(path.to_owned())),
            false => {
                let made = load(path).and_then(|pairs| match pairs.is_empty() {
                    true => Err(nothing_in(path)),
                    false => Ok(pairs),
                });
                return self.settle(file_of(path), made, warnings);
            }
        };
        let mut pairs = Vec::new();
        let names = match listed {
            Ok(names) => names,
            Err(why) => {
                let beneath = |name: &str| Path::new(name).parent() == Some(Path::new(path));
                for (named, known) in self.0.all() {
                    if matches!(&named, Named::File(name, of) if beneath(name) && *of == machines.chain)
                    {
                        pairs.extend(known.iter().cloned());
                        self.0.keep(named, known);
                    }
                }
                if !was_directory {
                    return Err(why);
                }
                self.0.keep(directory, Vec::new());
                warnings.kept.push(format!("{why}; {KEPT}"));
                return Ok(pairs);
            }
        };
        for name in names {
            // A link that leads nowhere is what removing a file leaves of c_rehash's names.
            if let Err(Refusal::Missing) = file::look(Path::new(&name)) {
                self.0.forget(&file_of(&name));
            }
            match self.settle(file_of(&name), load(&name), warnings) {
                Ok(found) => pairs.extend(found),
                // A file that came since the server began to use the directory.
                Err(why) if was_directory => {
                    warnings.kept.push(format!("{why}; it is left out"));
                }
                Err(why) => return Err(why),
            }
        }
        if pairs.is_empty() {
            let why = nothing_in(path);
            if !machines.directories.iter().any(|may| may == path) {
                // A directory in the place of a file.
                return self.settle(file_of(path), Err(why), warnings);
            }
            warnings.said.push(why.to_string());
        }
        self.0.keep(directory, Vec::new());
        Ok(pairs)
    }

    /// What a file was loaded to, else what it was loaded to before.
    fn settle(
        &mut self,
        named: Named,
        made: Result<Vec<MachinePair>, BackendFileFault>,
        warnings: &mut Warnings,
    ) -> Result<Vec<MachinePair>, BackendFileFault> {
        let pairs = match (made, self.0.find(&named)) {
            (Ok(pairs), _) => pairs,
            (Err(why), Some(old)) => {
                let line = format!("{why}; {KEPT}");
                let old = old.clone();
                if !warnings.kept.contains(&line) {
                    warnings.kept.push(line);
                }
                old
            }
            (Err(why), None) => return Err(why),
        };
        self.0.keep(named, pairs.clone());
        Ok(pairs)
    }
}

fn nothing_in(path: &str) -> BackendFileFault {
    BackendFileFault::NoPairWithin(path.to_owned())
}

#[cfg(test)]
#[path = "machines_tests.rs"]
mod tests;
