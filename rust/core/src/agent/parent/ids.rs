// SPDX-License-Identifier: Apache-2.0
//! Uids that processes run under: two httpd on one machine get agents of different users.

use std::collections::HashSet;

/// Every uid and gid that a process of this machine has now, as far as /proc shows them (proc(5), `/proc/PID/status`).
pub fn in_use() -> HashSet<u32> {
    let mut ids = HashSet::new();
    let processes = std::fs::read_dir("/proc/").into_iter().flatten().flatten();
    for process in processes {
        let Ok(pid) = process.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
        ids.extend(ids_of(&status.unwrap_or_default()));
    }
    ids
}

fn ids_of(status: &str) -> impl Iterator<Item = u32> {
    let words = |line: &'static str| {
        let line = status.lines().find_map(|l| l.strip_prefix(line));
        line.unwrap_or_default().split_ascii_whitespace()
    };
    words("Uid:")
        .chain(words("Gid:"))
        .filter_map(|word| word.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_from_the_kernels_words() {
        let status =
            "Name:\tUid: 7\nUmask:\t0022\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t5\t6\nFDSize:\t64\n";
        let ids: HashSet<u32> = ids_of(status).collect();
        assert_eq!(ids, HashSet::from([1, 2, 3, 4, 5, 6]));
    }

    #[test]
    fn our_own_are_in_use() {
        assert!(in_use().contains(&rustix::process::getuid().as_raw()));
    }
}
