// SPDX-License-Identifier: Apache-2.0
//! What the callbacks of rustls need to know about the connection they are called for.
//!
//! Resolvers, verifiers, ticketers and signers are shared by all connections of a policy and get no handle to the one
//! at hand. Each [`Session`](super::session::Session) therefore owns a [`Context`] and lends it to the calling thread for the
//! length of every call into rustls, since the next call may come on another thread.

use std::cell::RefCell;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;

use super::hello::Hidden;
use crate::compress::Packed;
use crate::ech::seam::Seam;
use crate::ticket::Resumption;
use crate::verify::{Pending, Verdict};

/// Where a virtual host's certificates come from. Shared, and asked once per full handshake.
pub trait CertificateSource: std::fmt::Debug + Send + Sync {
    /// The pair to present to a client that verifies `schemes` and wants this; `None` when no pair fits.
    fn select(&self, schemes: &[SignatureScheme], wants: &Wants) -> Option<Shown>;
}

/// What a client wants beside a certificate.
#[derive(Debug, Default)]
pub struct Wants {
    /// An OCSP response.
    pub staple: bool,
    /// Those that other modules have for certificates of the virtual host.
    pub offered: Vec<Offer>,
    /// One that was fetched is of use: from the responder that the configuration names, where it is not empty.
    pub fetched: Option<String>,
}

/// An OCSP response that another module has.
#[derive(Debug)]
pub struct Offer {
    /// What the certificate is known by to that module: its SHA-256.
    pub id: Vec<u8>,
    /// The response, not judged; empty where it has none yet.
    pub response: Vec<u8>,
}

/// What a client is shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Chain, key, and perhaps an OCSP response.
    pub certified: Arc<CertifiedKey>,
    /// Its compressed forms.
    pub packed: Arc<Packed>,
}

impl Shown {
    /// This, with no compressed form yet.
    pub fn new(certified: CertifiedKey) -> Self {
        Self {
            certified: Arc::new(certified),
            packed: Arc::default(),
        }
    }

    /// Makes the compressed forms.
    pub fn pack(&self) {
        self.packed.pack(&self.certified);
    }
}

/// The identity and policy that a session, and every ticket it issues, is bound to.
#[derive(Debug, Default)]
pub struct Context {
    /// Certificates of the virtual host that the hello chose.
    pub certificates: Option<Arc<dyn CertificateSource>>,
    /// `ServerName:port` of that virtual host.
    pub identity: Arc<str>,
    /// Content hash of the policy.
    pub policy_id: [u8; 32],
    /// The client asked for a name that rustls does not read.
    pub hidden: Option<Hidden>,
    /// What is to be said about its offer of Encrypted ClientHello; `None` where nothing is.
    pub ech: Option<Box<Seam>>,
    /// The server name that our own parser read; rustls must have read the same one.
    pub server_name: Option<String>,
    /// The handshake is one of TLS 1.3.
    pub tls13: bool,
    /// Of TLS 1.2: the schemes that the client has offered and rustls keeps to itself, since it has no names for them.
    pub unnamed_schemes: Vec<SignatureScheme>,
    /// Scheme of our handshake signature; `None` on a resumed session.
    pub signature_scheme: Option<SignatureScheme>,
    /// A limit for floods lets it resume a session and nothing else.
    pub must_resume: bool,
    /// It did not, and so nothing was signed.
    pub beyond_limit: bool,
    /// Its key did not sign.
    pub not_signed: bool,
    /// Why nothing was signed, where keys of the handshake are in use already: what is encrypted next is the alert for it.
    pub unsigned: Option<rustls::Error>,
    /// The first key for what we send is known, with TLS 1.3.
    pub has_key: bool,
    /// What tickets and cached sessions of this connection are bound to, and what came out of them.
    pub resumption: Resumption,
    /// What the client wants beside a certificate.
    pub wants: Wants,
    /// The pair whose certificate stands for this server.
    pub presented: Option<Arc<CertifiedKey>>,
    /// Its compressed forms.
    pub packed: Option<Arc<Packed>>,
    /// They were asked for before they were made.
    pub wants_packed: bool,
    /// IANA numbers of the groups that a backend was offered; empty of others.
    pub groups: Arc<[u16]>,
    /// Octets of the certificates that a backend has shown.
    pub peer_octets: usize,
    /// Octets in which what rustls looks at has come: an upper bound of any message in them.
    pub arrived: usize,
    /// What a backend was shown in the handshake that the session to be resumed began with; of no meaning once it shows
    /// its own certificates, as it does in each full handshake.
    pub resumes: Option<Arc<CertifiedKey>>,
    /// The certificate of a client that was refused for it, so that a log line can say who came.
    pub refused: Option<CertificateDer<'static>>,
    /// What the verifier found of the client's certificate; `None` where it was not asked.
    pub verdict: Option<Verdict>,
    /// What has to be known before the verdict stands: no ticket is made, and nothing of the client is believed.
    pub pending: Option<Pending>,
    /// Questions that nobody waits for yet, since sections decide: held so that they are answered.
    pub ahead: Option<Pending>,
    /// Clients are asked about at responders, so that a handshake which is complete may have to end with an alert of ours.
    pub may_refuse_late: bool,
    /// What is encrypted next is such an alert.
    pub alerting: bool,
}

