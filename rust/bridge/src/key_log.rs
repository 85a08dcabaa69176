// SPDX-License-Identifier: Apache-2.0
//! The key log for C++, and for children.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use mod_tls_core::system::file;
use mod_tls_core::tls::key_log::{self, KeyLogFile};

use crate::guard::{guard, guard_result};

/// What is wrong with the file that policies to come write to; empty where nothing is.
pub fn key_log_open(path: &str) -> String {
    guard_result(|| key_log::open(Path::new(path)))
        .err()
        .unwrap_or_default()
}

/// The same for `-t`, which leaves no file behind.
pub fn key_log_check(path: &str) -> String {
    guard_result(|| file::check_log(Path::new(path)))
        .err()
        .unwrap_or_default()
}

/// Policies to come write none.
pub fn key_log_close() {
    guard(|| (), key_log::close);
}

/// The parent's file, for a child that begins.
pub fn held() -> Option<Arc<KeyLogFile>> {
    key_log::current()
}

/// Takes the descriptor that the parent gave this child.
pub fn become_child(descriptor: Option<OwnedFd>) {
    if let (Some(log), Some(descriptor)) = (key_log::current(), descriptor) {
        log.become_child(descriptor);
    }
}
