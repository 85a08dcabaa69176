// SPDX-License-Identifier: Apache-2.0
//! A target that takes at most 50 ms of the processor for any input: what is slower is a finding, as a crash is.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

const LIMIT: Duration = Duration::from_millis(50);

/// Runs `target`; an input that seems slow is tried again, as the machine may have been busy.
pub fn run(data: &[u8], target: fn(&[u8])) {
    let took = (0..3).map_while(|_| {
        let start = now();
        target(data);
        let took = now().saturating_sub(start);
        (took > LIMIT).then_some(took)
    });
    let slow: Vec<Duration> = took.collect();
    assert!(slow.len() < 3, "{} octets took {slow:?}", data.len());
}

fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
