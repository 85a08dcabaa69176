// SPDX-License-Identifier: Apache-2.0
//! What the fetcher tells httpd's parent: lines for the log, and what is to be kept in files.

use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::results::Key;
use crate::agent::protocol::log_relay::printable;

/// Longest message.
const LONGEST: usize = 2048;

/// Lines of the module's table of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A response was fetched for stapling.
    Stapled = 1,
    /// None could be.
    StapleLost = 2,
    /// Nothing could be learned of a client's certificate.
    NoVerdict = 3,
    /// Something of the fetcher itself failed.
    Trouble = 4,
    /// It was replaced.
    Replaced = 5,
    /// A revocation list was fetched.
    List = 6,
    /// None could be.
    ListLost = 7,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// There is a new response under this key.
    Stapled(Key),
    /// There is a new revocation list under this key.
    Listed(Key),
    /// The rest of a line, printable ASCII.
    Said(Line, String),
}

/// The fetcher's end.
#[derive(Debug)]
pub struct NewsSender(pub OwnedFd);

impl NewsSender {
    /// Says something; it is lost where nobody has listened for long.
    pub fn say(&self, news: &News) {
        let mut frame = match news {
            News::Stapled(key) => [b"K", &key.0[..]].concat(),
            News::Listed(key) => [b"C", &key.0[..]].concat(),
            News::Said(line, text) => [&[b'L', *line as u8], text.as_bytes()].concat(),
        };
        frame.truncate(LONGEST);
        let _ = send(&self.0, &frame, SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
    }
}

/// Takes at most so many messages that wait. They are a captured process's words: what is not printable becomes `?`.
pub fn take(socket: impl AsFd, most: usize) -> Vec<News> {
    let mut frame = [0; LONGEST];
    let one = || {
        let (length, _) = recv(&socket, &mut frame, RecvFlags::DONTWAIT).ok()?;
        (length > 0).then(|| frame.get(..length).and_then(read))
    };
    std::iter::from_fn(one).take(most).flatten().collect()
}

fn read(frame: &[u8]) -> Option<News> {
    match frame.split_first()? {
        (b'K', key) => Some(News::Stapled(Key(key.try_into().ok()?))),
        (b'C', key) => Some(News::Listed(Key(key.try_into().ok()?))),
        (b'L', rest) => {
            let (line, text) = rest.split_first()?;
            let all = [
                Line::Stapled,
                Line::StapleLost,
                Line::NoVerdict,
                Line::Trouble,
                Line::Replaced,
                Line::List,
                Line::ListLost,
            ];
            let line = all.into_iter().find(|one| *one as u8 == *line)?;
            Some(News::Said(line, printable(text)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::protocol::log_relay::pair;

    #[test]
    fn messages_arrive_clean_and_bounded() {
        let (near, far) = pair().unwrap();
        let news_sender = NewsSender(near);
        let key = News::Stapled(Key([7; 32]));
        news_sender.say(&key);
        news_sender.say(&News::Listed(Key([8; 32])));
        news_sender.say(&News::Said(Line::Trouble, "a\n\x1b[31mb".to_owned()));
        news_sender.say(&News::Said(Line::Stapled, "x".repeat(2 * LONGEST)));
        for odd in [&b"K1"[..], b"L", b"L\x63x", b"?"] {
            send(&news_sender.0, odd, SendFlags::empty()).unwrap();
        }
        let mut news = take(&far, 100);
        assert_eq!(news[0], key);
        assert_eq!(news.remove(1), News::Listed(Key([8; 32])));
        assert_eq!(news[1], News::Said(Line::Trouble, "a??[31mb".to_owned()));
        assert!(matches!(&news[2], News::Said(Line::Stapled, text) if text.len() == LONGEST - 2));
        assert_eq!(news.len(), 3);
        drop(news_sender);
        assert_eq!(take(&far, 100), []);
    }
}
