// SPDX-License-Identifier: Apache-2.0
//! Keys that the server makes, keeps and replaces by itself.
//!
//! Each lies in a file of a directory that only root enters; its name is when it was made, in seconds since 1970, so
//! that a copy or a backup changes nothing. Clients know a key for as long as DNS and their caches do: a new one is made
//! long before an old one is erased.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::fault::EchFault;
use super::files::{Readers, list, read};
use super::keys::Key;
use super::pem;
use crate::system::file;

/// Seconds after which a new key is made.
pub const ROTATE: u64 = 30 * DAY;

/// Seconds after which a key is erased, once [`SUCCESSORS`] have been made after it.
pub const ERASE: u64 = 90 * DAY;

/// As many keys as the time until a key is erased has seen made. A clock that is years ahead for once makes one key, and
/// so can take away no key that clients have been given lately.
const SUCCESSORS: usize = (ERASE / ROTATE) as usize;

const DAY: u64 = 24 * 3600;

/// Where the keys of a public name are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptKeys {
    /// The name in the outer hello.
    pub public_name: String,
    /// The directory; made where it is not there.
    pub directory: PathBuf,
    /// The longest name behind it, for padding; 0 where that is unknown.
    pub longest_name: u8,
}

/// Keys that are kept, each with when it was made.
pub type Made = Vec<(u64, Key)>;

/// The keys that are kept, the newest for clients. `others`: keys whose numbers are taken. With `make`, one is made where
/// the newest is too old, and those are erased whose time is over. A file that cannot be read is said, and keeps neither
/// from happening; its key is taken of `before`, those in force.
///
/// # Errors
/// Nothing can be said of any key.
pub(super) fn keep(
    kept: &KeptKeys,
    others: &[Key],
    now: u64,
    make: bool,
    before: &mut Made,
    problems: &mut Vec<String>,
) -> Result<Made, EchFault> {
    if make {
        prepare(&kept.directory)?;
    } else if !file::is_directory(&kept.directory) {
        return Ok(Vec::new());
    }
    let mut files: Vec<(u64, PathBuf)> = Vec::new();
    let mut found: Made = Vec::new();
    for path in list(&kept.directory)? {
        let Some(made) = when_made(&path) else {
            problems.push(format!(
                "{} is no key file of \"TLSECH\": move it elsewhere",
                path.display()
            ));
            continue;
        };
        files.push((made, path.clone()));
        match read(&path, Readers::NoOthers) {
            Ok((_, keys)) => found.extend(keys.into_iter().map(|key| (made, key))),
            Err(problem) => {
                problems.push(problem.to_string());
                found.extend(before.extract_if(.., |(other, _)| *other == made));
            }
        }
    }
    // A key that a clock far ahead has made does not keep the next ones away.
    let is_past = |made: u64| made <= now.saturating_add(DAY);
    let has_past = found.iter().any(|(made, _)| is_past(*made));
    let counts = |made: u64| is_past(made) || !has_past;
    let of_name =
        |(made, key): &&(u64, Key)| key.config().public_name == kept.public_name && counts(*made);
    let newest = found.iter().filter(of_name).map(|(made, _)| *made).max();
    let mut newest = newest.filter(|made| now.saturating_sub(*made) < ROTATE);
    if newest.is_none() && make {
        let taken = |id: u8| {
            let all = others.iter().chain(found.iter().map(|(_, key)| key));
            all.into_iter().any(|key| key.config().id == id)
        };
        match create(kept, now, taken) {
            Ok(key) => {
                found.push((now, key));
                newest = Some(now);
            }
            Err(problem) => problems.push(problem.to_string()),
        }
    }
    let times: BTreeSet<u64> = found.iter().map(|(made, _)| *made).collect();
    for (made, path) in files {
        let later = times.iter().filter(|other| **other > made);
        let successors = later.filter(|other| is_past(**other)).count();
        if now.saturating_sub(made) < ERASE || successors < SUCCESSORS {
            continue;
        }
        if make && let Err(error) = std::fs::remove_file(&path) {
            let name = path.display();
            problems.push(format!("the old ECH key {name} cannot be erased: {error}"));
        }
        found.retain(|(other, _)| *other != made);
    }
    let all = || found.iter().map(|(made, _)| *made);
    let last = newest.or_else(|| all().filter(|made| counts(*made)).max());
    for (made, key) in &mut found {
        key.set_retry(Some(*made) == last);
    }
    Ok(found)
}

/// Seconds since 1970, by the file's name.
fn when_made(path: &Path) -> Option<u64> {
    path.file_stem()?.to_str()?.parse().ok()
}

fn prepare(directory: &Path) -> Result<(), EchFault> {
    const OTHERS: u32 = 0o077;
    let metadata = file::own_directory(directory, "for ECH keys")?;
    if metadata.permissions().mode() & OTHERS != 0 {
        return Err(EchFault::Enterable(directory.to_owned()));
    }
    Ok(())
}

