// SPDX-License-Identifier: Apache-2.0
//! Revocation lists, kept fresh.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::fresh_list::FreshList;
use super::{Asker, Job, Key, Service, State, System, Task, host_of, lock, now, schedule};
use crate::fetch::client::{Fault, Way};
use crate::fetch::hosts::Route;
use crate::fetch::http::Ask;
use crate::fetch::news::{Line, News};
use crate::fetch::results::{Count, LONGEST_LIST};
use crate::fetch::url::Url;
use crate::fetch::wants::ListWant;
use crate::verify::ListFault;
use crate::verify::fetched::{self, Judged};
use crate::x509::time::date;

/// How long a list may take from one address.
const WHOLE: Duration = Duration::from_secs(60);
/// How long until it begins to come: others wait while a few dead hosts are asked.
const BEGIN: Duration = Duration::from_secs(10);
/// After so many seconds it is fetched anew at the latest, and where it does not say when there is to be another.
const REFRESH: u32 = 86_400;
const WITHOUT_END: u32 = 3600;
/// After so many at the latest where it could not be had.
const RETRY: u32 = 600;

/// Why there is no list from an address.
#[derive(Debug)]
enum NoList {
    /// Nothing was fetched.
    Fetch(Fault),
    /// What was fetched is of no use.
    Refused(ListFault),
}

impl fmt::Display for NoList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch(fault) => fault.fmt(f),
            Self::Refused(fault) => fault.fmt(f),
        }
    }
}

impl Error for NoList {}

impl From<Fault> for NoList {
    fn from(fault: Fault) -> Self {
        Self::Fetch(fault)
    }
}

fn wait(judged: &Judged, now: i64) -> Duration {
    match judged.list.until {
        i64::MAX => Duration::from_secs(WITHOUT_END.into()),
        until => schedule::refresh(now, judged.list.from, until, REFRESH),
    }
}

impl Service {
    /// Takes what an order wants of lists.
    pub(super) fn order_lists(&self, state: &mut State, wants: Vec<ListWant>, now: i64) {
        let mut before = std::mem::take(&mut state.lists);
        for mut want in wants {
            let kept = std::mem::take(&mut want.kept);
            let known = before
                .remove(&want.key)
                .filter(|known| known.want.is_like(&want));
            let fresh = known.unwrap_or_else(|| {
                let begun = self.begin_list(want, &kept, now);
                // Long lists take their time, and many take it one after the other.
                self.beat();
                begun
            });
            state.lists.insert(fresh.want.key, fresh);
        }
        for key in before.keys() {
            lock(&self.results).remove_list(*key);
        }
    }

    /// Begins with a want: what is among the results, or was kept of before, counts if it may.
    fn begin_list(&self, want: ListWant, kept: &[u8], now: i64) -> FreshList {
        let there = lock(&self.results).results().list(want.key);
        let judge = |der: &[u8]| fetched::judge(der, &want, now).ok();
        let was_there = there.is_some();
        let of_results = there.and_then(|list| judge(&list.der));
        let is_there = of_results.is_some();
        let mut judged = of_results.or_else(|| judge(kept));
        if !is_there {
            let results = lock(&self.results);
            // What is not put there is fetched.
            judged = judged.filter(|judged| results.put_list(want.key, &judged.list));
            if judged.is_none() && was_there {
                results.remove_list(want.key);
            }
        }
        FreshList {
            want: Arc::new(want),
            due: Instant::now()
                + judged
                    .as_ref()
                    .map_or(Duration::ZERO, |judged| wait(judged, now)),
            busy: false,
            failures: 0,
            before: judged.map(|judged| judged.edition),
        }
    }

    /// Queues what is due.
    pub(super) fn look_at_lists(&self, state: &mut State) {
        let now = Instant::now();
        let mut due = Vec::new();
        for (key, fresh) in &mut state.lists {
            if !fresh.busy && fresh.due <= now {
                fresh.busy = true;
                let url = fresh.want.urls.first();
                due.push((*key, url.map_or_else(String::new, |url| host_of(url))));
            }
        }
        for (key, host) in due {
            let (asker, task) = (Asker::Lists, Task::List(key));
            self.push(state, Job { asker, host, task });
        }
    }

