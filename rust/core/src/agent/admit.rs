//! Who may ask for signatures: the children of one httpd.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;

/// The list of a process's children, readable after open(2) has been given up.
///
/// The file is opened once; each read gives the children of that moment (proc(5), `/proc/PID/task/TID/children`).
#[derive(Debug)]
pub struct Children {
    file: File,
}

impl From<File> for Children {
    fn from(file: File) -> Self {
        Self { file }
    }
}

impl AsFd for Children {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Opens the list of `parent`'s children. An error where the kernel was built without `CONFIG_PROC_CHILDREN`.
pub fn children_of(parent: u32) -> io::Result<File> {
    File::open(format!("/proc/{parent}/task/{parent}/children"))
}

impl Children {
    /// Whether `pid` is a child now. A list that cannot be read admits nobody.
    pub fn contains(&self, pid: i32) -> bool {
        // proc(5): a child can be missed when another exits during the read, so a miss is looked at again.
        pid > 0 && (0..3).any(|_| self.read().is_ok_and(|list| listed(&list, pid)))
    }

    fn read(&self) -> io::Result<Vec<u8>> {
        let mut list = Vec::new();
        let mut part = [0; 4096];
        loop {
            let n = self.file.read_at(&mut part, list.len() as u64)?;
            if n == 0 {
                return Ok(list);
            }
            list.extend_from_slice(part.get(..n).unwrap_or_default());
        }
    }
}

fn listed(list: &[u8], pid: i32) -> bool {
    let wanted = pid.to_string();
    list.split(|byte| *byte == b' ')
        .any(|entry| entry == wanted.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_match() {
        assert!(listed(b"12 345 6 ", 345));
        assert!(!listed(b"12 345 6 ", 34));
        assert!(!listed(b"", 1));
    }

    #[test]
    fn a_child_is_a_child_while_it_lives() {
        // The list is kept per thread of the parent; the main thread's stands for httpd's parent, which has one.
        let mut child = std::process::Command::new("sh")
            .args(["-c", "sleep 10 & echo $!; echo $$; wait"])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = io::BufRead::lines(io::BufReader::new(child.stdout.take().unwrap()));
        let grandchild: i32 = lines.next().unwrap().unwrap().parse().unwrap();
        let children = Children::from(children_of(child.id()).unwrap());
        assert!(children.contains(grandchild));
        assert!(!children.contains(std::process::id() as i32));
        assert!(!children.contains(0));
        let grandchild = rustix::process::Pid::from_raw(grandchild).unwrap();
        rustix::process::kill_process(grandchild, rustix::process::Signal::KILL).unwrap();
        child.wait().unwrap();
        assert!(!children.contains(grandchild.as_raw_nonzero().get()));
    }
}
