//! Machine certificates of outgoing connections.

use std::collections::HashMap;
use std::sync::Arc;

use super::Supervisor;
use crate::agent::machines::Answer;
use crate::backend::{Machines, Pair};

/// Machine certificates as they were loaded, by what named them.
#[derive(Default)]
pub struct Machinery {
    present: HashMap<Vec<u8>, Vec<Pair>>,
    before: HashMap<Vec<u8>, Vec<Pair>>,
}

impl Machinery {
    /// A new configuration begins; what the last one loaded is kept for one that cannot be loaded again.
    pub fn begin(&mut self) {
        if !self.present.is_empty() {
            self.before = std::mem::take(&mut self.present);
        }
    }

    /// The keys of before have signed on for long enough.
    pub fn forget(&mut self) {
        self.before.clear();
    }
}

impl Supervisor {
    /// Loads machine certificates. Their keys sign before the answer is given.
    pub(super) fn load_machines(&mut self, machines: Machines) -> Answer {
        let name = crate::agent::machines::encode(&machines);
        let mut answer = Answer::default();
        match (
            machines.load(&mut answer.warnings),
            self.machinery.before.get(&name),
        ) {
            (Ok(pairs), _) => answer.pairs = pairs,
            (Err(why), Some(old)) => {
                let served = "; what was loaded from it before is still used";
                answer.warnings.push(format!("{why}{served}"));
                answer.pairs.clone_from(old);
            }
            (Err(why), None) => answer.failure = why,
        }
        self.machinery.present.insert(name, answer.pairs.clone());
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
