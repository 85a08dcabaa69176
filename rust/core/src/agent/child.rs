//! The agent as a child of httpd sees it: certificates whose keys the signer has.

pub mod live;
pub(super) mod remote;
pub mod transport;
