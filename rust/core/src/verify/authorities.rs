// SPDX-License-Identifier: Apache-2.0
//! The CAs and lists that clients of a virtual host are judged by, as this process has them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::{Request, SourceProblem, Sources, SourcesWatch, Verifier, Weight, load};
use crate::fetch::wants::Rule;
use crate::metrics::{self, Counter};
use crate::system::lock;

/// The verifier of now. Shared by threads; each process has its own.
#[derive(Default)]
pub struct Authorities {
    verifier: RwLock<Option<Arc<Verifier>>>,
    state: AtomicU64,
}

impl Authorities {
    /// The verifier to begin with; `None` judges nobody.
    pub fn current(&self) -> Option<Arc<Verifier>> {
        let verifier = self.verifier.read().unwrap_or_else(PoisonError::into_inner);
        verifier.clone()
    }

    /// Changes whenever [`Authorities::current`] does.
    pub fn state(&self) -> u64 {
        self.state.load(Ordering::Acquire)
    }

    fn replace(&self, verifier: Arc<Verifier>) {
        *self
            .verifier
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(verifier);
        self.state.fetch_add(1, Ordering::Release);
    }
}

/// Authorities and the files that they come from.
#[derive(Default)]
pub struct WatchedAuthorities {
    authorities: Arc<Authorities>,
    request: Request,
    lists: SourcesWatch,
    certificates: SourcesWatch,
    /// httpd's parent's own look at the same files.
    ahead: SourcesWatch,
    /// What the parent has read of changed files, so that it can order what that wants.
    foreseen: Mutex<Option<Arc<Verifier>>>,
    /// What was read of changed files and waits for the parent to order that, and since when.
    held: Mutex<Option<(Arc<Verifier>, Instant)>>,
}

/// How long what is wanted of the process that fetches may take to be ordered: the parent looks at files every ten seconds,
/// and twice.
const ORDER_TIMEOUT: Duration = Duration::from_secs(60);

/// What looking at the files came to.
#[derive(Debug, Default)]
pub struct News {
    /// Other CAs judge from now on.
    pub renewed: bool,
    /// Other revocation lists are in force from now on.
    pub lists_replaced: bool,
    /// They want revocation lists that nobody fetches before a restart.
    pub unfetched: bool,
    /// Why what changed is not taken up.
    pub problem: Option<String>,
}

impl WatchedAuthorities {
    /// Reads the files of `request`, and what is wrong with them. As root, in the parent.
    pub fn load(request: Request) -> (Self, Vec<SourceProblem>) {
        let (verifier, problems) = load(&request);
        let mut responders = vec![request.responder_file.clone()];
        responders.retain(|file| !file.is_empty());
        let both = Sources {
            files: [
                &request.authorities.files[..],
                &request.names.files,
                &responders,
            ]
            .concat(),
            directories: [
                &request.authorities.directories[..],
                &request.names.directories,
            ]
            .concat(),
        };
        let certificates = SourcesWatch::new(both);
        let loaded = Self {
            authorities: Arc::new(Authorities {
                verifier: RwLock::new(verifier),
                state: AtomicU64::new(0),
            }),
            lists: SourcesWatch::new(request.lists.clone()),
            ahead: certificates.twin(),
            certificates,
            foreseen: Mutex::default(),
            held: Mutex::default(),
            request,
        };
        (loaded, problems)
    }

    /// What is judged by now.
    pub fn authorities(&self) -> &Arc<Authorities> {
        &self.authorities
    }

    /// Content hash of the CAs; zeros where nobody is judged.
    pub fn digest(&self) -> [u8; 32] {
        let verifier = self.authorities.current();
        verifier.map_or([0; 32], |verifier| verifier.id())
    }

    /// Reads lists again whose files have changed, and with `authorities_too` the CAs. For one thread of a process, which
    /// serves nobody meanwhile.
    pub fn refresh(&self, authorities_too: bool) -> News {
        let news = self.look(authorities_too);
        if news.renewed || news.lists_replaced {
            metrics::count(Counter::ListsTaken);
        }
        if news.problem.is_some() {
            metrics::count(Counter::ListsRefused);
        }
        news
    }

    /// Reads changed files ahead of the children, for what they will want fetched and asked then; whether there is any. In
    /// httpd's parent, which goes on judging nobody.
    pub fn foresee(&self) -> bool {
        let wants = self.request.fetch.is_some() || self.request.responders.is_some();
        if !wants || !self.ahead.settled() {
            return false;
        }
        let (verifier, _) = load(&self.request);
        let any = verifier.is_some();
        if any {
            *lock(&self.foreseen) = verifier;
        }
        any
    }

    /// The rules by which responders are asked about clients, those of [`WatchedAuthorities::foresee`] last.
    pub fn rules(&self) -> Vec<Rule> {
        let verifiers = [self.authorities.current(), lock(&self.foreseen).clone()];
        let rules = verifiers.iter().flatten();
        rules
            .filter_map(|verifier| verifier.rule().cloned())
            .collect()
    }

    fn look(&self, authorities_too: bool) -> News {
        let Some(verifier) = self.authorities.current() else {
            return News::default();
        };
        if authorities_too && self.certificates.settled() {
            lock(&self.held).take();
            return self.load_again();
        }
        let held = lock(&self.held).take();
        match held {
            Some((held, _)) if held.is_ordered() => return self.load_again(),
            Some((held, since)) if since.elapsed() > ORDER_TIMEOUT => {
                self.authorities.replace(held);
                return News {
                    renewed: true,
                    unfetched: true,
                    ..News::default()
                };
            }
            held => *lock(&self.held) = held,
        }
        let lists = self.lists.refresh(&verifier);
        News {
            renewed: false,
            lists_replaced: lists.replaced,
            unfetched: false,
            problem: lists.problem,
        }
    }

    fn load_again(&self) -> News {
        let (verifier, problems) = load(&self.request);
        let unusable = |weight| matches!(weight, Weight::Fatal | Weight::Kept);
        let fault = problems
            .into_iter()
            .filter(|problem| unusable(problem.weight))
            .max_by_key(|problem| problem.weight);
        let mut renewed = fault.is_none();
        match verifier {
            Some(verifier) if verifier.is_ordered() => self.authorities.replace(verifier),
            Some(verifier) => {
                *lock(&self.held) = Some((verifier, Instant::now()));
                renewed = false;
            }
            None => {}
        }
        News {
            renewed,
            problem: fault.map(|problem| problem.text),
            ..News::default()
        }
    }
}
