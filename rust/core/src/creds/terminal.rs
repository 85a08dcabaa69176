// SPDX-License-Identifier: Apache-2.0
//! The terminal that httpd is started from.

use std::fs::{File, OpenOptions};
use std::io::Write;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::line::read_line;
use super::no_phrase::NoPhrase;

/// Shows `prompt` and reads a line that is not shown.
///
/// # Errors
/// Nobody can be asked, or nothing was entered.
pub(super) fn ask(prompt: &str) -> Result<Zeroizing<Vec<u8>>, NoPhrase> {
    let none = |_| NoPhrase::NoTerminal;
    let terminal = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .map_err(none)?;
    let line = {
        // Before the prompt: what is typed after it must not be thrown away by the change of modes.
        let _silence = Silence::begin(&terminal);
        (&terminal).write_all(prompt.as_bytes()).map_err(none)?;
        read_line(&mut &terminal)
    };
    let _ = (&terminal).write_all(b"\n");
    line.ok_or(NoPhrase::NotEntered)
}

/// While it lives, what is typed is not shown.
struct Silence<'a> {
    terminal: &'a File,
    before: Option<Termios>,
}

impl Silence<'_> {
    fn begin(terminal: &File) -> Silence<'_> {
        let before = tcgetattr(terminal).ok();
        if let Some(mut modes) = before.clone() {
            modes.local_modes.remove(LocalModes::ECHO);
            let _ = tcsetattr(terminal, OptionalActions::Flush, &modes);
        }
        Silence { terminal, before }
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = tcsetattr(self.terminal, OptionalActions::Flush, before);
        }
    }
}
