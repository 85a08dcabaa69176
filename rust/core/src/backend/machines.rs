//! The certificates with keys that a client policy names, as one thing to be loaded: here, or by the key agent.

use super::files::{Kind, Warnings, read_blocks, read_machine, read_pair};
use super::identity::{Issuers, Pair};

/// What a client policy names of machine certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machines {
    /// Files, or directories of files, that hold certificates with their keys.
    pub files: Vec<String>,
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
    pub fn load(&self, warnings: &mut Warnings) -> Result<Vec<Pair>, String> {
        let chain = if self.chain.is_empty() {
            Vec::new()
        } else {
            read_blocks(&self.chain, Kind::Chain, warnings)?
        };
        let chain = Issuers::new(chain.into_iter().map(Into::into));
        let mut pairs = Vec::new();
        for path in &self.files {
            pairs.extend(read_machine(path, &chain)?);
        }
        for (certificate, key) in &self.pairs {
            pairs.extend(read_pair(certificate, key)?);
        }
        Ok(pairs)
    }
}
