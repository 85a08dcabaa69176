// SPDX-License-Identifier: Apache-2.0
//! Whether a chain leads to somebody whom clients know. What a file lacks is not seen by those who have it of another
//! site, so that nobody notices for a while.

use std::collections::HashSet;
use std::sync::Arc;

use super::certificate::CertificateFields;
use super::fault::Fault;
use crate::x509::Certificate as Whole;
use crate::x509::name;

/// Remembers what one run has asked and said.
#[derive(Default)]
pub(super) struct Upwards {
    /// Subjects (DER) of the system's roots, once they were asked for.
    roots: Option<HashSet<Vec<u8>>>,
    /// Issuers (DER) that were named.
    told: HashSet<Box<[u8]>>,
}

impl Upwards {
    /// The issuer that is missing above what is sent, the server's own certificate first. A chain that goes on above the
    /// server's own certificate and ends at somebody's own authority is as its owner wants it. Each issuer is named once.
    pub(super) fn missing(&mut self, file: &str, sent: &[Arc<CertificateFields>]) -> Option<Fault> {
        let top = top(sent)?;
        let alone = sent.len() == 1;
        let published = top.names_issuer;
        if top.is_self_issued() || !(alone || published) || self.is_root(&top.issuer) {
            return None;
        }
        self.told
            .insert(top.issuer.clone())
            .then(|| Fault::NoIssuer {
                file: file.to_owned(),
                of: top.display.to_string(),
                issuer: name::shown_element(&top.issuer),
                published,
            })
    }

    fn is_root(&mut self, issuer: &[u8]) -> bool {
        let read = || {
            let roots = crate::backend::system_roots();
            let subjects = roots.iter().filter_map(|der| Whole::parse(der));
            subjects.map(|root| root.subject_der().to_vec()).collect()
        };
        self.roots.get_or_insert_with(read).contains(issuer)
    }
}

/// The last of those that lead upwards from the first.
fn top(sent: &[Arc<CertificateFields>]) -> Option<&CertificateFields> {
    let mut top: &CertificateFields = sent.first()?;
    // A circle ends, since no certificate leads further than there are others.
    for _ in sent {
        let above = sent
            .iter()
            .find(|c| c.subject == top.issuer && !top.is_self_issued());
        match above {
            Some(above) => top = above,
            None => break,
        }
    }
    Some(top)
}
