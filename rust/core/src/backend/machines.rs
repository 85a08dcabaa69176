//! The certificates with keys that a client policy names, as one thing to be loaded: here, or by the key agent.

use super::files::{Warnings, read_blocks, read_machine, read_pair};
use super::identity::{Issuers, MachinePair};
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

    /// Reads them, private keys and all.
    ///
    /// # Errors
    /// A sentence that names the file and what to do.
    pub fn load(&self, warnings: &mut Warnings) -> Result<Vec<MachinePair>, String> {
        let chain = if self.chain.is_empty() {
            Vec::new()
        } else {
            read_blocks(&self.chain, Form::Chain, false, warnings)?
        };
        let chain = Issuers::new(chain.into_iter().map(Into::into));
        let mut pairs = Vec::new();
        for path in &self.files {
            let found = read_machine(path, &chain)?;
            if found.is_empty() {
                let why = format!("{path}: no file in it holds a certificate with its key");
                match self.directories.contains(path) {
                    true => warnings.said.push(why),
                    false => return Err(why),
                }
            }
            pairs.extend(found);
        }
        for (certificate, key) in &self.pairs {
            pairs.extend(read_pair(certificate, key)?);
        }
        Ok(pairs)
    }
}

/// Machine certificates as they were loaded, by what named them; those of the configuration before stand in where a file
/// is damaged. For the process that holds the keys.
#[derive(Debug, Default)]
pub struct Machinery(Generations<Machines, Vec<MachinePair>>);

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

    /// Loads what is named, or takes what was loaded by that name before.
    ///
    /// # Errors
    /// A sentence that names the file and what to do, where nothing is known.
    pub fn load(
        &mut self,
        machines: Machines,
        warnings: &mut Warnings,
    ) -> Result<Vec<MachinePair>, String> {
        let pairs = match (machines.load(warnings), self.0.find(&machines)) {
            (Ok(pairs), _) => pairs,
            (Err(why), Some(old)) => {
                let used = "what was loaded from it before is still used";
                warnings.kept.push(format!("{why}; {used}"));
                old.clone()
            }
            (Err(why), None) => return Err(why),
        };
        self.0.keep(machines, pairs.clone());
        Ok(pairs)
    }
}
