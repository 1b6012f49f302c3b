//! The folder of a batch: its lock, what it belongs to, and chunk after chunk of runs.
//!
//! A file under its own name is [complete](crate::durable) whenever the program or the machine stops.
//!
//! A chunk file is, in this order: a header of 64 bytes (8 bytes that name the format, the 32 bytes of the
//! [identity's digest](super::plan::Identity::digest), number of the first unit, number of units (8 bytes each), bytes of a
//! unit, bytes of the failures (4 each)), the records unit by unit, the failures as JSON, and the SHA-256 of all that. Numbers
//! are little-endian.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::chunk::CellFailure;
use super::inputs::Inputs;
use super::plan::{Identity, Plan};
use crate::durable;

/// Name of the file that says what was asked for.
pub const DESCRIPTION: &str = "batch.json";
/// Name of the manifest: a folder with it is complete.
pub const MANIFEST: &str = "manifest.json";
/// Files that a batch or a selection writes when it is complete, and on its way there.
const OUTPUTS: [&str; 10] = [
    "README.md",
    "cells.csv",
    "cells.parquet",
    "comparison.csv",
    "failures.csv",
    "observations.csv",
    "report.txt",
    "robustness.csv",
    "runs.parquet",
    "selection.csv",
];
/// Name of the folder of chunks, which is removed when the batch is complete.
const CHUNKS: &str = "chunks";
/// Name of the file whose lock says that a process is at work.
const LOCK: &str = ".lock";
/// What the file of a chunk ends with, and that of the beginning of a chunk.
const CHUNK: &str = ".chunk";
const BEGUN: &str = ".begun";
/// The first bytes of a chunk file.
const MAGIC: &[u8; 8] = b"FPCHUNK1";
/// Bytes of a chunk file before its records.
pub(super) const HEADER: usize = 64;
const DIGEST: usize = 32;

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process is at work in it.
    #[error("another flashpoint is at work in {}", .0.display())]
    Locked(PathBuf),
    /// It holds another batch.
    #[error("{} holds another batch: {}", path.display(), differences.join("; "))]
    Changed {
        /// The folder.
        path: PathBuf,
        /// What is different.
        differences: Vec<String>,
    },
    /// It holds something else.
    #[error("{} holds other files", .0.display())]
    Occupied(PathBuf),
    /// It is a file.
    #[error("{} is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// It is not the folder of a batch.
    #[error("{} is not the folder of a batch: {found}", path.display())]
    NoBatch {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        found: String,
    },
    /// The batch needs more room than the disk has.
    #[error("the batch needs about {needed} bytes, but the disk of {} has {free} left", path.display())]
    NoRoom {
        /// The folder.
        path: PathBuf,
        /// Bytes needed.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// The manifest of a complete batch has been changed.
    #[error("{} is not as it was written: {error}", path.display())]
    BrokenManifest {
        /// The file.
        path: PathBuf,
        /// Why it cannot be read.
        error: serde_json::Error,
    },
    /// The system refuses.
    #[error("cannot use {}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl StoreError {
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            error,
        }
    }
}

/// What was asked for: the content of `batch.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// Name under which the experiment was read.
    pub experiment: String,
    /// Seed from the command line, if one was given.
    pub seed: Option<u64>,
    /// Runs of each cell from the command line, if they were given.
    pub runs: Option<u64>,
    /// Whether the best policy is looked for, instead of every cell being run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub select: bool,
    /// What decides the results.
    pub identity: Identity,
    /// The texts that the experiment was read from.
    pub inputs: Inputs,
}

impl Description {
    /// Reads that of the batch in `folder`.
    ///
    /// # Errors
    /// There is none.
    pub fn read(folder: &Path) -> Result<Self, StoreError> {
        let no_batch = |found: String| StoreError::NoBatch {
            path: folder.to_owned(),
            found,
        };
        let text = fs::read_to_string(folder.join(DESCRIPTION))
            .map_err(|error| no_batch(format!("{DESCRIPTION}: {error}")))?;
        serde_json::from_str(&text).map_err(|error| no_batch(format!("{DESCRIPTION}: {error}")))
    }
}

/// The chunks of a batch in its folder, of which this process holds the lock or which it only reads.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    digest: [u8; DIGEST],
    pub(super) unit_bytes: usize,
    pub(super) cells: u64,
    /// Held until the store is dropped.
    _lock: Option<File>,
}

