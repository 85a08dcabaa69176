// SPDX-License-Identifier: Apache-2.0
//! Machine certificates of outgoing connections.

use std::sync::Arc;

use super::Supervisor;
use crate::agent::protocol::machines::Answer;
use crate::backend::Machines;

impl Supervisor {
    /// Loads machine certificates. Their keys sign before the answer is given.
    pub(super) fn load_machines(&mut self, machines: &Machines) -> Answer {
        let mut answer = Answer::default();
        match self.machinery.load(machines, &mut answer.warnings) {
            Ok(pairs) => answer.pairs = pairs,
            Err(why) => answer.failure = why.to_string(),
        }
        let keys: Vec<_> = answer
            .pairs
            .iter()
            .map(|pair| Arc::clone(&pair.certified.key))
            .collect();
        let lacking = self.keys.add_machines(&keys);
        if lacking
            && self.signer.is_some()
            && let Err(error) = self.start_signer()
        {
            answer.failure = format!("no signer could be started: {error}");
        }
        answer
    }
}
