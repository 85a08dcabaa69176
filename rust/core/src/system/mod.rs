//! What the operating system gives, as the other rooms use it: files, processes, memory that processes share, and what
//! is handed from one to another.

pub mod file;
pub mod forks;
pub mod gift;
pub mod pidfd;
pub mod words;
