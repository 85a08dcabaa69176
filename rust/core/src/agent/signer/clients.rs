//! Who may ask: clients come through the broker, and go when they break a rule.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, sockopt};

use super::{Client, Ends, Signer, lock, send_frame};
use crate::agent::wire::{self, Status, VERSION};

impl Signer {
    pub(super) fn admit_clients(&self, broker: BorrowedFd<'_>, ends: &Ends<'_>) -> io::Result<()> {
        let mut supervised = true;
        loop {
            let mut fds = vec![PollFd::new(&broker, PollFlags::IN)];
            fds.extend(ends.parent.iter().map(|fd| PollFd::new(fd, PollFlags::IN)));
            if supervised {
                fds.push(PollFd::new(&ends.retire, PollFlags::IN));
            }
            match poll(&mut fds, None) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            let seen: Vec<PollFlags> = fds.iter().map(PollFd::revents).collect();
            let (parent, retire) = seen
                .get(1..)
                .unwrap_or_default()
                .split_at(ends.parent.len());
            if parent.iter().any(|events| !events.is_empty()) {
                return Ok(());
            }
            match retire.first() {
                Some(events) if events.contains(PollFlags::IN) => return Ok(()),
                // The supervisor died. Its successor makes a new signer and the parent then ends this one.
                Some(events) if !events.is_empty() => supervised = false,
                _ => {}
            }
            if seen
                .first()
                .is_some_and(|events| events.contains(PollFlags::IN))
            {
                self.admit_one(broker);
            }
        }
    }

    /// Takes one message of the broker: a hello with the client's socket.
    fn admit_one(&self, broker: BorrowedFd<'_>) {
        let mut frame = [0; 8];
        let Ok(received) = self.os.receive(broker, &mut frame) else {
            return;
        };
        let Some(socket) = received.fd else {
            return;
        };
        if sockopt::socket_domain(&socket) != Ok(AddressFamily::UNIX)
            || sockopt::socket_type(&socket) != Ok(SocketType::SEQPACKET)
        {
            return;
        }
        let status = match wire::parse_hello(frame.get(..received.length).unwrap_or_default()) {
            Ok(VERSION) if (self.admit)(received.pid) => self.register(received.pid),
            Ok(VERSION) => Err(Status::Refused),
            Ok(_) => Err(Status::OtherVersion),
            Err(_) => return,
        };
        let client = match status {
            Ok(client) => client,
            Err(status) => {
                (self.notice)(&format!(
                    "process {} was refused: {}",
                    received.pid,
                    status.words()
                ));
                let _ = send_frame(socket.as_fd(), &wire::welcome(status));
                return;
            }
        };
        let client = Arc::new(Client {
            token: client,
            pid: received.pid,
            socket,
            busy: AtomicBool::new(false),
        });
        // Before the welcome, so that every frame of an honest client carries its sender's credentials.
        let ready = sockopt::set_socket_passcred(&client.socket, true).is_ok();
        lock(&self.clients)
            .by_token
            .insert(client.token, Arc::clone(&client));
        let flags = EventFlags::IN | EventFlags::RDHUP | EventFlags::ET;
        let data = EventData::new_u64(client.token);
        let added = ready && epoll::add(&self.epoll, &client.socket, data, flags).is_ok();
        if !added || send_frame(client.socket.as_fd(), &wire::welcome(Status::Done)).is_err() {
            self.forget(&client);
        }
    }

    /// Counts a client of `pid`; gives its token.
    fn register(&self, pid: i32) -> Result<u64, Status> {
        let mut clients = lock(&self.clients);
        if clients.by_token.len() >= self.limits.total {
            return Err(Status::Refused);
        }
        let held = clients.by_process.entry(pid).or_insert(0);
        if *held >= self.limits.per_process {
            return Err(Status::Refused);
        }
        *held += 1;
        let token = clients.next;
        clients.next += 1;
        Ok(token)
    }

    pub(super) fn forget(&self, client: &Client) {
        let mut clients = lock(&self.clients);
        if clients.by_token.remove(&client.token).is_none() {
            return;
        }
        if let Some(held) = clients.by_process.get_mut(&client.pid) {
            *held = held.saturating_sub(1);
            if *held == 0 {
                clients.by_process.remove(&client.pid);
            }
        }
        drop(clients);
        let _ = epoll::delete(&self.epoll, &client.socket);
    }

    pub(super) fn drop_hostile(&self, client: &Client, why: &str) {
        self.forget(client);
        let _ = rustix::net::shutdown(&client.socket, rustix::net::Shutdown::Both);
        (self.notice)(&format!("process {} was cut off: {why}", client.pid));
    }
}
