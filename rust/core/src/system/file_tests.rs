// SPDX-License-Identifier: Apache-2.0
//! Whatever stands in the place of a file, it is refused by name and nothing waits.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// A directory of one test, removed at its end.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("mod_tls-file-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn fifo(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        let kind = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &path, kind, Mode::from_raw_mode(0o600), 0).unwrap();
        path
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const SMALL: Limit = Limit(8);

fn refused(path: &Path) -> String {
    read(path, SMALL).unwrap_err().to_string()
}

#[test]
fn a_regular_file_is_read_whole_and_through_links() {
    let place = Place::new();
    let path = place.file("a", b"12345678");
    assert_eq!(&read(&path, SMALL).unwrap().bytes[..], b"12345678");
    let link = place.0.join("link");
    symlink("a", &link).unwrap();
    assert_eq!(&read(&link, SMALL).unwrap().bytes[..], b"12345678");
    let empty = place.file("empty", b"");
    assert!(read(&empty, SMALL).unwrap().bytes.is_empty());
}

#[test]
fn what_is_no_regular_file_is_refused_by_its_kind() {
    let place = Place::new();
    assert_eq!(refused(&place.0), "it is a directory");
    assert_eq!(
        refused(&place.fifo("pipe")),
        "it is no regular file, but a pipe"
    );
    for device in ["/dev/zero", "/dev/tty", "/dev/full"] {
        let link = place.0.join("device");
        symlink(device, &link).unwrap();
        assert_eq!(refused(&link), "it is no regular file, but a device");
        fs::remove_file(&link).unwrap();
    }
    let socket = place.0.join("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    assert_eq!(refused(&socket), "it is no regular file, but a socket");
}

#[test]
fn what_cannot_be_opened_is_named_without_numbers() {
    let place = Place::new();
    assert_eq!(refused(&place.0.join("none")), "No such file or directory");
    let link = place.0.join("loop");
    symlink("loop", &link).unwrap();
    assert_eq!(refused(&link), "its symbolic links lead in a circle");
    let file = place.file("a", b"");
    let below = refused(&file.join("b"));
    assert!(!below.contains("os error") && !below.is_empty(), "{below}");
    assert_eq!(
        Refusal::from(io::Error::from_raw_os_error(libc::EACCES)).to_string(),
        "Permission denied"
    );
}

#[test]
fn one_octet_over_the_limit_is_too_large() {
    let place = Place::new();
    let path = place.file("a", b"123456789");
    assert_eq!(read(&path, SMALL).unwrap_err(), Refusal::TooLarge(SMALL));
    // A file of the kernel's says that it is empty, and is not.
    assert_eq!(
        read(Path::new("/proc/self/maps"), SMALL).unwrap_err(),
        Refusal::TooLarge(SMALL)
    );
    let status = read(Path::new("/proc/self/status"), Limit::CREDENTIAL).unwrap();
    assert!(status.bytes.starts_with(b"Name:"));
    // Told by its size, and never read.
    let sparse = place.0.join("sparse");
    File::create(&sparse)
        .unwrap()
        .set_len(Limit::LISTS.0 + 1)
        .unwrap();
    assert_eq!(
        read(&sparse, Limit::LISTS).unwrap_err(),
        Refusal::TooLarge(Limit::LISTS)
    );
}

#[test]
fn a_directory_lists_regular_files_alone() {
    let place = Place::new();
    let (b, a) = (place.file("b", b"x"), place.file("a", b"x"));
    place.fifo("pipe");
    symlink("/dev/zero", place.0.join("device")).unwrap();
    symlink("nowhere", place.0.join("broken")).unwrap();
    fs::create_dir(place.0.join("below")).unwrap();
    let link = place.0.join("z");
    symlink("a", &link).unwrap();
    assert_eq!(list(&place.0).unwrap(), [a, b, link]);
    assert_eq!(list(&place.0.join("none")).unwrap_err(), Refusal::Missing);
    assert!(is_directory(&place.0) && !is_directory(&place.0.join("a")));
}

#[test]
fn who_may_not_read_a_file_is_told_without_opening_it() {
    let place = Place::new();
    let path = place.file("a", b"x");
    assert!(may_read(&path));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o0)).unwrap();
    let root = rustix::process::geteuid().is_root();
    assert_eq!(may_read(&path), root);
    assert!(!may_read(&place.0.join("none")));
}

#[test]
fn a_panic_is_the_file_s_own() {
    assert_eq!(contained(|| 7), Some(7));
    assert_eq!(
        contained(|| -> u8 { panic!("as a fault of a parser would") }),
        None
    );
}
