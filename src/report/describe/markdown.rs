//! Well-formed Markdown: headings, lists and tables whatever the texts hold.

/// A document under construction.
#[derive(Default)]
pub(super) struct Document {
    text: String,
    /// Whether the last line is an item of a list, which the next item joins.
    in_list: bool,
}

impl Document {
    pub fn finish(mut self) -> String {
        self.text.truncate(self.text.trim_end().len());
        self.text.push('\n');
        self.text
    }

    pub fn heading(&mut self, level: usize, title: &str) {
        self.block();
        let title = one_line(title);
        self.text
            .push_str(&format!("{} {title}\n", "#".repeat(level)));
    }

    /// A paragraph or several, as the author wrote them.
    pub fn paragraph(&mut self, text: &str) {
        self.block();
        self.text.push_str(text.trim());
        self.text.push('\n');
    }

    /// "- Name: value"; nothing for an empty value.
    pub fn item(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        self.start_list();
        self.text
            .push_str(&format!("- {name}: {}\n", one_line(value)));
    }

    /// "- Name:" with one value below another.
    pub fn items(&mut self, name: &str, values: &[String]) {
        if values.is_empty() {
            return;
        }
        self.start_list();
        self.text.push_str(&format!("- {name}:\n"));
        for value in values {
            self.text.push_str(&format!("  - {}\n", one_line(value)));
        }
    }

    /// A heading and a table; nothing without rows.
    pub fn section<const N: usize>(
        &mut self,
        title: &str,
        header: [&str; N],
        rows: impl Iterator<Item = [String; N]>,
    ) {
        let rows: Vec<[String; N]> = rows.collect();
        if !rows.is_empty() {
            self.heading(2, title);
            self.table(header, &rows);
        }
    }

    /// A table without its empty columns. The first column always stays.
    pub fn table<const N: usize>(&mut self, header: [&str; N], rows: &[[String; N]]) {
        self.block();
        let kept: Vec<usize> = (0..N)
            .filter(|&column| column == 0 || rows.iter().any(|row| !row[column].is_empty()))
            .collect();
        let mut line = |cells: Vec<String>| {
            self.text.push_str(&format!("| {} |\n", cells.join(" | ")));
        };
        line(
            kept.iter()
                .map(|&column| header[column].to_owned())
                .collect(),
        );
        line(vec!["---".to_owned(); kept.len()]);
        for row in rows {
            line(kept.iter().map(|&column| cell(&row[column])).collect());
        }
    }

    fn start_list(&mut self) {
        if !self.in_list {
            self.block();
        }
        self.in_list = true;
    }

    /// Sets the next block apart from what stands before it.
    fn block(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.in_list = false;
    }
}

/// Text in a cell of a table: a bar would end the cell, even inside code.
fn cell(text: &str) -> String {
    one_line(text).replace('|', "\\|")
}

/// The text without line breaks.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

/// Code, also if it holds backticks.
pub(super) fn code(text: &str) -> String {
    let text = one_line(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    if longest == 0 {
        format!("{fence}{text}{fence}")
    } else {
        format!("{fence} {text} {fence}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_keep_to_their_table() {
        let mut out = Document::default();
        let row = |a: &str, b: &str, c: &str| [a, b, c].map(str::to_owned);
        let rows = [row("a|b", "", "x\ny"), row(&code("c | d"), "", "")];
        out.table(["first", "empty", "third"], &rows);
        assert_eq!(
            out.finish(),
            "| first | third |\n| --- | --- |\n| a\\|b | x y |\n| `c \\| d` |  |\n"
        );
    }

    #[test]
    fn code_may_hold_backticks() {
        assert_eq!(code("a < b"), "`a < b`");
        assert_eq!(code("a ` b"), "`` a ` b ``");
    }

    #[test]
    fn blocks_are_set_apart() {
        let mut out = Document::default();
        out.heading(1, "Title\nand more");
        out.item("One", "1");
        out.item("None", "");
        out.items("Two", &["2".to_owned(), "3".to_owned()]);
        out.paragraph("Text.\n");
        assert_eq!(
            out.finish(),
            "# Title and more\n\n- One: 1\n- Two:\n  - 2\n  - 3\n\nText.\n"
        );
    }
}
