// SPDX-License-Identifier: Apache-2.0
//! The terminal that httpd is started from.

use std::fs::{File, OpenOptions};
use std::io::Write;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::line::read_line;

/// Shows `prompt` and reads a line that is not shown.
///
/// # Errors
/// Why nobody can be asked: after a restart, and under service managers, httpd has no terminal.
pub(super) fn ask(prompt: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let none = |_| "httpd has no terminal to ask at".to_owned();
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
    line.ok_or_else(|| "no pass phrase was entered".to_owned())
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
