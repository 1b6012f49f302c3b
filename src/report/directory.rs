//! A folder of results: written in full under a name of its own first, then put in place.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::manifest::{Description, Manifest};
use crate::digest::hex;
use crate::durable;

/// Name of the manifest.
pub const MANIFEST: &str = "manifest.json";
/// Name of the only file that differs between repetitions.
pub const TIMINGS: &str = "timings.json";

/// Why results cannot be stored.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The folder holds something else.
    #[error("{} {found}", path.display())]
    Occupied {
        /// The folder.
        path: PathBuf,
        /// What it holds.
        found: String,
    },
    /// There is a file of that name.
    #[error("{} is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// The system refuses.
    #[error("cannot write {}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// What became of the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// They are in place.
    Written,
    /// The folder holds results of the same experiment that are complete, or of more runs: an interrupted repetition does not
    /// replace them.
    BetterKept,
}

/// Results on their way into a folder. Dropped before [`commit`](Self::commit), it leaves nothing behind.
#[derive(Debug)]
pub struct Staging {
    target: PathBuf,
    staging: PathBuf,
    previous: Option<Manifest>,
    files: BTreeMap<String, String>,
}

impl Staging {
    /// Prepares to put the results of an experiment into the folder `target`, which is made if it does not exist. It may hold
    /// results of the same experiment; with `force`, anything.
    ///
    /// # Errors
    /// The folder holds something else, or cannot be written to.
    pub fn open(
        target: &Path,
        description: &Description,
        force: bool,
    ) -> Result<Self, DirectoryError> {
        let failed = |error| io_error(target, error);
        let target = match fs::canonicalize(target) {
            Ok(path) => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                std::path::absolute(target).map_err(failed)?
            }
            Err(error) => return Err(failed(error)),
        };
        let previous = if target.exists() {
            existing(&target, description, force)?
        } else {
            None
        };
        // Beside a folder that is yet to be made, so that it can appear in one step; inside one that exists, which may be a
        // file system of its own.
        let staging = if target.is_dir() {
            target.join(format!(".partial-{}", std::process::id()))
        } else {
            let name = target.file_name().unwrap_or_default().to_string_lossy();
            target.with_file_name(format!(".{name}.partial-{}", std::process::id()))
        };
        // What a killed process of the same number left there must not get among these results.
        durable::remove_folder(&staging)
            .and_then(|()| durable::create_folder(&staging))
            .map_err(|error| io_error(&target, error))?;
        Ok(Self {
            target,
            staging,
            previous,
            files: BTreeMap::new(),
        })
    }

    /// The folder that the results go to.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// The folder in which they are prepared.
    pub fn staging(&self) -> &Path {
        &self.staging
    }

    /// Begins a file of results that is written piece by piece; hand it to [`finish`](Self::finish) in the end.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(&self, name: &str) -> Result<ResultFile, DirectoryError> {
        let path = self.staging.join(name);
        let file = File::create(&path).map_err(|error| self.error(name, error))?;
        Ok(ResultFile {
            name: name.to_owned(),
            file,
            hash: Sha256::new(),
        })
    }

    /// Ends a file of results.
    ///
    /// # Errors
    /// It cannot be written out.
    pub fn finish(&mut self, file: ResultFile) -> Result<(), DirectoryError> {
        (file.file.sync_all()).map_err(|error| self.error(&file.name, error))?;
        self.files.insert(file.name, hex(&file.hash.finalize()));
        Ok(())
    }

    /// Adds a file of results.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&mut self, name: &str, content: &str) -> Result<(), DirectoryError> {
        let mut file = self.create(name)?;
        (file.write_all(content.as_bytes())).map_err(|error| self.error(name, error))?;
        self.finish(file)
    }

    /// Adds a file that differs between repetitions, and which the manifest therefore does not list.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_unlisted(&mut self, name: &str, content: &str) -> Result<(), DirectoryError> {
        self.write(name, content)?;
        self.files.remove(name);
        Ok(())
    }

    /// The files so far, with their SHA-256.
    pub fn files(&self) -> &BTreeMap<String, String> {
        &self.files
    }

    /// Puts everything in place, the manifest last: a folder with a manifest is complete.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn commit(mut self, manifest: &Manifest) -> Result<Committed, DirectoryError> {
        let better = |previous: &Manifest| {
            previous.description == manifest.description
                && (!previous.interrupted || previous.runs_completed > manifest.runs_completed)
        };
        if manifest.interrupted && self.previous.as_ref().is_some_and(better) {
            return Ok(Committed::BetterKept);
        }
        let text = serde_json::to_string_pretty(manifest)
            .map_err(|error| self.error(MANIFEST, error.into()))?;
        self.write_unlisted(MANIFEST, &(text + "\n"))?;
        if self.target.is_dir() {
            self.move_in()?;
        } else {
            durable::sync_folder(&self.staging)
                .and_then(|()| fs::rename(&self.staging, &self.target))
                .and_then(|()| durable::sync_folder(durable::folder_of(&self.target)))
                .map_err(|error| io_error(&self.target, error))?;
        }
        Ok(Committed::Written)
    }

    fn move_in(&self) -> Result<(), DirectoryError> {
        let sync =
            || durable::sync_folder(&self.target).map_err(|error| io_error(&self.target, error));
        let previous = self
            .previous
            .iter()
            .flat_map(|previous| previous.files.keys());
        let stale = (previous.map(String::as_str))
            .filter(|name| !self.files.contains_key(*name))
            // The list is read from a file: it must not reach out of the folder.
            .filter(|name| !name.contains(['/', '\\']));
        for name in [MANIFEST].into_iter().chain(stale) {
            durable::remove_file(&self.target.join(name))
                .map_err(|error| self.error(name, error))?;
        }
        sync()?;
        for name in self.files.keys().map(String::as_str).chain([TIMINGS]) {
            if self.staging.join(name).exists() {
                self.place(name)?;
            }
        }
        sync()?;
        self.place(MANIFEST)?;
        sync()
    }

    fn place(&self, name: &str) -> Result<(), DirectoryError> {
        fs::rename(self.staging.join(name), self.target.join(name))
            .map_err(|error| self.error(name, error))
    }

    fn error(&self, name: &str, error: io::Error) -> DirectoryError {
        io_error(&self.target.join(name), error)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // After a commit there is nothing left, or nothing but an empty folder.
        let _ = fs::remove_dir_all(&self.staging);
    }
}

