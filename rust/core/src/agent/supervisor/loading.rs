//! What an order has the supervisor load.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;

use super::Supervisor;
use crate::agent::message::{Answer, Order};
use crate::agent::reload::Watch;
use crate::agent::requests::Requests;
use crate::creds::{CertSet, LoadReport, LoadRequest, Problem, Severity};

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
        self.watch = Watch::new(order.reload_seconds);
        self.order = order;
        let answer = Answer {
            as_before: None,
            sets: report.sets,
            problems: report.problems,
        };
        let bytes = answer.encode(&mut self.sent);
        self.keys.replace(answer.sets);
        self.begin_machines();
        self.holds = is_held(&answer.problems);
        Ok((bytes, true))
    }

    fn begin_machines(&mut self) {
        self.keys.retire_machines();
        self.machinery.begin();
    }

    /// A file that turned bad since it was loaded does not stop a restart: what was loaded goes on being served.
    fn keep_last_good(&self, requests: &[LoadRequest], report: &mut LoadReport) -> io::Result<()> {
        if !report
            .problems
            .iter()
            .any(|problem| problem.severity == Severity::Error)
        {
            return Ok(());
        }
        let old = read(&self.order.requests)?;
        let known = old.iter().zip(self.keys.sets());
        let before: HashMap<Vec<&str>, &Arc<CertSet>> = known
            .filter_map(|(request, set)| Some((request.files(), set.as_ref()?)))
            .filter(|(_, set)| !set.is_placeholder())
            .collect();
        let faults = report.problems.iter();
        let faults = faults.filter(|problem| problem.severity == Severity::Error);
        let bad: HashSet<String> = faults.map(|problem| problem.file.clone()).collect();
        let mut kept: HashSet<&str> = HashSet::new();
        for (request, new) in requests.iter().zip(&mut report.sets) {
            let files = request.files();
            let Some(old) = before.get(&files) else {
                continue;
            };
            // Without its chain file a pair is made all the same.
            let chainless = request
                .chain
                .as_deref()
                .is_some_and(|file| bad.contains(file));
            let whole = |new: &Arc<CertSet>| new.pairs().len() >= old.pairs().len();
            if !chainless && new.as_ref().is_some_and(whole) {
                continue;
            }
            *new = Some(Arc::clone(old));
            kept.extend(files);
        }
        // A virtual host that was never loaded has no excuse, even where it shares a file with one that was.
        for (request, set) in requests.iter().zip(&report.sets) {
            if set.is_none() {
                request.files().iter().for_each(|file| {
                    kept.remove(file);
                });
            }
        }
        for problem in &mut report.problems {
            if problem.severity == Severity::Error && kept.contains(problem.file.as_str()) {
                problem.severity = Severity::Warning;
                let served = "; what was loaded from it before is still served";
                problem.text.push_str(served);
            }
        }
        Ok(())
    }
}

pub(super) fn read(requests: &Requests) -> io::Result<Vec<LoadRequest>> {
    let cut = |_| io::Error::from(io::ErrorKind::InvalidData);
    requests.read().map_err(cut)
}

/// Whether a restart without a change need not look again: what is more than a notice is told each time.
pub(super) fn is_held(problems: &[Problem]) -> bool {
    problems
        .iter()
        .all(|problem| problem.severity == Severity::Notice)
}