fn create(kept: &KeptKeys, now: u64, taken: impl Fn(u8) -> bool) -> Result<Key, EchFault> {
    let name = kept.directory.join(format!("{now}.{}", super::SUFFIX));
    let mut start = [0];
    let random = rustls::crypto::aws_lc_rs::default_provider().secure_random;
    random
        .fill(&mut start)
        .map_err(|_| EchFault::NoRandomness(name.clone()))?;
    let [start] = start;
    let id = (0..=u8::MAX)
        .map(|step| start.wrapping_add(step))
        .find(|id| !taken(*id));
    let key = id.and_then(|id| Key::generate(&kept.public_name, id, kept.longest_name));
    let key = key.ok_or_else(|| EchFault::NoNumber(name.clone()))?;
    let contents = pem::write(&key).ok_or_else(|| EchFault::NotX25519(name.clone()))?;
    file::write_new(&name, &contents, 0o600).map_err(|error| EchFault::Unwritable(name, error))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    struct Place(KeptKeys);

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0.directory);
        }
    }

    fn place(name: &str) -> Place {
        let directory =
            std::env::temp_dir().join(format!("mod_tls-kept-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        Place(KeptKeys {
            public_name: "public.example".to_owned(),
            directory,
            longest_name: 30,
        })
    }

    const NOW: u64 = 1_790_000_000;

    /// All that is kept, without any problem.
    fn keep(kept: &KeptKeys, others: &[Key], now: u64, make: bool) -> Result<Vec<Key>, EchFault> {
        let mut problems = Vec::new();
        let found = super::keep(kept, others, now, make, &mut Vec::new(), &mut problems)?;
        assert!(problems.is_empty(), "{problems:?}");
        Ok(found.into_iter().map(|(_, key)| key).collect())
    }

    fn state(keys: &[Key]) -> (usize, Vec<Vec<u8>>) {
        let given = keys.iter().filter(|key| key.is_for_retry());
        (
            keys.len(),
            given.map(|key| key.encoded().to_vec()).collect(),
        )
    }

    #[test]
    fn keys_are_made_replaced_and_erased_in_time() {
        let place = place("time");
        let at = |days: u64| state(&keep(&place.0, &[], NOW + days * DAY, true).unwrap());
        let first = at(0);
        assert_eq!((first.0, first.1.len()), (1, 1));
        assert_eq!(at(29), first, "kept over restarts");
        let second = at(30);
        assert_eq!(second.0, 2);
        assert_ne!(second.1, first.1);
        assert_eq!(second.1.len(), 1, "clients are given the newest alone");
        assert_eq!(at(60).0, 3);
        assert_eq!(at(90).0, 3, "the first is erased, a fourth is made");
        assert_eq!(at(120).0, 3);
        assert_eq!(fs::read_dir(&place.0.directory).unwrap().count(), 3);
    }

    /// Keys that clients have been given lately outlive a clock that is years ahead for once.
    #[test]
    fn a_clock_far_ahead_takes_away_no_key_in_use() {
        let place = place("ahead");
        let at = |days: u64| state(&keep(&place.0, &[], NOW + days * DAY, true).unwrap());
        let published = |days: u64| at(days).1;
        at(0);
        at(30);
        let third = published(60);
        let ahead = published(4000);
        assert_ne!(ahead, third);
        for _ in 0..3 {
            assert!(at(4000).0 >= 3, "two of before, and looks change nothing");
        }
        assert_eq!(published(61), third, "given to clients again");
        let fourth = published(91);
        assert!(
            fourth != third && fourth != ahead,
            "made as if nothing had been"
        );
        assert_eq!(at(121).0, 4, "60, 91, and 121; and the one from ahead");
    }

    #[test]
    fn a_clock_that_goes_back_makes_nothing_and_erases_nothing() {
        let place = place("clock");
        let now = state(&keep(&place.0, &[], NOW, true).unwrap());
        assert_eq!(
            state(&keep(&place.0, &[], NOW - 100 * DAY, true).unwrap()),
            now
        );
    }

    #[test]
    fn a_test_of_the_configuration_writes_nothing() {
        let place = place("test");
        assert_eq!(keep(&place.0, &[], NOW, false).unwrap().len(), 0);
        assert!(!place.0.directory.exists());
        let made = state(&keep(&place.0, &[], NOW, true).unwrap());
        assert_eq!(
            state(&keep(&place.0, &[], NOW + 40 * DAY, false).unwrap()),
            made
        );
        for days in [30, 60] {
            keep(&place.0, &[], NOW + days * DAY, true).unwrap();
        }
        let file = |made: u64| place.0.directory.join(format!("{made}.ech"));
        fs::copy(file(NOW), file(NOW + 90 * DAY)).unwrap();
        assert_eq!(
            state(&keep(&place.0, &[], NOW + 100 * DAY, false).unwrap()).0,
            3
        );
        assert_eq!(fs::read_dir(&place.0.directory).unwrap().count(), 4);
    }

    #[test]
    fn only_root_reads_them_and_numbers_are_not_taken_twice() {
        let place = place("modes");
        let all: Vec<Key> = (0..=254)
            .map(|id| Key::generate("a.example", id, 0).unwrap())
            .collect();
        let made = keep(&place.0, &all, NOW, true).unwrap();
        assert_eq!(made[0].config().id, 255);
        assert_eq!(made[0].config().longest_name, 30);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&place.0.directory), 0o700);
        assert_eq!(mode(&place.0.directory.join(format!("{NOW}.ech"))), 0o600);
        fs::set_permissions(&place.0.directory, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(
            keep(&place.0, &[], NOW, true)
                .unwrap_err()
                .to_string()
                .contains("chmod 700")
        );
    }

    #[test]
    fn another_public_name_gets_a_key_of_its_own() {
        let place = place("name");
        keep(&place.0, &[], NOW, true).unwrap();
        let other = KeptKeys {
            public_name: "other.example".to_owned(),
            ..place.0.clone()
        };
        let keys = keep(&other, &[], NOW + DAY, true).unwrap();
        assert_eq!(keys.len(), 2, "who knows the old one is served");
        let given: Vec<_> = keys.iter().filter(|key| key.is_for_retry()).collect();
        assert_eq!(given.len(), 1);
        assert_eq!(given[0].config().public_name, "other.example");
    }
}
