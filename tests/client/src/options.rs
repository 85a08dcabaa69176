// SPDX-License-Identifier: Apache-2.0
//! The command line.

use std::time::Duration;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
tls-client [options] HOST:PORT
tls-client make-ml-dsa DIRECTORY   writes certificates with ML-DSA keys (pki.rs says which)
where to
  --sni NAME            name to send and to verify (default localhost)
  --no-sni              send no server_name extension
  --ca FILE             trust the PEM certificates in FILE
  --insecure            accept any server certificate
  --plain               no TLS at all: the floor of measurements
what to offer
  --versions 1.2,1.3    --groups X25519MLKEM768,X25519,P-256,P-384
  --suites NAMES        IANA names, in order of preference
  --alpn h2,http/1.1    --cert FILE --key FILE  a client certificate
  --ech LIST|grease     offer Encrypted ClientHello by that ECHConfigList in hex (TLS 1.3 alone), or GREASE
  --compression brotli,zlib  take certificates compressed like that (default: not)
  --damage SEED         each connection presents the next certificate of --cert, bits of it flipped
  --resume MODE         none | first | newest | session-id (default none);
                        first keeps the first TLS 1.2 session, and takes the oldest TLS 1.3 ticket
how
  --connections N       one after the other (default 1)
  --requests N          per connection (default 1; 0 = handshake and close)
  --path PATH           --host NAME (default: the SNI)  --method GET  --header 'Name: value'
  --upload BYTES        send that many zero bytes in each request, as POST
  --chunked             send the upload with Transfer-Encoding: chunked
  --keep-alive          the last request, too, leaves the connection open; we close it
  --nagle               leave Nagle's algorithm on
  --segment BYTES       write in pieces of that size, each its own segment
  --max-fragment BYTES  plaintext bytes per record that we send
  --half-close          last request and close_notify in one segment
  --hold                keep all connections open, print 'ready', close at end of standard input
  --timeout SECONDS     for each read and write (default 30)
what to print and to assert
  --quiet               the summary only
  --body                the beginning of each response body, --digest its SHA-256
  --expect-resumed N  --expect-version V  --expect-group G  --expect-suite S
  --expect-ech accepted|rejected|grease|notoffered
  --expect-alpn P     --expect-status CODE  --expect-bytes N (body bytes of each response)
Exit status: 0 all done as asserted, 1 something failed (see the JSON), 2 wrong usage.";

/// How sessions are resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resume {
    /// Every handshake is a full one.
    None,
    /// The first TLS 1.2 session is kept; the oldest TLS 1.3 ticket is used first.
    First,
    /// The newest session or ticket is used.
    Newest,
    /// TLS 1.2 by session id only.
    SessionId,
}

/// The command line, parsed.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub address: String,
    pub sni: String,
    pub send_sni: bool,
    pub ca: Option<String>,
    pub insecure: bool,
    pub plain: bool,
    pub versions: Vec<String>,
    pub groups: Vec<String>,
    pub suites: Vec<String>,
    pub alpn: Vec<String>,
    pub ech: Option<String>,
    pub compression: Vec<String>,
    pub cert: Option<String>,
    pub key: Option<String>,
    pub damage: Option<u64>,
    pub resume: Resume,
    pub connections: u64,
    pub requests: u64,
    pub path: String,
    pub host: Option<String>,
    pub method: Option<String>,
    pub headers: Vec<String>,
    pub upload: Option<u64>,
    pub chunked: bool,
    pub keep_alive: bool,
    pub nagle: bool,
    pub segment: Option<usize>,
    pub max_fragment: Option<usize>,
    pub half_close: bool,
    pub hold: bool,
    pub timeout: Duration,
    pub quiet: bool,
    pub body: bool,
    pub digest: bool,
    pub expect: Expect,
}

/// What the caller asserts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expect {
    pub resumed: Option<u64>,
    pub version: Option<String>,
    pub group: Option<String>,
    pub suite: Option<String>,
    pub alpn: Option<String>,
    pub ech: Option<String>,
    pub status: Option<u16>,
    pub bytes: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            address: String::new(),
            sni: "localhost".to_owned(),
            send_sni: true,
            ca: None,
            insecure: false,
            plain: false,
            versions: Vec::new(),
            groups: Vec::new(),
            suites: Vec::new(),
            alpn: Vec::new(),
            ech: None,
            compression: Vec::new(),
            cert: None,
            key: None,
            damage: None,
            resume: Resume::None,
            connections: 1,
            requests: 1,
            path: "/".to_owned(),
            host: None,
            method: None,
            headers: Vec::new(),
            upload: None,
            chunked: false,
            keep_alive: false,
            nagle: false,
            segment: None,
            max_fragment: None,
            half_close: false,
            hold: false,
            timeout: Duration::from_secs(30),
            quiet: false,
            body: false,
            digest: false,
            expect: Expect::default(),
        }
    }
}

