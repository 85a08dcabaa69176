//! Revocation lists as they were last read whole, for a restart that finds a broken file: that must not end a server
//! which runs, and must not let anybody in whom the lists refuse.

use std::sync::{Mutex, PoisonError};

use super::sources::{Listed, Sources};

/// Lists with the files they are of.
pub type Lists = Vec<Listed>;

/// Of the process; the object stays loaded over restarts.
static KEPT: Mutex<Vec<(Sources, Lists)>> = Mutex::new(Vec::new());

/// Remembers what `sources` hold now.
pub fn keep(sources: &Sources, lists: &Lists) {
    if sources.is_empty() {
        return;
    }
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.retain(|(known, _)| known != sources);
    kept.push((sources.clone(), lists.clone()));
}

/// What was remembered of `sources` last.
pub fn find(sources: &Sources) -> Option<Lists> {
    let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.iter()
        .find(|(known, _)| known == sources)
        .map(|(_, lists)| lists.clone())
}