fn io_error(path: &Path, error: io::Error) -> DirectoryError {
    DirectoryError::Io {
        path: path.to_owned(),
        error,
    }
}

/// The manifest of the results in `target`, if they may be replaced.
fn existing(
    target: &Path,
    description: &Description,
    force: bool,
) -> Result<Option<Manifest>, DirectoryError> {
    let occupied = |found: String| DirectoryError::Occupied {
        path: target.to_owned(),
        found,
    };
    if !target.is_dir() {
        return Err(DirectoryError::NotAFolder(target.to_owned()));
    }
    let manifest = fs::read_to_string(target.join(MANIFEST));
    let manifest: Option<Manifest> = manifest
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok());
    if force {
        return Ok(manifest);
    }
    match manifest {
        Some(manifest) if manifest.description == *description => Ok(Some(manifest)),
        Some(manifest) => Err(occupied(format!(
            "holds the results of another experiment (scenario {}, seed {}, {} runs)",
            manifest.description.scenario.name, manifest.description.seed, manifest.runs_completed,
        ))),
        None => {
            let mut entries = fs::read_dir(target).map_err(|error| io_error(target, error))?;
            match entries.find(|entry| !entry.as_ref().is_ok_and(is_partial)) {
                None => Ok(None),
                Some(_) => Err(occupied("holds other files".to_owned())),
            }
        }
    }
}

/// Whether this is what a killed program left behind.
fn is_partial(entry: &fs::DirEntry) -> bool {
    let name = entry.file_name();
    name.to_string_lossy().starts_with(".partial-")
}

/// A file of results on its way: hashed as it is written.
#[derive(Debug)]
pub struct ResultFile {
    name: String,
    file: File,
    hash: Sha256,
}

