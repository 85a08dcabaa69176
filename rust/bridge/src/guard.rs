// SPDX-License-Identifier: Apache-2.0
//! A panic costs one connection, not a child: cxx aborts the process when one reaches C++.

use std::error::Error;
use std::fmt;
#[cfg(debug_assertions)]
use std::panic::Location;
use std::panic::{AssertUnwindSafe, catch_unwind};

use mod_tls_core::metrics::{self, Counter};

/// What is said of a panic where something can be said.
pub(crate) const PANICKED: &str = "internal error: a panic was caught; please report it";

/// What C++ catches: the text of it.
pub(crate) type Thrown = Box<dyn Error>;

/// A panic was caught.
#[derive(Debug)]
struct Panicked;

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PANICKED)
    }
}

impl Error for Panicked {}

/// Runs the body of an exported function; `fallback` is the answer after a panic.
#[track_caller]
pub(crate) fn guard<R>(fallback: impl FnOnce() -> R, body: impl FnOnce() -> R) -> R {
    #[cfg(debug_assertions)]
    let place = Location::caller();
    let body = || {
        #[cfg(debug_assertions)]
        crate::inject::point(place);
        body()
    };
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(result) => result,
        Err(_) => {
            metrics::count(Counter::Panic);
            fallback()
        }
    }
}

/// Runs the body of an exported function that can report an error.
///
/// # Errors
/// That of the body, or that it panicked.
#[track_caller]
pub(crate) fn guard_result<R>(body: impl FnOnce() -> Result<R, Thrown>) -> Result<R, Thrown> {
    guard(|| Err(Panicked.into()), body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_the_fallback() {
        assert_eq!(guard(|| 7, || panic!("as a bug would")), 7);
        assert!(guard_result::<()>(|| panic!("as a bug would")).is_err());
        assert_eq!(guard(|| 7, || 1), 1);
    }
}
