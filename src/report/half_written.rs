//! Files that are being written, under a hidden name that is theirs and the process's alone.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What these names end with.
const ENDING: &str = ".partial";

/// Where this process writes a file before it has its name: `.NAME.PROCESS.partial`, beside it.
pub fn path_for(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}{ENDING}", std::process::id()));
    path.with_file_name(name)
}

/// Removes what killed processes left in a folder in which no other process is at work.
///
/// # Errors
/// The folder cannot be read, or something not be removed.
pub fn remove_all(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if is_one(&entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn is_one(name: &str) -> bool {
    name.strip_prefix('.')
        .and_then(|name| name.strip_suffix(ENDING))
        .and_then(|name| name.rsplit_once('.'))
        .is_some_and(|(_, process)| process.parse::<u32>().is_ok())
}
