// SPDX-License-Identifier: Apache-2.0
//! How the whole server resumes sessions: the secret of a configuration, the keys that follow from it, and the session
//! cache. For httpd's parent.

use std::path::PathBuf;
use std::sync::Arc;

use super::cache_workers::{CacheWorkers, TIMEOUT};
use super::secret::{self, Poll, Readers};
use super::{
    Cache, Keeper, SecretError, SecretFile, SessionStore, SharedKeyStore, TicketProtector, Ticketer,
};
use crate::system::clock::{Clock, SystemClock};
use crate::tls::policy::{Negotiated, Sessions};

/// What a configuration asks for.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The secret file that ticket keys are made of; `None`: random keys.
    pub secret: Option<Source>,
    /// Seconds of the longest lifetime of all virtual hosts.
    pub retention: u64,
    /// There is a session cache.
    pub cached: bool,
    /// It may be on another machine, and keep us waiting.
    pub remote: bool,
}

/// The secret file that a configuration names.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path.
    pub path: PathBuf,
    /// Seconds that one key made of the secret is the newest.
    pub interval: u64,
    /// Who may read the file.
    pub readers: Readers,
}

impl Source {
    fn open(&self) -> Result<SecretFile, SecretError> {
        SecretFile::open(&self.path, self.interval, self.readers)
    }
}

impl Setup {
    /// Whether what is asked for can be had.
    ///
    /// # Errors
    /// What is wrong with the secret.
    pub fn check(&self) -> Result<(), SecretError> {
        self.check_interval()?;
        self.secret.as_ref().map_or(Ok(()), |s| s.open().map(drop))
    }

    fn check_interval(&self) -> Result<(), SecretError> {
        let fits = |source: &Source| secret::check_interval(source.interval, self.retention);
        self.secret.as_ref().map_or(Ok(()), fits)
    }
}

/// What is in force: the secret, and the cache's sessions.
#[derive(Debug, Default)]
pub struct Resuming {
    secret: Option<SecretFile>,
    store: Option<Arc<SessionStore>>,
}

impl Resuming {
    /// Of nothing yet.
    pub const fn new() -> Self {
        Self {
            secret: None,
            store: None,
        }
    }

    /// Takes up the secret of a configuration: [`Poll::Refused`] where its file cannot be used and the one of before stays
    /// in force, since httpd would end with a restart that fails, and all its clients with it. `keeper` is the writer of
    /// the keys, `store` where they are read; `None` where there is no memory for them.
    ///
    /// # Errors
    /// Sessions cannot be resumed as configured.
    pub fn configure(
        &mut self,
        setup: &Setup,
        keys: Option<(&mut Keeper, SharedKeyStore)>,
        cache: Arc<dyn Cache>,
    ) -> Result<Poll, SecretError> {
        setup.check_interval()?;
        let (secret, news) = match setup.secret.as_ref().map(Source::open) {
            None => (None, Poll::Same),
            Some(Ok(secret)) => (Some(secret), Poll::Same),
            Some(Err(problem)) => {
                let news = Poll::Refused(problem.to_string());
                (Some(self.kept(setup).ok_or(problem)?), news)
            }
        };
        self.store = None;
        if let Some((keeper, key_store)) = keys {
            self.issue(secret, keeper, setup.retention);
            let cache: Arc<dyn Cache> = match setup.remote {
                true => Arc::new(CacheWorkers::new(cache, TIMEOUT)),
                false => cache,
            };
            let store = || Arc::new(SessionStore::new(protector(key_store), cache));
            self.store = setup.cached.then(store);
        }
        Ok(news)
    }

    /// The secret of before, where it is the same file's.
    fn kept(&mut self, setup: &Setup) -> Option<SecretFile> {
        let (before, source) = (self.secret.take()?, setup.secret.as_ref()?);
        before.kept(&source.path, source.interval, source.readers)
    }

    fn issue(&mut self, secret: Option<SecretFile>, keeper: &mut Keeper, retention: u64) {
        let now = SystemClock.now();
        keeper.retain_for(retention);
        let before = self.secret.take();
        match secret {
            Some(mut secret) => {
                if let Some(before) = before {
                    secret.inherit(before);
                }
                secret.publish(keeper, now);
                self.secret = Some(secret);
            }
            None => {
                keeper.issue_from_random_keys(now);
                keeper.retire_secrets(now);
            }
        }
        keeper.tick(now);
    }

    /// Looks at the secret file, publishes keys that are due and erases old ones. Every few seconds.
    pub fn tick(&mut self, keeper: &mut Keeper, now: u64) -> Poll {
        match &mut self.secret {
            Some(secret) => secret.poll(keeper, now),
            None => {
                keeper.tick(now);
                Poll::Same
            }
        }
    }

    /// In a child: what belongs to the parent goes.
    pub fn forget_secret(&mut self) {
        self.secret = None;
    }

    /// The part of a policy that says how its sessions are resumed; `key_store` where there is one.
    pub fn sessions(&self, negotiated: &Negotiated, key_store: Option<SharedKeyStore>) -> Sessions {
        let key_store = key_store.filter(|_| negotiated.tickets);
        let ticketer = key_store.map(|key_store| Ticketer::new(protector(key_store)));
        let store = self.store.clone().filter(|_| negotiated.session_cache);
        Sessions {
            ticketer: ticketer.map(|ticketer| Arc::new(ticketer) as _),
            store: store.map(|store| store as _),
        }
    }
}

fn protector(key_store: SharedKeyStore) -> TicketProtector {
    TicketProtector {
        key_store,
        clock: Arc::new(SystemClock),
    }
}
