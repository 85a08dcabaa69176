// SPDX-License-Identifier: Apache-2.0
//! What is to be loaded.

use super::signatures::SignatureRequest;

/// What one virtual host wants loaded.
#[derive(Clone, Debug, Default)]
pub struct LoadRequest {
    /// `ServerName:port`, as pass phrase programs are told it.
    pub host: String,
    /// Names that the certificates should cover: ServerName and those aliases that are no patterns.
    pub names: Vec<String>,
    /// Where to ask for pass phrases: `builtin` (or nothing), `|program`, `exec:program`, `file:path`.
    pub passphrase: String,
    /// Certificates in the order of the configuration.
    pub pairs: Vec<PairRequest>,
    /// Key files beyond the certificates' number; each may fit one of them.
    pub spare_keys: Vec<FileAt>,
    /// SSLCertificateChainFile: what is sent behind the server's own certificate, in place of what its file holds.
    pub chain: Option<FileAt>,
    /// Authorities among which issuers are looked for where a file holds the server's own certificate alone, as OpenSSL
    /// does with SSLCACertificateFile.
    pub authorities: Option<String>,
    /// Where there is nothing else to serve, a placeholder is made.
    pub placeholder: bool,
    /// Our own words: a chain out of order is an error, and each key belongs to the certificate it is named with.
    /// mod_ssl's words: it is a warning, and keys find their certificates by themselves.
    pub strict: bool,
    /// What handshakes may be signed with.
    pub signatures: SignatureRequest,
}

impl LoadRequest {
    /// The files of this virtual host.
    pub fn files(&self) -> Vec<&str> {
        let mut files = Vec::new();
        for pair in &self.pairs {
            files.push(pair.certificate.as_str());
            files.extend(pair.key.as_deref());
            files.extend(pair.staple.as_deref());
        }
        let more = self.spare_keys.iter().chain(&self.chain);
        files.extend(more.map(|file| file.path.as_str()));
        files.extend(self.authorities.as_deref());
        files
    }
}

/// One certificate with its key.
#[derive(Clone, Debug, Default)]
pub struct PairRequest {
    /// File of the certificate and its chain.
    pub certificate: String,
    /// File of the key; `None` where it is in the certificate's file.
    pub key: Option<String>,
    /// File with an OCSP response about the certificate, which need not be there.
    pub staple: Option<String>,
    /// `file:line` in the configuration.
    pub place: String,
    /// The same of a directive that names the key alone; empty where there is none.
    pub key_place: String,
}

/// A file, and the line that names it.
#[derive(Clone, Debug, Default)]
pub struct FileAt {
    /// The file.
    pub path: String,
    /// `file:line` in the configuration.
    pub place: String,
}