/// A chunk, read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The records, unit by unit.
    pub records: Vec<u8>,
    /// What failed.
    pub failures: Vec<CellFailure>,
}

impl Store {
    /// Opens `folder`, which is made if need be, for the batch of `plan`. With `fresh`, what it holds of another batch or of an
    /// earlier attempt is removed.
    ///
    /// # Errors
    /// Another process is at work there, or it holds something else.
    pub fn open(
        folder: &Path,
        plan: &Plan,
        description: &Description,
        fresh: bool,
    ) -> Result<Self, StoreError> {
        if folder.exists() && !folder.is_dir() {
            return Err(StoreError::NotAFolder(folder.to_owned()));
        }
        let failed = |error| StoreError::io(folder, error);
        let foreign = folder.is_dir() && !folder.join(DESCRIPTION).exists() && {
            let mut entries = fs::read_dir(folder).map_err(failed)?;
            entries.any(|entry| {
                entry.is_ok_and(|entry| {
                    let name = entry.file_name();
                    let name = name.to_string_lossy();
                    // What a program leaves behind that was killed at its first step.
                    name != LOCK && name != CHUNKS && !durable::is_partial(&name)
                })
            })
        };
        if foreign {
            return Err(StoreError::Occupied(folder.to_owned()));
        }
        durable::create_folder(&folder.join(CHUNKS)).map_err(failed)?;
        let lock = lock(folder)?;
        if folder.join(DESCRIPTION).exists() {
            let previous = Description::read(folder);
            match previous {
                _ if fresh => clear(folder).map_err(failed)?,
                Err(error) => return Err(error),
                Ok(previous) if previous.identity != description.identity => {
                    return Err(StoreError::Changed {
                        path: folder.to_owned(),
                        differences: description.identity.differences(&previous.identity),
                    });
                }
                Ok(previous) if previous.select != description.select => {
                    let [then, now] = [previous.select, description.select]
                        .map(|select| if select { "a selection" } else { "every cell" });
                    return Err(StoreError::Changed {
                        path: folder.to_owned(),
                        differences: vec![format!("it is for {then}, this one for {now}")],
                    });
                }
                Ok(_) => {}
            }
        } else {
            // Nothing says any more of which batch they are.
            remove_stray_chunks(&folder.join(CHUNKS)).map_err(failed)?;
        }
        durable::remove_partials(folder).map_err(failed)?;
        durable::remove_partials(&folder.join(CHUNKS)).map_err(failed)?;
        if !folder.join(DESCRIPTION).exists() {
            let text =
                serde_json::to_string_pretty(description).map_err(|error| failed(error.into()))?;
            write(folder, DESCRIPTION, (text + "\n").as_bytes())?;
        }
        Ok(Self::new(folder, plan, Some(lock)))
    }

    /// Opens `folder` for reading; another process may be at work there.
    pub fn read_only(folder: &Path, plan: &Plan) -> Self {
        Self::new(folder, plan, None)
    }

    fn new(folder: &Path, plan: &Plan, lock: Option<File>) -> Self {
        Self {
            folder: folder.to_owned(),
            digest: plan.identity.digest(),
            unit_bytes: plan.unit_bytes(),
            cells: plan.cells(),
            _lock: lock,
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether the batch is complete.
    pub fn is_complete(&self) -> bool {
        self.folder.join(MANIFEST).exists()
    }

    /// How many cells of a complete batch failed, as its manifest says.
    ///
    /// # Errors
    /// The manifest cannot be read.
    pub fn failed_cells(&self) -> Result<usize, StoreError> {
        #[derive(Deserialize)]
        struct Counted {
            failed_cells: usize,
        }
        let path = self.folder.join(MANIFEST);
        let text = fs::read(&path).map_err(|error| StoreError::io(&path, error))?;
        let counted: Counted = serde_json::from_slice(&text)
            .map_err(|error| StoreError::BrokenManifest { path, error })?;
        Ok(counted.failed_cells)
    }

    pub(super) fn chunk_path(&self, first: u64) -> PathBuf {
        self.folder.join(CHUNKS).join(format!("{first:016}{CHUNK}"))
    }

    fn begun_path(&self, first: u64) -> PathBuf {
        self.folder.join(CHUNKS).join(format!("{first:016}{BEGUN}"))
    }

    /// Stores the chunk that begins with unit `first`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(
        &self,
        first: u64,
        records: &[u8],
        failures: &[CellFailure],
    ) -> Result<(), StoreError> {
        self.write_chunk(&self.chunk_path(first), first, records, failures)?;
        let begun = self.begun_path(first);
        durable::remove_file(&begun).map_err(|error| StoreError::io(&begun, error))
    }

    /// Stores the beginning of the chunk that begins with unit `first`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save_begun(
        &self,
        first: u64,
        records: &[u8],
        failures: &[CellFailure],
    ) -> Result<(), StoreError> {
        self.write_chunk(&self.begun_path(first), first, records, failures)
    }