impl Write for ResultFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::super::manifest::tests::description;
    use super::*;
    use crate::digest::sha256_hex;

    fn manifest(staging: &Staging, description: &Description, interrupted: bool) -> Manifest {
        Manifest {
            key: description.key(),
            description: description.clone(),
            runs_completed: 1000,
            interrupted,
            level: 0.95,
            looks: Vec::new(),
            precision_reached: None,
            files: staging.files().clone(),
        }
    }

    /// Stores one file of results.
    fn store(
        target: &Path,
        description: &Description,
        force: bool,
        interrupted: bool,
        name: &str,
        content: &str,
    ) -> Result<Committed, DirectoryError> {
        let mut staging = Staging::open(target, description, force)?;
        staging.write(name, content)?;
        staging.write_unlisted(TIMINGS, "{}")?;
        let manifest = manifest(&staging, description, interrupted);
        staging.commit(&manifest)
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn results_appear_at_once_with_their_hashes() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("deep/results");
        let mut staging = Staging::open(&target, &description(), false).unwrap();
        staging.write("a.csv", "abc").unwrap();
        assert!(!target.exists());
        let manifest = manifest(&staging, &description(), false);
        assert_eq!(staging.commit(&manifest).unwrap(), Committed::Written);
        assert_eq!(names(&target), ["a.csv", MANIFEST]);
        assert_eq!(names(&folder.path().join("deep")), ["results"]);
        let text = fs::read_to_string(target.join(MANIFEST)).unwrap();
        let read: Manifest = serde_json::from_str(&text).unwrap();
        assert_eq!(read, manifest);
        assert_eq!(read.files["a.csv"], sha256_hex(b"abc"));
    }

    #[test]
    fn dropped_results_leave_nothing() {
        let folder = tempfile::tempdir().unwrap();
        for target in [folder.path().join("new"), folder.path().to_owned()] {
            let mut staging = Staging::open(&target, &description(), false).unwrap();
            staging.write("a.csv", "abc").unwrap();
            drop(staging);
            assert_eq!(names(folder.path()), [""; 0]);
        }
    }

    #[test]
    fn what_a_killed_process_of_the_same_number_left_is_not_among_the_results() {
        let folder = tempfile::tempdir().unwrap();
        let (new, existing) = (folder.path().join("new"), folder.path().join("existing"));
        fs::create_dir(&existing).unwrap();
        for target in [new, existing] {
            let staging = Staging::open(&target, &description(), false).unwrap();
            let left = staging.staging().to_owned();
            drop(staging);
            fs::create_dir(&left).unwrap();
            fs::write(left.join("runs.parquet"), "half").unwrap();
            fs::write(left.join(TIMINGS), "{}").unwrap();
            let mut staging = Staging::open(&target, &description(), false).unwrap();
            staging.write("a.csv", "abc").unwrap();
            let manifest = manifest(&staging, &description(), false);
            staging.commit(&manifest).unwrap();
            assert_eq!(names(&target), ["a.csv", MANIFEST]);
        }
    }

    #[test]
    fn the_same_experiment_is_replaced_and_another_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out");
        let first = description();
        store(&target, &first, false, false, "a.csv", "old").unwrap();
        fs::write(target.join("notes.txt"), "mine").unwrap();
        store(&target, &first, false, false, "a.csv", "new").unwrap();
        assert_eq!(fs::read_to_string(target.join("a.csv")).unwrap(), "new");

        let other = Description { seed: 2, ..first };
        let refused = store(&target, &other, false, false, "b.csv", "b").unwrap_err();
        assert!(
            refused.to_string().contains("another experiment"),
            "{refused}"
        );
        assert_eq!(names(&target), ["a.csv", MANIFEST, "notes.txt", TIMINGS]);

        store(&target, &other, true, false, "b.csv", "b").unwrap();
        assert_eq!(names(&target), ["b.csv", MANIFEST, "notes.txt", TIMINGS]);
    }

    #[test]
    fn foreign_files_are_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.csv"), "mine").unwrap();
        let refused = store(folder.path(), &description(), false, false, "a.csv", "x").unwrap_err();
        assert!(refused.to_string().contains("other files"), "{refused}");
        assert_eq!(names(folder.path()), ["a.csv"]);
        assert_eq!(
            fs::read_to_string(folder.path().join("a.csv")).unwrap(),
            "mine"
        );

        let file = folder.path().join("a.csv");
        let refused = store(&file, &description(), true, false, "a.csv", "x").unwrap_err();
        assert!(refused.to_string().contains("not a folder"), "{refused}");
    }

    #[test]
    fn an_interrupted_repetition_does_not_replace_complete_results() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out");
        let experiment = description();
        let again = |interrupted, content| {
            store(&target, &experiment, false, interrupted, "a.csv", content).unwrap()
        };
        assert_eq!(again(true, "half"), Committed::Written);
        assert_eq!(again(false, "whole"), Committed::Written);
        assert_eq!(again(true, "half"), Committed::BetterKept);
        assert_eq!(fs::read_to_string(target.join("a.csv")).unwrap(), "whole");
        assert_eq!(names(&target), ["a.csv", MANIFEST, TIMINGS]);
    }

    #[test]
    fn of_two_interrupted_experiments_that_of_more_runs_stays() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out");
        for (runs_completed, expected) in [
            (900, Committed::Written),
            (800, Committed::BetterKept),
            (950, Committed::Written),
        ] {
            let mut staging = Staging::open(&target, &description(), false).unwrap();
            staging.write("a.csv", "x").unwrap();
            let manifest = Manifest {
                runs_completed,
                ..manifest(&staging, &description(), true)
            };
            assert_eq!(staging.commit(&manifest).unwrap(), expected);
        }
    }

    #[test]
    fn a_manifest_cannot_reach_out_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (target, outside) = (folder.path().join("out"), folder.path().join("precious"));
        store(&target, &description(), false, false, "a.csv", "a").unwrap();
        fs::write(&outside, "mine").unwrap();
        let path = target.join(MANIFEST);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("a.csv", "../precious")).unwrap();
        store(&target, &description(), false, false, "a.csv", "b").unwrap();
        assert!(outside.exists());
    }
}