    /// Fetches a list, and says when it is fetched again.
    pub(super) fn fetch_list(&self, key: Key, host: &str) {
        let begun = {
            let state = lock(&self.state);
            let want = state.lists.get(&key).map(|fresh| Arc::clone(&fresh.want));
            want.map(|want| (want, Arc::clone(&state.system), state.local))
        };
        let Some((want, system, local)) = begun else {
            return;
        };
        let mut why = Vec::new();
        for url in &want.urls {
            let host = match want.urls.first() == Some(url) {
                true => host.to_owned(),
                false => host_of(url),
            };
            match self.list_of(&want, url, &host, (&system, local)) {
                Ok(judged) => return self.had_list(&want, url, &judged),
                Err(fault) => why.push(format!("{url}: {fault}")),
            }
        }
        self.lost_list(&want, &why.join("; "));
    }

    fn list_of(
        &self,
        want: &ListWant,
        url: &str,
        host: &str,
        (system, local): (&System, bool),
    ) -> Result<Judged, NoList> {
        let address = Url::parse(url).map_err(Fault::Url)?;
        let proxy = want.proxy.as_deref().map(Url::parse).transpose();
        let proxy = proxy.map_err(Fault::Url)?;
        let way = Way {
            system,
            proxy: proxy.as_ref(),
            trusted: want.trusted,
            local,
            accept: "application/pkix-crl",
            most: LONGEST_LIST,
            begin: BEGIN,
            deadline: Instant::now() + WHOLE,
        };
        let fetch = || way.fetch(&address, Ask::Get);
        let route = Route {
            host: host.to_owned(),
            proxy: want.proxy.clone(),
            timeout: BEGIN,
        };
        if let Some(fault) = self.silent(Asker::Lists, &route) {
            return Err(fault.into());
        }
        let octets = self.heard(Asker::Lists, &route, fetch)?;
        let _one = lock(&self.judging);
        fetched::judge(&octets, want, now())
            .and_then(|judged| self.beside_the_last(want.key, judged))
            .inspect_err(|_| self.count(Count::Refused, host))
            .map_err(NoList::Refused)
    }

    /// Refuses another list than the one in force, of another issuer or about others.
    fn beside_the_last(&self, key: Key, judged: Judged) -> Result<Judged, ListFault> {
        let state = lock(&self.state);
        let before = state
            .lists
            .get(&key)
            .and_then(|fresh| fresh.before.as_ref());
        match before {
            Some(before)
                if !before.is_like(&judged.edition)
                    && !before.yields_to(&judged.edition, now()) =>
            {
                Err(ListFault::Other)
            }
            _ => Ok(judged),
        }
    }

    fn had_list(&self, want: &Arc<ListWant>, url: &str, judged: &Judged) {
        let mut state = lock(&self.state);
        let Some(fresh) = state.fetched_list(want) else {
            return;
        };
        fresh.due = Instant::now() + wait(judged, now());
        let again = std::mem::take(&mut fresh.failures) > 0;
        let before = fresh.before.as_ref();
        if before.is_some_and(|before| !before.yields_to(&judged.edition, now())) {
            // The same as before, or an older one that somebody on the way still has.
            return;
        }
        let is_put = lock(&self.results).put_list(want.key, &judged.list);
        if is_put {
            fresh.before = Some(judged.edition.clone());
        }
        drop(state);
        if !is_put {
            let text = format!("{url}: there is no room for it");
            return self.say(Line::ListLost, text);
        }
        self.news_sender.say(&News::Listed(want.key));
        let end = match judged.list.until {
            i64::MAX => "it does not say".to_owned(),
            until => date(until),
        };
        let after = if again { ", after failures" } else { "" };
        let text = format!(
            "{url}: of {}, the next one is due {end}, {} certificates{after}",
            date(judged.list.from),
            judged.entries
        );
        self.say(Line::List, text);
    }

    fn lost_list(&self, want: &Arc<ListWant>, why: &str) {
        let mut state = lock(&self.state);
        let Some(fresh) = state.fetched_list(want) else {
            return;
        };
        fresh.failures = fresh.failures.saturating_add(1);
        let (failures, before) = (
            fresh.failures,
            fresh.before.as_ref().map(|before| before.from),
        );
        fresh.due = Instant::now() + schedule::retry(failures, RETRY);
        drop(state);
        // Each power of two, so that what lasts is said again and does not fill the log.
        if failures.is_power_of_two() {
            let rest = match before {
                Some(from) => format!("; the list of {} counts as long as it may", date(from)),
                None => String::new(),
            };
            self.say(Line::ListLost, format!("{why}{rest}"));
        }
    }
}
