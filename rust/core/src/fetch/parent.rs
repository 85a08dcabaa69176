// SPDX-License-Identifier: Apache-2.0
//! The fetcher as httpd's parent holds it: makes it, orders from it, makes it again when it dies.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::net::sockopt;

use super::access;
use super::counted;
use super::news::{self, Line, News};
use super::order_line;
use super::process::{self, Inherited};
use super::resolve::system::System;
use super::results::{COUNTS, Results, room_for};
use super::state;
use super::unkept::Unkept;
pub use super::wants::Settings;
use super::wants::{ListWant, Order, Rule, Wants};
use crate::agent::parent::family::Family;
use crate::agent::parent::supervisor_handle::ProcessHandle;
use crate::agent::protocol::log_relay::pair;
use crate::agent::{Os, SharedViews};
use crate::metrics::{self, Counter};
use crate::system::forks::Kept;
use crate::verify::fetched;

mod children;

/// How long the fetcher may take to listen to an order, all of it.
const SILENCE: Duration = Duration::from_secs(5);
/// How long it may not have said that all is well.
const WELL: Duration = Duration::from_secs(8);
/// How often the parent looks at resolv.conf(5) and hosts(5).
const LOOK: Duration = Duration::from_secs(30);
/// Messages that are taken at one go.
const AT_ONCE: usize = 1000;

struct FetcherProcess {
    process: ProcessHandle,
    news: Kept<OwnedFd>,
    /// The beat that was seen last, and when it was seen to change.
    beat: (u64, Instant),
}

/// The fetcher of one httpd instance. Lives as long as httpd's parent; children inherit it by fork and give up what is
/// not theirs ([`Parent::become_child`]).
pub struct Parent {
    os: Arc<dyn Os>,
    memory: SharedViews,
    /// That of lists, and for how many it was made.
    lists: Option<SharedViews>,
    room: usize,
    results: Results,
    running: Option<FetcherProcess>,
    order: Option<Order>,
    /// What was configured last, but for what is wanted.
    settings: Settings,
    directory: PathBuf,
    slots: usize,
    /// How many fetchers have been made.
    fetchers: u32,
    family: Family,
    looked: Instant,
    counted: [u64; COUNTS],
    /// What has not been logged.
    troubles: Vec<News>,
    unkept: Unkept,
}

impl Parent {
    /// A fetcher of which nothing runs yet.
    ///
    /// # Errors
    /// There is no memory.
    pub fn new(os: Arc<dyn Os>) -> io::Result<Self> {
        let memory = os.results()?;
        let results = Results::new(memory.read);
        access::set_results(results);
        Ok(Self {
            os,
            memory,
            lists: None,
            room: 0,
            results,
            running: None,
            order: None,
            settings: Settings::default(),
            directory: PathBuf::new(),
            slots: 1,
            fetchers: 0,
            family: Family::default(),
            looked: Instant::now(),
            counted: [0; COUNTS],
            troubles: Vec::new(),
            unkept: Unkept::default(),
        })
    }

    /// Makes the process where there is none, as early as may be: what it inherits of httpd's memory it keeps.
    ///
    /// # Errors
    /// What the system says.
    pub fn prepare(&mut self) -> io::Result<()> {
        if self.running.is_none() {
            self.running = Some(self.spawn()?);
        }
        Ok(())
    }

