// SPDX-License-Identifier: Apache-2.0
//! JSON lines, written by hand: flat objects of strings, numbers and booleans are all we print.

use std::fmt::Write;

/// One object under construction.
pub(crate) struct Line(String);

impl Line {
    /// Starts an object whose first member is `"event": event`.
    pub(crate) fn new(event: &str) -> Self {
        Self(String::from("{")).text("event", event)
    }

    /// Adds a string, escaped.
    pub(crate) fn text(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        self.0.push('"');
        for c in value.chars() {
            match c {
                '"' => self.0.push_str("\\\""),
                '\\' => self.0.push_str("\\\\"),
                c if c < ' ' => {
                    let _ = write!(self.0, "\\u{:04x}", u32::from(c));
                }
                c => self.0.push(c),
            }
        }
        self.0.push('"');
        self
    }

    /// Adds a number.
    pub(crate) fn number(mut self, name: &str, value: u64) -> Self {
        self.name(name);
        let _ = write!(self.0, "{value}");
        self
    }

    /// Adds a boolean.
    pub(crate) fn flag(mut self, name: &str, value: bool) -> Self {
        self.name(name);
        let _ = write!(self.0, "{value}");
        self
    }

    /// Prints the finished object on a line of its own.
    pub(crate) fn print(mut self) {
        self.0.push('}');
        println!("{}", self.0);
    }

    fn name(&mut self, name: &str) {
        if self.0.len() > 1 {
            self.0.push_str(", ");
        }
        let _ = write!(self.0, "\"{name}\": ");
    }
}

/// Octets in lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped() {
        let line = Line::new("x").text("a", "q\"\\\n").number("n", 7);
        assert_eq!(
            line.0,
            r#"{"event": "x", "a": "q\"\\\u000a", "n": 7"#.to_owned()
        );
    }
}
