// SPDX-License-Identifier: Apache-2.0
//! What clients sign with, where the configuration limits it.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs;
use rustls::internal::msgs::codec::{Codec, Reader};
use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, PeerMisbehaved, RootCertStore,
    ServerConfig, ServerConnection, SignatureAlgorithm, SignatureScheme, SupportedProtocolVersion,
};

use super::signature::{verify_tls12, verify_tls13};
use super::verifier::Spec;
use super::{Mode, Verifier};

/// A client that signs as its key can, whatever it is asked for.
#[derive(Debug)]
struct Stubborn(Arc<CertifiedKey>);

impl ResolvesClientCert for Stubborn {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let mut certified = CertifiedKey::clone(&self.0);
        certified.key = Arc::new(Deaf(certified.key));
        Some(Arc::new(certified))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct Deaf(Arc<dyn SigningKey>);

impl SigningKey for Deaf {
    fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        self.0
            .choose_scheme(&[SignatureScheme::ECDSA_NISTP256_SHA256])
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }
}

fn verifier(signatures: &[SignatureScheme]) -> Arc<Verifier> {
    let spec = Spec {
        mode: Mode::OptionalNoCa,
        signatures: signatures.to_vec(),
        ..Spec::default()
    };
    let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
    Verifier::new(spec, algorithms)
}

/// A handshake with the stubborn client, up to the server's judgement.
fn judged(
    verifier: Arc<Verifier>,
    version: &'static SupportedProtocolVersion,
) -> Result<(), Error> {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().der().clone();
    let der = PrivatePkcs8KeyDer::from(key.serialize_der());
    let signer = aws_lc_rs::sign::any_supported_type(&der.clone_key().into()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_cert_resolver(Arc::new(Stubborn(Arc::new(CertifiedKey::new(
            vec![certificate.clone()],
            signer,
        )))));
    let server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate], der.into())
        .unwrap();
    let name = ServerName::try_from("a.test").unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    for _ in 0..4 {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            server.process_new_packets()?;
        }
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets().unwrap();
        }
    }
    assert!(!server.is_handshaking());
    Ok(())
}

#[test]
fn a_client_must_sign_as_it_is_asked() {
    use SignatureScheme as S;
    let refused = PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme;
    for version in [&TLS12, &TLS13] {
        assert_eq!(judged(verifier(&[]), version), Ok(()));
        let fitting = verifier(&[S::ED25519, S::ECDSA_NISTP256_SHA256]);
        assert_eq!(judged(fitting, version), Ok(()));
        let other = verifier(&[S::RSA_PSS_SHA256, S::ECDSA_NISTP384_SHA384]);
        assert_eq!(judged(other, version), Err(refused.clone().into()));
    }
}

#[test]
fn what_is_asked_for_is_the_list_in_its_order() {
    use SignatureScheme as S;
    let list = [S::RSA_PSS_SHA384, S::ED448, S::ECDSA_NISTP256_SHA256];
    let limited = verifier(&list);
    assert_eq!(limited.supported_verify_schemes(), [list[0], list[2]]);
    assert_ne!(limited.id(), verifier(&[]).id());
    assert!(verifier(&[]).supported_verify_schemes().len() > 8);
}

/// What a peer's handshake carries: scheme, length, signature (RFC 8446, 4.4.3).
fn signed(scheme: SignatureScheme, signature: &[u8]) -> DigitallySignedStruct {
    let length = u16::try_from(signature.len()).unwrap().to_be_bytes();
    let scheme = u16::from(scheme).to_be_bytes();
    let bytes = [&scheme[..], &length, signature].concat();
    DigitallySignedStruct::read(&mut Reader::init(&bytes)).unwrap()
}

/// What the path of a client says of such a key, which OpenSSL refuses there, is of no matter.
#[test]
fn nothing_is_signed_by_a_key_that_is_none_or_of_an_unknown_kind() {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
    let good = params.self_signed(&key).unwrap().der().to_vec();
    let private = PrivatePkcs8KeyDer::from(key.serialize_der());
    let signer = aws_lc_rs::sign::any_supported_type(&private.into()).unwrap();
    let scheme = SignatureScheme::ECDSA_NISTP256_SHA256;
    let signature = signer.choose_scheme(&[scheme]).unwrap().sign(b"x").unwrap();
    let proof = signed(scheme, &signature);
    let holds = |der: &[u8]| {
        let certificate = rustls::pki_types::CertificateDer::from(der.to_vec());
        [verify_tls12, verify_tls13].map(|verify| verify(b"x", &certificate, &proof).is_ok())
    };
    assert_eq!(holds(&good), [true; 2]);
    let of_key = |wanted: &[u8]| good.windows(wanted.len()).position(|part| part == wanted);
    let curve = of_key(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]).unwrap();
    let point = of_key(key.public_key_raw()).unwrap();
    for place in [curve - 5, curve + 7, point, point + 1, point + 64] {
        let mut bad = good.clone();
        *bad.get_mut(place).unwrap() ^= 1;
        assert_eq!(holds(&bad), [false; 2], "{place}");
    }
}

#[test]
fn ml_dsa_proves_possession_in_tls13_alone() {
    let sets = [
        (&rcgen::PKCS_ML_DSA_44, SignatureScheme::ML_DSA_44),
        (&rcgen::PKCS_ML_DSA_65, SignatureScheme::ML_DSA_65),
        (&rcgen::PKCS_ML_DSA_87, SignatureScheme::ML_DSA_87),
    ];
    for (algorithm, scheme) in sets {
        let made = || {
            let key = KeyPair::generate_for(algorithm).unwrap();
            let params = CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
            let certificate = params.self_signed(&key).unwrap().der().clone();
            let der = PrivatePkcs8KeyDer::from(key.serialize_der());
            let signer = aws_lc_rs::sign::any_supported_type(&der.into()).unwrap();
            let signer = signer.choose_scheme(&[scheme]).unwrap();
            (certificate, signer.sign(b"transcript").unwrap())
        };
        let ((certificate, signature), (other, _)) = (made(), made());
        let proof = signed(scheme, &signature);
        assert!(verify_tls13(b"transcript", &certificate, &proof).is_ok());
        assert!(verify_tls13(b"transcript", &other, &proof).is_err());
        assert!(verify_tls13(b"another", &certificate, &proof).is_err());
        assert!(verify_tls12(b"transcript", &certificate, &proof).is_err());
        let wrong = sets.iter().find(|(_, each)| *each != scheme).unwrap().1;
        let proof = signed(wrong, &signature);
        assert!(verify_tls13(b"transcript", &certificate, &proof).is_err());
    }
}
