// SPDX-License-Identifier: Apache-2.0
//! What is known of a revocation list that is kept fresh.

use std::sync::Arc;
use std::time::Instant;

use crate::fetch::wants::ListWant;

/// A list that is kept fresh.
pub(super) struct FreshList {
    pub(super) want: Arc<ListWant>,
    pub(super) due: Instant,
    /// In the queue, or being fetched.
    pub(super) busy: bool,
    pub(super) failures: u32,
    /// When the one among the results was made; `None` where there is none.
    pub(super) from: Option<i64>,
}
