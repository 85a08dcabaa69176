// SPDX-License-Identifier: Apache-2.0
//! The certificates of all virtual hosts of one configuration, as a process serves them: what post_config loaded,
//! and what the update log has brought since.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::SignatureScheme;

use super::transport::Transport;
use crate::agent::protocol::certificate_codec::decode_set;
use crate::agent::protocol::codec::Reader;
use crate::agent::protocol::update_log::{Entry, UpdateLog};
use crate::creds::CertSet;
use crate::tls::context::{CertificateSource, Shown, Wants};

/// All virtual hosts' certificates. Shared by the threads of a child; a handshake that finds the update log longer than
/// last time takes in what is new before it chooses.
pub struct CurrentCertificates {
    hosts: Vec<RwLock<Option<Arc<CertSet>>>>,
    news: Option<News>,
}

struct News {
    update_log: Arc<UpdateLog>,
    transport: Arc<Transport>,
    generation: u64,
    seen: AtomicU64,
    taking_in: Mutex<()>,
}

impl fmt::Debug for CurrentCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CurrentCertificates")
            .field("hosts", &self.hosts.len())
            .finish_non_exhaustive()
    }
}

impl CurrentCertificates {
    /// Certificates that stay as they are: keys in this process.
    pub fn fixed(sets: Vec<Option<Arc<CertSet>>>) -> Arc<Self> {
        Arc::new(Self {
            hosts: sets.into_iter().map(RwLock::new).collect(),
            news: None,
        })
    }

    /// Certificates that follow the update log, from its present end on.
    pub fn following(
        sets: Vec<Option<Arc<CertSet>>>,
        update_log: Arc<UpdateLog>,
        transport: Arc<Transport>,
        generation: u64,
        seen: u64,
    ) -> Arc<Self> {
        let seen = AtomicU64::new(seen);
        let news = News {
            update_log,
            transport,
            generation,
            seen,
            taking_in: Mutex::new(()),
        };
        let hosts = sets.into_iter().map(RwLock::new).collect();
        Arc::new(Self {
            hosts,
            news: Some(news),
        })
    }

    /// The generation of the configuration whose entries on the update log it takes in.
    pub fn generation(&self) -> Option<u64> {
        self.news.as_ref().map(|news| news.generation)
    }

    /// How many virtual hosts there are.
    pub fn len(&self) -> usize {
        self.hosts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }

    /// The present certificates of a virtual host.
    pub fn set(&self, index: usize) -> Option<Arc<CertSet>> {
        self.apply_updates();
        let host = self.hosts.get(index)?;
        host.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn apply_updates(&self) {
        let Some(news) = &self.news else {
            return;
        };
        let end = news.update_log.end();
        if news.seen.load(Ordering::Acquire) == end {
            return;
        }
        let _one = news
            .taking_in
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let seen = news.seen.load(Ordering::Acquire);
        if seen == end {
            return;
        }
        // What cannot be read stays unread: the certificates of before go on being served.
        if let Ok(entries) = news.update_log.read(seen, end) {
            entries
                .iter()
                .filter(|e| e.generation == news.generation)
                .for_each(|e| self.take(e, news));
            news.seen.store(end, Ordering::Release);
        }
    }

    fn take(&self, entry: &Entry, news: &News) {
        let Ok(set) = decode_set(&mut Reader::new(&entry.set), &news.transport) else {
            return;
        };
        let set = Arc::new(set);
        for index in &entry.hosts {
            let host = usize::try_from(*index)
                .ok()
                .and_then(|index| self.hosts.get(index));
            if let Some(host) = host {
                *host.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&set));
            }
        }
    }
}

/// One virtual host's place in a [`CurrentCertificates`].
#[derive(Clone, Debug)]
pub struct HostCertificates {
    /// All of them.
    pub certificates: Arc<CurrentCertificates>,
    /// Index of this one.
    pub index: usize,
}

impl CertificateSource for HostCertificates {
    fn select(&self, schemes: &[SignatureScheme], wants: &Wants) -> Option<Shown> {
        let set = self.certificates.set(self.index)?;
        CertificateSource::select(&*set, schemes, wants)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::protocol::certificate_codec::encode_set;
    use crate::agent::protocol::codec::Writer;
    use crate::agent::protocol::update_log::{UpdateLogWriter, memory};
    use crate::agent::testing::pair;

    fn name(certificates: &CurrentCertificates, index: usize) -> String {
        certificates.set(index).unwrap().pairs()[0]
            .leaf
            .display
            .to_string()
            + &certificates.set(index).unwrap().pairs()[0].leaf.dns_names[0]
    }

    #[test]
    fn hosts_follow_the_update_log_of_their_generation() {
        let words = memory(1 << 14);
        let (update_log, writer) = (Arc::new(UpdateLog::new(words)), UpdateLogWriter::new(words));
        let transport = Transport::new();
        let set = |name| Some(Arc::new(CertSet::new(vec![pair(name)])));
        let certificates = CurrentCertificates::following(
            vec![set("one"), set("two"), None],
            update_log,
            transport,
            7,
            0,
        );
        let entry = |generation, hosts: &[u32], name| {
            let mut writer = Writer::default();
            encode_set(&mut writer, &CertSet::new(vec![pair(name)]));
            Entry {
                generation,
                hosts: hosts.to_vec(),
                set: writer.into_bytes(),
            }
        };
        assert!(name(&certificates, 0).ends_with("one"));
        writer
            .append(&[
                entry(7, &[0, 2, 99], "new"),
                entry(6, &[1], "old generation"),
            ])
            .unwrap();
        assert!(name(&certificates, 0).ends_with("new"));
        assert!(name(&certificates, 1).ends_with("two"));
        assert!(name(&certificates, 2).ends_with("new"));
        assert!(certificates.set(3).is_none());
    }
}
