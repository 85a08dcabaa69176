// SPDX-License-Identifier: Apache-2.0
//! Files as they were parsed: found again by path while a file looks the same, and by content whatever its path.
//!
//! Between loads there is one [`CachedFile`] for each file of a configuration, without room to grow, since there may be
//! 20,000. A load spreads the files on a [`LoadPass`] and keeps those that it was asked for.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use zeroize::Zeroizing;

use super::ber;
use super::certificate::Certificates;
use super::fault::Fault;
use super::key::PrivateKey;
use crate::system::file;
use crate::system::file::{FileIdentity, Limit, Refusal};

/// SHA-256 of a file's bytes.
type Digest = [u8; 32];

/// A file as read.
pub(super) struct FileBytes {
    digest: Digest,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

/// An OCSP response as its file holds it.
#[derive(Debug)]
pub(super) struct StapleFile(pub(super) Box<[u8]>);

/// What was made of a file's bytes, as far as somebody wanted it.
#[derive(Clone, Debug)]
struct Parsed {
    digest: Digest,
    chain: Option<Arc<Certificates>>,
    key: Option<Arc<PrivateKey>>,
    staple: Option<Arc<StapleFile>>,
}

/// One of the things that can be made of a file.
pub(super) trait Form: Sized {
    /// Where it is kept.
    #[expect(private_interfaces)]
    fn made(parsed: &mut Parsed) -> &mut Option<Arc<Self>>;
    /// Where it is noted why it could not be made in this load.
    fn fault(slot: &mut Slot) -> &mut Option<Box<Fault>>;
}

impl Form for Certificates {
    #[expect(private_interfaces)]
    fn made(parsed: &mut Parsed) -> &mut Option<Arc<Self>> {
        &mut parsed.chain
    }
    fn fault(slot: &mut Slot) -> &mut Option<Box<Fault>> {
        &mut slot.no_chain
    }
}

impl Form for PrivateKey {
    #[expect(private_interfaces)]
    fn made(parsed: &mut Parsed) -> &mut Option<Arc<Self>> {
        &mut parsed.key
    }
    fn fault(slot: &mut Slot) -> &mut Option<Box<Fault>> {
        &mut slot.no_key
    }
}

impl Form for StapleFile {
    #[expect(private_interfaces)]
    fn made(parsed: &mut Parsed) -> &mut Option<Arc<Self>> {
        &mut parsed.staple
    }
    fn fault(slot: &mut Slot) -> &mut Option<Box<Fault>> {
        &mut slot.no_staple
    }
}

/// A file between loads.
#[derive(Debug)]
pub(super) struct CachedFile {
    pub(super) path: Box<str>,
    /// As it looked before it was read; `None` where it was not there.
    pub(super) look: Option<FileIdentity>,
    parsed: Option<Box<Parsed>>,
}

/// A file in a load.
#[derive(Default)]
pub(super) struct Slot {
    look: Option<FileIdentity>,
    parsed: Option<Box<Parsed>>,
    /// The load before this one had it.
    is_known: bool,
    /// This one has asked for it, as for so many before.
    asked: Option<usize>,
    no_chain: Option<Box<Fault>>,
    no_key: Option<Box<Fault>>,
    no_staple: Option<Box<Fault>>,
}

/// The files in a load.
pub(super) struct LoadPass<'a> {
    slots: HashMap<Box<str>, Slot>,
    /// How many have been asked for.
    asked: usize,
    /// All that may look otherwise than before; `None`: every file.
    changed: Option<&'a HashSet<String>>,
    /// What was made of files that look otherwise now: perhaps their bytes are the same.
    outdated: Vec<Parsed>,
    /// Made when the first file has to be read.
    by_content: Option<HashMap<Digest, Parsed>>,
    /// The file read last: certificate and key are often in one.
    last: Option<(String, Rc<FileBytes>)>,
}

impl<'a> LoadPass<'a> {
    /// Spreads files. With `changed` all other files are taken to be as they were.
    pub(super) fn new(files: Vec<CachedFile>, changed: Option<&'a HashSet<String>>) -> Self {
        let slot = |file: CachedFile| Slot {
            look: file.look,
            parsed: file.parsed,
            is_known: true,
            ..Slot::default()
        };
        LoadPass {
            slots: files
                .into_iter()
                .map(|mut file| (std::mem::take(&mut file.path), slot(file)))
                .collect(),
            asked: 0,
            changed,
            outdated: Vec::new(),
            by_content: None,
            last: None,
        }
    }

    /// The files of all files that were asked for, in that order: neighbours in memory and mostly on disk, so that
    /// looking at all of them costs less.
    pub(super) fn into_files(self) -> Vec<CachedFile> {
        let slots = self.slots.into_iter();
        let mut asked: Vec<_> = slots
            .filter_map(|(path, slot)| Some((slot.asked?, path, slot)))
            .collect();
        asked.sort_unstable_by_key(|(place, ..)| *place);
        let file = |(_, path, slot): (usize, Box<str>, Slot)| CachedFile {
            path,
            look: slot.look,
            parsed: slot.parsed,
        };
        let mut files = Vec::with_capacity(asked.len());
        files.extend(asked.into_iter().map(file));
        files
    }