impl Context {
    /// Takes a signature. Either end of TLS 1.3 goes on without one, as far as to the alert: rustls sends none where nothing
    /// is signed, and nobody else has the keys.
    ///
    /// # Errors
    /// Those of `signature` elsewhere: an alert in the clear follows, which needs no key.
    pub fn take_signature(
        &mut self,
        signature: Result<Vec<u8>, rustls::Error>,
    ) -> Result<Vec<u8>, rustls::Error> {
        match signature {
            Err(error) if self.has_key => {
                self.unsigned = Some(error);
                Ok(Vec::new())
            }
            signature => signature,
        }
    }

    /// Whether another hello may hide in the one that is answered.
    pub fn is_outer_hello(&self) -> bool {
        self.ech.as_ref().is_some_and(|seam| !seam.is_accepting())
    }

    /// What the backend of this connection knows us by; `None` where it knows nobody.
    pub fn stands_for(&self) -> Option<&Arc<CertifiedKey>> {
        self.presented.as_ref().or(self.resumes.as_ref())
    }

    /// Bytes of the certificates and the staple that stand for this server, at most, with what TLS puts around them.
    pub fn shown(&self) -> usize {
        /// Length and extensions of an entry, and the headers of a staple (RFC 8446 4.4.2).
        const AROUND: usize = 16;
        let Some(shown) = &self.presented else {
            return 0;
        };
        let chain = shown
            .cert
            .iter()
            .map(|certificate| certificate.len() + AROUND);
        chain.sum::<usize>()
            + shown
                .ocsp
                .as_ref()
                .map_or(0, |staple| staple.len() + AROUND)
    }

    /// Makes the compressed forms that this handshake went without, for the next one.
    pub fn pack(&mut self) {
        if std::mem::take(&mut self.wants_packed)
            && let (Some(packed), Some(shown)) = (&self.packed, &self.presented)
        {
            packed.pack(shown);
        }
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Box<Context>>> = const { RefCell::new(None) };
}

/// Lends `context` to this thread while `call` runs.
///
/// The context comes back even when `call` unwinds, so that a poisoned session can still be dropped in peace.
pub fn enter<R>(context: &mut Option<Box<Context>>, call: impl FnOnce() -> R) -> R {
    struct Return<'a>(&'a mut Option<Box<Context>>);
    impl Drop for Return<'_> {
        fn drop(&mut self) {
            *self.0 =
                CURRENT.with(|current| current.try_borrow_mut().ok().and_then(|mut c| c.take()));
        }
    }
    let lent = context.take();
    CURRENT.with(|current| {
        if let Ok(mut current) = current.try_borrow_mut() {
            *current = lent;
        }
    });
    let _back = Return(context);
    call()
}

/// Runs `use_it` with the context of the connection this thread is working on; `None` outside of one.
///
/// Calls must not nest: rustls' callbacks never call each other.
pub fn with<R>(use_it: impl FnOnce(&mut Context) -> R) -> Option<R> {
    CURRENT.with(|current| {
        let mut current = current.try_borrow_mut().ok()?;
        current.as_deref_mut().map(use_it)
    })
}

/// Whether the connection of this thread waits for responders.
pub fn is_pending() -> bool {
    with(|context| context.pending.is_some()).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_is_lent_and_returned() {
        let mut context = Some(Box::new(Context::default()));
        let seen = enter(&mut context, || {
            with(|c| c.resumption.lifetime = 7);
            with(|c| c.resumption.lifetime)
        });
        assert_eq!(seen, Some(7));
        assert!(context.is_some_and(|c| c.resumption.lifetime == 7));
        assert!(with(|_| ()).is_none());
    }

    #[test]
    fn context_survives_unwinding() {
        let mut context = Some(Box::new(Context::default()));
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            enter(&mut context, || panic!("as a bug in a callback would"))
        }));
        assert!(caught.is_err());
        assert!(context.is_some());
        assert!(with(|_| ()).is_none());
    }
}
