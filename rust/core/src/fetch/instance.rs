// SPDX-License-Identifier: Apache-2.0
//! The one fetcher of an httpd instance, for whoever stands in httpd's hooks; kept here as the key agent is. Everything
//! here is for httpd's parent, but [`become_child`].

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard};

use super::news::Line;
use super::parent::{Parent, Settings};
use super::results::outcomes;
use super::wants::{ListWant, Rule};
use crate::agent::Os;
use crate::metrics::{self, Counter};
use crate::system::lock;
use crate::verify::fetched;

static FETCHER: Mutex<Option<Parent>> = Mutex::new(None);

fn fetcher() -> MutexGuard<'static, Option<Parent>> {
    lock(&FETCHER)
}

fn made(place: &mut Option<Parent>, os: Arc<dyn Os>) -> io::Result<&mut Parent> {
    Ok(match place {
        Some(parent) => parent,
        None => place.insert(Parent::new(os)?),
    })
}

/// Makes the process that fetches, while httpd's parent is small: forks. What cannot be had now is said when it is wanted.
pub fn prepare(os: Arc<dyn Os>) {
    if let Ok(parent) = made(&mut fetcher(), os) {
        let _ = parent.prepare();
    }
}

/// The configuration is given up, for another one or, where the module leaves httpd, for none.
pub fn release() {
    if let Some(parent) = fetcher().as_ref() {
        parent.release();
    }
}

/// Has it fetch what a configuration wants, and makes it where there is none; ends it where that is nothing. Forks.
///
/// # Errors
/// Why it cannot be made.
pub fn configure(os: Arc<dyn Os>, settings: Settings) -> io::Result<()> {
    let mut fetcher = fetcher();
    if settings.wants.is_empty() && fetcher.is_none() {
        return Ok(());
    }
    made(&mut fetcher, os)?.configure(settings)
}

/// Has these lists fetched besides, where they are others than [`configure`] was told, by a process of uid and gid `id` if
/// none runs yet. Forks.
///
/// # Errors
/// Why it cannot be made.
pub fn configure_lists(os: Arc<dyn Os>, id: u32, lists: Vec<ListWant>) -> io::Result<()> {
    made(&mut fetcher(), os)?.configure_lists(id, lists)
}

/// Has these lists fetched, and children's questions put by these rules, where they are others than before: files have
/// changed. Forks.
///
/// # Errors
/// Why it cannot be.
pub fn renew(id: u32, lists: Vec<ListWant>, rules: Vec<Rule>) -> io::Result<()> {
    let mut fetcher = fetcher();
    let parent = fetcher.as_mut();
    parent.map_or(Ok(()), |parent| parent.renew(id, lists, rules))
}

/// Takes the lines that the fetcher wants logged, counts what it asked, keeps in files what it fetched, and replaces it
/// where it died or does not answer: forks.
pub fn look_after() -> Vec<(Line, String)> {
    let mut fetcher = fetcher();
    let Some(parent) = fetcher.as_mut() else {
        return Vec::new();
    };
    count(parent);
    parent.look_after()
}

/// Counts what the fetcher has asked since the last call.
fn count(parent: &mut Parent) {
    let counters = [
        Counter::FetchAnswered,
        Counter::FetchNoName,
        Counter::FetchUnreachable,
        Counter::FetchLate,
        Counter::FetchInside,
        Counter::FetchGarbage,
        Counter::FetchRefused,
    ];
    for (counter, (_, amount)) in counters.into_iter().zip(outcomes(parent.counts())) {
        metrics::add(counter, amount);
    }
}

/// The fetcher's pid; 0 where there is none.
pub fn pid() -> i32 {
    fetcher().as_ref().map_or(0, Parent::pid)
}

/// The MPM has just forked the child `pid`, to which `line` leads. Says whether [`look_after`] should be called now.
pub fn child_began(pid: i32, line: Option<OwnedFd>) -> bool {
    let mut fetcher = fetcher();
    let parent = fetcher.as_mut();
    parent.is_some_and(|parent| parent.child_began(pid, line))
}

/// The MPM has waited for the child `pid`.
pub fn child_ended(pid: i32) {
    if let Some(parent) = fetcher().as_mut() {
        parent.child_ended(pid);
    }
}

/// Gives up what belongs to the parent; in a child, before any thread serves.
pub fn become_child(line: Option<OwnedFd>) {
    fetched::set_final();
    if let Some(parent) = fetcher().take() {
        parent.become_child(line);
    }
}

/// Ends the fetcher.
pub fn end() {
    if let Some(mut parent) = fetcher().take() {
        parent.end();
    }
}
