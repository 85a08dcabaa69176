// SPDX-License-Identifier: Apache-2.0
//! Where a connection stands, and why it failed.

use rustls::{AlertDescription, Error};

use super::{Session, Status};
use crate::tls::context::Context;
use crate::tls::describe;
use crate::tls::engine::RustlsConnection;
use crate::verify::{Outcome, Verdict};

impl Session {
    /// Where the connection stands.
    pub fn status(&self) -> Status {
        match self.tls.as_ref().map(RustlsConnection::common) {
            _ if self.failure.is_some() => Status::Failed,
            Some(_) if self.is_judging() => Status::Judging,
            Some(_) if self.peer_closed => Status::PeerClosed,
            Some(tls) if !tls.is_handshaking() => Status::Open,
            _ => Status::Handshaking,
        }
    }

    /// We are the client.
    pub fn is_outgoing(&self) -> bool {
        matches!(self.tls, Some(RustlsConnection::Client(_)))
    }

    /// Why the connection failed, in rustls' words.
    pub fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// Why the connection failed, in plain words; empty where it did not.
    pub fn cause(&self) -> String {
        match (self.out_of_reach, &self.failure) {
            (_, None) => String::new(),
            (Some(oldest), Some(_)) => describe::too_old(self.newest_offered, oldest),
            (None, Some(_)) if self.lacks_post_quantum() && !self.is_outgoing() => {
                describe::LACKS_POST_QUANTUM.to_owned()
            }
            (None, Some(error)) => describe::failure(error),
        }
    }

    /// The same of a connection with a client: where its certificate was refused, why that was.
    pub fn client_failure(&self) -> String {
        match self.refused_client() {
            Some(verdict) => format!("the client's certificate is refused: {}", verdict.reason),
            None => self.cause(),
        }
    }

    /// What an administrator can do about it; empty where that is nothing.
    pub fn client_remedy(&self) -> String {
        if self.lacks_post_quantum() {
            return describe::LACKS_POST_QUANTUM_REMEDY.to_owned();
        }
        match self.refused_client() {
            Some(verdict) => verdict.advice,
            None => self.failure().map_or("", describe::remedy).to_owned(),
        }
    }

    fn refused_client(&self) -> Option<Verdict> {
        let verdict = self.verdict();
        let refused = matches!(self.failure, Some(Error::InvalidCertificate(_)));
        (refused && verdict.outcome == Outcome::Failed).then_some(verdict)
    }

    /// Why an outgoing connection failed, and what to do about it; `None` where it has not, and the second empty where that
    /// is nothing.
    pub fn backend_failure(&self) -> Option<[String; 2]> {
        let error = self.failure()?;
        let remedy = match self.lacks_post_quantum() {
            true => describe::BACKEND_LACKS_POST_QUANTUM_REMEDY,
            false => describe::backend_remedy(error),
        };
        Some([describe::backend_failure(error), remedy.to_owned()])
    }

    /// The alert by which the client ended the connection, where it did.
    pub fn alert_received(&self) -> Option<AlertDescription> {
        match self.failure {
            Some(Error::AlertReceived(alert)) => Some(alert),
            _ => None,
        }
    }

    /// What the callbacks left behind.
    pub fn context(&self) -> Option<&Context> {
        self.context.as_deref()
    }
}
