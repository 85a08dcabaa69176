// SPDX-License-Identifier: Apache-2.0
//! Tickets for rustls: one ticketer for all policies, virtual hosts and connections of a server.

use super::connection::Resumption;
use super::session_state::{Binding, Refusal};
use super::ticket_protector::{Kind, TicketProtector, session_state};
use crate::metrics::Counter;
use crate::tls::context;
use crate::tls::context::Context;
use rustls::server::ProducesTickets;

/// Makes and reads tickets. Which connection it works for, it learns from the thread's context.
#[derive(Debug)]
pub struct Ticketer {
    protector: TicketProtector,
}

impl Ticketer {
    /// A ticketer over the keys of `protector`.
    pub fn new(protector: TicketProtector) -> Self {
        Self { protector }
    }

    /// Whether a ticket is one of ours for this connection.
    pub(crate) fn opens(&self, context: &Context, ticket: &[u8]) -> bool {
        let to = binding(context);
        self.protector.open(Kind::Ticket, &to, ticket).is_ok()
    }

    fn issue(&self, context: &mut Context, value: &[u8]) -> Option<Vec<u8>> {
        // With TLS 1.2 rustls renews the ticket in each resumption; OpenSSL's clients that collect sessions by callback then
        // have none for the connection after. RFC 5077 section 3.3 lets us send an empty one instead.
        // With TLS 1.3 a resumed session gets one ticket for the one it used up, as OpenSSL does it.
        if context.pending.is_some() {
            return None;
        }
        if context.resumption.accepted_now() || context.resumption.replaced() {
            return None;
        }
        let provenance = context.resumption.provenance(self.protector.clock.now());
        let ticket = self
            .protector
            .seal(Kind::Ticket, &binding(context), provenance, value)?;
        self.protector.key_store.counters.add(Counter::Issued, 1);
        context.resumption.issue();
        Some(ticket)
    }

    fn accept(&self, context: &mut Context, ticket: &[u8]) -> Option<Vec<u8>> {
        let counters = &self.protector.key_store.counters;
        if !context.resumption.look() {
            counters.add(Counter::TooMany, 1);
            return None;
        }
        match self.protector.open(Kind::Ticket, &binding(context), ticket) {
            Ok((value, provenance)) => {
                counters.add(Counter::Accepted, 1);
                context.resumption.accept(provenance);
                Some(value)
            }
            // RFC 9849 6.1.2: outside, the identity of a session that a client hides is random octets.
            Err(Refusal::Malformed) if context.is_outer_hello() => None,
            Err(refusal) => {
                counters.add(counter_of(refusal), 1);
                None
            }
        }
    }
}

impl ProducesTickets for Ticketer {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        let promise = |context: &mut Context| {
            let resumption = &context.resumption;
            let now = self.protector.clock.now();
            let session_state =
                session_state(now, resumption.lifetime, resumption.provenance(now))?;
            Some(session_state.promise())
        };
        context::with(promise).flatten().unwrap_or(0)
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        context::with(|context| self.issue(context, plain)).flatten()
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        context::with(|context| self.accept(context, cipher)).flatten()
    }
}

/// What the sessions of this connection are bound to.
pub(super) fn binding(context: &Context) -> Binding<'_> {
    let Resumption {
        lifetime,
        generation,
        ..
    } = context.resumption;
    Binding {
        policy: &context.policy_id,
        host: &context.identity,
        lifetime,
        generation,
    }
}

fn counter_of(refusal: Refusal) -> Counter {
    match refusal {
        Refusal::Malformed => Counter::Malformed,
        Refusal::UnknownKey => Counter::UnknownKey,
        Refusal::Forged => Counter::Forged,
        Refusal::Expired => Counter::Expired,
        Refusal::Future => Counter::Future,
        Refusal::OtherPolicy => Counter::OtherPolicy,
        Refusal::OtherHost => Counter::OtherHost,
        Refusal::ClientCertificate => Counter::ClientCertificate,
    }
}
