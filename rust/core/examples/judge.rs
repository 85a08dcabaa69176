// SPDX-License-Identifier: Apache-2.0
//! Judges worlds of certificates and revocation lists as a handshake does, beside tests/harness/judge_openssl.c, which reads
//! and writes the same.
//!
//!     judge NOW DEPTH REPETITIONS < worlds
//!
//! A world is a line: how far lists are looked at (none, leaf, chain), and certificates and lists in hexadecimal, each behind
//! `a:` (trusted), `c:` (sent, the client's own first) or `l:` (a list). For each a line says whether the client is let in,
//! OpenSSL's number of the reason (0 for none), the units of work, the nanoseconds of processor time that the judgement took
//! in the quickest repetition, and the reason.

use std::fmt::Write as _;
use std::io::{BufRead, Write as _};
use std::time::Duration;

use mod_tls_core::verify::{
    Anchors, Ends, Mode, Outcome, Revocation, RevocationDepth, Spec, Verifier,
};
use rustix::time::{ClockId, clock_gettime};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::{CertificateDer, UnixTime};

type Failure = Box<dyn std::error::Error>;

#[derive(Default)]
struct World {
    lookup: RevocationDepth,
    trusted: Vec<CertificateDer<'static>>,
    sent: Vec<CertificateDer<'static>>,
    lists: Vec<Vec<u8>>,
}

fn octets(hexadecimal: &str) -> Result<Vec<u8>, Failure> {
    let pairs = hexadecimal.as_bytes().chunks(2);
    pairs
        .map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?))
        .collect()
}

fn read(line: &str) -> Result<World, Failure> {
    let mut world = World::default();
    for word in line.split_ascii_whitespace() {
        match word.split_once(':') {
            Some(("a", der)) => world.trusted.push(octets(der)?.into()),
            Some(("c", der)) => world.sent.push(octets(der)?.into()),
            Some(("l", der)) => world.lists.push(octets(der)?),
            _ => {
                world.lookup = match word {
                    "none" => RevocationDepth::None,
                    "leaf" => RevocationDepth::Leaf,
                    "chain" => RevocationDepth::Chain,
                    other => return Err(other.into()),
                }
            }
        }
    }
    Ok(world)
}

/// Trusted certificates and lists are read at a start; a list is checked when a client first needs it.
fn verifier(world: &World, depth: u32) -> std::sync::Arc<Verifier> {
    let (anchors, _) = Anchors::new(&world.trusted, Ends::AtRoots);
    let (revocation, _) = Revocation::new(world.lookup, false, &world.lists);
    let spec = Spec {
        mode: Mode::Required,
        depth,
        anchors,
        revocation,
        ..Spec::default()
    };
    Verifier::new(spec, default_provider().signature_verification_algorithms)
}

fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec as u32)
}

fn judge(
    world: &World,
    now: UnixTime,
    depth: u32,
    repetitions: u32,
    out: &mut String,
) -> std::fmt::Result {
    let mut quickest = Duration::MAX;
    let mut last = None;
    for _ in 0..repetitions {
        let verifier = verifier(world, depth);
        let begun = processor_time();
        let judged = verifier.judge_counted(&world.sent, now);
        quickest = quickest.min(processor_time() - begun);
        last = Some(judged);
    }
    let Some((verdict, units)) = last else {
        return Ok(());
    };
    let in_or_not = match verdict.outcome {
        Outcome::Success => "in",
        _ => "out",
    };
    let (number, nanoseconds) = (verdict.number(), quickest.as_nanos());
    writeln!(
        out,
        "{in_or_not} {number} {units} {nanoseconds} {}",
        verdict.reason
    )
}

fn main() -> Result<(), Failure> {
    let numbers: Vec<u64> = std::env::args()
        .skip(1)
        .map(|word| word.parse())
        .collect::<Result<_, _>>()?;
    let &[now, depth, repetitions] = numbers.as_slice() else {
        return Err("usage: judge NOW DEPTH REPETITIONS < worlds".into());
    };
    let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
    let mut stdout = std::io::stdout().lock();
    let mut out = String::new();
    for line in std::io::stdin().lock().lines() {
        let world = read(&line?)?;
        out.clear();
        judge(
            &world,
            now,
            u32::try_from(depth)?,
            u32::try_from(repetitions)?,
            &mut out,
        )?;
        stdout.write_all(out.as_bytes())?;
    }
    Ok(())
}
