// SPDX-License-Identifier: Apache-2.0
//! One question to a responder.

use std::fmt;
use std::time::Instant;

use super::client::{self, Way};
use super::http::Ask;
use super::resolve::system::System;
use super::url::Url;
use super::wants::Rule;
use crate::ocsp;

/// Longest response that is read.
const LONGEST: usize = 64 * 1024;
/// Longest address of a GET; what is longer caches may not keep (RFC 5019 5).
const LONGEST_GET: usize = 255;
const KIND: &str = "application/ocsp-request";
const ACCEPT: &str = "application/ocsp-response";

/// Why nothing was learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing was fetched.
    Fetch(client::Fault),
    /// Certificate and issuer cannot be asked about.
    Question,
    /// What was fetched is not believed.
    Answer(String),
}

impl std::error::Error for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch(fault) => fault.fmt(f),
            Self::Question => f.write_str("the certificate cannot be asked about"),
            Self::Answer(why) => f.write_str(why),
        }
    }
}

/// A question to one responder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    /// How to ask.
    pub rule: &'a Rule,
    /// The certificate, DER.
    pub leaf: &'a [u8],
    /// Its issuer's, DER.
    pub issuer: &'a [u8],
    /// Whom to ask.
    pub url: &'a str,
    /// The administrator named that address.
    pub trusted: bool,
    /// Addresses may lead to this machine.
    pub local: bool,
}

impl Question<'_> {
    /// Asks; gives the response, with the nonce that it has to repeat.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn ask(&self, system: &System) -> Result<(Vec<u8>, Option<Vec<u8>>), Fault> {
        let url =
            |text: &str| Url::parse(text).map_err(|fault| Fault::Fetch(client::Fault::Url(fault)));
        let proxy = self.rule.proxy.as_deref().map(url).transpose()?;
        let url = url(self.url)?;
        let nonce = self.rule.nonce.then(nonce).transpose()?;
        let request = ocsp::request(self.leaf, self.issuer, nonce.as_deref());
        let request = request.ok_or(Fault::Question)?;
        let way = Way {
            system,
            proxy: proxy.as_ref(),
            trusted: self.trusted,
            local: self.local,
            accept: ACCEPT,
            most: LONGEST,
            begin: self.rule.timeout,
            deadline: Instant::now() + self.rule.timeout,
        };
        // What may be had from a cache on the way is asked for so that caches know it; some responders know only POST.
        if let Some(by_get) = nonce.is_none().then(|| get(&url, &request)).flatten() {
            match way.fetch(&by_get, Ask::Get) {
                Ok(response) => return Ok((response, None)),
                Err(client::Fault::Status(_)) => {}
                Err(fault) => return Err(Fault::Fetch(fault)),
            }
        }
        let response = way.fetch(&url, Ask::Post(KIND, &request));
        Ok((response.map_err(Fault::Fetch)?, nonce))
    }
}

/// The address of a GET (RFC 6960 A.1).
fn get(url: &Url, request: &[u8]) -> Option<Url> {
    let path = url.path.trim_end_matches('/');
    let path = format!("{path}/{}", ocsp::get_path(request).trim_start_matches('/'));
    let fits = path.len() <= LONGEST_GET && !url.path.contains('?');
    fits.then(|| Url {
        path,
        ..url.clone()
    })
}

fn nonce() -> Result<Vec<u8>, Fault> {
    let mut nonce = vec![0; ocsp::NONCE];
    match aws_lc_rs::rand::fill(&mut nonce) {
        Ok(()) => Ok(nonce),
        Err(_) => Err(Fault::Question),
    }
}
