//! The files that a scenario was read from, and places in them.

use std::ops::Range;
use std::sync::Arc;

/// Index of a file in a [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A range of bytes of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: usize,
    /// Byte after the last one.
    pub end: usize,
}

impl Span {
    /// The bytes `range` of `file`.
    pub fn new(file: FileId, range: Range<usize>) -> Self {
        Self {
            file,
            start: range.start,
            end: range.end.max(range.start),
        }
    }

    /// The byte range without the file.
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }
}

/// By how much the files of a map moved when they were added to another one.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileOffset(u32);

impl FileOffset {
    /// The span in the map to which its file was added.
    pub(super) fn moved(self, span: Span) -> Span {
        let file = FileId(span.file.0 + self.0);
        Span { file, ..span }
    }
}

/// Line and column, both counted from 1. Columns count characters, not bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// One file, or one built-in scenario.
#[derive(Debug)]
pub struct SourceFile {
    name: String,
    text: String,
    line_starts: Vec<usize>,
}

impl SourceFile {
    fn new(name: String, text: String) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0)
            .chain(newlines.map(|(offset, _)| offset + 1))
            .collect();
        Self {
            name,
            text,
            line_starts,
        }
    }

    /// Path as it was given, or the name of a built-in scenario.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Index (from 0) of the line that holds this byte offset.
    pub fn line_index(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset) - 1
    }

    /// Bytes of a line (index from 0) without its line ending. Lines beyond the end are empty.
    pub fn line_range(&self, index: usize) -> Range<usize> {
        let len = self.text.len();
        let start = self.line_starts.get(index).copied().unwrap_or(len);
        let end = self.line_starts.get(index + 1).copied().unwrap_or(len);
        start..start + self.text[start..end].trim_end_matches(['\n', '\r']).len()
    }

    /// Line and column of a byte offset. Offsets beyond the end give the end; offsets inside a character its start.
    pub fn position(&self, offset: usize) -> Position {
        let offset = self.floor_boundary(offset);
        let line = self.line_index(offset);
        let column = self.text[self.line_starts[line]..offset].chars().count() + 1;
        Position {
            line: line + 1,
            column,
        }
    }

    /// The nearest character boundary at or before `offset`.
    pub(crate) fn floor_boundary(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}

/// All files that one scenario was read from. Cloning is cheap.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<Arc<SourceFile>>,
}

impl SourceMap {
    /// A map without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file under its path or built-in name.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let id = FileId(self.files.len() as u32);
        self.files
            .push(Arc::new(SourceFile::new(name.into(), text.into())));
        id
    }

    /// Adds all files of `other` behind those that are there. A span into `other` points into this map once it is moved by
    /// the offset that this gives.
    pub(super) fn append(&mut self, other: &Self) -> FileOffset {
        let offset = FileOffset(self.files.len() as u32);
        self.files.extend(other.files.iter().cloned());
        offset
    }

    /// The file with this id, if the id came from this map.
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize).map(Arc::as_ref)
    }

    /// All files in the order in which they were read.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files
            .iter()
            .enumerate()
            .map(|(index, file)| (FileId(index as u32), file.as_ref()))
    }

    /// Line and column of the start of a span.
    pub fn position(&self, span: Span) -> Option<Position> {
        Some(self.get(span.file)?.position(span.start))
    }

    /// The text of a span.
    pub fn slice(&self, span: Span) -> Option<&str> {
        self.get(span.file)?.text.get(span.range())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let mut sources = SourceMap::new();
        let id = sources.add("a.toml", "x = 1\r\nlabel = \"Téhéran\" # ok\n");
        let file = sources.get(id).unwrap();
        let offset = file.text().find('#').unwrap();
        assert_eq!(
            file.position(offset),
            Position {
                line: 2,
                column: 19
            }
        );
        assert_eq!(file.position(offset - 12), Position { line: 2, column: 9 });
        assert_eq!(&file.text()[file.line_range(0)], "x = 1");
        // Inside the two bytes of the first é: the column of the é.
        let inside = file.text().find('é').unwrap() + 1;
        assert_eq!(
            file.position(inside),
            Position {
                line: 2,
                column: 11
            }
        );
        // At and beyond the end.
        assert_eq!(file.position(usize::MAX), Position { line: 3, column: 1 });
        assert_eq!(file.line_range(99), file.text().len()..file.text().len());
    }

    #[test]
    fn empty_file_has_one_line() {
        let mut sources = SourceMap::new();
        let id = sources.add("empty.toml", "");
        assert_eq!(
            sources.position(Span::new(id, 0..0)),
            Some(Position { line: 1, column: 1 })
        );
    }
}
