// SPDX-License-Identifier: Apache-2.0
use std::fs;
use std::path::PathBuf;

use super::*;

/// A directory of one test, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("mod_tls-machines-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("d")).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A certificate with its key, and the CA above it.
fn machine() -> (String, String) {
    let keys = [0, 1].map(|_| rcgen::KeyPair::generate().unwrap());
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let name = (rcgen::DnType::CommonName, "between");
    authority.distinguished_name.push(name.0, name.1);
    let root = rcgen::Issuer::new(rcgen::CertificateParams::new(Vec::new()).unwrap(), &keys[1]);
    let above = authority.clone().signed_by(&keys[1], &root).unwrap();
    let by = rcgen::Issuer::new(authority, &keys[1]);
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "machine");
    let leaf = params.signed_by(&keys[0], &by).unwrap();
    (leaf.pem() + &keys[0].serialize_pem(), above.pem())
}

/// One load by the next configuration: the leaves and lengths of chains, and what was kept.
fn load(machinery: &mut Machinery, machines: &Machines) -> Result<Loaded, BackendFileFault> {
    machinery.begin();
    let mut warnings = Warnings::default();
    let pairs = machinery.load(machines, &mut warnings)?;
    let chain = |pair: &MachinePair| (pair.certified.cert[0].to_vec(), pair.certified.cert.len());
    Ok((pairs.iter().map(chain).collect(), warnings.kept))
}

type Loaded = (Vec<(Vec<u8>, usize)>, Vec<String>);

#[test]
fn a_damaged_file_keeps_what_was_its_own() {
    let place = Scratch::new("own");
    let [a, b, c] = [(); 3].map(|()| machine().0);
    let machines = Machines {
        files: vec![place.path("one"), place.path("d")],
        pairs: vec![(place.path("pair"), String::new())],
        ..Machines::default()
    };
    for name in ["one", "d/x", "d/y", "pair"] {
        place.write(name, &a);
    }
    let mut machinery = Machinery::new();
    let (first, kept) = load(&mut machinery, &machines).unwrap();
    assert_eq!((first.len(), kept.len()), (4, 0));
    for (place_of, name) in ["one", "d/x", "d/y", "pair"].iter().enumerate() {
        for other in ["one", "d/x", "d/y", "pair"] {
            place.write(other, &a);
        }
        assert_eq!(load(&mut machinery, &machines).unwrap().0, first);
        for other in ["one", "d/x", "d/y", "pair"] {
            place.write(other, &b);
        }
        place.write(name, "junk");
        let (now, kept) = load(&mut machinery, &machines).unwrap();
        let old: Vec<bool> = now.iter().map(|pair| pair.0 == first[0].0).collect();
        let mut wanted = [false; 4];
        wanted[place_of] = true;
        assert_eq!(old, wanted, "{name}");
        assert!(
            kept.len() == 1 && kept[0].starts_with(&place.path(name)),
            "{kept:?}"
        );
        let again = load(&mut machinery, &machines).unwrap();
        assert_eq!(again.0, now, "as long as it is damaged");
    }
    // What comes into a directory and is damaged, and what goes.
    place.write("pair", &c);
    place.write("d/z", "junk");
    fs::remove_file(place.path("d/x")).unwrap();
    let (now, kept) = load(&mut machinery, &machines).unwrap();
    assert_eq!((now.len(), kept.len()), (3, 1));
    assert!(
        kept[0].starts_with(&place.path("d/z")) && kept[0].ends_with("it is left out"),
        "{kept:?}"
    );
    // The directory itself.
    fs::rename(place.path("d"), place.path("away")).unwrap();
    let (then, kept) = load(&mut machinery, &machines).unwrap();
    assert_eq!((then.len(), kept.len()), (3, 1), "{kept:?}");
    // Files that nobody has loaded.
    let mut unknown = machines.clone();
    unknown.files.push(place.path("away/z"));
    assert!(load(&mut machinery, &unknown).is_err());
    assert!(load(&mut Machinery::new(), &machines).is_err());
}

#[test]
fn a_damaged_chain_is_not_mixed_with_another_certificate() {
    let place = Scratch::new("chain");
    let ((old, above), (new, other)) = (machine(), machine());
    let machines = Machines {
        files: vec![place.path("one")],
        chain: place.path("chain"),
        ..Machines::default()
    };
    place.write("one", &old);
    place.write("chain", &above);
    let mut machinery = Machinery::new();
    let (first, _) = load(&mut machinery, &machines).unwrap();
    assert_eq!(first[0].1, 2);
    for certificate in [&old, &new] {
        place.write("one", certificate);
        place.write("chain", "junk");
        let (now, kept) = load(&mut machinery, &machines).unwrap();
        assert_eq!(now, first);
        assert!(kept[0].starts_with(&place.path("chain")), "{kept:?}");
    }
    place.write("chain", &other);
    let (now, kept) = load(&mut machinery, &machines).unwrap();
    assert!(now[0].0 != first[0].0 && now[0].1 == 2 && kept.is_empty());
}
