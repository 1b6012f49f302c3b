//! What the tests need of a Markdown file: fenced blocks, tables with a mark, links, headings.

use std::fs;
use std::path::{Path, PathBuf};

/// A page of the documentation.
pub struct Page {
    pub path: PathBuf,
    pub text: String,
}

/// A fenced block.
pub struct Block {
    /// What follows the opening fence, for example `toml,fragment`.
    pub info: String,
    pub text: String,
    /// File and line of the opening fence.
    pub place: String,
}

/// Folder of the package.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page below `docs`, and the pages beside the source that link to it.
pub fn pages() -> Vec<Page> {
    let mut paths = vec![root().join("CONTRIBUTING.md"), root().join("CHANGELOG.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    paths.into_iter().map(Page::read).collect()
}

/// The page `docs/NAME`.
pub fn document(name: &str) -> Page {
    Page::read(root().join("docs").join(name))
}

/// The page `docs/guide/NAME`.
pub fn guide(name: &str) -> Page {
    Page::read(root().join("docs/guide").join(name))
}

impl Page {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap();
        Self { path, text }
    }

    /// All fenced blocks, top to bottom.
    pub fn blocks(&self) -> Vec<Block> {
        let name = self.path.strip_prefix(root()).unwrap().display();
        let mut blocks: Vec<Block> = Vec::new();
        let mut open = false;
        for (number, line) in self.text.lines().enumerate() {
            match line.strip_prefix("```") {
                Some(_) if open => open = false,
                Some(info) => {
                    open = true;
                    blocks.push(Block {
                        info: info.to_owned(),
                        text: String::new(),
                        place: format!("{name}:{}", number + 1),
                    });
                }
                None if open => {
                    let block = blocks.last_mut().unwrap();
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                None => {}
            }
        }
        assert!(!open, "{name}: a block is not closed");
        blocks
    }

    /// The lines outside fenced blocks.
    pub fn prose(&self) -> Vec<&str> {
        let mut open = false;
        let mut lines = Vec::new();
        for line in self.text.lines() {
            if line.starts_with("```") {
                open = !open;
            } else if !open {
                lines.push(line);
            }
        }
        lines
    }

    /// The body of each table that follows a comment `<!-- MARK NAME -->`, with that name.
    pub fn tables(&self, mark: &str) -> Vec<(String, Vec<Vec<String>>)> {
        let opening = format!("<!-- {mark}");
        let mut tables = Vec::new();
        let lines = self.prose();
        for (at, line) in lines.iter().enumerate() {
            let Some(rest) = line.strip_prefix(&opening) else {
                continue;
            };
            let name = rest.strip_suffix("-->").unwrap().trim().to_owned();
            let rows = lines[at + 1..]
                .iter()
                .take_while(|row| row.starts_with('|'));
            // The head and the line below it.
            let rows = rows.skip(2).map(|row| cells(row)).collect();
            tables.push((name, rows));
        }
        tables
    }

    /// The anchors of the headings, as GitHub makes them.
    pub fn anchors(&self) -> Vec<String> {
        let headings = self
            .prose()
            .into_iter()
            .filter(|line| line.starts_with('#'));
        let anchor = |heading: &str| -> String {
            let text = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = text
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        };
        headings.map(anchor).collect()
    }

    /// The targets of all links.
    pub fn links(&self) -> Vec<String> {
        let mut links = Vec::new();
        for line in self.prose() {
            for part in line.split("](").skip(1) {
                links.push(part.split(')').next().unwrap().to_owned());
            }
        }
        links
    }
}

fn cells(row: &str) -> Vec<String> {
    let inner = row.trim().trim_matches('|');
    inner
        .split(" | ")
        .map(|cell| cell.trim().to_owned())
        .collect()
}

/// The texts between backticks.
pub fn code(text: &str) -> Vec<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}
