// SPDX-License-Identifier: Apache-2.0
//! Where pass phrases of encrypted keys come from.

use std::fmt;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::net::SendFlags;
use zeroize::Zeroizing;

use super::line::read_line;
use super::no_phrase::NoPhrase;
use super::terminal;
use crate::system::file::{self, Limit};

/// What is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Question<'a> {
    /// Where the configuration says to ask; see [`Source`].
    pub source: &'a str,
    /// `ServerName:port` of the first virtual host that names the key.
    pub host: &'a str,
    /// Number of the key in that virtual host, from 0.
    pub index: usize,
    /// File of the key.
    pub file: &'a str,
    /// How often a wrong answer was given for this key, from 0.
    pub attempt: usize,
}

/// What was answered.
pub enum Answer {
    /// A pass phrase to try; wiped after use.
    Phrase(Zeroizing<Vec<u8>>),
    /// Nobody may be asked now, so the key stays unchecked.
    Unchecked,
    /// There is no further pass phrase, and why.
    None(String),
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phrase(_) => f.write_str("Phrase(..)"),
            Self::Unchecked => f.write_str("Unchecked"),
            Self::None(why) => write!(f, "None({why})"),
        }
    }
}

/// Asks a terminal, a program or a file.
pub trait Passphrases {
    /// Called again with the next `attempt` where the phrase does not open the key.
    fn ask(&mut self, question: &Question<'_>) -> Answer;
}

/// For `-t`: encrypted keys are not looked into, but where a file has the pass phrase. No program is run, and no person
/// asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unchecked;

impl Passphrases for Unchecked {
    fn ask(&mut self, question: &Question<'_>) -> Answer {
        match Source::parse(question.source) {
            Source::File(_) => Dialog::default().ask(question),
            Source::Terminal | Source::Pipe(_) | Source::Exec(_) => Answer::Unchecked,
        }
    }
}

/// Where to ask, in the words of SSLPassPhraseDialog and TLSKeyPassphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source<'a> {
    /// `builtin`, or nothing: the terminal that httpd is started from.
    Terminal,
    /// `|program arguments`: started once, reads prompts and writes one line for each.
    Pipe(&'a str),
    /// `exec:program`: started for each key with the virtual host and the kind of key.
    Exec(&'a str),
    /// `file:path`: the first line.
    File(&'a str),
}

impl<'a> Source<'a> {
    fn parse(text: &'a str) -> Self {
        if let Some(program) = text.strip_prefix('|') {
            return Source::Pipe(program.trim());
        }
        if let Some(program) = text.strip_prefix("exec:") {
            return Source::Exec(program);
        }
        text.strip_prefix("file:")
            .map_or(Source::Terminal, Source::File)
    }

    /// How often it is asked for one key. A program or a file says the same again.
    fn tries(self) -> usize {
        match self {
            Source::Terminal | Source::Pipe(_) => 3,
            Source::Exec(_) | Source::File(_) => 1,
        }
    }
}

/// While httpd serves, nobody is asked: phrases that were given before and files are all there is.
pub struct Unattended<'a>(pub &'a mut Dialog);

impl Passphrases for Unattended<'_> {
    fn ask(&mut self, question: &Question<'_>) -> Answer {
        let known = question.attempt < self.0.known.len();
        match Source::parse(question.source) {
            Source::Terminal | Source::Pipe(_) | Source::Exec(_) if !known => Answer::None(
                "its pass phrase was not given yet, and nobody is asked while httpd runs: restart it"
                    .to_owned(),
            ),
            _ => self.0.ask(question),
        }
    }
}

/// Asks as configured. Phrases that were given before are tried first, since many keys often share one; all are wiped
/// when this is dropped.
#[derive(Default)]
pub struct Dialog {
    known: Vec<Zeroizing<Vec<u8>>>,
    /// How many phrases were known when the current key was begun.
    tried_first: usize,
    greeted: bool,
    pipe: Option<Pipe>,
}

impl Passphrases for Dialog {
    fn ask(&mut self, question: &Question<'_>) -> Answer {
        if question.attempt == 0 {
            self.tried_first = self.known.len();
        }
        if question.attempt < self.tried_first
            && let Some(phrase) = self.known.get(question.attempt)
        {
            return Answer::Phrase(phrase.clone());
        }
        let asked = question.attempt - self.tried_first.min(question.attempt);
        let source = Source::parse(question.source);
        if asked >= source.tries() {
            return Answer::None(match source {
                Source::Terminal | Source::Pipe(_) => {
                    "the pass phrase was wrong three times".to_owned()
                }
                Source::Exec(program) => format!("what {program} printed is not its pass phrase"),
                Source::File(path) => format!("the first line of {path} is not its pass phrase"),
            });
        }
        let answer = match source {
            Source::Terminal => terminal::ask(&self.prompt(question, asked)),
            Source::Pipe(program) => self.ask_pipe(program, question, asked),
            Source::Exec(program) => ask_program(program, question),
            Source::File(path) => read_file(path),
        };
        match answer {
            Ok(phrase) => {
                self.known.push(phrase.clone());
                Answer::Phrase(phrase)
            }
            Err(why) => Answer::None(why.to_string()),
        }
    }
}

impl Dialog {
    /// What a person is shown before the first character may be typed.
    fn prompt(&mut self, question: &Question<'_>, asked: usize) -> String {
        let mut text = String::new();
        if !self.greeted {
            self.greeted = true;
            text.push_str(
                "mod_tls (Pass Phrase Dialog)\nSome of your private key files are encrypted for security reasons.\n\
                 In order to read them you have to provide the pass phrases.\n",
            );
        }
        match Source::parse(question.source).tries() - asked {
            3 => text.push_str(&format!(
                "\nPrivate key {} ({})\n",
                question.host, question.file
            )),
            left => text.push_str(&format!(
                "Pass phrase incorrect ({left} more {} permitted).\n",
                if left == 1 { "try" } else { "tries" }
            )),
        }
        text.push_str("Enter pass phrase:");
        text
    }

