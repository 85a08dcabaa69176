// SPDX-License-Identifier: Apache-2.0
//! Files that change while a configuration is served.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::Supervisor;
use super::loading::read;
use super::reload_check;
use crate::agent::protocol::certificate_codec::encode_set;
use crate::agent::protocol::codec::Writer;
use crate::agent::protocol::log_relay::LogKind;
use crate::agent::protocol::update_log::Entry;
use crate::creds::{CertSet, Unattended, only_notices};

impl Supervisor {
    /// Takes up what changed, where it is time to look.
    pub(super) fn look_at_files(&mut self) {
        let now = Instant::now();
        if !self.watch.due(now) || !self.order.serve {
            return;
        }
        for line in self.watch.repeat(now) {
            self.log_sender.say(LogKind::ReloadRefused, &line);
        }
        let ripe = self.watch.look(now, self.store.looks());
        if ripe.is_empty() {
            return;
        }
        let Ok(requests) = read(&self.order.requests) else {
            return;
        };
        let held = std::mem::take(&mut self.holds);
        let report = self
            .store
            .reload(&requests, &mut Unattended(&mut self.dialog), &ripe);
        let decision = reload_check::judge(&requests, self.keys.sets(), &report, &ripe);
        // A restart takes what is refused here.
        let holds = held && only_notices(&report.problems) && decision.refused.is_empty();
        drop((requests, report));
        for line in self.watch.refuse(&ripe, decision.refused, now) {
            self.log_sender.say(LogKind::ReloadRefused, &line);
        }
        if decision.accepted.is_empty() {
            self.holds = holds;
            return;
        }
        let mut next = self.keys.sets().to_vec();
        for (index, set) in &decision.accepted {
            if let Some(place) = next.get_mut(*index) {
                *place = Some(Arc::clone(set));
            }
        }
        let before = self.keys.replace(next);
        self.os.trim();
        // First the signer that has the new keys, then the news of them.
        let published = self
            .start_signer()
            .and_then(|()| self.publish(&decision.accepted));
        match published {
            Ok(()) => {
                self.holds = holds;
                let lines = decision.lines.iter();
                lines.for_each(|line| self.log_sender.say(LogKind::Reloaded, line));
            }
            Err(error) => {
                self.keys.replace(before);
                self.store.forget_looks(&ripe);
                self.log_sender.say(
                    LogKind::Trouble,
                    &format!("new certificates could not be taken up: {error}"),
                );
            }
        }
    }

    /// Tells children which certificates virtual hosts have now.
    pub(super) fn publish(&self, accepted: &[(usize, Arc<CertSet>)]) -> io::Result<()> {
        let mut entries: Vec<(*const CertSet, Entry)> = Vec::new();
        for (index, set) in accepted {
            let host = u32::try_from(*index).map_err(io::Error::other)?;
            if let Some((_, entry)) = entries
                .iter_mut()
                .find(|(known, _)| *known == Arc::as_ptr(set))
            {
                entry.hosts.push(host);
                continue;
            }
            let mut writer = Writer::default();
            encode_set(&mut writer, set);
            let entry = Entry {
                generation: self.order.generation,
                hosts: vec![host],
                set: writer.into_bytes(),
            };
            entries.push((Arc::as_ptr(set), entry));
        }
        let entries: Vec<Entry> = entries.into_iter().map(|(_, entry)| entry).collect();
        self.update_log.append(&entries)
    }
}
