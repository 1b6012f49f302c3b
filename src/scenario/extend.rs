//! `extends`: finding the scenarios that a scenario builds on, and merging them.

use std::io::{self, Read};
use std::path::{Component, Path as FilePath, PathBuf};

use super::builtin;
use super::diagnostics::Diagnostic;
use super::source::{FileId, SourceMap, Span};
use super::tree::{self, Node, Value};
use super::wording::closest;
use super::{merge, structure};

/// Largest file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 10 * 1024 * 1024;

/// Longest chain of scenarios that extend each other.
const MAX_CHAIN: usize = 32;

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such file.
    #[error("there is no such file")]
    Missing,
    /// It is a folder.
    #[error("this is a folder, not a file")]
    Folder,
    /// It is larger than [`MAX_FILE_BYTES`].
    #[error("the file is larger than 10 MiB, the most that a scenario may have")]
    TooLarge,
    /// Something else.
    #[error("{0}")]
    Io(io::Error),
}

/// Where scenario files come from: the disk, or something that stands for it in tests.
pub trait Files {
    /// The bytes of the file. Reading stops after [`MAX_FILE_BYTES`].
    ///
    /// # Errors
    ///
    /// The file is missing, a folder, too large or unreadable.
    fn read(&self, path: &FilePath) -> Result<Vec<u8>, ReadError>;

    /// Names of the scenario files (`*.toml`) in a folder, sorted; empty if the folder cannot be read.
    fn list(&self, folder: &FilePath) -> Vec<String>;

    /// The same for all paths that lead to the same file.
    fn identity(&self, path: &FilePath) -> PathBuf;

    /// The text of a built-in scenario.
    fn builtin(&self, name: &str) -> Option<String> {
        builtin::text(name).map(str::to_owned)
    }

    /// Names of the built-in scenarios, sorted.
    fn builtin_names(&self) -> Vec<String> {
        builtin::list()
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect()
    }
}

/// The files of this computer.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiskFiles;

impl Files for DiskFiles {
    fn read(&self, path: &FilePath) -> Result<Vec<u8>, ReadError> {
        let failure = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ReadError::Missing,
            _ => ReadError::Io(error),
        };
        if path == FilePath::new("-") {
            return read_limited(io::stdin().lock());
        }
        let metadata = std::fs::metadata(path).map_err(failure)?;
        if metadata.is_dir() {
            return Err(ReadError::Folder);
        }
        if metadata.len() > MAX_FILE_BYTES {
            return Err(ReadError::TooLarge);
        }
        read_limited(std::fs::File::open(path).map_err(failure)?)
    }

    fn list(&self, folder: &FilePath) -> Vec<String> {
        let folder = if folder.as_os_str().is_empty() {
            FilePath::new(".")
        } else {
            folder
        };
        let Ok(entries) = std::fs::read_dir(folder) else {
            return Vec::new();
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|name| name.ends_with(".toml")).collect();
        names.sort();
        names
    }

    fn identity(&self, path: &FilePath) -> PathBuf {
        path.canonicalize().unwrap_or_else(|_| normalize(path))
    }
}

/// Devices and pipes do not tell their size, so the limit is kept while reading too.
fn read_limited(reader: impl Read) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    reader
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(ReadError::Io)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        Err(ReadError::TooLarge)
    } else {
        Ok(bytes)
    }
}

/// The path without `.` and without `..` that follow a name.
pub(super) fn normalize(path: &FilePath) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// Which document is meant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Origin {
    File(PathBuf),
    Builtin(String),
}

