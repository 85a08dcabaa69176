// SPDX-License-Identifier: Apache-2.0
//! What is to be loaded, as parent and supervisor keep it.

use rustls::SignatureScheme;

use super::codec::{Cut, Reader, Writer};
use crate::creds::{FileAt, LoadRequest, PairRequest, SignatureRequest, Suites12};

/// What is to be loaded for each virtual host, as the bytes of a message. Both processes keep it for as long as the
/// configuration lasts and read it when files change, and so takes a fifth of the room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests(Box<[u8]>);

impl Requests {
    /// The bytes of these.
    pub fn new(requests: impl ExactSizeIterator<Item = LoadRequest>) -> Self {
        let mut w = Writer::default();
        w.count(requests.len());
        for request in requests {
            encode_request(&mut w, &request);
        }
        Self(w.into_bytes().into())
    }

    /// From the bytes of a message, which are read when they are needed.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// As they stand in a message.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether there is nothing to load.
    pub fn is_empty(&self) -> bool {
        !Reader::new(&self.0).count().is_ok_and(|count| count > 0)
    }

    /// What they say.
    ///
    /// # Errors
    /// The octets end too early, or are no such message.
    pub fn read(&self) -> Result<Vec<LoadRequest>, Cut> {
        if self.0.is_empty() {
            return Ok(Vec::new());
        }
        Reader::new(&self.0).list(decode_request)
    }
}

fn encode_request(w: &mut Writer, request: &LoadRequest) {
    w.text(&request.host);
    w.text(&request.passphrase);
    w.byte(u8::from(request.strict));
    w.byte(u8::from(request.placeholder));
    w.list(&request.names, |w, name| w.text(name));
    w.list(&request.pairs, |w, pair| {
        w.text(&pair.certificate);
        w.optional(pair.key.as_deref());
        w.optional(pair.staple.as_deref());
        w.text(&pair.place);
        w.text(&pair.key_place);
    });
    w.list(&request.spare_keys, encode_file);
    w.list(request.chain.as_slice(), encode_file);
    w.optional(request.authorities.as_deref());
    encode_signatures(w, &request.signatures);
}

fn decode_request(r: &mut Reader<'_>) -> Result<LoadRequest, Cut> {
    Ok(LoadRequest {
        host: r.text()?,
        passphrase: r.text()?,
        strict: r.byte()? != 0,
        placeholder: r.byte()? != 0,
        names: r.list(Reader::text)?,
        pairs: r.list(|r| {
            Ok(PairRequest {
                certificate: r.text()?,
                key: r.optional()?,
                staple: r.optional()?,
                place: r.text()?,
                key_place: r.text()?,
            })
        })?,
        spare_keys: r.list(decode_file)?,
        chain: r.list(decode_file)?.pop(),
        authorities: r.optional()?,
        signatures: decode_signatures(r)?,
    })
}

fn encode_file(w: &mut Writer, file: &FileAt) {
    w.text(&file.path);
    w.text(&file.place);
}

fn decode_file(r: &mut Reader<'_>) -> Result<FileAt, Cut> {
    Ok(FileAt {
        path: r.text()?,
        place: r.text()?,
    })
}

fn encode_signatures(w: &mut Writer, signatures: &SignatureRequest) {
    w.list(&signatures.schemes, |w, scheme| {
        w.number(u32::from(u16::from(*scheme)));
    });
    w.byte(u8::from(signatures.tls13));
    w.byte(u8::from(signatures.tls12));
    w.text(&signatures.place);
    w.byte(u8::from(signatures.suites.rsa));
    w.byte(u8::from(signatures.suites.ecdsa));
    w.text(&signatures.suites.place);
}

fn decode_signatures(r: &mut Reader<'_>) -> Result<SignatureRequest, Cut> {
    let scheme = |r: &mut Reader<'_>| {
        let number = u16::try_from(r.number()?).map_err(|_| Cut)?;
        Ok(SignatureScheme::from(number))
    };
    Ok(SignatureRequest {
        schemes: r.list(scheme)?,
        tls13: r.byte()? != 0,
        tls12: r.byte()? != 0,
        place: r.text()?,
        suites: Suites12 {
            rsa: r.byte()? != 0,
            ecdsa: r.byte()? != 0,
            place: r.text()?,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_arrive_as_they_were_sent() {
        for (rsa, ecdsa) in [(true, false), (false, true)] {
            let suites = Suites12 {
                rsa,
                ecdsa,
                place: "file:5".to_owned(),
            };
            let mut request = LoadRequest::default();
            request.signatures.suites = suites.clone();
            let read = Requests::new(std::iter::once(request)).read().unwrap();
            assert_eq!(read[0].signatures.suites, suites);
        }
    }

    #[test]
    fn nothing_is_nothing_in_either_form() {
        let none = Requests::new(std::iter::empty());
        let one = Requests::new(std::iter::once(LoadRequest::default()));
        assert!(none.is_empty() && Requests::default().is_empty() && !one.is_empty());
        assert!(none.read().unwrap().is_empty());
        assert!(Requests::default().read().unwrap().is_empty());
        assert_eq!(one.read().unwrap().len(), 1);
        assert!(Requests::from_bytes(&[0, 0, 0, 1, 9]).read().is_err());
    }
}
