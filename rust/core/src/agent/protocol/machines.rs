// SPDX-License-Identifier: Apache-2.0
//! Machine certificates of outgoing connections, as parent and supervisor speak of them.

use std::sync::Arc;

use super::certificate_codec::{decode_certified, encode_certified};
use super::codec::{Cut, Reader, Writer};
use super::message::{VERSION, begin};
use super::wire::Role;
use crate::agent::child::transport::Transport;
use crate::backend::{MachinePair, Machines, Warnings};

/// The order to load machine certificates.
pub(crate) fn encode(machines: &Machines) -> Vec<u8> {
    let mut w = Writer::default();
    w.number(VERSION);
    w.list(&machines.files, |w, file| w.text(file));
    w.list(&machines.directories, |w, file| w.text(file));
    w.text(&machines.chain);
    w.list(&machines.pairs, |w, (certificate, key)| {
        w.text(certificate);
        w.text(key);
    });
    w.into_bytes()
}

/// From bytes.
pub(crate) fn decode(bytes: &[u8]) -> Result<Machines, Cut> {
    let mut r = begin(bytes)?;
    Ok(Machines {
        files: r.list(Reader::text)?,
        directories: r.list(Reader::text)?,
        chain: r.text()?,
        pairs: r.list(|r| Ok((r.text()?, r.text()?)))?,
    })
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// The pairs in the order in which they are tried.
    pub pairs: Vec<MachinePair>,
    /// What is not quite right.
    pub warnings: Warnings,
    /// Why there are no pairs; else empty.
    pub failure: String,
}

impl Answer {
    /// As bytes; only public halves leave the supervisor.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.number(VERSION);
        w.text(&self.failure);
        w.list(&self.warnings.said, |w, line| w.text(line));
        w.list(&self.warnings.kept, |w, line| w.text(line));
        w.list(&self.pairs, |w, pair| {
            let chain: Vec<&[u8]> = pair.certified.cert.iter().map(AsRef::as_ref).collect();
            encode_certified(w, pair.certified.key.as_ref(), &chain);
            w.list(&pair.issuers, |w, name| w.bytes(name));
        });
        w.into_bytes()
    }

    /// From bytes; the keys sign as clients over `transport`.
    pub(crate) fn decode(bytes: &[u8], transport: &Arc<Transport>) -> Result<Self, Cut> {
        let mut r = begin(bytes)?;
        Ok(Self {
            failure: r.text()?,
            warnings: Warnings {
                said: r.list(Reader::text)?,
                kept: r.list(Reader::text)?,
                list_lost: false,
            },
            pairs: r.list(|r| {
                Ok(MachinePair {
                    certified: Arc::new(decode_certified(r, Role::ProxyClient, transport)?),
                    issuers: r.list(|r| Ok(r.bytes()?.to_vec()))?,
                })
            })?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::testing::pair;

    #[test]
    fn orders_and_answers_round_trip() {
        let machines = Machines {
            files: vec!["/a".to_owned()],
            directories: vec!["/a".to_owned()],
            chain: "/b".to_owned(),
            pairs: vec![("/c".to_owned(), String::new())],
        };
        assert_eq!(decode(&encode(&machines)), Ok(machines));
        let ours = pair("proxy.example");
        let answer = Answer {
            pairs: vec![MachinePair {
                certified: Arc::clone(ours.certified()),
                issuers: vec![vec![1, 2]],
            }],
            warnings: Warnings {
                said: vec!["odd".to_owned()],
                kept: vec!["old".to_owned()],
                list_lost: false,
            },
            failure: String::new(),
        };
        let transport = Transport::new();
        let bytes = answer.encode();
        let back = Answer::decode(&bytes, &transport).unwrap();
        let theirs = &back.pairs[0];
        assert_eq!(theirs.certified.cert, ours.certified().cert);
        assert!(theirs.certified.keys_match().is_ok());
        assert_eq!(theirs.issuers, [[1, 2]]);
        assert_eq!(back.warnings, answer.warnings);
        for end in 0..bytes.len() {
            assert!(Answer::decode(&bytes[..end], &transport).is_err());
        }
    }
}