    fn ask_pipe(
        &mut self,
        program: &str,
        question: &Question<'_>,
        asked: usize,
    ) -> Result<Zeroizing<Vec<u8>>, NoPhrase> {
        let prompt = self.prompt(question, asked);
        if self
            .pipe
            .as_ref()
            .is_none_or(|pipe| pipe.program != program)
        {
            self.pipe = None; // ends the one before
            self.pipe = Some(Pipe::start(program)?);
        }
        let silent = || NoPhrase::Silent(program.to_owned());
        let pipe = self.pipe.as_mut().ok_or_else(silent)?;
        // A program may answer without having read its prompts: whether it is still there, reading shows.
        let _ = rustix::net::send(&pipe.prompts, prompt.as_bytes(), SendFlags::NOSIGNAL);
        pipe.answers.as_mut().and_then(read_line).ok_or_else(silent)
    }
}

/// The running program of `|program`.
struct Pipe {
    program: String,
    child: Child,
    /// A socket and not a pipe, because httpd may not ignore SIGPIPE yet.
    prompts: UnixStream,
    answers: Option<ChildStdout>,
}

impl Pipe {
    fn start(program: &str) -> Result<Self, NoPhrase> {
        let failed = |error| NoPhrase::Unstartable(program.to_owned(), error);
        let (prompts, theirs) = UnixStream::pair().map_err(failed)?;
        let mut words = program.split_ascii_whitespace();
        let mut command = Command::new(words.next().unwrap_or_default());
        command
            .args(words)
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let answers = child.stdout.take();
        Ok(Self {
            program: program.to_owned(),
            child,
            prompts,
            answers,
        })
    }
}

impl Drop for Pipe {
    /// Closes both directions, by which a program ends; one that does not within a second is killed.
    fn drop(&mut self) {
        let _ = self.prompts.shutdown(Shutdown::Write);
        drop(self.answers.take());
        for _ in 0..100 {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(10)),
                _ => return,
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// mod_ssl's arguments: `servername:port`, and `RSA`, `DSA`, `ECC` for the first three keys of a virtual host whatever
/// they are, then their number.
fn ask_program(program: &str, question: &Question<'_>) -> Result<Zeroizing<Vec<u8>>, NoPhrase> {
    let number = question.index.to_string();
    let kind = ["RSA", "DSA", "ECC"]
        .get(question.index)
        .copied()
        .unwrap_or(&number);
    let mut command = Command::new(program);
    command
        .args([question.host, kind])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|error| NoPhrase::Unstartable(program.to_owned(), error))?;
    let line = child.stdout.take().and_then(|mut out| read_line(&mut out));
    let status = child
        .wait()
        .map_err(|error| NoPhrase::Lost(program.to_owned(), error))?;
    line.ok_or_else(|| NoPhrase::Unprinted(program.to_owned(), status))
}

fn read_file(path: &str) -> Result<Zeroizing<Vec<u8>>, NoPhrase> {
    let content = file::read(Path::new(path), Limit::PHRASE);
    let content = content.map_err(|why| NoPhrase::Unreadable(path.to_owned(), why))?;
    read_line(&mut content.bytes.as_slice()).ok_or_else(|| NoPhrase::Empty(path.to_owned()))
}