    /// Has it fetch what a configuration wants; ends it where that is nothing. Waits for nothing but to be listened to.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn configure(&mut self, settings: Settings) -> io::Result<()> {
        self.settings = Settings {
            directory: settings.directory.clone(),
            wants: Wants {
                local: settings.wants.local,
                ..Wants::default()
            },
            ..settings
        };
        fetched::set_ordered(&settings.wants.lists);
        if settings.wants.is_empty() {
            self.order = None;
            self.end();
            return Ok(());
        }
        self.slots = usize::try_from(settings.threads.saturating_mul(2)).unwrap_or(usize::MAX);
        self.directory = settings.directory;
        let mut wants = settings.wants;
        let problems = state::fill(&self.directory, &mut wants);
        if !problems.is_empty() {
            // What others may write to is not written to, either.
            self.directory = PathBuf::new();
        }
        let said = problems
            .into_iter()
            .map(|text| News::Said(Line::Trouble, text));
        self.troubles.extend(said);
        self.make_room(&mut wants, settings.threads);
        self.order = Some(Order {
            id: settings.id,
            // Old ones beside new ones, during a graceful restart.
            children: settings.children.saturating_mul(2),
            system: System::read(),
            hosts: counted::take_in(&wants),
            wants,
        });
        self.looked = Instant::now();
        self.order_twice()
    }

    /// Has these lists fetched besides what [`Parent::configure`] was told, where they are others; by a process of uid and
    /// gid `id` if none runs yet.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn configure_lists(&mut self, id: u32, lists: Vec<ListWant>) -> io::Result<()> {
        let order = self.order.as_ref();
        let rules = order.map_or_else(Vec::new, |order| order.wants.rules.clone());
        self.configure_again(id, lists, rules)
    }

    /// Has these lists fetched, and questions of children put by these rules, where they are others than before: files have
    /// changed that say so. Children that run have the memory that they have: where there is no room in it, nothing changes.
    ///
    /// # Errors
    /// There is no room, or it cannot be made.
    pub fn renew(&mut self, id: u32, lists: Vec<ListWant>, rules: Vec<Rule>) -> io::Result<()> {
        if lists.len() > self.room {
            let text =
                "there is no room for the revocation lists that changed files name: restart httpd";
            return Err(io::Error::other(text));
        }
        self.configure_again(id, lists, rules.into_iter().map(Arc::new).collect())
    }

    fn configure_again(
        &mut self,
        id: u32,
        lists: Vec<ListWant>,
        rules: Vec<Arc<Rule>>,
    ) -> io::Result<()> {
        let wants = self.order.as_ref().map(|order| &order.wants);
        let known: Vec<_> = wants.iter().flat_map(|wants| &wants.lists).collect();
        let same = |(known, want): (&&ListWant, &ListWant)| known.is_like(want);
        let same_lists = known.len() == lists.len() && known.iter().zip(&lists).all(same);
        if same_lists && wants.map_or(&[][..], |wants| &wants.rules) == rules {
            return Ok(());
        }
        let mut settings = self.settings.clone();
        settings.id = id;
        if let Some(order) = self.order.take() {
            settings.wants = order.wants;
        }
        settings.wants.lists = lists;
        settings.wants.rules = rules;
        self.configure(settings)
    }

    /// Makes the memory of lists where they are wanted, and anew where they are more than it has room for: a process that
    /// fetches inherits it, and so begins anew, too. Children of before have those that they have.
    fn make_room(&mut self, wants: &mut Wants, threads: u32) {
        let room = room_for(wants.lists.len());
        if room <= self.room {
            return;
        }
        state::fill_lists_from(self.results, wants);
        let threads = usize::try_from(threads).unwrap_or(usize::MAX);
        match self.os.lists(room, threads) {
            Ok(views) => {
                self.end();
                self.lists = Some(views);
                self.room = room;
                self.results = self.results.with_lists(views.read);
                access::set_results(self.results);
            }
            Err(error) => {
                let text = format!(
                    "there is no memory for revocation lists ({error}): give httpd more address space (\"ulimit -v\")"
                );
                self.troubles.push(News::Said(Line::Trouble, text));
            }
        }
    }

    /// Gives the order; a fetcher that died, hangs or speaks another version is replaced once.
    fn order_twice(&mut self) -> io::Result<()> {
        // One that somebody has stopped would keep httpd waiting.
        if self
            .running
            .as_ref()
            .is_some_and(|running| running.process.is_stopped())
        {
            self.end();
        }
        self.order_once().or_else(|_| {
            self.end();
            metrics::count(Counter::FetcherReplaced);
            self.order_once()
        })
    }

    fn order_once(&mut self) -> io::Result<()> {
        self.prepare()?;
        let (Some(running), Some(order)) = (&mut self.running, &self.order) else {
            return Ok(());
        };
        let control = &*running.process.control;
        order_line::give(control, &mut self.family, &order.encode(), SILENCE)?;
        running.beat.1 = Instant::now();
        Ok(())
    }

    fn spawn(&mut self) -> io::Result<FetcherProcess> {
        let (control, far_control) = UnixStream::pair()?;
        sockopt::set_socket_passcred(&far_control, true)?;
        let (news, news_sender) = pair()?;
        let mut inherited = Some(Inherited {
            control: far_control.into(),
            news_sender,
            results: self.memory.write,
            lists: self.lists.map(|views| views.write),
            number: self.fetchers,
        });
        self.fetchers = self.fetchers.wrapping_add(1);
        let os = Arc::clone(&self.os);
        let keep = inherited.as_ref().map(Inherited::fds).unwrap_or_default();
        let mut child = || match inherited.take() {
            Some(inherited) => process::run(Arc::clone(&os), inherited),
            None => 70,
        };
        let pid = self.os.fork_fetcher(&keep, &mut child)?;
        self.family.begin_anew();
        let process = ProcessHandle {
            pid,
            control: Kept::new(control)?,
        };
        Ok(FetcherProcess {
            process,
            news: Kept::new(news)?,
            beat: (self.results.beat(), Instant::now()),
        })
    }

    /// The configuration is given up; says so to the fetcher.
    pub fn release(&self) {
        if let Some(running) = &self.running {
            running.process.say_released();
        }
    }

    /// Ends the process, if there is one.
    pub fn end(&mut self) {
        if let Some(running) = self.running.take() {
            running.process.kill();
        }
    }

    /// The process's pid, for httpd's table of processes to be told about; 0 where none runs.
    pub fn pid(&self) -> i32 {
        self.running
            .as_ref()
            .map_or(0, |running| running.process.pid)
    }

    /// Gives the lines that are to be logged, keeps what was fetched in files, and makes a new fetcher where the last one
    /// died, was stopped or is not well. Called by the parent now and then.
    pub fn look_after(&mut self) -> Vec<(Line, String)> {
        self.family.reap();
        self.tell_of_children();
        let mut news = std::mem::take(&mut self.troubles);
        if let Some(running) = &self.running {
            news.extend(news::take(&*running.news, AT_ONCE));
        }
        if self.order.is_some() {
            news.extend(self.replace_where_dead());
            self.look_at_names();
        }
        let mut lines = Vec::new();
        for one in news {
            match one {
                News::Said(line, text) => lines.push((line, text)),
                News::Stapled(key) => self.unkept.add_staple(key),
                News::Listed(key) => self.unkept.add_list(key),
            }
        }
        let wants = self.order.as_ref().map(|order| &order.wants);
        let troubles = self.unkept.keep_some(&self.directory, wants, self.results);
        lines.extend(troubles.into_iter().map(|text| (Line::Trouble, text)));
        lines
    }

    fn replace_where_dead(&mut self) -> Option<News> {
        let now = Instant::now();
        let beat = self.results.beat();
        let end = match &mut self.running {
            None => "could not be made",
            Some(running) if running.process.has_hung_up() => "died",
            Some(running) if running.process.is_stopped() => "had been stopped",
            Some(running) if running.beat.0 != beat => {
                running.beat = (beat, now);
                return None;
            }
            Some(running) if now.duration_since(running.beat.1) > WELL => "did not answer",
            Some(_) => return None,
        };
        self.end();
        if let Some(order) = &mut self.order {
            state::fill_from(self.results, &mut order.wants);
        }
        Some(match self.order_once() {
            Ok(()) => {
                metrics::count(Counter::FetcherReplaced);
                News::Said(Line::Replaced, end.to_owned())
            }
            Err(error) => {
                self.end();
                let text = format!("it {end}, and no new one could be made: {error}");
                News::Said(Line::Trouble, text)
            }
        })
    }

    /// Name servers change: the fetcher itself can open no file.
    fn look_at_names(&mut self) {
        if self.looked.elapsed() < LOOK {
            return;
        }
        self.looked = Instant::now();
        let system = System::read();
        let Some(order) = self.order.as_mut().filter(|order| order.system != system) else {
            return;
        };
        order.system = system;
        // One that does not listen is found out the next time.
        let _ = self.order_once();
    }

    /// What was counted since the last call.
    pub fn counts(&mut self) -> [u64; COUNTS] {
        let counts = self.results.counts();
        let before = std::mem::replace(&mut self.counted, counts);
        let mut since = [0; COUNTS];
        for ((since, now), before) in since.iter_mut().zip(counts).zip(before) {
            *since = now.saturating_sub(before);
        }
        since
    }
}
