// SPDX-License-Identifier: Apache-2.0
//! One fetch: from an address to an answer, over redirections, within a deadline.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use super::http::{self, Answer, Ask, Reader};
use super::resolve::system::System;
use super::results::Count;
use super::url::{self, Host, Url};
use super::{address, lookup, net};

/// Redirections that are followed.
pub(super) const MOST_REDIRECTIONS: usize = 3;

/// Why nothing was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The address is none that is followed.
    Url(url::Fault),
    /// It leads to where no certificate's address may.
    Inside(String),
    /// The name has no address.
    NoName,
    /// No name server says.
    Names,
    /// Nobody could be connected to.
    Connect(io::ErrorKind),
    /// The deadline has passed.
    Late,
    /// The connection broke.
    Broken(io::ErrorKind),
    /// What came is no answer.
    Http(http::Fault),
    /// The answer has another status than 200.
    Status(u16),
    /// There are too many redirections, or one to nowhere.
    Redirected,
}

impl std::error::Error for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(fault) => write!(f, "its address cannot be used: {fault}"),
            Self::Inside(why) => write!(
                f,
                "it leads to {why}, which a certificate's address must not (\"TLSFetchLocal on\" allows it)"
            ),
            Self::NoName => f.write_str("its name has no address"),
            Self::Names => f.write_str("no name server answers"),
            Self::Connect(kind) => write!(f, "it cannot be connected to: {kind}"),
            Self::Late => f.write_str("it did not answer in time"),
            Self::Broken(kind) => write!(f, "the connection broke: {kind}"),
            Self::Http(fault) => fault.fmt(f),
            Self::Status(status) => write!(f, "it answers with status {status}"),
            Self::Redirected => f.write_str("it redirects too often, or to nowhere"),
        }
    }
}

impl Fault {
    /// Whether nobody is there: others who ask the same host would only wait for the same.
    pub(super) fn is_of_host(&self) -> bool {
        matches!(
            self,
            Self::Names | Self::Connect(_) | Self::Late | Self::Broken(_)
        )
    }

    /// What it is counted as.
    pub(super) fn count(&self) -> Count {
        match self {
            Self::NoName | Self::Names => Count::NoName,
            Self::Connect(_) | Self::Broken(_) => Count::Unreachable,
            Self::Late => Count::Late,
            Self::Inside(_) => Count::Inside,
            Self::Url(_) | Self::Http(_) | Self::Status(_) | Self::Redirected => Count::Garbage,
        }
    }

    fn of_connection(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut => Self::Late,
            kind => Self::Broken(kind),
        }
    }
}

/// How something is fetched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way<'a> {
    /// Who knows names.
    pub system: &'a System,
    /// A proxy, which the administrator named.
    pub proxy: Option<&'a Url>,
    /// The administrator named the address, which may then lead anywhere.
    pub trusted: bool,
    /// Redirections may lead anywhere, too.
    pub local: bool,
    /// What is accepted.
    pub accept: &'a str,
    /// Most octets of content.
    pub most: usize,
    /// How long a host may take until something of its answer comes.
    pub begin: Duration,
    /// When all of it has to be over.
    pub deadline: Instant,
}

impl Way<'_> {
    /// Fetches; the content of an answer of status 200.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn fetch(&self, url: &Url, ask: Ask<'_>) -> Result<Vec<u8>, Fault> {
        let (mut url, mut guarded) = (url.clone(), !self.trusted && !self.local);
        for _ in 0..=MOST_REDIRECTIONS {
            let answer = self.once(&url, ask, guarded)?;
            let again = match (answer.status, ask) {
                (200, _) => return Ok(answer.content),
                (301..=303, Ask::Get) | (307 | 308, _) => answer.location,
                (status, _) => return Err(Fault::Status(status)),
            };
            url = url
                .join(&again.ok_or(Fault::Redirected)?)
                .map_err(Fault::Url)?;
            guarded = !self.local;
        }
        Err(Fault::Redirected)
    }

    fn once(&self, url: &Url, ask: Ask<'_>, guarded: bool) -> Result<Answer, Fault> {
        let begin = self.deadline.min(Instant::now() + self.begin);
        let socket = match self.proxy {
            Some(proxy) => {
                if guarded {
                    guard_by_name(&url.host)?;
                }
                self.connect(proxy, false, begin)?
            }
            None => self.connect(url, guarded, begin)?,
        };
        let request = http::request(url, ask, self.accept, self.proxy.is_some());
        let broken = |error: io::Error| Fault::of_connection(&error);
        net::send_all(&socket, &request, begin).map_err(broken)?;
        let mut reader = Reader::new(self.most);
        let mut buffer = [0; 8192];
        let mut deadline = begin;
        loop {
            let length = net::receive(&socket, &mut buffer, deadline).map_err(broken)?;
            deadline = self.deadline;
            let came = buffer.get(..length).unwrap_or_default();
            if length == 0 || reader.read(came).map_err(Fault::Http)? {
                return reader.finish().map_err(Fault::Http);
            }
        }
    }

    fn connect(&self, url: &Url, guarded: bool, begin: Instant) -> Result<OwnedFd, Fault> {
        let addresses = match &url.host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => {
                let found = lookup::addresses(self.system, name, begin);
                found.map_err(|_| Fault::Names)?
            }
        };
        let mut last = Fault::NoName;
        for (nth, address) in addresses.iter().enumerate() {
            if let Some(why) = inside(*address).filter(|_| guarded) {
                last = Fault::Inside(format!("{why} ({address})"));
                continue;
            }
            let deadline = net::share(begin, addresses.len() - nth);
            match net::stream(SocketAddr::new(*address, url.port), deadline) {
                Ok(socket) => return Ok(socket),
                Err(error) => last = Fault::Connect(error.kind()),
            }
        }
        Err(last)
    }
}

fn inside(address: IpAddr) -> Option<&'static str> {
    let is_own = || match address {
        IpAddr::V4(_) => net::is_own(address),
        IpAddr::V6(v6) => {
            let mut embedded = address::embedded(v6).map(IpAddr::from);
            net::is_own(address) || embedded.any(net::is_own)
        }
    };
    let own = || is_own().then_some("an address of this machine");
    address::refused(address).or_else(own)
}

/// Of a host that a proxy is to reach only what stands in the address is known here.
fn guard_by_name(host: &Host) -> Result<(), Fault> {
    let why = match host {
        Host::Address(address) => inside(*address),
        Host::Name(name) if name == "localhost" || name.ends_with(".localhost") => {
            Some("a name of this machine")
        }
        Host::Name(_) => None,
    };
    why.map_or(Ok(()), |why| Err(Fault::Inside(why.to_owned())))
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
