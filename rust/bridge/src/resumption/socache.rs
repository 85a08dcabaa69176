// SPDX-License-Identifier: Apache-2.0
//! httpd's session cache, on the other side of the bridge.

use mod_tls_core::ticket::store::Stored;
use mod_tls_core::ticket::{Cache, Lookup};

use super::boundary::ffi::{self, CacheAnswer};

/// httpd's socache provider.
#[derive(Debug)]
pub(super) struct Socache;

/// Octets of the largest entry kept: a session with a client's certificate chain.
const LARGEST_ENTRY: usize = 16_384;

impl Socache {
    fn fetch(ask: impl FnOnce(&mut [u8], &mut usize) -> CacheAnswer) -> Lookup {
        let mut entry = vec![0; LARGEST_ENTRY];
        let mut length = 0;
        match ask(&mut entry, &mut length) {
            CacheAnswer::Done => {
                entry.truncate(length);
                Lookup::Found(entry)
            }
            CacheAnswer::Refused => Lookup::Missing,
            _ => Lookup::Failed,
        }
    }
}

impl Cache for Socache {
    fn put(&self, key: &[u8], value: &[u8], expiry: u64) -> Stored {
        if value.len() > LARGEST_ENTRY {
            return Stored::No;
        }
        match ffi::cache_put(key, value, expiry) {
            CacheAnswer::Done => Stored::Yes,
            CacheAnswer::Refused => Stored::No,
            _ => Stored::Failed,
        }
    }

    fn get(&self, key: &[u8]) -> Lookup {
        Self::fetch(|entry, length| ffi::cache_get(key, entry, length))
    }

    fn take(&self, key: &[u8]) -> Lookup {
        Self::fetch(|entry, length| ffi::cache_take(key, entry, length))
    }

    fn report(&self, failures: u64) {
        ffi::cache_report(failures);
    }
}