impl Origin {
    fn display(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Builtin(name) => name.clone(),
        }
    }

    /// The name by which a file is read that this document calls `reference`: a file beside this one, or else a built-in one.
    pub(crate) fn refer(&self, files: &dyn Files, reference: &str) -> String {
        let folder = match self {
            Self::File(path) => path.parent(),
            Self::Builtin(name) => FilePath::new(name).parent(),
        };
        let beside = normalize(&folder.unwrap_or(FilePath::new("")).join(reference));
        let beside = beside.display().to_string();
        let plain = beside.strip_suffix(".toml").unwrap_or(&beside);
        let found = match self {
            Self::File(_) => [beside.clone(), format!("{plain}.toml")]
                .into_iter()
                .find(|path| files.read(FilePath::new(path)).is_ok()),
            Self::Builtin(_) => files.builtin(plain).map(|_| plain.to_owned()),
        };
        if let Some(found) = found {
            return found;
        }
        let plain = reference.strip_suffix(".toml").unwrap_or(reference);
        match files.builtin(plain) {
            Some(_) => plain.to_owned(),
            // Not there: the message names the place where it should be.
            None => beside,
        }
    }
}

/// Reads a scenario and those that it extends.
pub(crate) struct Reader<'a> {
    files: &'a dyn Files,
    /// The files read so far.
    pub(crate) sources: SourceMap,
    /// The problems found so far.
    pub(crate) problems: Vec<Diagnostic>,
    /// True if a scenario that is extended could not be read.
    pub(crate) incomplete: bool,
    /// The documents being read: each extends the next.
    chain: Vec<Origin>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(files: &'a dyn Files) -> Self {
        Self {
            files,
            sources: SourceMap::new(),
            problems: Vec::new(),
            incomplete: false,
            chain: Vec::new(),
        }
    }

    /// The merged document of a file, or else of a built-in scenario.
    pub(super) fn merge_named(&mut self, name: &str) -> Option<Node> {
        let path = PathBuf::from(name);
        match self.files.read(&path) {
            Ok(bytes) => self.merge_bytes(Origin::File(path), bytes, None),
            Err(ReadError::Missing | ReadError::Folder) if self.files.builtin(name).is_some() => {
                self.merge_builtin(name.to_owned(), None)
            }
            Err(error) => self.cannot_read(&path, name, error),
        }
    }

    fn cannot_read(&mut self, path: &FilePath, name: &str, error: ReadError) -> Option<Node> {
        let help = match error {
            ReadError::Missing | ReadError::Folder => self.suggest(Some(path), name),
            _ => None,
        };
        let message = match error {
            ReadError::Missing => {
                format!("there is no scenario file `{name}`, nor a built-in scenario of that name")
            }
            error => format!("`{name}` cannot be read: {error}"),
        };
        self.fail(message, None, help)
    }

    /// The document of a file, or else the text `builtin` of that name, as it is.
    pub(crate) fn document(&mut self, name: &str, builtin: Option<&str>) -> Option<(Node, Origin)> {
        let path = PathBuf::from(name);
        let (origin, bytes) = match (self.files.read(&path), builtin) {
            (Ok(bytes), _) => (Origin::File(path), bytes),
            (Err(ReadError::Missing | ReadError::Folder), Some(text)) => {
                (Origin::Builtin(name.to_owned()), text.as_bytes().to_vec())
            }
            (Err(error), _) => {
                let help = match error {
                    ReadError::Missing | ReadError::Folder => self.suggest_file(&path),
                    _ => None,
                };
                return self.fail(format!("`{name}` cannot be read: {error}"), None, help);
            }
        };
        let node = self.parse(&origin, bytes, None)?;
        Some((node, origin))
    }

    /// The document of a file, or else of a built-in scenario, without those that it extends.
    pub(super) fn own_named(&mut self, name: &str) -> Option<Node> {
        let path = PathBuf::from(name);
        let (origin, bytes) = match (self.files.read(&path), self.files.builtin(name)) {
            (Ok(bytes), _) => (Origin::File(path), bytes),
            (Err(ReadError::Missing | ReadError::Folder), Some(text)) => {
                (Origin::Builtin(name.to_owned()), text.into_bytes())
            }
            (Err(error), _) => return self.cannot_read(&path, name, error),
        };
        let mut node = self.parse(&origin, bytes, None)?;
        take_extends(&mut node);
        Some(node)
    }

    /// The merged document of a text that stands for the file `name`.
    pub(super) fn merge_text(&mut self, name: &str, text: &str) -> Option<Node> {
        self.merge_bytes(
            Origin::File(PathBuf::from(name)),
            text.as_bytes().to_vec(),
            None,
        )
    }

    fn merge_builtin(&mut self, name: String, from: Option<Span>) -> Option<Node> {
        let text = self.files.builtin(&name)?;
        self.merge_bytes(Origin::Builtin(name), text.into_bytes(), from)
    }

    /// The document of one file.
    fn parse(&mut self, origin: &Origin, bytes: Vec<u8>, from: Option<Span>) -> Option<Node> {
        let file = self.add(origin, bytes, from)?;
        match tree::parse(&self.sources, file) {
            Ok(node) => {
                // Before merging, which would make one element of two.
                self.problems.extend(structure::duplicate_ids(&node));
                Some(node)
            }
            Err(problems) => {
                self.problems.extend(problems);
                None
            }
        }
    }

    fn merge_bytes(&mut self, origin: Origin, bytes: Vec<u8>, from: Option<Span>) -> Option<Node> {
        let node = self.parse(&origin, bytes, from)?;
        self.merge_document(origin, node)
    }

    /// The document laid over the scenario that it extends, if it extends one.
    pub(crate) fn merge_document(&mut self, origin: Origin, mut node: Node) -> Option<Node> {
        let Some((target, span)) = take_extends(&mut node) else {
            return Some(node);
        };
        self.chain.push(origin);
        let parent = self.resolve(&target, span);
        self.chain.pop();
        match parent {
            Some(parent) => Some(merge::merge(parent, node)),
            None => {
                self.incomplete = true;
                Some(node)
            }
        }
    }

    /// Adds a file's text to the sources.
    fn add(&mut self, origin: &Origin, bytes: Vec<u8>, from: Option<Span>) -> Option<FileId> {
        let name = match origin {
            Origin::File(path) if path == FilePath::new("-") => "<stdin>".to_owned(),
            origin => origin.display(),
        };
        match String::from_utf8(bytes) {
            Ok(text) => {
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                Some(self.sources.add(name, text))
            }
            Err(error) => {
                let offset = error.utf8_error().valid_up_to();
                let bytes = error.into_bytes();
                let line = bytes[..offset]
                    .iter()
                    .filter(|byte| **byte == b'\n')
                    .count()
                    + 1;
                let message = format!(
                    "`{name}` is not UTF-8 text: byte 0x{:02x} at offset {offset}, line {line}",
                    bytes.get(offset).copied().unwrap_or_default()
                );
                self.fail(message, from, Some("save the file as UTF-8".to_owned()))
            }
        }
    }

    /// The merged document that the last one of the chain extends under the name `target`, written at `span`.
    fn resolve(&mut self, target: &str, span: Span) -> Option<Node> {
        let child = self.chain.last()?.clone();
        let plain = target.strip_suffix(".toml").unwrap_or(target);
        let mut builtin_names = vec![plain.to_owned()];
        let mut near = None;
        match &child {
            Origin::Builtin(name) => {
                let folder = FilePath::new(name).parent().unwrap_or(FilePath::new(""));
                builtin_names.insert(0, normalize(&folder.join(plain)).display().to_string());
            }
            Origin::File(path) => {
                let path = path.parent().unwrap_or(FilePath::new("")).join(target);
                match self.files.read(&path) {
                    Ok(bytes) => {
                        let origin = Origin::File(path);
                        self.refuse_cycle(&origin, span)?;
                        return self.merge_bytes(origin, bytes, Some(span));
                    }
                    Err(ReadError::Missing | ReadError::Folder) => near = Some(path),
                    Err(error) => {
                        return self.fail(
                            format!("`{}` cannot be read: {error}", path.display()),
                            Some(span),
                            None,
                        );
                    }
                }
            }
        }
        if let Some(name) = builtin_names
            .into_iter()
            .find(|name| self.files.builtin(name).is_some())
        {
            self.refuse_cycle(&Origin::Builtin(name.clone()), span)?;
            return self.merge_builtin(name, Some(span));
        }
        let message = match &near {
            Some(path) => format!(
                "there is no scenario file `{}`, nor a built-in scenario `{plain}`",
                path.display()
            ),
            None => format!("there is no built-in scenario `{plain}`"),
        };
        let help = self.suggest(near.as_deref(), target);
        self.fail(message, Some(span), help)
    }

    /// An error, if `origin` is already being read or the chain is too long.
    fn refuse_cycle(&mut self, origin: &Origin, span: Span) -> Option<()> {
        let same = |other: &Origin| match (origin, other) {
            (Origin::File(a), Origin::File(b)) => self.files.identity(a) == self.files.identity(b),
            (a, b) => a == b,
        };
        if let Some(first) = self.chain.iter().position(same) {
            let mut names: Vec<String> = self.chain[first..].iter().map(Origin::display).collect();
            names.push(names[0].clone());
            let message = format!(
                "scenarios extend each other in a circle: {}",
                names.join(" -> ")
            );
            return self.fail(message, Some(span), None);
        }
        if self.chain.len() >= MAX_CHAIN {
            return self.fail(
                format!("more than {MAX_CHAIN} scenarios extend one another"),
                Some(span),
                None,
            );
        }
        Some(())
    }

    /// What was probably meant by the name of a file or a built-in scenario that does not exist. `path` is where the
    /// file would be.
    fn suggest(&self, path: Option<&FilePath>, name: &str) -> Option<String> {
        if let Some(help) = path.and_then(|path| self.suggest_file(path)) {
            return Some(help);
        }
        let builtins = self.files.builtin_names();
        if let Some(best) = closest(stem(name), builtins.iter().map(String::as_str)) {
            return Some(format!("did you mean the built-in scenario `{best}`?"));
        }
        (!builtins.is_empty()).then(|| format!("built-in scenarios: {}", builtins.join(", ")))
    }

    /// A file that was probably meant by a path where there is none.
    fn suggest_file(&self, path: &FilePath) -> Option<String> {
        let inside = self.files.list(path);
        if !inside.is_empty() {
            return Some(format!("the folder holds {}", inside.join(", ")));
        }
        let folder = path.parent().unwrap_or(FilePath::new(""));
        let files = self.files.list(folder);
        let written = path.file_name().and_then(|file| file.to_str())?;
        let best = closest(stem(written), files.iter().map(|file| stem(file)))?;
        let best = folder.join(format!("{best}.toml"));
        Some(format!("did you mean `{}`?", best.display()))
    }

    fn fail<T>(&mut self, message: String, span: Option<Span>, help: Option<String>) -> Option<T> {
        let mut problem = Diagnostic::error(message).at(span);
        problem.help = help;
        self.problems.push(problem);
        None
    }
}

/// The name of a scenario without the extension of its file.
fn stem(name: &str) -> &str {
    name.strip_suffix(".toml").unwrap_or(name)
}

/// Removes `scenario.extends`, so that it is not inherited. Anything but a string is left for the structure check.
fn take_extends(root: &mut Node) -> Option<(String, Span)> {
    let Value::Table(root) = &mut root.value else {
        return None;
    };
    let Value::Table(header) = &mut root.get_mut("scenario")?.node.value else {
        return None;
    };
    let Node {
        value: Value::String(target),
        span,
    } = &header.get("extends")?.node
    else {
        return None;
    };
    let found = (target.clone(), *span);
    header.shift_remove("extends");
    Some(found)
}
