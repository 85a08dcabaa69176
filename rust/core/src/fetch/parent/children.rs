// SPDX-License-Identifier: Apache-2.0
//! The children of httpd and their ways to the fetcher.

use std::os::fd::OwnedFd;

use rustix::net::SendFlags;

use super::{Line, News, Parent, access, state};
use crate::agent::parent::channels::receive_channel;

impl Parent {
    /// The MPM has just forked a child: gives it a channel, over the line that the fork made. Says whether somebody should
    /// look after the fetcher at once.
    pub fn child_began(&mut self, pid: i32, line: Option<OwnedFd>) -> bool {
        if self.order.is_none() {
            return false;
        }
        let began = self.family.begin(pid, self.slots, line, &*self.os);
        if let Err(error) = began {
            let text = format!("child {pid} cannot ask it: {error}");
            self.troubles.push(News::Said(Line::Trouble, text));
        }
        self.tell_of_children() || !self.troubles.is_empty()
    }

    /// The MPM has waited for a child.
    pub fn child_ended(&mut self, pid: i32) {
        self.family.end(pid);
        self.tell_of_children();
    }

    pub(super) fn tell_of_children(&mut self) -> bool {
        let Some(running) = self.running.as_ref().filter(|_| self.order.is_some()) else {
            return false;
        };
        let told = self
            .family
            .tell(&*running.process.control, SendFlags::DONTWAIT);
        told.is_err()
    }

    /// Makes this process, forked by the parent, a child that serves: all that it keeps is a view of the results, and the
    /// way to the fetcher, which comes over `line`. Without that way nothing can be asked.
    pub fn become_child(self, line: Option<OwnedFd>) {
        state::set_directory(None);
        if self.order.is_none() {
            return;
        }
        let end = line.and_then(|line| receive_channel(self.os.as_ref(), &line).ok());
        access::set_channel(end);
    }
}
