//! What analyses of runs have in common: their threads, their files and their errors.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{CliError, Format, Output, files};
use crate::digest::sha256_hex;
use crate::durable::{self, Partial};
use crate::report::directory::MANIFEST;

/// Runs `work` on so many threads; all cores if no number is given.
pub(super) fn on_threads<T: Send>(
    threads: Option<u64>,
    work: impl FnOnce() -> T + Send,
) -> Result<T, CliError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.unwrap_or(0) as usize)
        .build()
        .map_err(|error| CliError::failure(format!("cannot start the threads: {error}")))?;
    Ok(pool.install(work))
}

/// The folder of an analysis with its files, which are checked before anything is run and written when all is done.
pub(super) struct ResultsFolder<'a, const N: usize> {
    folder: &'a Path,
    names: [&'static str; N],
    replace: bool,
    option: &'static str,
}

impl<'a, const N: usize> ResultsFolder<'a, N> {
    /// The folder of the user, if there is one, for files of these names and a manifest. They may be there already if `replace`
    /// is true; `option` is what makes it so.
    ///
    /// # Errors
    /// A usage error if one of them must not be replaced.
    pub fn new(
        folder: Option<&'a Path>,
        names: [&'static str; N],
        replace: bool,
        option: &'static str,
    ) -> Result<Option<Self>, CliError> {
        let Some(folder) = folder else {
            return Ok(None);
        };
        if folder.exists() && !folder.is_dir() {
            let message = format!("`{}` is not a folder", folder.display());
            return Err(CliError::usage(message).with_help("choose another folder with --out"));
        }
        let results = Self {
            folder,
            names,
            replace,
            option,
        };
        results.check()?;
        Ok(Some(results))
    }

    /// Names of the files.
    pub fn names(&self) -> [&'static str; N] {
        self.names
    }

    fn check(&self) -> Result<(), CliError> {
        for name in [MANIFEST].iter().chain(&self.names) {
            refuse_file(self.folder, name, self.replace, self.option)?;
        }
        Ok(())
    }

    /// Writes the files, and last the manifest, which lists them with their SHA-256: a folder with a manifest is complete. All
    /// are written out before the first gets its name, so that a full disk leaves the folder as it was.
    fn write(&self, mut manifest: Value, texts: &[String; N]) -> Result<(), CliError> {
        self.check()?;
        let failed = |error| files::cannot_write(self.folder, &error);
        durable::create_folder(self.folder).map_err(failed)?;
        let mut listed = BTreeMap::new();
        let mut partials = Vec::new();
        for (name, text) in self.names.into_iter().zip(texts) {
            partials.push(self.begin(name, text)?);
            listed.insert(name, sha256_hex(text.as_bytes()));
        }
        manifest["files"] = json!(listed);
        let last = self.begin(MANIFEST, &super::json(&manifest)?)?;
        durable::remove_file(&self.folder.join(MANIFEST)).map_err(failed)?;
        durable::sync_folder(self.folder).map_err(failed)?;
        for (path, partial) in partials.into_iter().chain([last]) {
            (partial.publish()).map_err(|error| files::cannot_write(&path, &error))?;
        }
        Ok(())
    }

    fn begin(&self, name: &str, text: &str) -> Result<(PathBuf, Partial), CliError> {
        let path = self.folder.join(name);
        let written = Partial::create(&path).and_then(|mut partial| {
            partial.write_all(text.as_bytes())?;
            partial.sync()?;
            Ok(partial)
        });
        match written {
            Ok(partial) => Ok((path, partial)),
            Err(error) => Err(files::cannot_write(&path, &error)),
        }
    }
}

/// Refuses to put a file of this name into a folder that has one, unless that is allowed; `option` is what allows it.
pub(super) fn refuse_file(
    folder: &Path,
    name: &str,
    allowed: bool,
    option: &str,
) -> Result<(), CliError> {
    files::refuse_existing(&folder.join(name), allowed).map_err(|error| {
        error.with_help(format!("choose another folder with --out, or add {option}"))
    })
}

/// Prints what an analysis found, and then writes its `files`, given with what the manifest says of them. What cannot be written
/// has been shown, and what cannot be shown is written.
pub(super) fn show<const N: usize>(
    shown: &str,
    format: Format,
    folder: Option<&ResultsFolder<'_, N>>,
    files: impl FnOnce() -> (Value, [String; N]),
    out: &mut Output,
) -> Result<(), CliError> {
    let printed = out.print(shown).and_then(|()| out.flush());
    if let Some(folder) = folder {
        let (about, texts) = files();
        folder.write(about, &texts)?;
    }
    printed?;
    match folder {
        Some(results) if format == Format::Text => {
            Ok(out.print(&format!("Results: {}\n", results.folder.display()))?)
        }
        _ => Ok(()),
    }
}

/// What a study says when it cannot be made.
pub(super) fn study_error(error: crate::sensitivity::Error) -> CliError {
    use crate::sensitivity::Error;
    let failed = CliError::failure(error.to_string());
    match error {
        Error::ConstantOutput => failed.with_help(
            "ask about another outcome with --of, or make more runs: what never changes has no drivers",
        ),
        Error::TooFewRows { .. } => failed.with_help(
            "make more runs; if many fail, look into one with `flashpoint trace`, or raise `max_events`",
        ),
        Error::TooManyDimensions { .. } => {
            CliError::usage(error.to_string()).with_help("name fewer parameters with --params")
        }
        Error::BadSetting { .. } | Error::DuplicateFactor(_) => CliError::usage(error.to_string()),
        _ => failed,
    }
}
