// SPDX-License-Identifier: Apache-2.0
//! What the agent's processes and httpd's say to each other: messages, and their bytes.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use std::os::fd::OwnedFd;

use crate::system::words::Words;

pub mod certificate_codec;
pub(crate) mod children;
pub(crate) mod codec;
pub(crate) mod frame;
pub mod log_relay;
pub(super) mod machines;
pub mod message;
pub(crate) mod public_key;
pub mod requests;
pub(crate) mod update_log;
pub mod wire;

/// First byte of what a parent sends: the parent itself comes with it, as a pidfd.
pub(super) const PARENT: u8 = b'P';
/// An order follows.
pub(super) const ORDER: u8 = b'O';
/// Indices of virtual hosts follow: children have other certificates for them than the supervisor.
pub(super) const ANNOUNCE: u8 = b'A';

/// The configuration of the last order is given up: another order follows, or none ever does.
pub(crate) const RELEASED: u8 = b'R';
/// An order to load machine certificates follows.
pub(super) const MACHINES: u8 = b'M';

/// What a supervisor is born with.
pub struct Inheritance {
    /// Orders come and answers go here.
    pub control: OwnedFd,
    /// Lines for the log go here.
    pub log_sender: OwnedFd,
    /// New certificates are published here.
    pub update_log: Words,
    /// Becomes readable when the parent is gone or has made another agent.
    pub life: OwnedFd,
    /// How many supervisors there were before.
    pub number: u32,
}
