// SPDX-License-Identifier: Apache-2.0
//! What an order has the supervisor load.

use std::collections::HashSet;
use std::io;

use super::Supervisor;
use super::reload::FileWatch;
use crate::agent::protocol::message::{Answer, Order};
use crate::agent::protocol::requests::Requests;
use crate::creds::{LoadReport, LoadRequest, only_notices, standing};

impl Supervisor {
    /// Loads what the order names, unless it is all as it was. Gives the answer, and whether anything was loaded.
    pub(super) fn load(&mut self, mut order: Order) -> io::Result<(Vec<u8>, bool)> {
        let generation = std::mem::replace(&mut order.generation, self.order.generation);
        let same = order.requests == self.order.requests;
        let changed = same.then(|| self.store.changed());
        let unchanged = changed.as_ref().is_some_and(HashSet::is_empty) && self.store.is_good();
        if unchanged && self.holds && order.serve && order == self.order {
            self.begin_machines();
            let answer = Answer {
                as_before: Some(order.generation),
                ..Answer::default()
            };
            return Ok((answer.encode(&mut self.sent), false));
        }
        order.generation = generation;
        self.holds = false;
        let requests = read(&order.requests)?;
        let mut report = match &changed {
            Some(changed) => self.store.reload(&requests, &mut self.dialog, changed),
            None => self.store.load(&requests, &mut self.dialog),
        };
        self.settle(order.id)?;
        self.keep_last_good(&requests, &mut report)?;
        self.store.fill_gaps(&requests, &mut report);
        self.watch = FileWatch::new(order.reload_seconds);
        self.order = order;
        let answer = Answer {
            as_before: None,
            sets: report.sets,
            problems: report.problems,
        };
        let bytes = answer.encode(&mut self.sent);
        self.keys.replace(answer.sets);
        self.begin_machines();
        self.holds = only_notices(&answer.problems);
        Ok((bytes, true))
    }

    fn begin_machines(&mut self) {
        self.keys.retire_machines();
        self.machinery.begin();
    }

    /// A file that turned bad since it was loaded does not stop a restart: what was loaded goes on being served.
    fn keep_last_good(&self, requests: &[LoadRequest], report: &mut LoadReport) -> io::Result<()> {
        if report.is_good() {
            return Ok(());
        }
        let old = read(&self.order.requests)?;
        standing::stand_in(&standing::before(&old, self.keys.sets()), requests, report);
        Ok(())
    }
}

pub(super) fn read(requests: &Requests) -> io::Result<Vec<LoadRequest>> {
    let cut = |_| io::Error::from(io::ErrorKind::InvalidData);
    requests.read().map_err(cut)
}
