//! Outcomes of a design on disk, row by row, so that a study goes on where it was interrupted.
//!
//! The folder of a study holds `study.json`, which says what was asked (two studies with one content have the same rows), and
//! `evaluations.csv`: a line for each row of the design in order, with a cell for each outcome that is its number, or the
//! reason why the run failed. Lines are only ever added, and written out to the disk piece by piece. After a sudden end the
//! file is cut behind its last whole line, so its bytes do not depend on how often the study was interrupted.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::csv_text::CsvText;
use super::number::exact;
use crate::durable;
use crate::sensitivity::{Failure, Outcome};

/// Name of the file with the outcomes.
pub const EVALUATIONS: &str = "evaluations.csv";
/// Name of the file that says what the study is.
pub const STUDY: &str = "study.json";

/// Why outcomes cannot be kept in a folder.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationsError {
    /// The folder belongs to another study.
    #[error("`{}` holds the runs of another study: it differs in {differs}", path.display())]
    AnotherStudy {
        /// The folder.
        path: PathBuf,
        /// What differs, in words.
        differs: String,
    },
    /// Another process is at work there.
    #[error("another process is working in `{}`", .0.display())]
    Busy(PathBuf),
    /// The system refuses.
    #[error("cannot keep the runs in `{}`: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Outcomes of the first rows of a design, in memory and, if there is a folder, on disk.
#[derive(Debug)]
pub struct Evaluations {
    /// For each quantity, the outcome of each row.
    columns: Vec<Vec<Outcome>>,
    file: Option<(PathBuf, File)>,
}

impl Evaluations {
    /// Outcomes of `quantities` that are kept in memory alone.
    pub fn in_memory(quantities: usize) -> Self {
        Self {
            columns: vec![Vec::new(); quantities],
            file: None,
        }
    }

    /// The outcomes of a study in its folder, which is made if need be. `names` are those of the quantities. No other process
    /// can open them until this is dropped. With `fresh`, whatever study the folder held is forgotten.
    ///
    /// # Errors
    /// The folder belongs to another study, another process works there, or the system refuses.
    pub fn open(
        folder: &Path,
        study: &Value,
        names: &[String],
        fresh: bool,
    ) -> Result<Self, EvaluationsError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| EvaluationsError::Io { path, error }
        };
        durable::create_folder(folder).map_err(failed(folder))?;
        let path = folder.join(EVALUATIONS);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(EvaluationsError::Busy(folder.to_owned())),
            Err(TryLockError::Error(error)) => return Err(failed(&path)(error)),
        }
        let description = folder.join(STUDY);
        let known = match fs::read_to_string(&description) {
            Ok(text) => Some(serde_json::from_str::<Value>(&text).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(&description)(error)),
        };
        if known.as_ref() != Some(study) {
            if let (Some(known), false) = (&known, fresh) {
                return Err(EvaluationsError::AnotherStudy {
                    path: folder.to_owned(),
                    differs: differences(known, study),
                });
            }
            file.set_len(0).map_err(failed(&path))?;
            let text = format!("{study:#}\n");
            durable::write(&description, [text.as_bytes()]).map_err(failed(&description))?;
        } else if fresh {
            file.set_len(0).map_err(failed(&path))?;
        }
        durable::remove_partials(folder).map_err(failed(folder))?;

        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed(&path))?;
        let cells: Vec<&str> = ["row"]
            .into_iter()
            .chain(names.iter().map(String::as_str))
            .collect();
        let header = CsvText::new(&cells).text();
        let mut columns = vec![Vec::new(); names.len()];
        let valid = match bytes.strip_prefix(header.as_bytes()) {
            Some(lines) => header.len() + read_lines(lines, &mut columns),
            None => 0,
        };
        file.set_len(valid as u64)
            .and_then(|()| file.seek(SeekFrom::End(0)))
            .map_err(failed(&path))?;
        if valid == 0 {
            file.write_all(header.as_bytes()).map_err(failed(&path))?;
        }
        Ok(Self {
            columns,
            file: Some((path, file)),
        })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }

    /// Outcomes of a quantity, row by row.
    pub fn outcomes(&self, quantity: usize) -> &[Outcome] {
        &self.columns[quantity]
    }

    /// Adds the rows that follow, each with one outcome for each quantity. They are on the disk when this returns.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn append(&mut self, rows: Vec<Vec<Outcome>>) -> Result<(), EvaluationsError> {
        if let Some((path, file)) = &mut self.file {
            let first = self.columns.first().map_or(0, Vec::len);
            let mut csv = CsvText::without_header();
            for (number, row) in rows.iter().enumerate() {
                let cell = |outcome: &Outcome| match outcome {
                    Ok(value) => exact(*value),
                    Err(failure) => failure.name.clone(),
                };
                let mut cells = vec![(first + number).to_string()];
                cells.extend(row.iter().map(cell));
                csv.row(&cells);
            }
            let written = file
                .write_all(csv.text().as_bytes())
                .and_then(|()| file.sync_data());
            written.map_err(|error| EvaluationsError::Io {
                path: path.clone(),
                error,
            })?;
        }
        for row in rows {
            for (column, outcome) in self.columns.iter_mut().zip(row) {
                column.push(outcome);
            }
        }
        Ok(())
    }
}

