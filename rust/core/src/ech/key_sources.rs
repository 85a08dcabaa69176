// SPDX-License-Identifier: Apache-2.0
//! Where a configuration has its keys: files, a directory of them, and what the server made by itself.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::files::{Readers, in_directory, matching, read_all};
use super::keys::{Key, Keys};
use super::state::{self, KeptKeys, Made};
use crate::system::file::FileIdentity;

/// What a configuration asks for. For the process that may read the files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySources {
    /// Files; the last component may have one `*`. Clients are given the keys of the newest.
    pub files: Vec<PathBuf>,
    /// A directory whose `*.ech` are read. Clients are given all keys.
    pub directory: Option<PathBuf>,
    /// Keys that the server makes.
    pub kept: Option<KeptKeys>,
    /// See [`Keys::padding`].
    pub padding: u16,
}

/// What was read.
#[derive(Debug)]
pub struct LoadedKeys {
    /// The keys.
    pub keys: Keys,
    /// Each file as it was.
    pub looks: Vec<(PathBuf, FileIdentity)>,
    /// Of those that the server makes: when each was made, and its configuration.
    pub kept: Vec<(u64, Vec<u8>)>,
    /// What of it could not be read, a sentence each.
    pub problems: Vec<String>,
}

/// Keys in force.
#[derive(Debug, Default)]
pub struct InForce {
    /// Of files and a directory.
    pub named: Vec<Key>,
    /// Those that the server has made.
    pub kept: Made,
}

impl KeySources {
    /// Whether anything is asked for.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.directory.is_none() && self.kept.is_none()
    }

    /// Reads all of it. `now`: seconds since 1970. With `make`, keys are made and erased where it is time.
    ///
    /// # Errors
    /// All that is wrong, a sentence each.
    pub fn load(&self, now: u64, make: bool) -> Result<LoadedKeys, Vec<String>> {
        let loaded = self.read(now, make, InForce::default())?;
        match loaded.problems.is_empty() {
            true => Ok(loaded),
            false => Err(loaded.problems),
        }
    }

    /// As [`KeySources::load`], for a server that runs: what cannot be read keeps nothing else from being taken up, made
    /// or erased, and keys that are in force stand in for it.
    ///
    /// # Errors
    /// They are too many; then nothing of it can be used.
    pub fn renew(&self, now: u64, before: InForce) -> Result<LoadedKeys, Vec<String>> {
        self.read(now, true, before)
    }

    fn read(&self, now: u64, make: bool, mut before: InForce) -> Result<LoadedKeys, Vec<String>> {
        let mut problems = Vec::new();
        let mut loaded = Vec::new();
        let named = self
            .files
            .iter()
            .flat_map(|name| matching(name, &mut problems))
            .collect();
        let mut named = read_all(named, Readers::NoOthers, &mut problems);
        let newest = named.iter().map(|found| found.metadata.mtime()).max();
        for found in &mut named {
            let is_newest = Some(found.metadata.mtime()) == newest;
            found
                .keys
                .iter_mut()
                .for_each(|key| key.set_retry(is_newest));
        }
        loaded.append(&mut named);
        if let Some(directory) = &self.directory {
            let paths = in_directory(directory, &mut problems);
            loaded.extend(read_all(paths, Readers::Anybody, &mut problems));
        }
        let mut keys = Vec::new();
        let mut looks = Vec::new();
        for found in loaded {
            looks.push((found.path, FileIdentity::from(&found.metadata)));
            keys.extend(found.keys);
        }
        if !problems.is_empty() && !before.named.is_empty() {
            keys = std::mem::take(&mut before.named);
        }
        let mut made = Made::new();
        if let Some(kept) = &self.kept {
            let known = &mut before.kept;
            let found = state::keep(kept, &keys, now, make, known, &mut problems);
            made = found.unwrap_or_else(|problem| {
                problems.push(problem.to_string());
                before.kept
            });
        }
        let kept = made
            .iter()
            .map(|(made, key)| (*made, key.encoded().to_vec()));
        let kept = kept.collect();
        keys.extend(made.into_iter().map(|(_, key)| key));
        let keys = match Keys::new(keys, self.padding) {
            Ok(keys) => keys,
            Err(problem) => {
                problems.push(problem.to_string());
                return Err(problems);
            }
        };
        Ok(LoadedKeys {
            keys,
            looks,
            kept,
            problems,
        })
    }

    /// What is there now, without reading it: differs from before where a file was changed, added or taken away.
    pub fn look(&self) -> Vec<(PathBuf, FileIdentity)> {
        let problems = &mut Vec::new();
        let mut paths: Vec<PathBuf> = self
            .files
            .iter()
            .flat_map(|name| matching(name, problems))
            .collect();
        if let Some(directory) = &self.directory {
            paths.extend(in_directory(directory, problems));
        }
        let look = |path: PathBuf| {
            FileIdentity::of(&path)
                .ok()
                .map(|identity| (path, identity))
        };
        paths.into_iter().filter_map(look).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::pem;
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let path =
                std::env::temp_dir().join(format!("mod_tls-ech-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        /// A file with this key and mode, `age` seconds old.
        fn put(&self, name: &str, key: &Key, mode: u32, age: u64) -> PathBuf {
            let path = self.0.join(name);
            fs::write(&path, &*pem::write(key).unwrap()).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let then = std::time::SystemTime::now() - std::time::Duration::from_secs(age);
            fs::File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_modified(then)
                .unwrap();
            path
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn key(id: u8) -> Key {
        Key::generate("public.example", id, 0).unwrap()
    }

    fn given(loaded: &LoadedKeys) -> Vec<u8> {
        let given = loaded.keys.iter().filter(|key| key.is_for_retry());
        given.map(|key| key.config().id).collect()
    }

    #[test]
    fn the_newest_of_named_files_is_given_and_all_of_a_directory() {
        let place = Place::new("newest");
        place.put("a.ech", &key(1), 0o640, 50);
        place.put("b.ech", &key(2), 0o600, 10);
        place.put("c.pem", &key(3), 0o600, 100);
        let named = KeySources {
            files: vec![place.0.join("*.ech"), place.0.join("c.pem")],
            ..KeySources::default()
        };
        let loaded = named.load(0, false).unwrap();
        assert_eq!((loaded.keys.iter().count(), given(&loaded)), (3, vec![2]));
        assert_eq!(loaded.looks, named.look());
        place.put("a.ech", &key(1), 0o600, 0);
        assert_ne!(loaded.looks, named.look(), "a change is seen");
        let directory = KeySources {
            directory: Some(place.0.clone()),
            ..KeySources::default()
        };
        assert_eq!(given(&directory.load(0, false).unwrap()), [1, 2]);
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let place = Place::new("wrong");
        let open = place.put("open.ech", &key(1), 0o644, 0);
        fs::write(place.0.join("bad.ech"), "nothing").unwrap();
        fs::set_permissions(place.0.join("bad.ech"), fs::Permissions::from_mode(0o600)).unwrap();
        let sources = KeySources {
            files: vec![
                open,
                place.0.join("bad.ech"),
                place.0.join("none.ech"),
                place.0.join("x*y"),
            ],
            ..KeySources::default()
        };
        let problems = sources.load(0, false).unwrap_err();
        for words in [
            "chmod o-rwx",
            "holds no private key",
            "No such file",
            "no file has a name like",
        ] {
            assert!(
                problems.iter().any(|problem| problem.contains(words)),
                "{words}: {problems:?}"
            );
        }
        assert_eq!(problems.len(), 4);
    }
}
