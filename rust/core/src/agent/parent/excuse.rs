// SPDX-License-Identifier: Apache-2.0
//! Files that are damaged when a new supervisor reads them: what the one before it had loaded of them, nobody has.

use super::{Answer, Order, Parent};
use crate::backend::{BackendFault, MachinePair, Machines, Warnings};
use crate::creds::standing::{self, Before};
use crate::creds::{LoadReport, Severity};

/// What is said of what cannot be had.
const GONE: &str =
    "nobody has what was loaded from it before, since the key agent had to be made anew";

impl Parent {
    /// A restart that meets such a file goes on without the virtual hosts that need it. `before` is the order of the
    /// configuration before this one.
    pub(super) fn excuse(&mut self, before: &Order, answer: &mut Answer) {
        let lost = std::mem::take(&mut self.lost);
        if !answer
            .problems
            .iter()
            .any(|p| p.severity == Severity::Error)
        {
            return;
        }
        let (Ok(old), Ok(new)) = (before.requests.read(), self.order.requests.read()) else {
            return;
        };
        let served = |index| {
            let set = self.certificates.as_ref()?.set(index)?;
            (!set.is_placeholder()).then_some(())
        };
        let mut known = Before::new();
        for (index, request) in old.iter().enumerate() {
            if served(index).is_some() {
                known.insert(request.files(), None);
            }
        }
        for files in &lost {
            known.insert(files.iter().map(String::as_str).collect(), None);
        }
        let mut report = LoadReport {
            sets: std::mem::take(&mut answer.sets),
            problems: std::mem::take(&mut answer.problems),
            ..LoadReport::default()
        };
        standing::stand_in(&known, &new, &mut report);
        let none = new
            .iter()
            .zip(&report.sets)
            .filter(|(_, set)| set.is_none());
        let none = none.map(|(request, _)| request.files());
        self.lost = none
            .filter(|files| known.contains_key(files))
            .map(|files| files.into_iter().map(str::to_owned).collect())
            .collect();
        (answer.sets, answer.problems) = (report.sets, report.problems);
    }

    /// The same of machine certificates: backends are shown none. `why`: what the agent says of them.
    ///
    /// # Errors
    /// The configuration before this one had none of that name either.
    pub(super) fn excuse_machines(
        &self,
        machines: &Machines,
        why: String,
        warnings: &mut Warnings,
    ) -> Result<Vec<MachinePair>, BackendFault> {
        if !self.machines_before.contains(machines) {
            return Err(BackendFault::Told(why));
        }
        let text =
            format!("{why}; {GONE}: these backends are shown no certificate until it is right");
        warnings.kept.push(text);
        Ok(Vec::new())
    }

    /// What a new supervisor, which was made while a configuration is served, could not load.
    pub(super) fn gone(answer: &Answer) -> Vec<String> {
        let errors = answer.problems.iter();
        let errors = errors.filter(|problem| problem.severity == Severity::Error);
        errors
            .map(|problem| format!("{}; {GONE}", problem.text))
            .collect()
    }
}
