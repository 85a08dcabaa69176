// SPDX-License-Identifier: Apache-2.0
//! Limits for floods of handshakes: of one address, of one process, of the server. Off unless configured.
//!
//! Each process counts for itself, in memory that nobody else has: what a captured child makes of its own counts
//! concerns its own connections alone. A limit for the server is shared out evenly among the children that live, whose
//! number the parent publishes; limits for an address and a process hold in each process.
//!
//! A full handshake is refused before any operation with a public key. One whose ticket opens is taken for a resumption:
//! where rustls decides otherwise (the client has a ticket and does not offer what a resumption needs) it ends before
//! anything is signed, having cost what a resumption costs, which it pays. What hides in an encrypted hello is not known before a key
//! exchange, which therefore needs a full handshake's place; it is given back to who resumes.

mod bucket;
mod buckets;
mod report;
mod table;
#[cfg(test)]
mod tests;
mod toll;

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use crate::metrics::{self, Counter};
use crate::system::lock;
use bucket::{Bucket, Rate};
use buckets::{Buckets, Kind};
pub use report::report;
use table::Table;
pub use toll::Toll;

/// Limits of one kind; 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes {
    /// For each address: an IPv4 address, or the /64 of an IPv6 one.
    pub address: u32,
    /// For each process.
    pub child: u32,
    /// For all processes together.
    pub server: u32,
}

/// What was exceeded. The bridge's `Exceeded` has the same numbers; 0 there is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "a scope and a kind each")]
pub enum Exceeded {
    AddressRate = 1,
    ChildRate,
    ServerRate,
    AddressUnderWay,
    ChildUnderWay,
    ServerUnderWay,
}

/// What processes forked from now on count, and by which limits.
static CURRENT: RwLock<Option<Arc<Limits>>> = RwLock::new(None);

/// Sets the limits. Parent only, in post_config.
pub fn set(rate: Scopes, under_way: Scopes) {
    let any = rate != Scopes::default() || under_way != Scopes::default();
    let next = any.then(|| Arc::new(Limits::new(rate, under_way)));
    *CURRENT.write().unwrap_or_else(PoisonError::into_inner) = next;
}

