//! Files that are whole: written under another name first, made durable, and then given their own, so that a file under its own
//! name is complete whenever the program or the machine stops.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What files end with that are being written.
const ENDING: &str = ".partial";

/// A file on its way: `.NAME.PROCESS.partial`, beside where it goes. Dropped before [`publish`](Self::publish), it leaves nothing
/// behind.
#[derive(Debug)]
pub struct Partial {
    path: PathBuf,
    partial: PathBuf,
    file: File,
}

impl Partial {
    /// Begins the file `path`. What a killed process of the same number left of it is overwritten.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        let partial = partial_path(path);
        Ok(Self {
            file: File::create(&partial)?,
            path: path.to_owned(),
            partial,
        })
    }

    /// Makes what was written durable, still under the other name.
    ///
    /// # Errors
    /// The system refuses.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Makes the file durable and gives it its name.
    ///
    /// # Errors
    /// The system refuses.
    pub fn publish(self) -> io::Result<()> {
        self.sync()?;
        fs::rename(&self.partial, &self.path)?;
        sync_folder(folder_of(&self.path))
    }
}

impl Write for Partial {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // Once it has its name there is nothing to remove.
        let _ = fs::remove_file(&self.partial);
    }
}

/// Writes a file of these parts under its name when it is complete and durable.
///
/// # Errors
/// It cannot be written; then nothing is left behind.
pub fn write<'a>(path: &Path, parts: impl IntoIterator<Item = &'a [u8]>) -> io::Result<()> {
    let mut file = Partial::create(path)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.publish()
}

/// Makes a folder, and those above it, durably.
///
/// # Errors
/// The system refuses.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let above = folder_of(folder);
    create_folder(above)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists || !folder.is_dir() => {
            Err(error)
        }
        _ => sync_folder(above),
    }
}

/// Removes a file, if there is one.
///
/// # Errors
/// The system refuses.
pub fn remove_file(path: &Path) -> io::Result<()> {
    ignore_missing(fs::remove_file(path))
}

/// Removes a folder with all that is in it, if there is one.
///
/// # Errors
/// The system refuses.
pub fn remove_folder(path: &Path) -> io::Result<()> {
    ignore_missing(fs::remove_dir_all(path))
}

/// Removes what killed processes left in a folder in which no other process is at work.
///
/// # Errors
/// The folder cannot be read, or something not be removed.
pub fn remove_partials(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if is_partial(&entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Whether a file of this name is one on its way.
pub fn is_partial(name: &str) -> bool {
    name.strip_prefix('.')
        .and_then(|name| name.strip_suffix(ENDING))
        .and_then(|name| name.rsplit_once('.'))
        .is_some_and(|(_, process)| process.parse::<u32>().is_ok())
}

/// Makes the names in a folder durable.
///
/// # Errors
/// The system refuses.
#[cfg(unix)]
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    // A folder may be written that may not be read, and some file systems cannot sync folders: the names are there all the same.
    let file = match File::open(folder) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
        opened => opened?,
    };
    match file.sync_all() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

/// Other systems do not open folders; they keep names in order themselves.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The folder that a file or folder is in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn partial_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}{ENDING}", std::process::id()));
    path.with_file_name(name)
}

fn ignore_missing(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string();
        let mut names: Vec<String> = entries.map(|entry| name(entry).unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_has_its_name_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let mut file = Partial::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        let half = names(folder.path());
        assert!(half.len() == 1 && is_partial(&half[0]), "{half:?}");
        file.write_all(b" and half").unwrap();
        file.publish().unwrap();
        assert_eq!(names(folder.path()), ["a.csv"]);
        assert_eq!(fs::read(&path).unwrap(), b"half and half");
    }

    #[test]
    fn what_is_given_up_leaves_nothing_and_what_a_killed_process_left_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        Partial::create(&path).unwrap().write_all(b"half").unwrap();
        assert_eq!(names(folder.path()), [""; 0]);

        fs::write(partial_path(&path), "left behind, and longer").unwrap();
        write(&path, [&b"new"[..]]).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");

        let taken = folder.path().join("taken");
        create_folder(&taken.join("inside")).unwrap();
        assert!(write(&taken, [&b"new"[..]]).is_err());
        assert_eq!(names(folder.path()), ["a.csv", "taken"]);
    }

    #[test]
    fn no_other_files_are_taken_for_partial_ones() {
        let folder = tempfile::tempdir().unwrap();
        let others = [".notes.partial", ".seven.txt", "a.7.partial"];
        for name in others.iter().chain(&[".a.csv.10720.partial"]) {
            fs::write(folder.path().join(name), "half").unwrap();
        }
        remove_partials(folder.path()).unwrap();
        assert_eq!(names(folder.path()), others);
    }

    #[test]
    fn what_is_not_there_is_removed_already() {
        let folder = tempfile::tempdir().unwrap();
        remove_file(&folder.path().join("no")).unwrap();
        remove_folder(&folder.path().join("no")).unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(create_folder(&folder.path().join("file/below")).is_err());
        assert!(create_folder(&folder.path().join("file")).is_err());
        assert_eq!(folder_of(Path::new("file")), Path::new("."));
    }
}