    fn write_chunk(
        &self,
        path: &Path,
        first: u64,
        records: &[u8],
        failures: &[CellFailure],
    ) -> Result<(), StoreError> {
        let failed = |error: io::Error| StoreError::io(path, error);
        let failures = match failures {
            [] => Vec::new(),
            failures => serde_json::to_vec(failures).map_err(|error| failed(error.into()))?,
        };
        let units = (records.len() / self.unit_bytes) as u64;
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&self.digest);
        header.extend_from_slice(&first.to_le_bytes());
        header.extend_from_slice(&units.to_le_bytes());
        header.extend_from_slice(&(self.unit_bytes as u32).to_le_bytes());
        header.extend_from_slice(&(failures.len() as u32).to_le_bytes());
        let mut hash = Sha256::new();
        let parts = [header.as_slice(), records, &failures];
        parts.iter().for_each(|part| hash.update(part));
        let digest = hash.finalize();
        let all = parts.iter().copied().chain([digest.as_slice()]);
        durable::write(path, all).map_err(failed)
    }

    /// The stored chunk with the units `units`; `None` if there is none, or not all of it is as it was written.
    ///
    /// # Errors
    /// The system refuses.
    pub fn load(&self, units: &Range<u64>) -> Result<Option<Chunk>, StoreError> {
        let chunk = self.read_chunk(&self.chunk_path(units.start), units.start)?;
        let bytes = (units.end - units.start) as usize * self.unit_bytes;
        Ok(chunk.filter(|chunk| chunk.records.len() == bytes))
    }

    /// The stored beginning of the chunk that begins with unit `first`, if there is one.
    ///
    /// # Errors
    /// The system refuses.
    pub fn load_begun(&self, first: u64) -> Result<Option<Chunk>, StoreError> {
        self.read_chunk(&self.begun_path(first), first)
    }

    fn read_chunk(&self, path: &Path, first: u64) -> Result<Option<Chunk>, StoreError> {
        let mut bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io(path, error)),
        };
        let Some(content) = bytes.len().checked_sub(DIGEST).filter(|n| *n >= HEADER) else {
            return Ok(None);
        };
        if Sha256::digest(&bytes[..content])[..] != bytes[content..] {
            return Ok(None);
        }
        let Some(header) = self.header(&bytes, first) else {
            return Ok(None);
        };
        let records = header.units as usize * self.unit_bytes;
        if content != HEADER + records + header.failures {
            return Ok(None);
        }
        let failures = &bytes[HEADER + records..content];
        let failures = match failures {
            [] => Vec::new(),
            text => serde_json::from_slice(text).unwrap_or_default(),
        };
        bytes.truncate(HEADER + records);
        bytes.drain(..HEADER);
        Ok(Some(Chunk {
            records: bytes,
            failures,
        }))
    }

    /// The numbers of a header that belongs to this batch and chunk.
    fn header(&self, bytes: &[u8], first: u64) -> Option<Header> {
        let number = |from: usize, length: usize| {
            let mut value = [0; 8];
            value[..length].copy_from_slice(&bytes[from..from + length]);
            u64::from_le_bytes(value)
        };
        let fits = bytes[..8] == MAGIC[..]
            && bytes[8..40] == self.digest
            && number(40, 8) == first
            && number(56, 4) == self.unit_bytes as u64;
        fits.then(|| Header {
            units: number(48, 8),
            failures: number(60, 4) as usize,
        })
    }

    /// The first units of the stored chunks, in order; the beginning of a chunk counts.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn stored(&self) -> Result<Vec<u64>, StoreError> {
        let folder = self.folder.join(CHUNKS);
        let failed = |error| StoreError::io(&folder, error);
        let mut found = Vec::new();
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let first = name
                .to_str()
                .and_then(|name| name.strip_suffix(CHUNK).or(name.strip_suffix(BEGUN)));
            found.extend(first.and_then(|first| first.parse::<u64>().ok()));
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Opens the chunk that begins with unit `first`, or its beginning.
    pub(super) fn open_chunk(&self, first: u64) -> Result<File, StoreError> {
        let path = self.chunk_path(first);
        match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                File::open(self.begun_path(first))
            }
            opened => opened,
        }
        .map_err(|error| StoreError::io(&path, error))
    }

    /// Removes the chunks of a complete batch.
    ///
    /// # Errors
    /// They cannot be removed.
    pub fn remove_chunks(&self) -> Result<(), StoreError> {
        let chunks = self.folder.join(CHUNKS);
        durable::remove_folder(&chunks).map_err(|error| StoreError::io(&chunks, error))
    }
}

