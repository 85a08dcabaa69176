// SPDX-License-Identifier: Apache-2.0
//! The key log for C++, and for children.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use mod_tls_core::system::file;
use mod_tls_core::tls::key_log::{self, KeyLogFile};

use crate::guard::{Thrown, guard, guard_result};

/// What is wrong with the file that policies to come write to; empty where nothing is.
pub(crate) fn key_log_open(path: &str) -> String {
    what_is_wrong(guard_result(|| Ok(key_log::open(Path::new(path))?)))
}

/// The same for `-t`, which leaves no file behind.
pub(crate) fn key_log_check(path: &str) -> String {
    what_is_wrong(guard_result(|| Ok(file::check_log(Path::new(path))?)))
}

fn what_is_wrong(result: Result<(), Thrown>) -> String {
    result.map_or_else(|thrown| thrown.to_string(), |()| String::new())
}

/// Policies to come write none.
pub(crate) fn key_log_close() {
    guard(|| (), key_log::close);
}

/// The parent's file, for a child that begins.
pub(crate) fn held() -> Option<Arc<KeyLogFile>> {
    key_log::current()
}

/// Takes the descriptor that the parent gave this child.
pub(crate) fn become_child(descriptor: Option<OwnedFd>) {
    if let (Some(log), Some(descriptor)) = (key_log::current(), descriptor) {
        log.become_child(descriptor);
    }
}
