//! What analyses of runs have in common: their threads, their files and their errors.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::{CliError, files};
use crate::digest::sha256_hex;
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

/// Refuses a folder that holds an analysis already; `option` is the one that allows it.
pub(super) fn refuse_folder(
    folder: Option<&Path>,
    allowed: bool,
    option: &str,
) -> Result<(), CliError> {
    refuse_files(folder, &[MANIFEST], allowed, option)
}

/// Refuses a folder with any of these files.
pub(super) fn refuse_files(
    folder: Option<&Path>,
    names: &[&str],
    allowed: bool,
    option: &str,
) -> Result<(), CliError> {
    let Some(folder) = folder else { return Ok(()) };
    for name in names {
        files::refuse_existing(&folder.join(name), allowed).map_err(|error| {
            error.with_help(format!("choose another folder with --out, or add {option}"))
        })?;
    }
    Ok(())
}

/// Writes the files of an analysis, and last the manifest, which lists them with their SHA-256: a folder with a manifest is
/// complete.
pub(super) fn write_folder(
    folder: &Path,
    mut manifest: Value,
    contents: &[(&str, &str)],
    replace: bool,
) -> Result<String, CliError> {
    let path = folder.join(MANIFEST);
    files::refuse_existing(&path, replace)?;
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            let message = format!("cannot replace `{}`: {error}", path.display());
            return Err(CliError::failure(message));
        }
        _ => {}
    }
    let mut listed = BTreeMap::new();
    for (name, text) in contents {
        files::write(&folder.join(name), text.as_bytes(), replace)?;
        listed.insert(*name, sha256_hex(text.as_bytes()));
    }
    manifest["files"] = json!(listed);
    let text = super::json(&manifest)?;
    files::write(&path, text.as_bytes(), replace)?;
    Ok(format!("Results: {}\n", folder.display()))
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