struct Header {
    units: u64,
    failures: usize,
}

/// Takes the lock of a folder, which the system gives back when the process ends, however it ends.
fn lock(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join(LOCK);
    let failed = |error| StoreError::io(&path, error);
    let file = (OpenOptions::new().create(true).truncate(false).write(true))
        .open(&path)
        .map_err(failed)?;
    match fs4::FileExt::try_lock(&file) {
        Ok(()) => Ok(file),
        Err(fs4::TryLockError::WouldBlock) => Err(StoreError::Locked(folder.to_owned())),
        Err(fs4::TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Removes chunks, and beginnings of chunks, from their folder.
fn remove_stray_chunks(chunks: &Path) -> io::Result<()> {
    for entry in fs::read_dir(chunks)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.ends_with(CHUNK) || name.ends_with(BEGUN) {
            durable::remove_file(&entry.path())?;
        }
    }
    Ok(())
}

/// Removes what a batch has written into its folder: the manifest first, since a folder with it is complete, and the description
/// last, so that an interruption leaves a batch to clear.
fn clear(folder: &Path) -> io::Result<()> {
    #[derive(Deserialize)]
    struct Listed {
        files: std::collections::BTreeMap<String, String>,
    }
    let listed = fs::read(folder.join(MANIFEST))
        .ok()
        .and_then(|text| serde_json::from_slice::<Listed>(&text).ok())
        .map_or_else(Vec::new, |manifest| manifest.files.into_keys().collect());
    durable::remove_file(&folder.join(MANIFEST))?;
    durable::sync_folder(folder)?;
    // The list is read from a file: it must not reach out of the folder.
    for name in listed.iter().filter(|name| !name.contains(['/', '\\'])) {
        durable::remove_file(&folder.join(name))?;
    }
    // Without a manifest, what was written on the way there is not listed.
    for name in OUTPUTS {
        durable::remove_file(&folder.join(name))?;
    }
    durable::remove_folder(&folder.join(CHUNKS))?;
    durable::create_folder(&folder.join(CHUNKS))?;
    durable::remove_file(&folder.join(DESCRIPTION))
}

/// Writes a file of the folder under its name when it is complete and durable.
///
/// # Errors
/// It cannot be written.
pub fn write(folder: &Path, name: &str, content: &[u8]) -> Result<(), StoreError> {
    let path = folder.join(name);
    durable::write(&path, [content]).map_err(|error| StoreError::io(&path, error))
}

/// Refuses a batch that needs more than `needed` bytes where `folder` is, or will be.
///
/// # Errors
/// There is less room.
pub fn check_room(folder: &Path, needed: u64) -> Result<(), StoreError> {
    let existing = folder.ancestors().find(|path| path.exists());
    let here = existing.filter(|path| !path.as_os_str().is_empty());
    // Where the system does not say, the batch goes ahead.
    let Ok(free) = fs4::available_space(here.unwrap_or(Path::new("."))) else {
        return Ok(());
    };
    if needed > free {
        return Err(StoreError::NoRoom {
            path: folder.to_owned(),
            needed,
            free,
        });
    }
    Ok(())
}
