// SPDX-License-Identifier: Apache-2.0
//! How a connection begins, when it is known what it is: with a client, for an ACME challenge, to a backend.

use std::sync::Arc;

use rustls::Error;
use rustls_pki_types::ServerName;

use super::alerts::{FALLS_BACK, NOT_WHOLE};
use super::{MAX_FRAGMENT, RECORD_HEADER, Session};
use crate::backend::{BackendPolicy, Target, server_name};
use crate::tls::context::{self, Context};
use crate::tls::engine::RustlsConnection;
use crate::tls::policy::Policy;
use crate::tls::signatures::unnamed;

impl Session {
    /// Chooses what this connection is: from here on rustls has the word. The bytes of the hello wait inside, so that
    /// [`Session::feed`] with no further input goes on.
    ///
    /// # Errors
    /// What rustls finds wrong with the configuration.
    pub fn start(
        &mut self,
        policy: &Policy,
        alpn: &[u8],
        prefers_chacha: bool,
        mut context: Context,
    ) -> Result<(), Error> {
        context.tls13 = policy.speaks_tls13() && self.offers_tls13;
        context.resumption = policy.resumption(context.tls13, self.offers_tickets);
        context.resumption.offered_id = std::mem::take(&mut self.offered_id);
        context.wants.staple = self.wants_staple;
        context.may_refuse_late = policy.asks_responders();
        if let Some(offered) = self.offered.as_ref().filter(|_| !context.tls13) {
            context.unnamed_schemes = unnamed(offered.signature_schemes());
        }
        // RFC 7507 3: "If TLS_FALLBACK_SCSV appears in ClientHello.cipher_suites and the highest protocol version
        // supported by the server is higher than the version indicated in ClientHello.client_version, the server MUST
        // respond with a fatal inappropriate_fallback alert".
        if self.falls_back && policy.speaks_tls13() && !self.offers_tls13 && self.failure.is_none()
        {
            self.refuse(FALLS_BACK);
        }
        let offered = self.offered.clone().filter(|_| context.tls13);
        if let Some(offered) = &offered
            && offered.lacks_an_extension_of_tls13()
            && self.failure.is_none()
        {
            self.refuse(NOT_WHOLE);
        }
        let groups = offered.as_ref().map_or(&[][..], |offered| offered.groups());
        let mut config = policy.config(alpn, prefers_chacha, groups);
        if let Some(limit) = self.record_limit.filter(|limit| *limit < MAX_FRAGMENT) {
            Arc::make_mut(&mut config).max_fragment_size = Some(limit + RECORD_HEADER);
        }
        self.out_of_reach = policy
            .oldest_version()
            .filter(|oldest| (1..*oldest).contains(&self.newest_offered));
        self.needs_post_quantum = policy.needs_post_quantum();
        context.ech = self.seam(policy);
        self.tls = Some(RustlsConnection::server(config)?);
        self.context = Some(Box::new(context));
        Ok(())
    }

    /// As [`Session::start`], for a connection that asks for the answer to an ACME challenge.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn start_challenge(
        &mut self,
        policy: &Policy,
        alpn: &[u8],
        mut context: Context,
    ) -> Result<(), Error> {
        context.tls13 = policy.speaks_tls13() && self.offers_tls13;
        context.ech = self.seam(policy);
        let config = policy.challenge_config(alpn);
        let config = config.map_err(|why| Error::General(why.to_string()))?;
        self.tls = Some(RustlsConnection::server(config)?);
        self.context = Some(Box::new(context));
        Ok(())
    }

    /// Begins an outgoing connection: the ClientHello waits in [`Session::take_ciphertext`] after the first
    /// [`Session::feed`].
    ///
    /// # Errors
    /// What rustls finds wrong with the configuration.
    pub fn connect(
        &mut self,
        policy: &BackendPolicy,
        name: ServerName<'static>,
        alpn: Vec<Vec<u8>>,
        context: Context,
    ) -> Result<(), Error> {
        self.needs_post_quantum = policy.needs_post_quantum();
        let mut context = Some(Box::new(Context {
            groups: policy.groups(),
            ..context
        }));
        let made = context::enter(&mut context, || {
            RustlsConnection::client(policy.config(), name, alpn)
        });
        self.tls = Some(made?);
        self.context = context;
        Ok(())
    }

    /// The same to `target`. Sessions are kept apart by all that was proven when they were made.
    ///
    /// # Errors
    /// A target that is neither a name nor an address, and as above.
    pub fn connect_to(&mut self, policy: &BackendPolicy, target: Target) -> Result<(), Error> {
        let Target {
            host,
            address,
            port,
            alpn,
        } = target;
        let name = server_name(&host, &address);
        let name = name.ok_or_else(|| Error::General(format!("no name or address: {address}")))?;
        let context = Context {
            identity: Arc::from(format!("{address}:{port}/{host}")),
            server_name: Some(host).filter(|host| !host.is_empty()),
            ..Context::default()
        };
        let alpn = alpn.into_iter().map(String::into_bytes).collect();
        self.connect(policy, name, alpn, context)
    }
}
