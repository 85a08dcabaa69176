// SPDX-License-Identifier: Apache-2.0
//! A server name that rustls is not to read.

/// Where a ClientHello was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hidden {
    /// From the beginning of the message to the type of server_name, which is 0.
    pub offset: usize,
    /// What stands there instead.
    pub substitute: [u8; 2],
}
