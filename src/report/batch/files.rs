//! Files of a batch, each under its name when it is complete and durable.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::parquet_table::{Cell, Column, ParquetTable};
use super::row;
use crate::batch::store::StoreError;
use crate::digest::{hex, sha256_hex};
use crate::durable::Partial;

/// The files of a folder as they are written, with their digests.
#[derive(Debug)]
pub struct Files {
    folder: PathBuf,
    written: BTreeMap<String, String>,
}

impl Files {
    /// No files yet.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            written: BTreeMap::new(),
        }
    }

    /// SHA-256 of each file, by name.
    pub fn written(&self) -> &BTreeMap<String, String> {
        &self.written
    }

    /// Writes a text.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&mut self, name: &str, text: &str) -> Result<(), StoreError> {
        let mut file = self.create(name)?;
        let written = file.write_all(text.as_bytes());
        written.map_err(|error| self.error(name, error))?;
        self.finish(name, file)
    }

    /// Lists a file that is there already.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn keep(&mut self, name: &str) -> Result<(), StoreError> {
        let read = std::fs::read(self.folder.join(name));
        let content = read.map_err(|error| self.error(name, error))?;
        (self.written).insert(name.to_owned(), sha256_hex(&content));
        Ok(())
    }

    /// Begins a table that is written as CSV and as Parquet.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn table(
        &self,
        name: &str,
        columns: &[Column],
        formats: Formats,
        description: &str,
    ) -> Result<Table, StoreError> {
        let failed = |error| self.error(name, error);
        let csv = match formats {
            Formats::Csv | Formats::Both => {
                let file = self.create(&format!("{name}.csv"))?;
                let mut csv = csv::Writer::from_writer(file);
                let header = columns.iter().map(|column| column.name.as_str());
                csv.write_record(header).map_err(|e| failed(e.into()))?;
                Some(csv)
            }
            Formats::Parquet => None,
        };
        let parquet = match formats {
            Formats::Csv => None,
            Formats::Parquet | Formats::Both => {
                let file = self.create(&format!("{name}.parquet"))?;
                Some(ParquetTable::new(file, columns, description).map_err(failed)?)
            }
        };
        Ok(Table {
            name: name.to_owned(),
            csv,
            parquet,
            text: String::new(),
        })
    }

    /// Ends a table.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish_table(&mut self, table: Table) -> Result<(), StoreError> {
        let Table {
            name, csv, parquet, ..
        } = table;
        if let Some(csv) = csv {
            let file = csv.into_inner();
            let file = file.map_err(|error| self.error(&name, error.into_error()))?;
            self.finish(&format!("{name}.csv"), file)?;
        }
        if let Some(parquet) = parquet {
            let file = parquet.finish().map_err(|error| self.error(&name, error))?;
            self.finish(&format!("{name}.parquet"), file)?;
        }
        Ok(())
    }

    /// Adds a row to a table.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn row(&self, table: &mut Table, cells: &[Cell<'_>]) -> Result<(), StoreError> {
        let written = table.row(cells);
        written.map_err(|error| self.error(&table.name, error))
    }

    fn create(&self, name: &str) -> Result<HashedFile, StoreError> {
        let file = Partial::create(&self.folder.join(name));
        let file = file.map_err(|error| self.error(name, error))?;
        Ok(HashedFile {
            file: BufWriter::with_capacity(1 << 16, file),
            hash: Sha256::new(),
        })
    }

    fn finish(&mut self, name: &str, file: HashedFile) -> Result<(), StoreError> {
        let digest = hex(&file.hash.finalize());
        let file = file.file.into_inner();
        let file = file.map_err(|error| self.error(name, error.into_error()))?;
        file.publish().map_err(|error| self.error(name, error))?;
        self.written.insert(name.to_owned(), digest);
        Ok(())
    }

    fn error(&self, name: &str, error: io::Error) -> StoreError {
        StoreError::Io {
            path: self.folder.join(name),
            error,
        }
    }
}

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formats {
    /// As CSV.
    Csv,
    /// As Parquet.
    Parquet,
    /// As both.
    Both,
}

/// A table on its way.
pub struct Table {
    name: String,
    csv: Option<csv::Writer<HashedFile>>,
    parquet: Option<ParquetTable<HashedFile>>,
    /// Working memory for the text of a cell.
    text: String,
}

impl Table {
    fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        if let Some(csv) = &mut self.csv {
            for cell in cells {
                row::set_text(&mut self.text, cell);
                csv.write_field(&self.text)?;
            }
            csv.write_record(None::<&[u8]>)?;
        }
        match &mut self.parquet {
            Some(parquet) => parquet.row(cells),
            None => Ok(()),
        }
    }
}

/// A file that is hashed as it is written.
pub struct HashedFile {
    file: BufWriter<Partial>,
    hash: Sha256,
}

impl Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