/// Reads lines as far as they are whole and in order; gives the number of bytes that they take.
fn read_lines(bytes: &[u8], columns: &mut [Vec<Outcome>]) -> usize {
    let end = bytes.iter().rposition(|&byte| byte == b'\n');
    let whole = &bytes[..end.map_or(0, |at| at + 1)];
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(whole);
    let mut record = csv::StringRecord::new();
    let mut valid = 0;
    for row in 0.. {
        if !matches!(reader.read_record(&mut record), Ok(true)) {
            break;
        }
        let in_order = record.get(0) == Some(row.to_string().as_str());
        let full = record.len() == columns.len() + 1 && record.iter().all(|cell| !cell.is_empty());
        let end = reader.position().byte() as usize;
        // An open quote runs on to the end of the file.
        let quotes = whole[valid..end].iter().filter(|&&byte| byte == b'"');
        if !in_order || !full || quotes.count() % 2 == 1 {
            break;
        }
        for (column, cell) in columns.iter_mut().zip(record.iter().skip(1)) {
            let number = cell.parse::<f64>().ok().filter(|value| value.is_finite());
            column.push(number.ok_or_else(|| Failure::new(cell)));
        }
        valid = end;
    }
    valid
}

/// The parts in which two descriptions differ.
fn differences(known: &Value, study: &Value) -> String {
    let empty = serde_json::Map::new();
    let (known, study) = (
        known.as_object().unwrap_or(&empty),
        study.as_object().unwrap_or(&empty),
    );
    let parts = study
        .keys()
        .chain(known.keys().filter(|key| !study.contains_key(*key)));
    let differ: Vec<&str> = parts
        .filter(|key| known.get(*key) != study.get(*key))
        .map(|key| match key.as_str() {
            "flashpoint" => "the version of flashpoint",
            "scenarios" => "the scenario or its text",
            other => other,
        })
        .collect();
    differ.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn names() -> Vec<String> {
        vec!["war".to_owned(), "days".to_owned()]
    }

    fn open(folder: &Path, seed: u64, fresh: bool) -> Result<Evaluations, EvaluationsError> {
        let study = json!({ "flashpoint": "1", "scenarios": ["a"], "seed": seed });
        Evaluations::open(folder, &study, &names(), fresh)
    }

    fn row(number: usize) -> Vec<Outcome> {
        let days = match number % 5 {
            4 => Err(Failure::new("`x`, \"late\"\nor never")),
            _ => Ok(0.1 * number as f64),
        };
        vec![Ok((number % 2) as f64), days]
    }

    fn fill(evaluations: &mut Evaluations, to: usize, step: usize) {
        while evaluations.rows() < to {
            let from = evaluations.rows();
            evaluations
                .append((from..to.min(from + step)).map(row).collect())
                .unwrap();
        }
    }

    #[test]
    fn a_sudden_end_anywhere_leaves_no_trace() {
        let whole = tempfile::tempdir().unwrap();
        let mut evaluations = open(whole.path(), 1, false).unwrap();
        fill(&mut evaluations, 23, 7);
        let outcomes = evaluations.outcomes(1).to_vec();
        assert_eq!(outcomes[4], row(4)[1]);
        drop(evaluations);
        let bytes = fs::read(whole.path().join(EVALUATIONS)).unwrap();
        let mut rows_seen = std::collections::BTreeSet::new();
        // A step that shares no factor with the lengths of lines meets every place in a line.
        for cut in (0..=bytes.len()).step_by(5) {
            let folder = tempfile::tempdir().unwrap();
            drop(open(folder.path(), 1, false).unwrap());
            // What was not written out to the disk may be anything.
            let mut torn = bytes[..cut].to_vec();
            torn.extend([0; 3]);
            fs::write(folder.path().join(EVALUATIONS), torn).unwrap();
            let mut evaluations = open(folder.path(), 1, false).unwrap();
            rows_seen.insert(evaluations.rows());
            fill(&mut evaluations, 23, 4);
            assert_eq!(evaluations.outcomes(1), outcomes, "cut at {cut}");
            assert_eq!(fs::read(folder.path().join(EVALUATIONS)).unwrap(), bytes);
        }
        assert!(rows_seen.len() > 20, "{rows_seen:?}");
    }

    #[test]
    fn half_written_files_of_a_killed_process_are_removed_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        drop(open(folder.path(), 1, false).unwrap());
        let left = [".provisional.txt.10720.partial", ".README.md.7.partial"];
        let others = [".notes.partial", "a.7.partial", ".seven.txt"];
        for name in left.iter().chain(&others) {
            fs::write(folder.path().join(name), "half").unwrap();
        }
        let refused = open(folder.path(), 2, false).unwrap_err();
        assert!(matches!(refused, EvaluationsError::AnotherStudy { .. }));
        assert!(left.iter().all(|name| folder.path().join(name).exists()));
        drop(open(folder.path(), 1, false).unwrap());
        assert!(left.iter().all(|name| !folder.path().join(name).exists()));
        assert!(others.iter().all(|name| folder.path().join(name).exists()));
    }

    #[test]
    fn another_study_is_refused_unless_it_starts_afresh() {
        let folder = tempfile::tempdir().unwrap();
        let mut evaluations = open(folder.path(), 1, false).unwrap();
        fill(&mut evaluations, 5, 5);
        let busy = open(folder.path(), 1, false).unwrap_err();
        assert!(matches!(busy, EvaluationsError::Busy(_)), "{busy}");
        drop(evaluations);
        assert_eq!(open(folder.path(), 1, false).unwrap().rows(), 5);
        let refused = open(folder.path(), 2, false).unwrap_err().to_string();
        assert!(refused.ends_with("it differs in seed"), "{refused}");
        assert_eq!(open(folder.path(), 1, false).unwrap().rows(), 5);
        assert_eq!(open(folder.path(), 2, true).unwrap().rows(), 0);
        assert_eq!(open(folder.path(), 2, true).unwrap().rows(), 0);
    }
}