/// Parses the arguments that follow the program's name; the error is the text to print.
pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    while let Some(arg) = args.next() {
        if arg == "--help" {
            return Err(USAGE.to_owned());
        }
        if !arg.starts_with("--") {
            options.address = arg;
        } else if !flag(&mut options, &arg) {
            let value = args
                .next()
                .ok_or_else(|| format!("{arg}: unknown, or its value is missing (--help)"))?;
            valued(&mut options, &arg, value)?;
        }
    }
    check(options)
}

/// Options without a value; false when `arg` is none of them.
fn flag(options: &mut Options, arg: &str) -> bool {
    match arg {
        "--no-sni" => options.send_sni = false,
        "--insecure" => options.insecure = true,
        "--plain" => options.plain = true,
        "--chunked" => options.chunked = true,
        "--keep-alive" => options.keep_alive = true,
        "--nagle" => options.nagle = true,
        "--half-close" => options.half_close = true,
        "--hold" => options.hold = true,
        "--quiet" => options.quiet = true,
        "--body" => options.body = true,
        "--digest" => options.digest = true,
        _ => return false,
    }
    true
}

fn valued(options: &mut Options, arg: &str, value: String) -> Result<(), String> {
    match arg {
        "--sni" => options.sni = value,
        "--ca" => options.ca = Some(value),
        "--versions" => options.versions = list(&value),
        "--groups" => options.groups = list(&value),
        "--suites" => options.suites = list(&value),
        "--alpn" => options.alpn = list(&value),
        "--ech" => options.ech = Some(value),
        "--compression" => options.compression = list(&value),
        "--cert" => options.cert = Some(value),
        "--key" => options.key = Some(value),
        "--damage" => options.damage = Some(number(arg, &value)?),
        "--resume" => options.resume = resume(&value)?,
        "--connections" => options.connections = number(arg, &value)?,
        "--requests" => options.requests = number(arg, &value)?,
        "--path" => options.path = value,
        "--host" => options.host = Some(value),
        "--method" => options.method = Some(value),
        "--header" => options.headers.push(value),
        "--upload" => options.upload = Some(number(arg, &value)?),
        "--segment" => options.segment = Some(number(arg, &value)?),
        "--max-fragment" => options.max_fragment = Some(number(arg, &value)?),
        "--timeout" => options.timeout = Duration::from_secs(number(arg, &value)?),
        "--expect-resumed" => options.expect.resumed = Some(number(arg, &value)?),
        "--expect-version" => options.expect.version = Some(value),
        "--expect-group" => options.expect.group = Some(value),
        "--expect-suite" => options.expect.suite = Some(value),
        "--expect-alpn" => options.expect.alpn = Some(value),
        "--expect-ech" => options.expect.ech = Some(value),
        "--expect-status" => options.expect.status = Some(number(arg, &value)?),
        "--expect-bytes" => options.expect.bytes = Some(number(arg, &value)?),
        _ => return Err(format!("{arg}: no such option (--help)")),
    }
    Ok(())
}

fn check(options: Options) -> Result<Options, String> {
    if options.address.is_empty() {
        return Err(format!("no HOST:PORT given\n{USAGE}"));
    }
    if options.segment == Some(0) {
        return Err("--segment: at least 1".to_owned());
    }
    if options.timeout.is_zero() {
        return Err("--timeout: at least 1".to_owned());
    }
    if options.cert.is_some() != options.key.is_some() {
        return Err("--cert and --key belong together".to_owned());
    }
    let trusts = options.plain || options.insecure || options.ca.is_some();
    if !trusts {
        return Err("one of --ca, --insecure, --plain is needed".to_owned());
    }
    Ok(options)
}

fn resume(value: &str) -> Result<Resume, String> {
    match value {
        "none" => Ok(Resume::None),
        "first" => Ok(Resume::First),
        "newest" => Ok(Resume::Newest),
        "session-id" => Ok(Resume::SessionId),
        _ => Err(format!(
            "--resume {value}: none, first, newest or session-id"
        )),
    }
}

fn list(value: &str) -> Vec<String> {
    value
        .split(',')
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

fn number<T: std::str::FromStr>(arg: &str, value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("{arg} {value}: not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Options, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn values_and_flags_are_told_apart() {
        let options = parsed("--ca ca.pem --nagle --groups X25519,P-256 127.0.0.1:1").unwrap();
        assert_eq!(options.address, "127.0.0.1:1");
        assert!(options.nagle);
        assert_eq!(options.groups, ["X25519", "P-256"]);
    }

    #[test]
    fn wrong_lines_are_refused() {
        for line in [
            "127.0.0.1:1",
            "--ca",
            "--ca x --bogus 1 h:1",
            "--ca x --connections many h:1",
            "--ca x --cert c h:1",
            "--ca x --segment 0 h:1",
            "--insecure",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
