// SPDX-License-Identifier: Apache-2.0
//! Certificates with ML-DSA keys, which the OpenSSL of Debian 12 cannot make: `tls-client make-ml-dsa DIRECTORY`.
//!
//! root.crt, above it nobody; long.crt and server-long.crt, a client's and a server's with three CAs above them;
//! client-SET, server-SET and revoked, each below one CA that stands behind it in NAME.crt, with NAME.key;
//! server-SET.expanded.key and server-SET.both.key, the same key in the other forms of RFC 9881, 6, in DER; ca.crl, in
//! which `revoked` stands. SET is 44, 65 or 87. Servers' are for *.ml.test and www.example.org.

use std::fs;
use std::path::Path;

use aws_lc_rs::encoding::AsRawBytes;
use aws_lc_rs::signature::{
    ML_DSA_44_SIGNING, ML_DSA_65_SIGNING, ML_DSA_87_SIGNING, PqdsaKeyPair, PqdsaSigningAlgorithm,
};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateRevocationListParams, DnType,
    ExtendedKeyUsagePurpose as Purpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    PKCS_ML_DSA_44, PKCS_ML_DSA_65, PKCS_ML_DSA_87, RevokedCertParams, SerialNumber,
    SignatureAlgorithm, date_time_ymd,
};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

struct Set {
    name: &'static str,
    algorithm: &'static SignatureAlgorithm,
    signing: &'static PqdsaSigningAlgorithm,
}

const SETS: [Set; 3] = [
    Set {
        name: "44",
        algorithm: &PKCS_ML_DSA_44,
        signing: &ML_DSA_44_SIGNING,
    },
    Set {
        name: "65",
        algorithm: &PKCS_ML_DSA_65,
        signing: &ML_DSA_65_SIGNING,
    },
    Set {
        name: "87",
        algorithm: &PKCS_ML_DSA_87,
        signing: &ML_DSA_87_SIGNING,
    },
];

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Certificate,
}

/// Writes all files into a directory.
///
/// # Errors
/// What could not be made or written.
pub(crate) fn make(directory: &Path) -> Fallible<()> {
    let write = |name: &str, text: &str| fs::write(directory.join(name), text);
    let root = authority("ML-DSA Root", &PKCS_ML_DSA_87, None)?;
    write("root.crt", &root.certificate.pem())?;
    let ca = authority("ML-DSA CA", &PKCS_ML_DSA_65, Some(&root))?;
    for set in &SETS {
        let key = KeyPair::generate_for(set.algorithm)?;
        let leaf = leaf("server", &key, Purpose::ServerAuth, 1, &ca)?;
        let name = format!("server-{}", set.name);
        write(&format!("{name}.crt"), &(leaf + &ca.certificate.pem()))?;
        write(&format!("{name}.key"), &key.serialize_pem())?;
        for (form, der) in other_forms(set, &key)? {
            fs::write(directory.join(format!("{name}.{form}.key")), der)?;
        }
    }
    for (serial, set) in (2..).zip(&SETS) {
        let name = format!("client-{}", set.name);
        write_leaf(
            directory,
            &name,
            set.algorithm,
            Purpose::ClientAuth,
            serial,
            &[&ca],
        )?;
    }
    write_leaf(
        directory,
        "revoked",
        &PKCS_ML_DSA_65,
        Purpose::ClientAuth,
        9,
        &[&ca],
    )?;
    let second = authority("ML-DSA Second", &PKCS_ML_DSA_87, Some(&root))?;
    let third = authority("ML-DSA Third", &PKCS_ML_DSA_87, Some(&second))?;
    let above = [&third, &second, &root];
    for (name, purpose) in [
        ("long", Purpose::ClientAuth),
        ("server-long", Purpose::ServerAuth),
    ] {
        write_leaf(directory, name, &PKCS_ML_DSA_87, purpose, 1, &above)?;
    }
    write("ca.crl", &list(&ca)?)?;
    Ok(())
}

fn authority(
    name: &str,
    algorithm: &'static SignatureAlgorithm,
    above: Option<&Authority>,
) -> Fallible<Authority> {
    let key = KeyPair::generate_for(algorithm)?;
    let mut params = params(name)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = match above {
        Some(above) => params.signed_by(&key, &above.issuer)?,
        None => params.self_signed(&key)?,
    };
    let issuer = Issuer::new(params, key);
    Ok(Authority {
        issuer,
        certificate,
    })
}

fn params(name: &str) -> Fallible<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2024, 1, 1);
    params.not_after = date_time_ymd(2049, 1, 1);
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn leaf(
    name: &str,
    key: &KeyPair,
    purpose: Purpose,
    serial: u64,
    by: &Authority,
) -> Fallible<String> {
    let mut params = params(name)?;
    params.serial_number = Some(SerialNumber::from(serial));
    if purpose == Purpose::ServerAuth {
        for name in ["*.ml.test", "www.example.org"] {
            let name = rcgen::SanType::DnsName(name.try_into()?);
            params.subject_alt_names.push(name);
        }
    }
    params.extended_key_usages.push(purpose);
    params.key_usages.push(KeyUsagePurpose::DigitalSignature);
    Ok(params.signed_by(key, &by.issuer)?.pem())
}

fn write_leaf(
    directory: &Path,
    name: &str,
    algorithm: &'static SignatureAlgorithm,
    purpose: Purpose,
    serial: u64,
    above: &[&Authority],
) -> Fallible<()> {
    let key = KeyPair::generate_for(algorithm)?;
    let nearest = above.first().ok_or("a certificate needs a CA")?;
    let mut text = leaf(name, &key, purpose, serial, nearest)?;
    text.extend(above.iter().map(|one| one.certificate.pem()));
    fs::write(directory.join(format!("{name}.crt")), text)?;
    fs::write(directory.join(format!("{name}.key")), key.serialize_pem())?;
    Ok(())
}

fn list(ca: &Authority) -> Fallible<String> {
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2024, 1, 1),
        next_update: date_time_ymd(2049, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: vec![RevokedCertParams {
            serial_number: SerialNumber::from(9),
            revocation_time: date_time_ymd(2024, 1, 1),
            reason_code: None,
            invalidity_date: None,
        }],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    Ok(params.signed_by(&ca.issuer)?.pem()?)
}

/// The expanded key alone, and seed and expanded key: rcgen writes the seed.
fn other_forms(set: &Set, key: &KeyPair) -> Fallible<[(&'static str, Vec<u8>); 2]> {
    let own = PqdsaKeyPair::from_pkcs8(set.signing, key.serialized_der())?;
    let expanded = element(4, own.private_key().as_raw_bytes()?.as_ref())?;
    // SEQUENCE { version, algorithm, OCTET STRING { [0] seed } }: the seed stands last.
    let seed_form = key.serialized_der();
    let (head, seed) = seed_form
        .split_last_chunk::<32>()
        .ok_or("no seed at the end of a key")?;
    let algorithm = head.get(5..18).ok_or("a short key")?;
    let both = element(0x30, &[element(4, seed)?, expanded.clone()].concat())?;
    let wrap = |private: &[u8]| {
        let private = element(4, private)?;
        element(0x30, &[&[2, 1, 0][..], algorithm, &private].concat())
    };
    Ok([("expanded", wrap(&expanded)?), ("both", wrap(&both)?)])
}

fn element(tag: u8, content: &[u8]) -> Fallible<Vec<u8>> {
    let [high, low] = u16::try_from(content.len())?.to_be_bytes();
    let header = match content.len() {
        ..0x80 => vec![tag, low],
        0x80..0x100 => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    Ok([header, content.to_vec()].concat())
}
