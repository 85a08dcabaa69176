//! Revocation lists. They are swapped whole when their files change, while connections keep the ones they began with.

use std::sync::{Arc, PoisonError, RwLock};

use ::aws_lc_rs::digest;
use webpki::{
    CertRevocationList, ExpirationPolicy, OwnedCertRevocationList, RevocationCheckDepth,
    RevocationOptionsBuilder, UnknownStatusPolicy,
};
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

/// Which certificates of a path are looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// None.
    #[default]
    None,
    /// The client's own.
    Leaf,
    /// All of them, except the trusted one.
    Chain,
}

/// Revocation lists and how they are used.
#[derive(Debug, Default)]
pub struct Revocation {
    depth: Depth,
    /// A certificate that no list covers is not revoked (`no_crl_for_cert_ok`).
    missing_ok: bool,
    lists: RwLock<Arc<Lists>>,
}

/// The lists in use.
#[derive(Debug, Default)]
pub struct Lists {
    lists: Vec<CertRevocationList<'static>>,
    /// When each of them comes into force, in seconds since 1970; webpki does not ask.
    begins: Vec<i64>,
    generation: u64,
}

impl Revocation {
    /// `ders` are the lists; the second value says for each that cannot be used why, by its index.
    pub fn new(depth: Depth, missing_ok: bool, ders: &[Vec<u8>]) -> (Self, Vec<(usize, String)>) {
        let (lists, refused) = read(ders);
        let lists = RwLock::new(Arc::new(lists));
        (
            Self {
                depth,
                missing_ok,
                lists,
            },
            refused,
        )
    }

    /// Which certificates are looked up.
    pub fn depth(&self) -> Depth {
        self.depth
    }

    /// Whether certificates without a list pass.
    pub fn missing_ok(&self) -> bool {
        self.missing_ok
    }

    /// The lists in use now.
    pub fn lists(&self) -> Arc<Lists> {
        self.lists
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Puts new lists in place of the old. Gives those that cannot be used, with the reason.
    pub fn replace(&self, ders: &[Vec<u8>]) -> Vec<(usize, String)> {
        let (lists, refused) = read(ders);
        let mut current = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(lists);
        refused
    }

    /// Runs `verify` with webpki's options for `lists`; `None` where nothing is to be looked up or no list is there.
    pub fn with_options<R>(
        &self,
        lists: &Lists,
        verify: impl FnOnce(Option<webpki::RevocationOptions<'_>>) -> R,
    ) -> R {
        let borrowed: Vec<&CertRevocationList<'_>> = lists.lists.iter().collect();
        let depth = match self.depth {
            Depth::None => return verify(None),
            Depth::Leaf => RevocationCheckDepth::EndEntity,
            Depth::Chain => RevocationCheckDepth::Chain,
        };
        let missing = if self.missing_ok {
            UnknownStatusPolicy::Allow
        } else {
            UnknownStatusPolicy::Deny
        };
        let options = RevocationOptionsBuilder::new(&borrowed)
            .ok()
            .map(|builder| {
                builder
                    .with_depth(depth)
                    .with_status_policy(missing)
                    .with_expiration_policy(ExpirationPolicy::Enforce)
                    .build()
            });
        verify(options)
    }
}

impl Lists {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// A digest of the lists, equal in all processes that read the same files.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether all lists of this issuer (DER without its header) are of the future.
    pub fn are_early(&self, issuer: &[u8], now: i64) -> bool {
        let mut begins = self
            .lists
            .iter()
            .zip(&self.begins)
            .filter(|(list, _)| list.issuer() == issuer)
            .map(|(_, begin)| *begin)
            .peekable();
        begins.peek().is_some() && begins.all(|begin| begin > now)
    }

    /// Whether the certificate with this issuer (DER without its header) and serial number is revoked; `None` where no
    /// list is the issuer's.
    pub fn find(&self, issuer: &[u8], serial: &[u8]) -> Option<bool> {
        let mut lists = self
            .lists
            .iter()
            .filter(|list| list.issuer() == issuer)
            .peekable();
        lists.peek()?;
        Some(lists.any(|list| matches!(list.find_serial(serial), Ok(Some(_)) | Err(_))))
    }
}

fn generation(ders: &[Vec<u8>]) -> u64 {
    let mut hash = digest::Context::new(&digest::SHA256);
    ders.iter().for_each(|der| hash.update(der));
    let octets = hash.finish();
    octets
        .as_ref()
        .first_chunk()
        .map_or(0, |octets| u64::from_be_bytes(*octets))
}

fn read(ders: &[Vec<u8>]) -> (Lists, Vec<(usize, String)>) {
    let mut lists = Lists {
        generation: generation(ders),
        ..Lists::default()
    };
    let mut refused = Vec::new();
    for (index, der) in ders.iter().enumerate() {
        match OwnedCertRevocationList::from_der(der) {
            Ok(list) => {
                lists.lists.push(CertRevocationList::Owned(list));
                lists.begins.push(begin_of(der));
            }
            Err(error) => refused.push((index, describe(&error).to_owned())),
        }
    }
    (lists, refused)
}

fn begin_of(der: &[u8]) -> i64 {
    CertificateRevocationList::from_der(der).map_or(0, |(_, list)| list.last_update().timestamp())
}

fn describe(error: &webpki::Error) -> &'static str {
    match error {
        webpki::Error::UnsupportedCrlVersion => "is of version 1: only version 2 is supported",
        webpki::Error::UnsupportedDeltaCrl => "is a delta CRL: list the complete one",
        webpki::Error::UnsupportedIndirectCrl => "is an indirect CRL: list one of the CA itself",
        webpki::Error::UnsupportedRevocationReasonsPartitioning
        | webpki::Error::UnsupportedCrlIssuingDistributionPoint => {
            "is partitioned in a way that is not supported"
        }
        webpki::Error::InvalidCrlNumber => "has an invalid number",
        _ => "cannot be read",
    }
}
