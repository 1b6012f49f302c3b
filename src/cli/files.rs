//! Writing files so that none is ever half there.

use std::io;
use std::path::Path;

use super::CliError;
use crate::durable;

/// Writes a file under its final name only when it is complete. The folder is made if need be.
///
/// # Errors
/// The file exists and `overwrite` is false, or something cannot be written; then nothing is left behind.
pub(super) fn write(path: &Path, content: &[u8], overwrite: bool) -> Result<(), CliError> {
    refuse_existing(path, overwrite)?;
    durable::create_folder(durable::folder_of(path))
        .and_then(|()| durable::write(path, [content]))
        .map_err(|error| cannot_write(path, &error))
}

/// What is said of a file that cannot be written.
pub(super) fn cannot_write(path: &Path, error: &io::Error) -> CliError {
    CliError::failure(format!("cannot write `{}`: {error}", path.display()))
}

/// A usage error if the file exists and must not be overwritten.
pub(super) fn refuse_existing(path: &Path, overwrite: bool) -> Result<(), CliError> {
    // A dangling link exists too: writing would put something in its place.
    if !overwrite && path.symlink_metadata().is_ok() {
        return Err(CliError::usage(format!(
            "`{}` exists already",
            path.display()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;
    use std::fs;

    fn entries(folder: &Path) -> Vec<OsString> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn a_file_is_written_once_and_overwritten_only_on_demand() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/a.toml");
        write(&path, b"one", false).unwrap();
        let refused = write(&path, b"two", false).unwrap_err();
        assert_eq!(refused.exit_code(), 2);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        write(&path, b"three", true).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert_eq!(entries(path.parent().unwrap()), ["a.toml"]);
    }

    #[test]
    fn a_failure_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        fs::create_dir_all(path.join("inside")).unwrap();
        let failed = write(&path, b"one", true).unwrap_err();
        assert_eq!(failed.exit_code(), 1);
        assert_eq!(entries(folder.path()), ["taken"]);
    }
}
