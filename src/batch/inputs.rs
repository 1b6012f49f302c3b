//! The texts that an experiment was read from, so that it can be read again from its folder.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::scenario::extend::{Files, ReadError};

/// Texts by the names under which they were read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// Files, by path.
    pub files: BTreeMap<String, String>,
    /// Built-in scenarios, by name.
    pub builtins: BTreeMap<String, String>,
}

impl Files for Inputs {
    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        let text = self.files.get(&path.display().to_string());
        Ok(text.ok_or(ReadError::Missing)?.clone().into_bytes())
    }

    fn list(&self, _: &Path) -> Vec<String> {
        Vec::new()
    }

    fn identity(&self, path: &Path) -> PathBuf {
        path.to_owned()
    }

    fn builtin(&self, name: &str) -> Option<String> {
        self.builtins.get(name).cloned()
    }

    fn builtin_names(&self) -> Vec<String> {
        self.builtins.keys().cloned().collect()
    }
}

/// Reads from elsewhere, and keeps what was read.
pub struct Recording<'a> {
    files: &'a dyn Files,
    read: RefCell<Inputs>,
}

impl<'a> Recording<'a> {
    /// Reads from `files`.
    pub fn new(files: &'a dyn Files) -> Self {
        Self {
            files,
            read: RefCell::default(),
        }
    }

    /// All that was read.
    pub fn into_inputs(self) -> Inputs {
        self.read.into_inner()
    }
}

impl Files for Recording<'_> {
    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        let name = path.display().to_string();
        // Standard input can be read only once.
        if let Some(text) = self.read.borrow().files.get(&name) {
            return Ok(text.clone().into_bytes());
        }
        let bytes = self.files.read(path)?;
        if let Ok(text) = std::str::from_utf8(&bytes) {
            (self.read.borrow_mut().files).insert(name, text.to_owned());
        }
        Ok(bytes)
    }

    fn list(&self, folder: &Path) -> Vec<String> {
        self.files.list(folder)
    }

    fn identity(&self, path: &Path) -> PathBuf {
        self.files.identity(path)
    }

    fn builtin(&self, name: &str) -> Option<String> {
        let text = self.files.builtin(name)?;
        (self.read.borrow_mut().builtins).insert(name.to_owned(), text.clone());
        Some(text)
    }

    fn builtin_names(&self) -> Vec<String> {
        self.files.builtin_names()
    }
}