    /// Whether there is anything by that name.
    pub(super) fn is_there(&mut self, path: &str) -> bool {
        self.slot(path).look.is_some()
            || !matches!(file::look(Path::new(path)), Err(Refusal::Missing))
    }

    /// A form of a file as it was made before, or why it could not be made in this load; `None`: nobody has tried.
    pub(super) fn known<T: Form>(&mut self, path: &str) -> Option<Result<Arc<T>, Fault>> {
        let slot = self.slot(path);
        if let Some(made) = slot.parsed.as_mut().and_then(|p| T::made(p).as_ref()) {
            return Some(Ok(Arc::clone(made)));
        }
        T::fault(slot).as_ref().map(|fault| Err((**fault).clone()))
    }

    /// Reads a file.
    pub(super) fn read(&mut self, path: &str, limit: Limit) -> Result<Rc<FileBytes>, Fault> {
        if let Some((last, file)) = &self.last
            && last == path
        {
            return Ok(Rc::clone(file));
        }
        let bytes = read(path, limit)?;
        let mut sum = [0; 32];
        sum.copy_from_slice(digest(&SHA256, &bytes).as_ref());
        // Whoever asks for it later sees one form alone.
        let bytes = ber::in_der(&bytes).unwrap_or(bytes);
        let file = Rc::new(FileBytes { digest: sum, bytes });
        self.last = Some((path.to_owned(), Rc::clone(&file)));
        Ok(file)
    }

    /// What was made of equal bytes.
    pub(super) fn equal<T: Form>(&mut self, file: &FileBytes) -> Option<Arc<T>> {
        let parsed = self.contents().get_mut(&file.digest)?;
        T::made(parsed).clone()
    }

    /// Remembers what was made of a file.
    pub(super) fn add<T: Form>(&mut self, path: &str, file: &FileBytes, value: &Arc<T>) {
        let digest = file.digest;
        let fresh = || Parsed {
            digest,
            chain: None,
            key: None,
            staple: None,
        };
        let content = self.contents().entry(digest).or_insert_with(fresh);
        *T::made(content) = Some(Arc::clone(value));
        let parsed = &mut self.slot(path).parsed;
        if parsed.as_ref().is_none_or(|parsed| parsed.digest != digest) {
            *parsed = Some(Box::new(fresh()));
        }
        if let Some(parsed) = parsed {
            *T::made(parsed) = Some(Arc::clone(value));
        }
    }

    /// Remembers in this load why a form of a file could not be made.
    pub(super) fn fail<T: Form>(&mut self, path: &str, fault: &Fault) {
        *T::fault(self.slot(path)) = Some(Box::new(fault.clone()));
    }

    /// A file, which is looked at when it is first asked for.
    fn slot(&mut self, path: &str) -> &mut Slot {
        let slot = self.slots.entry(path.into()).or_default();
        if slot.asked.is_none() {
            slot.asked = Some(self.asked);
            self.asked += 1;
            let may_differ = self.changed.is_none_or(|changed| changed.contains(path));
            if may_differ || !slot.is_known {
                let look = FileIdentity::of(path).ok();
                if look.is_none() || look != slot.look {
                    slot.look = look;
                    self.outdated
                        .extend(slot.parsed.take().map(|parsed| *parsed));
                }
            }
        }
        slot
    }

    fn contents(&mut self) -> &mut HashMap<Digest, Parsed> {
        self.by_content.get_or_insert_with(|| {
            let made = self
                .slots
                .values()
                .filter_map(|slot| slot.parsed.as_deref());
            let all = made.chain(&self.outdated);
            let mut contents: HashMap<Digest, Parsed> = HashMap::new();
            for parsed in all {
                let content = contents
                    .entry(parsed.digest)
                    .or_insert_with(|| parsed.clone());
                // Equal files, of which one was read for its certificates and the other for its key.
                content.chain = content.chain.take().or_else(|| parsed.chain.clone());
                content.key = content.key.take().or_else(|| parsed.key.clone());
                content.staple = content.staple.take().or_else(|| parsed.staple.clone());
            }
            contents
        })
    }
}

/// The bytes of a file of certificates, keys or an OCSP response.
///
/// # Errors
/// A file of the fault table.
pub fn read(path: &str, limit: Limit) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let content = file::read(Path::new(path), limit).map_err(|why| fault_of(path, why))?;
    if content.bytes.is_empty() {
        return Err(Fault::Empty {
            file: path.to_owned(),
        });
    }
    Ok(content.bytes)
}

/// What is said of a file that is not read.
pub fn fault_of(path: &str, refusal: Refusal) -> Fault {
    let file = path.to_owned();
    match refusal {
        Refusal::TooLarge(limit) => Fault::TooLarge {
            file,
            limit: limit.to_string(),
        },
        other => Fault::Unreadable {
            file,
            cause: other.to_string(),
        },
    }
}
