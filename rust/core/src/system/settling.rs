// SPDX-License-Identifier: Apache-2.0
//! When a change of files counts: whoever writes one is given the time to finish.

/// The rule of watches over certificates, keys and CAs: what differs from what was read counts when two looks in a row saw
/// it alike.
#[derive(Clone, Debug)]
pub(crate) struct Settling<T> {
    /// What differs, as the last look saw it.
    changing: Option<T>,
}

impl<T> Default for Settling<T> {
    fn default() -> Self {
        Self { changing: None }
    }
}

impl<T: PartialEq> Settling<T> {
    /// Takes what a look has seen (`now`), where `known` was read. Gives it back where it is to be read now: once for each
    /// change.
    pub(crate) fn look(&mut self, known: &T, now: T) -> Option<T> {
        if *known == now {
            self.changing = None;
            return None;
        }
        match self.changing.take() {
            Some(before) if before == now => Some(now),
            _ => {
                self.changing = Some(now);
                None
            }
        }
    }

    /// Whether a change waits for the next look.
    pub(crate) fn is_changing(&self) -> bool {
        self.changing.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_counts_once_and_when_two_looks_saw_it_alike() {
        let mut settling = Settling::default();
        assert_eq!(settling.look(&1, 1), None);
        assert_eq!(settling.look(&1, 2), None);
        assert!(settling.is_changing());
        assert_eq!(settling.look(&1, 3), None, "still being written");
        assert_eq!(settling.look(&1, 3), Some(3));
        assert!(!settling.is_changing());
        assert_eq!(settling.look(&3, 3), None);
        assert_eq!(settling.look(&3, 4), None);
        assert_eq!(settling.look(&3, 3), None, "as it was");
        assert_eq!(settling.look(&3, 4), None, "and again");
    }
}
