// SPDX-License-Identifier: Apache-2.0
//! The agent as a child of httpd sees it: certificates whose keys the signer has.

pub mod current_certificates;
pub(super) mod remote;
pub mod transport;
