// SPDX-License-Identifier: Apache-2.0
//! What a load makes of single files: chains, keys, OCSP responses, each made once.

use std::sync::Arc;

use super::{Further, Load};
use crate::creds::certificate::{Certificates, find_certificates};
use crate::creds::contents::{What, what};
use crate::creds::decrypt::{decrypt_key, pkcs12_certificates};
use crate::creds::fault::Fault;
use crate::creds::file_cache::{FileBytes, Form, StapleFile};
use crate::creds::instead::{Wanted, instead};
use crate::creds::key::{FoundKey, PrivateKey, find_key};
use crate::creds::loaded::Issuers;
use crate::creds::passphrase::Question;
use crate::creds::pem;
use crate::creds::request::{FileAt, LoadRequest, PairRequest};
use crate::system::file;
use crate::system::file::Limit;

impl Load<'_, '_> {
    /// The OCSP response beside a certificate, where there is one, or why it cannot be read.
    pub(super) fn staple(
        &mut self,
        request: &PairRequest,
    ) -> (Option<Arc<StapleFile>>, Option<Fault>) {
        let Some(path) = &request.staple else {
            return (None, None);
        };
        if !self.files.is_there(path) {
            return (None, None);
        }
        match self.get(path, Limit::CREDENTIAL, |_, file| {
            Ok(StapleFile(file.bytes.as_slice().into()))
        }) {
            Ok(staple) => (Some(staple), None),
            Err(fault) => {
                let (file, cause) = (path.clone(), fault.text());
                (None, Some(Fault::StapleRefused { file, cause }))
            }
        }
    }

    /// The file with further certificates of a request. mod_ssl passes over the first certificate of a chain file that is
    /// a certificate file too; authorities are asked only where no chain is configured, and faults of their file are told
    /// by those who judge clients with it.
    pub(super) fn further(&mut self, request: &LoadRequest) -> Result<Further, Fault> {
        if let Some(FileAt { path, .. }) = &request.chain {
            let own = request.pairs.iter().any(|pair| pair.certificate == *path);
            return self
                .chain(path, Limit::CREDENTIAL)
                .map(|item| Some((item, Issuers::Behind(usize::from(own)))));
        }
        let Some(file) = &request.authorities else {
            return Ok(None);
        };
        let item = self.chain(file, Limit::AUTHORITIES)?;
        Ok(Some((item, Issuers::Among)))
    }

    /// The certificates of a pair, which may stand in a PKCS#12 file under a pass phrase.
    pub(super) fn own_chain(
        &mut self,
        path: &str,
        question: &Question<'_>,
    ) -> Result<Arc<Certificates>, Fault> {
        let question = Question {
            file: path,
            ..*question
        };
        self.get(path, Limit::CREDENTIAL, |run, file| {
            if what(&file.bytes) != What::Pkcs12 {
                return run.certificates(path, file);
            }
            let ders = pkcs12_certificates(&file.bytes, &question, run.passphrases)?;
            let holds = "no certificate of its own".to_owned();
            if ders.is_empty() {
                return Err(Fault::NoCertificate {
                    file: path.to_owned(),
                    holds,
                });
            }
            let pem: String = ders.iter().map(|der| crate::x509::pem(der)).collect();
            find_certificates(path, pem.as_bytes(), run.issuers)
        })
    }

    fn chain(&mut self, path: &str, limit: Limit) -> Result<Arc<Certificates>, Fault> {
        self.get(path, limit, |run, file| run.certificates(path, file))
    }

    fn certificates(&mut self, path: &str, file: &FileBytes) -> Result<Certificates, Fault> {
        let found = find_certificates(path, &file.bytes, self.issuers)?;
        if let (true, Some(line)) = (found.ders.is_empty(), found.lost.first()) {
            let unseen = Fault::Unseen {
                file: path.to_owned(),
                line: *line,
            };
            return Err(instead(path, &file.bytes, Wanted::Certificate).unwrap_or(unseen));
        }
        if found.ders.is_empty() {
            return Err(nothing_found(
                path,
                &file.bytes,
                Wanted::Certificate,
                |holds| Fault::NoCertificate {
                    file: path.to_owned(),
                    holds,
                },
            ));
        }
        Ok(found)
    }

    /// The key of a pair. Where its file is the certificate's and that one cannot be read, it has been said.
    pub(super) fn key(
        &mut self,
        pair: &PairRequest,
        question: &Question<'_>,
    ) -> Result<Arc<PrivateKey>, Fault> {
        let path = pair.key.as_ref().unwrap_or(&pair.certificate);
        self.read_key(path, question).map_err(|fault| match fault {
            Fault::NoKey { file } | Fault::Instead { file, .. } if pair.key.is_none() => {
                Fault::NoKeyBeside { file }
            }
            other => other,
        })
    }

    pub(super) fn read_key(
        &mut self,
        path: &str,
        question: &Question<'_>,
    ) -> Result<Arc<PrivateKey>, Fault> {
        self.get(path, Limit::CREDENTIAL, |run, file| {
            match find_key(path, &file.bytes) {
                Ok(FoundKey::Plain(key)) => Ok(key),
                Ok(FoundKey::Encrypted(sealed)) => decrypt_key(
                    sealed,
                    &Question {
                        file: path,
                        ..*question
                    },
                    run.passphrases,
                ),
                // What is said of a certificate's own file without a key, its caller knows.
                Err(Fault::NoKey { file: name }) => {
                    Err(nothing_found(path, &file.bytes, Wanted::Key, |_| {
                        Fault::NoKey { file: name }
                    }))
                }
                Err(fault @ Fault::Unseen { .. }) => {
                    Err(instead(path, &file.bytes, Wanted::Key).unwrap_or(fault))
                }
                Err(fault) => Err(fault),
            }
        })
    }

    /// A form of a file: as it was made before, or made now. Each is tried once in a run.
    fn get<T: Form>(
        &mut self,
        path: &str,
        limit: Limit,
        make: impl FnOnce(&mut Self, &FileBytes) -> Result<T, Fault>,
    ) -> Result<Arc<T>, Fault> {
        if let Some(known) = self.files.known(path) {
            return known;
        }
        let made = self.files.read(path, limit).and_then(|file| {
            let value = match self.files.equal(&file) {
                Some(known) => known,
                None => {
                    let made = file::contained(|| make(self, &file));
                    Arc::new(made.unwrap_or_else(|| {
                        Err(Fault::Panicked {
                            file: path.to_owned(),
                        })
                    })?)
                }
            };
            self.files.add(path, &file, &value);
            Ok(value)
        });
        made.inspect_err(|fault| self.files.fail::<T>(path, fault))
    }
}

/// What to say of a file without the block that was looked for: what it is, that it is no PEM file at all, or what else it
/// holds.
fn nothing_found(
    path: &str,
    bytes: &[u8],
    wanted: Wanted,
    otherwise: impl FnOnce(String) -> Fault,
) -> Fault {
    if let Some(fault) = instead(path, bytes, wanted) {
        return fault;
    }
    let file = path.to_owned();
    let labels: Vec<String> = pem::blocks(bytes)
        .flatten()
        .map(|b| b.label.to_owned())
        .collect();
    match (labels.is_empty(), bytes.first()) {
        (false, _) => otherwise(format!("\"{}\"", labels.join("\", \""))),
        (true, Some(0x30)) => Fault::IsDer { file },
        (true, _) => Fault::NotPem { file },
    }
}
