// SPDX-License-Identifier: Apache-2.0
//! How bad a fault is, and where the configuration has it.

/// What a problem means for the start of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Said once; nothing is wrong.
    Notice,
    /// The server starts; some client will see a fault.
    Warning,
    /// A file is damaged that was good before: the server goes on without what it holds now.
    Kept,
    /// The server must not start like this.
    Error,
}

/// Whether a restart without a change need not look again: what is more than a notice is told each time.
pub fn only_notices(problems: &[Problem]) -> bool {
    problems
        .iter()
        .all(|problem| problem.severity == Severity::Notice)
}

/// A fault with the virtual host and the file it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Index of the request (virtual host) in the call.
    pub request: usize,
    /// Where the configuration names the file, as `file:line`; empty where no line does.
    pub place: String,
    /// The file with the fault; empty where there is none.
    pub file: String,
    /// What is wrong and what to do, in one line that names the file.
    pub text: String,
}
