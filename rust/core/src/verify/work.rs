// SPDX-License-Identifier: Apache-2.0
//! How much work a peer's certificates may cause.

/// Units that one judgement may spend, each about a microsecond of a processor of 2020: what OpenSSL's own limits allow
/// to a chain of the usual length fits several times.
const MOST: u64 = 8_000;

/// The budget is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

/// What is left of the budget of one judgement.
#[derive(Debug)]
pub(crate) struct Work {
    left: u64,
}

impl Default for Work {
    fn default() -> Self {
        Self { left: MOST }
    }
}

impl Work {
    /// Takes `units` off the budget before they are worked.
    ///
    /// # Errors
    /// There are not as many left; then nothing is any more.
    pub(crate) fn charge(&mut self, units: u64) -> Result<(), Exhausted> {
        match self.left.checked_sub(units) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Exhausted)
            }
        }
    }

    /// The same for reading `length` octets again.
    ///
    /// # Errors
    /// There are not as many left; then nothing is any more.
    pub(crate) fn charge_reading(&mut self, length: usize) -> Result<(), Exhausted> {
        self.charge((u64::try_from(length).unwrap_or(u64::MAX) >> 8).saturating_add(1))
    }

    /// What may still be spent.
    #[cfg(test)]
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// What has been spent.
    pub(crate) fn spent(&self) -> u64 {
        MOST.saturating_sub(self.left)
    }
}
