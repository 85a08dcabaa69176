//! What the fuzz targets run and the replay of their seeds (rust/core/tests/corpus.rs): one function for each parser of
//! foreign bytes, which must neither panic nor contradict itself.

use mod_tls_core::agent::{shape, wire};
use mod_tls_core::creds::passphrase::{Answer, Passphrases, Question};
use mod_tls_core::creds::{certificate, decrypt, key, pem};
use mod_tls_core::hello::{Parsed, parse};

/// A prefix of a hello says nothing yet, or what the whole says.
pub fn hello(data: &[u8]) {
    let whole = parse(data);
    for cut in [data.len() / 4, data.len() / 2, data.len().saturating_sub(1)] {
        let prefix = parse(data.get(..cut).unwrap_or_default());
        assert!(
            prefix == Parsed::NeedMore || prefix == whole,
            "cut at {cut}"
        );
    }
}

/// Every block decodes within its capacity.
pub fn pem(data: &[u8]) {
    for block in pem::blocks(data).flatten() {
        let _ = block.header("Proc-Type");
        if let Ok(decoded) = block.decode() {
            assert!(decoded.len() <= data.len());
        }
    }
    let _ = certificate::find_certificates("file", data);
}

/// Keys as PEM, encrypted ones with one short phrase, and as bare DER in each form.
pub fn key(data: &[u8]) {
    if let Ok(key::FoundKey::Encrypted(block)) = key::find_key("file", data) {
        let _ = decrypt::decrypt_key(&block, &Question::default(), &mut OnePhrase);
    }
    for form in [key::Form::Pkcs8, key::Form::Pkcs1, key::Form::Sec1] {
        let _ = key::read_key("file", data, form);
    }
}

/// A frame of a child or of the signer: what parses is exactly one encoding, and no message has a shape in both roles.
pub fn agent(data: &[u8]) {
    let _ = (wire::parse_hello(data), wire::parse_welcome(data));
    if let Ok(request) = wire::Request::parse(data) {
        let mut again = request.head().to_vec();
        again.extend_from_slice(request.message);
        assert_eq!(again, data);
        let roles = [wire::Role::Server, wire::Role::ProxyClient];
        let shapes = roles.map(|role| shape::allowed(role, request.message));
        assert_ne!(shapes, [true, true]);
    }
    if let Ok(reply) = wire::Reply::parse(data) {
        let mut again = reply.head().to_vec();
        again.extend_from_slice(reply.signature);
        assert_eq!(again, data);
    }
}

struct OnePhrase;

impl Passphrases for OnePhrase {
    fn ask(&mut self, question: &Question<'_>) -> Answer {
        match question.attempt {
            0 => Answer::Phrase(b"test phrase".to_vec().into()),
            _ => Answer::None(String::new()),
        }
    }
}
