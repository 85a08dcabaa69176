// SPDX-License-Identifier: Apache-2.0
//! Faults on demand, where C++ was built with `TLS_INJECT`; nothing of it is in a release.

use std::ffi::{CString, c_char};
use std::panic::Location;
use std::sync::OnceLock;

/// Whether the call at this place is to fail now.
type Hook = extern "C" fn(place: *const c_char) -> bool;

static HOOK: OnceLock<Hook> = OnceLock::new();

/// Called once by `src/inject/inject.cpp`, when the module is loaded.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn tls_inject_bridge(hook: Hook) {
    let _ = HOOK.set(hook);
}

/// Panics where the test wants the call over the bridge that `place` is in to fail.
#[expect(clippy::panic, reason = "the fault that a test asks for")]
pub(crate) fn point(place: &Location<'_>) {
    let Some(hook) = HOOK.get() else { return };
    let file = place.file().rsplit('/').next().unwrap_or_default();
    let Ok(name) = CString::new(format!("{file}:{}:{}", place.line(), place.column())) else {
        return;
    };
    if hook(name.as_ptr()) {
        std::panic::panic_any("a fault on demand");
    }
}
