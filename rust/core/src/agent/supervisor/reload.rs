// SPDX-License-Identifier: Apache-2.0
//! Which files changed.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use crate::system::file::FileIdentity;
use crate::system::settling::Settling;

/// Two looks that saw the same identity are at least so far apart.
const SETTLE: Duration = Duration::from_secs(1);
/// A warning about files that stay unusable is repeated after so long.
const REPEAT: Duration = Duration::from_secs(24 * 3600);

/// When to look at the files of a configuration, and what was seen. Polled, for symlink swaps of certbot and Kubernetes defeat
/// inotify: a path can come to name another file without any event on the old one.
#[derive(Debug, Default)]
pub(super) struct FileWatch {
    interval: Option<Duration>,
    next: Option<Instant>,
    /// Changed since they were read.
    changing: HashMap<String, Settling<Option<FileIdentity>>>,
    refused: Vec<Refused>,
}

impl FileWatch {
    /// Looks every so many seconds; 0 is never.
    pub(super) fn new(seconds: u32) -> Self {
        if seconds == 0 {
            return Self::default();
        }
        let interval = Duration::from_secs(u64::from(seconds));
        Self {
            interval: Some(interval),
            next: Some(Instant::now() + interval),
            ..Self::default()
        }
    }

    /// Whether it is time to look.
    pub(super) fn due(&self, now: Instant) -> bool {
        self.next.is_some_and(|next| now >= next)
    }

    /// Looks at files that are known to have looked like this; gives those that changed and have settled since.
    pub(super) fn look<'a>(
        &mut self,
        now: Instant,
        known: impl Iterator<Item = (&'a str, Option<FileIdentity>)>,
    ) -> HashSet<String> {
        let mut ripe = HashSet::new();
        for (file, known) in known {
            let mut settling = self.changing.remove(file).unwrap_or_default();
            if settling.look(&known, FileIdentity::of(file).ok()).is_some() {
                ripe.insert(file.to_owned());
            }
            if settling.is_changing() {
                self.changing.insert(file.to_owned(), settling);
            }
        }
        let pause = if self.changing.is_empty() {
            self.interval
        } else {
            Some(SETTLE)
        };
        self.next = pause.map(|pause| now + pause);
        ripe
    }

    /// Takes note of why `files` are not taken up; gives those lines that have not been said of them before.
    pub(super) fn refuse(
        &mut self,
        files: &HashSet<String>,
        lines: Vec<String>,
        now: Instant,
    ) -> Vec<String> {
        let (again, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.refused)
            .into_iter()
            .partition(|refused| !refused.files.is_disjoint(files));
        self.refused = others;
        let mut news = Vec::new();
        for line in lines {
            let before = again.iter().find(|refused| refused.line == line);
            if before.is_none() {
                news.push(line.clone());
            }
            let said = before.map_or(now, |refused| refused.said);
            let files = files.clone();
            self.refused.push(Refused { line, files, said });
        }
        news
    }

    /// Lines about files that are as unusable as they were a day ago.
    pub(super) fn repeat(&mut self, now: Instant) -> Vec<String> {
        let due = |refused: &&mut Refused| now.duration_since(refused.said) >= REPEAT;
        let mut lines = Vec::new();
        for refused in self.refused.iter_mut().filter(due) {
            refused.said = now;
            lines.push(refused.line.clone());
        }
        lines
    }
}

/// A reason why files are not taken up.
#[derive(Debug)]
struct Refused {
    line: String,
    files: HashSet<String>,
    said: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::testing::Directory;

    #[test]
    fn a_change_counts_when_two_looks_saw_it_alike() {
        let directory = Directory::new("reload-watch");
        let file = directory.path("a.pem");
        std::fs::write(&file, "one").unwrap();
        let mut known = FileIdentity::of(&file).ok();
        let mut watch = FileWatch::new(10);
        let start = Instant::now();
        // What is ripe is read, and then known as it is.
        let mut look = |watch: &mut FileWatch, now| {
            let ripe = watch.look(now, std::iter::once((file.as_str(), known)));
            if !ripe.is_empty() {
                known = FileIdentity::of(&file).ok();
            }
            ripe.len()
        };
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(!watch.due(at(5)) && watch.due(at(11)));
        assert!(look(&mut watch, at(11)) == 0);
        assert!(!watch.due(at(12)), "nothing changes, so the interval holds");
        std::fs::write(&file, "half").unwrap();
        assert!(look(&mut watch, at(21)) == 0);
        std::fs::write(&file, "the whole").unwrap();
        assert!(
            watch.due(at(22)) && look(&mut watch, at(22)) == 0,
            "it changed again"
        );
        assert_eq!(look(&mut watch, at(23)), 1);
        assert!(look(&mut watch, at(24)) == 0, "once");
        let other = directory.path("b.pem");
        std::fs::write(&other, "the whole").unwrap();
        std::fs::rename(&other, &file).unwrap();
        assert!(
            look(&mut watch, at(34)) == 0 && look(&mut watch, at(35)) == 1,
            "by inode"
        );
        std::fs::remove_file(&file).unwrap();
        assert!(
            look(&mut watch, at(45)) == 0 && look(&mut watch, at(46)) == 1,
            "vanished"
        );
    }

    #[test]
    fn warnings_are_repeated_daily() {
        let mut watch = FileWatch::default();
        let start = Instant::now();
        let at = |hours: u64| start + Duration::from_secs(hours * 3600);
        let files = HashSet::from(["/a".to_owned()]);
        let bad = || vec!["bad".to_owned()];
        assert_eq!(watch.refuse(&files, bad(), at(0)), bad());
        assert!(
            watch.refuse(&files, bad(), at(1)).is_empty(),
            "as bad as before"
        );
        assert!(watch.repeat(at(23)).is_empty());
        assert_eq!(watch.repeat(at(24)), bad());
        assert!(watch.repeat(at(25)).is_empty());
        assert!(
            watch.refuse(&files, Vec::new(), at(26)).is_empty(),
            "good again"
        );
        assert!(watch.repeat(at(99)).is_empty());
    }
}
