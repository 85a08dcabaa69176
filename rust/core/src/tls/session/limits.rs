// SPDX-License-Identifier: Apache-2.0
//! A connection asks the limits for floods.

use super::Session;
use crate::tls::limits::Exceeded;
use crate::tls::policy::Policy;

impl Session {
    /// The handshake of `address` begins. `children` is how many processes serve.
    ///
    /// # Errors
    /// The limit that it exceeds.
    pub fn enter(&mut self, address: &[u8], children: u64) -> Result<(), Exceeded> {
        self.toll.enter(address, children)
    }

    /// Asks whether the handshake may go on, after [`Session::start`] and before its hello goes to rustls.
    ///
    /// # Errors
    /// The limit that it exceeds.
    pub fn admit(&mut self, policy: &Policy) -> Result<(), Exceeded> {
        // Nothing is done for a hello that is refused, so that it takes nobody's place.
        if self.failure.is_some() {
            return Ok(());
        }
        let context = self.context.as_deref();
        self.toll
            .admit(|ticket| context.is_some_and(|context| policy.opens(context, ticket)))?;
        if let Some(context) = self.context.as_deref_mut() {
            context.must_resume = self.toll.must_resume();
        }
        Ok(())
    }

    /// The limit because of which a handshake failed that was let in for a session and did not resume it.
    pub fn exceeded(&self) -> Option<Exceeded> {
        self.toll.exceeded()
    }

    /// The handshake is over, one way or the other. Idempotent.
    pub fn leave(&mut self) {
        self.toll.leave();
    }
}
