// SPDX-License-Identifier: Apache-2.0
//! A supervisor that died, and its successor.

use std::io;
use std::sync::Arc;

use rustix::net::SendFlags;

use super::{Parent, send_with};
use crate::agent::protocol::ANNOUNCE;
use crate::agent::protocol::codec::Writer;
use crate::agent::protocol::frame;
use crate::agent::protocol::log_relay;
use crate::agent::protocol::log_relay::{LogKind, LogLine};
use crate::agent::supervisor::reload_check::same;
use crate::creds::CertSet;

/// Messages that are logged at one go.
const AT_ONCE: usize = 1000;

/// What is said of a child whose channel did not arrive.
fn lost(pid: i32) -> LogLine {
    LogLine {
        kind: LogKind::Trouble,
        text: format!(
            "the channel of child {pid} was cut off on the way to the supervisor, which has no room for descriptors; it \
             is sent again"
        ),
    }
}

impl Parent {
    /// Gives the lines that the agent wants logged, and makes a new supervisor where the last one died. Called by the
    /// parent now and then.
    pub fn look_after(&mut self) -> Vec<LogLine> {
        self.family.reap();
        let mut notices = std::mem::take(&mut self.troubles);
        let Some(supervisor) = &self.supervisor else {
            return notices;
        };
        for notice in log_relay::take(&*supervisor.notices, AT_ONCE) {
            let of_child = match notice.kind {
                LogKind::ChildLost => notice.text.parse().ok(),
                _ => None,
            };
            notices.push(match of_child {
                Some(pid) => {
                    self.family.tell_again(pid);
                    lost(pid)
                }
                None => notice,
            });
        }
        // What is told again here is lost again where nothing has changed, and asked for the next time.
        let _ = self
            .family
            .tell(&*supervisor.process.control, SendFlags::DONTWAIT);
        let end = match (
            supervisor.process.has_hung_up(),
            supervisor.process.is_stopped(),
        ) {
            (true, _) => Some("died"),
            (_, true) => Some("been stopped"),
            _ => None,
        };
        if let Some(end) = end {
            supervisor.process.kill();
            let old = self.supervisor.take();
            let texts: Vec<String> = match self.replace() {
                Ok(gone) => {
                    let text = format!("the supervisor of the key agent had {end}; a new one runs");
                    std::iter::once(text).chain(gone).collect()
                }
                Err(error) => vec![format!(
                    "the supervisor of the key agent had {end}, and no new one could be made: {error}"
                )],
            };
            let kind = LogKind::Trouble;
            notices.extend(texts.into_iter().map(|text| LogLine { kind, text }));
            if self.supervisor.is_none() {
                // Tried again next time. The old signer, if it lives, serves until then.
                self.supervisor = old;
            }
        }
        notices
    }

    /// Makes a new supervisor; says of the files that it could not load what that means.
    fn replace(&mut self) -> io::Result<Vec<String>> {
        if !self.order.serve {
            return Ok(Vec::new());
        }
        let answer = self.order_all().inspect_err(|_| self.supervisor = None)?;
        // Files may have changed while nobody watched them.
        let Some(certificates) = &self.certificates else {
            return Ok(Vec::new());
        };
        let gone = Self::gone(&answer);
        let differs =
            |(index, new): &(usize, &Option<Arc<CertSet>>)| match (certificates.set(*index), new) {
                (Some(old), Some(new)) => !same(&old, new),
                (None, Some(_)) => true,
                (_, None) => false,
            };
        let mut changed = Writer::default();
        let hosts: Vec<usize> = answer
            .sets
            .iter()
            .enumerate()
            .filter(differs)
            .map(|(index, _)| index)
            .collect();
        changed.list(&hosts, |w, host| w.count(*host));
        let supervisor = self
            .supervisor
            .as_mut()
            .ok_or(io::ErrorKind::NotConnected)?;
        send_with(&supervisor.process.control, ANNOUNCE, None)?;
        frame::write(&mut *supervisor.process.control, &changed.into_bytes())?;
        Ok(gone)
    }
}
