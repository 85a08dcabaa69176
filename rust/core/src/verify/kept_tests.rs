// SPDX-License-Identifier: Apache-2.0
use std::fs;
use std::os::unix::fs::symlink;

use super::*;

/// A directory of one test, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mod_tls-kept-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn certificate(name: &str) -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let parameters = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    crate::x509::pem(parameters.self_signed(&key).unwrap().der())
}

/// How many elements there are now, and how many stand in for them.
fn counts(path: &Path) -> (Option<usize>, Option<usize>) {
    let (now, before, _) = counted(path);
    (now, before)
}

/// The same, and whether the rest of a damaged file is all that counts.
fn counted(path: &Path) -> (Option<usize>, Option<usize>, bool) {
    let reading = read(path, Form::Authorities);
    let now = reading.now.ok().map(|found| found.taken.len());
    match reading.stead {
        Stead::Nothing => (now, None, false),
        Stead::Before(found) => (now, Some(found.taken.len()), false),
        Stead::Rest => (now, None, true),
    }
}

#[test]
fn what_is_worse_than_before_gives_way_to_it() {
    let place = Scratch::new("worse");
    let path = place.0.join("file");
    let (one, two) = (certificate("one"), certificate("two"));
    let odd = crate::x509::pem(b"\x30\x03\x02\x01\x05");
    assert_eq!(counts(&path), (None, None));
    // What was never whole is all there is.
    fs::write(&path, format!("{one}{odd}")).unwrap();
    assert_eq!(counts(&path), (Some(2), None));
    fs::write(&path, format!("{one}{odd}{two}")).unwrap();
    assert_eq!(counts(&path), (Some(3), None), "no worse than before");
    fs::write(&path, format!("{one}{two}")).unwrap();
    assert_eq!(counts(&path), (Some(2), None));
    let table = [
        (odd.clone(), Some(1)),
        (one.replace("-----END", "----END"), Some(0)),
        (String::new(), Some(0)),
        ("junk".to_owned(), Some(0)),
    ];
    for (text, now) in table {
        fs::write(&path, &text).unwrap();
        assert_eq!(counts(&path), (now, Some(2)), "{text}");
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(counts(&path), (None, Some(2)));
    fs::write(&path, &one).unwrap();
    assert_eq!(counts(&path), (Some(1), None), "what is good counts");
    fs::write(&path, "").unwrap();
    assert_eq!(counts(&path), (Some(0), Some(1)));
}

#[test]
fn an_authority_that_was_taken_out_does_not_come_back() {
    let place = Scratch::new("taken-out");
    let path = place.0.join("file");
    let [one, two, three] = ["one", "two", "three"].map(certificate);
    let cut = three.replace("-----END", "----END");
    let odd = crate::x509::pem(b"\x30\x03\x02\x01\x05");
    fs::write(&path, format!("{two}{cut}")).unwrap();
    assert_eq!(counted(&path), (Some(1), None, false), "a first start");
    assert!(last(&path, Form::Authorities).is_none(), "which is refused");
    for damaged in [format!("{two}{cut}"), format!("{odd}{two}")] {
        fs::write(&path, format!("{one}{two}{three}")).unwrap();
        assert_eq!(counted(&path), (Some(3), None, false));
        fs::write(&path, damaged).unwrap();
        assert_eq!(counted(&path), (Some(1), None, true));
    }
    fs::write(&path, format!("{two}{cut}")).unwrap();
    begin();
    assert_eq!(counted(&path), (Some(1), None, true));
    begin();
    assert_eq!(counted(&path), (Some(1), None, true), "as it was");
    fs::write(&path, "junk").unwrap();
    assert_eq!(
        counted(&path),
        (Some(0), Some(1), false),
        "what counted last"
    );
}

#[test]
fn what_has_gone_from_a_directory_is_gone() {
    let place = Scratch::new("gone");
    let names = ["file", "link"].map(|name| place.0.join(name));
    let restore = || {
        for name in &names {
            let _ = fs::remove_file(name);
            let _ = fs::remove_dir(name);
        }
        fs::write(&names[0], certificate("one")).unwrap();
        symlink(&names[0], &names[1]).unwrap();
        let files = list(&place.0, Form::Authorities).files;
        assert_eq!(files, names);
        files
            .iter()
            .for_each(|path| assert_eq!(counts(path), (Some(1), None)));
    };
    restore();
    fs::remove_file(&names[0]).unwrap();
    assert_eq!(list(&place.0, Form::Authorities).files, [] as [PathBuf; 0]);
    fs::create_dir(&names[0]).unwrap();
    assert_eq!(
        list(&place.0, Form::Authorities).files,
        [] as [PathBuf; 0],
        "it was out of use"
    );
    restore();
    fs::remove_file(&names[0]).unwrap();
    fs::create_dir(&names[0]).unwrap();
    for path in list(&place.0, Form::Authorities).files {
        assert_eq!(
            counts(&path),
            (None, Some(1)),
            "something else stands there"
        );
    }
    restore();
    let elsewhere = place.0.with_extension("elsewhere");
    fs::rename(&place.0, &elsewhere).unwrap();
    let listing = list(&place.0, Form::Authorities);
    fs::rename(&elsewhere, &place.0).unwrap();
    assert_eq!(
        (listing.files.as_slice(), listing.refusal),
        (&names[..], Some(Refusal::Missing))
    );
    assert!(
        names
            .iter()
            .all(|path| last(path, Form::Authorities).is_some())
    );
}

#[test]
fn only_the_configuration_before_stands_in() {
    let mut values = Generations::new();
    values.keep("a", 1);
    values.begin();
    assert_eq!(values.find(&"a"), Some(&1));
    values.keep("b", 2);
    values.begin();
    assert_eq!((values.find(&"a"), values.find(&"b")), (None, Some(&2)));
    values.keep("b", 3);
    assert_eq!(values.find(&"b"), Some(&3));
    values.forget_before();
    values.forget(&"b");
    assert_eq!(values.find(&"b"), None);
}
