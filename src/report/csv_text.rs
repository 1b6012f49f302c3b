//! CSV as text.

/// Rows of cells, quoted where they must be, with `\n` at the end of each line.
pub(super) struct CsvText(csv::Writer<Vec<u8>>);

impl CsvText {
    /// A table with this header.
    pub fn new(header: &[&str]) -> Self {
        let mut table = Self::without_header();
        table.row(header);
        table
    }

    /// Rows that follow others.
    pub fn without_header() -> Self {
        let mut writer = csv::WriterBuilder::new();
        Self(writer.flexible(true).from_writer(Vec::new()))
    }

    /// Adds a row.
    pub fn row(&mut self, cells: &[impl AsRef<[u8]>]) {
        let written = self.0.write_record(cells);
        debug_assert!(written.is_ok(), "writing to memory does not fail");
    }

    /// The whole table.
    pub fn text(self) -> String {
        let bytes = self.0.into_inner().unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::CsvText;

    #[test]
    fn cells_with_separators_are_quoted() {
        let mut table = CsvText::new(&["a", "b"]);
        table.row(&["x, \"y\"", "line\nbreak"]);
        let expected = "a,b\n\"x, \"\"y\"\"\",\"line\nbreak\"\n";
        assert_eq!(table.text(), expected);
    }
}
