// SPDX-License-Identifier: Apache-2.0
//! How handshakes with backends end, for the counters.

use rustls::{AlertDescription, Error};

use crate::metrics::Counter;

/// What ended a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It is complete.
    Done {
        /// A session was resumed.
        resumed: bool,
    },
    /// The session failed.
    Failed,
    /// The backend closed the connection.
    Closed,
    /// The backend did not answer in time.
    TimedOut,
}

/// The counter of an ending; `error` is the session's where it failed.
pub fn counter(ending: Ending, error: Option<&Error>) -> Counter {
    match (ending, error) {
        (Ending::Done { resumed: false }, _) => Counter::BackendFull,
        (Ending::Done { resumed: true }, _) => Counter::BackendResumed,
        (Ending::Closed, _) => Counter::BackendClosed,
        (Ending::TimedOut, _) => Counter::BackendSlow,
        (Ending::Failed, Some(error)) => of_error(error),
        (Ending::Failed, None) => Counter::BackendBroken,
    }
}

fn of_error(error: &Error) -> Counter {
    match error {
        Error::InvalidCertificate(_) => Counter::BackendUntrusted,
        Error::PeerIncompatible(_)
        | Error::NoApplicationProtocol
        | Error::AlertReceived(
            AlertDescription::ProtocolVersion
            | AlertDescription::HandshakeFailure
            | AlertDescription::InsufficientSecurity
            | AlertDescription::NoApplicationProtocol,
        ) => Counter::BackendDisagreed,
        Error::AlertReceived(_) => Counter::BackendRefused,
        _ => Counter::BackendBroken,
    }
}

#[cfg(test)]
mod tests {
    use rustls::{CertificateError, PeerIncompatible};

    use super::*;

    #[test]
    fn failures_are_told_apart() {
        let counted = |error| counter(Ending::Failed, Some(&error));
        assert_eq!(
            counted(Error::InvalidCertificate(CertificateError::Expired)),
            Counter::BackendUntrusted
        );
        assert_eq!(
            counted(Error::PeerIncompatible(
                PeerIncompatible::NoCipherSuitesInCommon
            )),
            Counter::BackendDisagreed
        );
        assert_eq!(
            counted(Error::AlertReceived(AlertDescription::HandshakeFailure)),
            Counter::BackendDisagreed
        );
        assert_eq!(
            counted(Error::AlertReceived(AlertDescription::CertificateRequired)),
            Counter::BackendRefused
        );
        assert_eq!(counted(Error::DecryptError), Counter::BackendBroken);
        assert_eq!(counter(Ending::Closed, None), Counter::BackendClosed);
        assert_eq!(counter(Ending::TimedOut, None), Counter::BackendSlow);
        assert_eq!(
            counter(Ending::Done { resumed: true }, None),
            Counter::BackendResumed
        );
    }
}
