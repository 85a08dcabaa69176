// SPDX-License-Identifier: Apache-2.0
//! What is known of a revocation list that is kept fresh.

use std::sync::Arc;
use std::time::Instant;

use crate::fetch::wants::ListWant;
use crate::verify::edition::Edition;

/// A list that is kept fresh.
pub(super) struct FreshList {
    pub(super) want: Arc<ListWant>,
    pub(super) due: Instant,
    /// In the queue, or being fetched.
    pub(super) busy: bool,
    pub(super) failures: u32,
    /// The one among the results; `None` where there is none.
    pub(super) before: Option<Edition>,
}
