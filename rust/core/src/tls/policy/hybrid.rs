// SPDX-License-Identifier: Apache-2.0
//! SecP384r1MLKEM1024: the hybrid group that rustls does not have, made of two that it has.

use rustls::crypto::aws_lc_rs::kx_group::{MLKEM1024, SECP384R1};
use rustls::crypto::{ActiveKeyExchange, CompletedKeyExchange, SharedSecret, SupportedKxGroup};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::{Error, NamedGroup, PeerMisbehaved, ProtocolVersion};

/// IANA "TLS Supported Groups".
pub(crate) const SECP384R1MLKEM1024: u16 = 0x11ED;

/// An uncompressed point of P-384 (RFC 8446 4.2.8.2), which stands first in shares, as its secret does in the secret
/// (draft-ietf-tls-ecdhe-mlkem 3.1.2).
const POINT: usize = 97;

/// The group, for rustls.
pub(crate) static GROUP: &dyn SupportedKxGroup = &SecP384r1MlKem1024;

/// Numbers of all groups whose secrets a quantum computer does not find, hybrid or not, as far as they exist here.
pub(crate) fn is_post_quantum(group: u16) -> bool {
    matches!(group, 0x11EB..=0x11ED | 0x0201 | 0x0202)
}

#[derive(Debug)]
struct SecP384r1MlKem1024;

/// Point and what ML-KEM sends behind it; the latter's own code looks at its length.
fn split(share: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    share
        .split_at_checked(POINT)
        .ok_or(Error::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare))
}

fn secret(classical: &SharedSecret, post_quantum: &SharedSecret) -> SharedSecret {
    let both = [classical.secret_bytes(), post_quantum.secret_bytes()];
    SharedSecret::from(both.concat())
}

impl SupportedKxGroup for SecP384r1MlKem1024 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let (classical, post_quantum) = (SECP384R1.start()?, MLKEM1024.start()?);
        let share = [classical.pub_key(), post_quantum.pub_key()].concat();
        Ok(Box::new(Active {
            classical,
            post_quantum,
            share,
        }))
    }

    fn start_and_complete(&self, share: &[u8]) -> Result<CompletedKeyExchange, Error> {
        let (point, key) = split(share)?;
        let classical = SECP384R1.start_and_complete(point)?;
        let post_quantum = MLKEM1024.start_and_complete(key)?;
        Ok(CompletedKeyExchange {
            group: self.name(),
            pub_key: [&classical.pub_key[..], &post_quantum.pub_key].concat(),
            secret: secret(&classical.secret, &post_quantum.secret),
        })
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::from(SECP384R1MLKEM1024)
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        version == ProtocolVersion::TLSv1_3
    }
}

struct Active {
    classical: Box<dyn ActiveKeyExchange>,
    post_quantum: Box<dyn ActiveKeyExchange>,
    share: Vec<u8>,
}

impl ActiveKeyExchange for Active {
    fn complete(self: Box<Self>, share: &[u8]) -> Result<SharedSecret, Error> {
        let (point, ciphertext) = split(share)?;
        let classical = self.classical.complete(point)?;
        let post_quantum = self.post_quantum.complete(ciphertext)?;
        Ok(secret(&classical, &post_quantum))
    }

    fn pub_key(&self) -> &[u8] {
        &self.share
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::from(SECP384R1MLKEM1024)
    }
}

#[cfg(test)]
mod tests {
    use rustls::Error;
    use rustls::crypto::aws_lc_rs::ALL_KX_GROUPS;

    use super::{GROUP, POINT, is_post_quantum};

    /// Lengths of draft-ietf-tls-ecdhe-mlkem 4: 97 + 1568 both ways, and a secret of 48 + 32.
    #[test]
    fn both_sides_find_one_secret() {
        let client = GROUP.start().unwrap();
        assert_eq!(client.pub_key().len(), POINT + 1568);
        let server = GROUP.start_and_complete(client.pub_key()).unwrap();
        assert_eq!(server.pub_key.len(), POINT + 1568);
        let secret = client.complete(&server.pub_key).unwrap();
        assert_eq!(secret.secret_bytes(), server.secret.secret_bytes());
        assert_eq!(secret.secret_bytes().len(), 80);
    }

    #[test]
    fn shares_of_other_lengths_and_points_off_the_curve_are_refused() {
        let share = GROUP.start().unwrap().pub_key().to_vec();
        let refused = |share: &[u8]| {
            let as_server = GROUP.start_and_complete(share).err();
            let as_client = GROUP.start().unwrap().complete(share).err();
            for error in [as_server, as_client] {
                assert!(matches!(error, Some(Error::PeerMisbehaved(_))), "{error:?}");
            }
        };
        for length in [0, 1, POINT - 1, POINT, POINT + 1, share.len() - 1] {
            refused(&share[..length]);
        }
        refused(&[&share[..], &[0]].concat());
        let mut off = share;
        off[50] ^= 1;
        refused(&off);
    }

    #[test]
    fn every_group_with_a_lattice_counts() {
        for group in ALL_KX_GROUPS.iter().chain([&GROUP]) {
            let name = format!("{:?}", group.name());
            let number = u16::from(group.name());
            let expected = name.contains("MLKEM") || number == super::SECP384R1MLKEM1024;
            assert_eq!(is_post_quantum(number), expected, "{name}");
        }
    }
}
