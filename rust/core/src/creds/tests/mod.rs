// SPDX-License-Identifier: Apache-2.0
//! Tests of this module; `testdata/creds/make.sh` says where the files come from.

mod certificate;
mod chain;
mod contents;
mod decrypt;
mod gaps;
mod issuers;
mod kept;
mod key;
mod mldsa;
mod pem;
mod programs;
mod select;
mod signatures;
mod standing;
mod store;

use std::path::PathBuf;

/// A file of `testdata/creds`.
pub(crate) fn data(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

/// Its path.
pub(crate) fn path(name: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.join("testdata/creds")
        .join(name)
        .to_str()
        .unwrap()
        .to_owned()
}

/// Small generator of pseudo-random numbers (xorshift64), so that a failure can be repeated.
pub(crate) struct Random(pub u64);

impl Random {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

/// A directory of its own for one test, removed with it.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("mod_tls-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
