//! Tables of text.

/// Where the cells of a column stand.
#[derive(Clone, Copy)]
pub(super) enum Align {
    Left,
    Right,
}

/// Cells in columns that are as wide as they must be.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(header: &[&str]) -> Self {
        let header = header.iter().map(|&cell| cell.to_owned()).collect();
        Self { rows: vec![header] }
    }

    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    pub fn text(&self, align: impl Fn(usize) -> Align) -> String {
        let columns = self.rows.first().map_or(0, Vec::len);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut out = String::new();
        for (position, row) in self.rows.iter().enumerate() {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let gap = if column == 0 { "" } else { "  " };
                let padding = " ".repeat(widths[column] - cell.chars().count());
                match align(column) {
                    Align::Left => line.push_str(&format!("{gap}{cell}{padding}")),
                    Align::Right => line.push_str(&format!("{gap}{padding}{cell}")),
                }
            }
            out.push_str(line.trim_end());
            out.push('\n');
            if position == 0 {
                let total = widths.iter().sum::<usize>() + 2 * columns.saturating_sub(1);
                out.push_str(&"─".repeat(total));
                out.push('\n');
            }
        }
        out
    }
}
