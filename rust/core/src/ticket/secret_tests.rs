// SPDX-License-Identifier: Apache-2.0
use super::*;
use crate::system::clock::Clock;
use crate::system::clock::testing::HandClock;
use crate::ticket::keeper::testing::Keys;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU32, Ordering};

const NOW: u64 = 1_790_000_000;
const HOUR: u64 = 3600;

/// A directory of its own for each test, removed at the end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "mod_tls-secret-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::SeqCst)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn secret(&self) -> PathBuf {
        self.0.join("secret")
    }

    /// Replaces the secret atomically.
    fn put(&self, octets: &[u8], mode: u32) {
        let fresh = self.0.join("fresh");
        fs::write(&fresh, octets).unwrap();
        fs::set_permissions(&fresh, fs::Permissions::from_mode(mode)).unwrap();
        fs::rename(&fresh, self.secret()).unwrap();
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn secret_of(seed: u8) -> Vec<u8> {
    (0..80).map(|at| at ^ seed).collect()
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let dir = Directory::new();
    let refused = |octets: &[u8], mode| {
        dir.put(octets, mode);
        SecretFile::open(&dir.secret(), HOUR, Readers::NoOthers)
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    assert!(refused(&secret_of(1)[..31], 0o600).contains("has 31 octets, 32 at least"));
    assert!(refused(&secret_of(1), 0o644).contains("open to everybody (mode 0644): chmod 600"));
    assert!(refused(&secret_of(1), 0o602).contains("open to everybody"));
    assert!(refused(&[9; 48], 0o600).contains("repeats one octet"));
    assert!(refused(&secret_of(1).repeat(60), 0o600).contains("more than 4096"));
    let missing = SecretFile::open(&dir.0.join("nothing"), HOUR, Readers::NoOthers)
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(missing.contains("cannot read ticket secret") && missing.contains("nothing"));
    let directory = SecretFile::open(&dir.0, HOUR, Readers::NoOthers)
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(directory.contains("it is a directory"));
    for length in [32, 48, 80] {
        dir.put(&secret_of(1)[..length], 0o640);
        assert!(
            SecretFile::open(&dir.secret(), HOUR, Readers::NoOthers).is_ok(),
            "{length} octets"
        );
    }
}

#[test]
fn machines_with_one_file_have_the_same_keys() {
    let dir = Directory::new();
    dir.put(&secret_of(1), 0o600);
    let clock = HandClock::at(NOW);
    let (here, there) = (Keys::new(12 * HOUR, &clock), Keys::new(12 * HOUR, &clock));
    for hour in 0..24 * 21 {
        // clocks a minute apart, one before and one after the change of the interval
        let now = NOW - NOW % HOUR + hour * HOUR;
        let (early, late) = (HandClock::at(now - 30), HandClock::at(now + 30));
        SecretFile::open(&dir.secret(), HOUR, Readers::NoOthers)
            .unwrap()
            .publish(&mut here.keeper(), early.now());
        SecretFile::open(&dir.secret(), HOUR, Readers::NoOthers)
            .unwrap()
            .publish(&mut there.keeper(), late.now());
        for (from, from_clock, to, to_clock) in [
            (&here, &early, &there, &late),
            (&there, &late, &here, &early),
        ] {
            let (name, key) = from.key_store.newest(from_clock.now()).unwrap();
            let found = to.key_store.find(name, to_clock.now()).unwrap();
            assert_eq!((*found.key, found.skew), (*key, 60), "hour {hour}");
        }
    }
}

#[test]
fn secrets_intervals_and_epochs_have_keys_of_their_own() {
    let secret = |seed| Secret(Kept::new(&secret_of(seed)).unwrap());
    let keys = [
        secret(1).key(60, 5),
        secret(1).key(60, 6),
        secret(1).key(61, 5),
        secret(2).key(60, 5),
    ];
    for (at, key) in keys.iter().enumerate() {
        assert!(keys[at + 1..].iter().all(|other| **other != **key));
    }
    assert_ne!(secret(1).id(60), secret(2).id(60));
    assert_ne!(secret(1).id(60), secret(1).id(61));
    assert_eq!(secret(1).id(60), secret(1).id(60));
}

#[test]
fn a_replaced_secret_is_accepted_for_one_lifetime() {
    let dir = Directory::new();
    dir.put(&secret_of(1), 0o600);
    let clock = HandClock::at(NOW);
    let keys = Keys::new(2 * HOUR, &clock);
    let mut file = SecretFile::open(&dir.secret(), HOUR, Readers::NoOthers).unwrap();
    file.publish(&mut keys.keeper(), NOW);
    let (old, _) = keys.key_store.newest(clock.now()).unwrap();
    assert_eq!(file.poll(&mut keys.keeper(), NOW), Poll::Same);

    dir.put(&secret_of(2), 0o600);
    assert_eq!(file.poll(&mut keys.keeper(), NOW + 10), Poll::Replaced);
    let (new, _) = keys.key_store.newest(clock.now()).unwrap();
    assert_ne!(new.key_ring, old.key_ring);
    // another machine may go on with the old one for a while
    let now = NOW + 2 * HOUR;
    assert_eq!(file.poll(&mut keys.keeper(), now), Poll::Same);
    let epoch = u32::try_from(now / HOUR).unwrap();
    assert!(keys.key_store.find(old, now).is_some());
    assert!(
        keys.key_store
            .find(
                KeyName {
                    key_ring: old.key_ring,
                    epoch
                },
                now
            )
            .is_some()
    );
    let now = NOW + 2 * HOUR + 10;
    assert_eq!(file.poll(&mut keys.keeper(), now), Poll::Same);
    assert!(keys.key_store.find(old, now).is_none());
    assert!(
        keys.key_store
            .find(
                KeyName {
                    key_ring: old.key_ring,
                    epoch
                },
                now
            )
            .is_none()
    );
    clock.set(now);
    let (newest, _) = keys.key_store.newest(clock.now()).unwrap();
    assert_eq!(newest.key_ring, new.key_ring);
}

#[test]
fn a_bad_replacement_keeps_the_old_secret() {
    let dir = Directory::new();
    dir.put(&secret_of(1), 0o600);
    let clock = HandClock::at(NOW);
    let keys = Keys::new(HOUR, &clock);
    let mut file = SecretFile::open(&dir.secret(), HOUR, Readers::NoOthers).unwrap();
    file.publish(&mut keys.keeper(), NOW);
    let (before, _) = keys.key_store.newest(clock.now()).unwrap();
    dir.put(b"short", 0o600);
    assert!(
        matches!(file.poll(&mut keys.keeper(), NOW + 1), Poll::Refused(text) if text.contains("5 octets"))
    );
    assert_eq!(
        file.poll(&mut keys.keeper(), NOW + 2),
        Poll::Same,
        "said once"
    );
    fs::remove_file(dir.secret()).unwrap();
    assert!(
        matches!(file.poll(&mut keys.keeper(), NOW + 3), Poll::Refused(text) if text.contains("No such file or directory"))
    );
    assert_eq!(keys.key_store.newest(clock.now()).unwrap().0, before);
    clock.advance(30 * HOUR);
    file.poll(&mut keys.keeper(), clock.now());
    assert_eq!(
        keys.key_store.newest(clock.now()).unwrap().0.key_ring,
        before.key_ring
    );
    dir.put(&secret_of(1), 0o600);
    assert_eq!(
        file.poll(&mut keys.keeper(), clock.now()),
        Poll::Same,
        "the same secret again"
    );
}

#[test]
fn a_secret_replaced_across_a_restart_is_accepted_for_one_lifetime() {
    let dir = Directory::new();
    dir.put(&secret_of(1), 0o600);
    let clock = HandClock::at(NOW);
    let keys = Keys::new(2 * HOUR, &clock);
    let before = SecretFile::open(&dir.secret(), HOUR, Readers::NoOthers).unwrap();
    before.publish(&mut keys.keeper(), NOW);
    let (old, _) = keys.key_store.newest(clock.now()).unwrap();
    dir.put(&secret_of(2), 0o600);
    let mut after = SecretFile::open(&dir.secret(), HOUR, Readers::NoOthers).unwrap();
    after.inherit(before);
    after.publish(&mut keys.keeper(), NOW + 1);
    let now = NOW + HOUR;
    after.poll(&mut keys.keeper(), now);
    let epoch = u32::try_from(now / HOUR).unwrap();
    assert!(
        keys.key_store
            .find(
                KeyName {
                    key_ring: old.key_ring,
                    epoch
                },
                now
            )
            .is_some()
    );
}

#[test]
fn a_restart_with_a_bad_file_keeps_the_secret_of_the_same_path_and_tells_once() {
    let dir = Directory::new();
    dir.put(&secret_of(1), 0o600);
    let clock = HandClock::at(NOW);
    let keys = Keys::new(HOUR, &clock);
    let open = || SecretFile::open(&dir.secret(), HOUR, Readers::NoOthers);
    let before = open().unwrap();
    before.publish(&mut keys.keeper(), NOW);
    let (old, _) = keys.key_store.newest(clock.now()).unwrap();
    dir.put(b"short", 0o600);
    assert!(open().is_err());
    let mut after = before.kept(&dir.secret(), HOUR, Readers::NoOthers).unwrap();
    after.publish(&mut keys.keeper(), NOW + 1);
    assert_eq!(keys.key_store.newest(clock.now()).unwrap().0, old);
    assert_eq!(after.poll(&mut keys.keeper(), NOW + 2), Poll::Same);
    dir.put(&secret_of(2), 0o600);
    assert_eq!(after.poll(&mut keys.keeper(), NOW + 3), Poll::Replaced);
    let elsewhere = dir.0.join("elsewhere");
    assert!(after.kept(&elsewhere, HOUR, Readers::NoOthers).is_none());
}

#[test]
fn without_the_parent_no_ticket_is_issued_after_a_while() {
    let dir = Directory::new();
    dir.put(&secret_of(1), 0o600);
    let clock = HandClock::at(NOW);
    let keys = Keys::new(HOUR, &clock);
    SecretFile::open(&dir.secret(), HOUR, Readers::NoOthers)
        .unwrap()
        .publish(&mut keys.keeper(), NOW);
    clock.advance(HOUR);
    assert!(keys.key_store.newest(clock.now()).is_some());
    clock.advance(4 * HOUR);
    assert!(keys.key_store.newest(clock.now()).is_none());
}

#[test]
fn back_to_random_keys() {
    let dir = Directory::new();
    dir.put(&secret_of(1), 0o600);
    let clock = HandClock::at(NOW);
    let keys = Keys::new(HOUR, &clock);
    SecretFile::open(&dir.secret(), HOUR, Readers::NoOthers)
        .unwrap()
        .publish(&mut keys.keeper(), NOW);
    let (derived, _) = keys.key_store.newest(clock.now()).unwrap();
    keys.keeper().issue_from_random_keys(NOW);
    keys.keeper().retire_secrets(NOW);
    let (random, _) = keys.key_store.newest(clock.now()).unwrap();
    assert_ne!(random.key_ring, derived.key_ring);
    assert!(keys.key_store.find(derived, NOW + HOUR - 1).is_some());
    assert!(keys.key_store.find(derived, NOW + HOUR).is_none());
}

#[test]
fn intervals_fit_the_memory() {
    assert!(check_interval(3600, 7 * 24 * 3600).is_ok());
    assert!(check_interval(60, 3600).is_ok());
    assert!(
        check_interval(59, 3600)
            .unwrap_err()
            .to_string()
            .contains("use 60 to 604800")
    );
    assert!(
        check_interval(60, 12 * 3600)
            .unwrap_err()
            .to_string()
            .contains("use 255 to")
    );
    assert!(check_interval(604_801, 3600).is_err());
}

#[test]
fn debug_output_shows_no_secret() {
    let secret = Secret(Kept::new(b"0123456789abcdef0123456789abcdef").unwrap());
    assert_eq!(format!("{secret:?}"), "Secret");
}
