// SPDX-License-Identifier: Apache-2.0
//! Why a hello is refused.

use rustls::AlertDescription;

/// Why a hello is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// For the log.
    pub text: &'static str,
    /// What the client is told.
    pub alert: AlertDescription,
}

pub(crate) const fn fault(text: &'static str, alert: AlertDescription) -> Fault {
    Fault { text, alert }
}
