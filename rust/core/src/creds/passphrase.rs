//! Where pass phrases of encrypted keys come from.

use std::fmt;

use zeroize::Zeroizing;

/// What is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Question<'a> {
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
    /// There is no pass phrase.
    None,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Answer::Phrase(_) => "Phrase(..)",
            Answer::Unchecked => "Unchecked",
            Answer::None => "None",
        })
    }
}

/// Asks a terminal, a program or a file.
pub trait Passphrases {
    /// Called again with the next `attempt` where the phrase does not open the key.
    fn ask(&mut self, question: &Question<'_>) -> Answer;
}

/// Nobody to ask: encrypted keys are an error.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPassphrases;

impl Passphrases for NoPassphrases {
    fn ask(&mut self, _question: &Question<'_>) -> Answer {
        Answer::None
    }
}

/// For `-t`: encrypted keys are not looked into.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unchecked;

impl Passphrases for Unchecked {
    fn ask(&mut self, _question: &Question<'_>) -> Answer {
        Answer::Unchecked
    }
}