/// The limits in force; none where none are configured.
pub fn current() -> Option<Arc<Limits>> {
    CURRENT
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

/// Limits, and what one process counts. The parent's are never used: each child has its own copy from the fork on.
#[derive(Debug)]
pub struct Limits {
    rate: Scopes,
    under_way: Scopes,
    table: Table,
    /// Keys the hash of addresses; the parent draws it for all children.
    key: RandomState,
    since: Instant,
    total: AtomicU32,
    /// Of the process, and of its share of the server's.
    buckets: [Mutex<Buckets>; 2],
}

impl Limits {
    fn new(rate: Scopes, under_way: Scopes) -> Self {
        Self {
            rate,
            under_way,
            table: Table::new(),
            key: RandomState::new(),
            since: Instant::now(),
            total: AtomicU32::new(0),
            buckets: Default::default(),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Never 0, which stands for nobody; none where the address is not known.
    fn who(&self, address: &[u8]) -> Option<u64> {
        subject(address).map(|subject| self.key.hash_one(subject).max(1))
    }

    /// The rates of process and server, where `children` share the latter.
    fn rates(&self, children: u64) -> [(Option<Rate>, Exceeded); 2] {
        [
            (Rate::shared(self.rate.child, 1), Exceeded::ChildRate),
            (
                Rate::shared(self.rate.server, children),
                Exceeded::ServerRate,
            ),
        ]
    }

    fn bucket(&self, at: usize, kind: Kind, act: impl FnOnce(&mut Bucket) -> bool) -> bool {
        self.buckets.get(at).is_none_or(|buckets| {
            let mut buckets = lock(buckets);
            act(buckets.of(kind))
        })
    }

    /// Gives each bucket of this kind that limits this address to `act`; what the first of them exceeds that says false.
    fn each(
        &self,
        kind: Kind,
        who: Option<u64>,
        children: u64,
        mut act: impl FnMut(&mut Bucket, Rate, u64) -> bool,
    ) -> Result<(), (usize, Exceeded)> {
        let now = self.now();
        if let (Some(rate), Some(who)) = (Rate::shared(self.rate.address, 1), who) {
            let done = self.table.buckets(who, rate, now, |buckets| {
                act(buckets.of(kind), kind.rate(rate), now)
            });
            if done == Some(false) {
                return Err((0, Exceeded::AddressRate));
            }
        }
        for (at, (rate, exceeded)) in self.rates(children).into_iter().enumerate() {
            if let Some(rate) = rate
                && !self.bucket(at, kind, |bucket| act(bucket, kind.rate(rate), now))
            {
                return Err((at + 1, exceeded));
            }
        }
        Ok(())
    }

    /// Puts back what the first `count` buckets gave.
    fn give_back(&self, kind: Kind, who: Option<u64>, count: usize) {
        if count > 0
            && let (Some(rate), Some(who)) = (Rate::shared(self.rate.address, 1), who)
        {
            self.table.buckets(who, rate, self.now(), |buckets| {
                buckets.of(kind).give_back();
            });
        }
        for at in 0..count.saturating_sub(1) {
            self.bucket(at, kind, |bucket| {
                bucket.give_back();
                true
            });
        }
    }
}

/// A connection whose handshake is under way; it is no longer when this is dropped.
#[derive(Debug)]
pub struct Entered {
    limits: Arc<Limits>,
    who: Option<u64>,
    /// It stands in the table.
    placed: bool,
    children: u64,
    paid: Paid,
}

/// How a connection came past the limits.
#[derive(Debug, Default, PartialEq, Eq)]
enum Paid {
    /// Nothing was asked yet, or all is settled.
    #[default]
    Nothing,
    Token,
    /// There was none.
    Refused(Exceeded),
    /// There was none, and a session is to be resumed.
    ByTicket(Exceeded),
}

impl Entered {
    /// A connection begins, or its address turns out to be another; `children` is how many processes serve.
    ///
    /// # Errors
    /// What it exceeds.
    pub fn begin(limits: Arc<Limits>, address: &[u8], children: u64) -> Result<Self, Exceeded> {
        let most = limits.under_way;
        let who = limits.who(address);
        let before = limits.total.fetch_add(1, Ordering::Relaxed);
        // From here on dropping it takes back what was counted.
        let mut entered = Self {
            limits,
            who,
            placed: false,
            children,
            paid: Paid::Nothing,
        };
        let limits = &entered.limits;
        if most.child != 0 && before >= most.child {
            return Err(told(Exceeded::ChildUnderWay));
        }
        let share = (u64::from(most.server) / children.max(1)).max(1);
        if most.server != 0 && u64::from(before) >= share {
            return Err(told(Exceeded::ServerUnderWay));
        }
        if let (1.., Some(who)) = (most.address, who) {
            let rate = Rate::shared(limits.rate.address, 1);
            let counted = limits.table.begin(who, most.address, rate, limits.now());
            if counted == Some(false) {
                return Err(told(Exceeded::AddressUnderWay));
            }
            entered.placed = counted.is_some();
        }
        Ok(entered)
    }

    /// Takes the place of a full handshake, once: before the first operation with a public key. Asked again it answers as
    /// before.
    ///
    /// # Errors
    /// What it exceeds.
    pub fn pay(&mut self) -> Result<(), Exceeded> {
        match self.paid {
            Paid::Token => return Ok(()),
            Paid::Refused(exceeded) | Paid::ByTicket(exceeded) => return Err(exceeded),
            Paid::Nothing => {}
        }
        let taken = self.take(Kind::Full);
        self.paid = match taken {
            Ok(()) => Paid::Token,
            Err(exceeded) => Paid::Refused(exceeded),
        };
        taken
    }

    /// Takes a token of each bucket, or of none.
    fn take(&self, kind: Kind) -> Result<(), Exceeded> {
        let taken = self
            .limits
            .each(kind, self.who, self.children, Bucket::take);
        taken.map_err(|(taken, exceeded)| {
            self.limits.give_back(kind, self.who, taken);
            exceeded
        })
    }

    /// Asks for a full handshake. `resumes` is asked, where none is to be had, whether the client has a session to
    /// resume; then it may do that and nothing else, where there is a place for that.
    ///
    /// # Errors
    /// What it exceeds.
    pub fn admit(&mut self, resumes: impl FnOnce() -> bool) -> Result<(), Exceeded> {
        let Err(exceeded) = self.pay() else {
            return Ok(());
        };
        if resumes() && self.take(Kind::Resumed).is_ok() {
            self.paid = Paid::ByTicket(exceeded);
            return Ok(());
        }
        Err(told(exceeded))
    }

    /// Whether it was let in for a session that it is to resume.
    pub fn must_resume(&self) -> bool {
        matches!(self.paid, Paid::ByTicket(_))
    }

    /// It turned out to be a full handshake, and was let in for a session to resume; the limit that it exceeds.
    pub fn refuse(&mut self) -> Option<Exceeded> {
        match std::mem::take(&mut self.paid) {
            // A key was exchanged all the same: what it took of resumptions is not given back.
            Paid::ByTicket(exceeded) => Some(told(exceeded)),
            _ => None,
        }
    }

    /// rustls has decided. Who resumes gives the place of a full handshake back for one of a resumption, if there is one.
    pub fn settle(&mut self, resumed: bool) {
        if let (Paid::Token, true) = (std::mem::take(&mut self.paid), resumed)
            && self.take(Kind::Resumed).is_ok()
        {
            self.limits.give_back(Kind::Full, self.who, 3);
        }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.limits.total.fetch_sub(1, Ordering::Relaxed);
        if let (true, Some(who)) = (self.placed, self.who) {
            self.limits.table.end(who);
        }
    }
}

fn told(exceeded: Exceeded) -> Exceeded {
    metrics::count(match exceeded {
        Exceeded::AddressRate => Counter::LimitedAddressRate,
        Exceeded::ChildRate => Counter::LimitedChildRate,
        Exceeded::ServerRate => Counter::LimitedServerRate,
        Exceeded::AddressUnderWay => Counter::LimitedAddressUnderWay,
        Exceeded::ChildUnderWay => Counter::LimitedChildUnderWay,
        Exceeded::ServerUnderWay => Counter::LimitedServerUnderWay,
    });
    exceeded
}

/// Who an address stands for: itself, or the /64 that one customer has of IPv6 (RFC 6177). In network order; nobody
/// where it has another length, such as that of a socket's name or of an address that a proxy has still to tell.
fn subject(address: &[u8]) -> Option<u128> {
    let v4 = |address: Ipv4Addr| u128::from(u32::from(address));
    if let Ok(octets) = <[u8; 4]>::try_from(address) {
        return Some(v4(octets.into()));
    }
    let address = Ipv6Addr::from(<[u8; 16]>::try_from(address).ok()?);
    Some(match of_v4(address) {
        Some(address) => v4(address),
        None => u128::from(address) >> 64 << 64 | 1 << 32,
    })
}

/// The IPv4 address that one of IPv6 stands for: mapped (RFC 4291 2.5.5.2), or translated on its way to us (RFC 6052 2.1,
/// RFC 8215, by the prefix of 96 bits). All of the IPv4 internet is one /64 to a server behind a translator.
fn of_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 1, _, _, _, high, low] => {
            Some((u32::from(high) << 16 | u32::from(low)).into())
        }
        _ => address.to_ipv4_mapped(),
    }
}
