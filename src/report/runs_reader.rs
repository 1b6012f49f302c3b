//! Reading back single runs from a Parquet file of [`super::parquet`].

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use parquet::schema::types::Type;

use crate::experiment::Quantity;
use crate::model::Model;
use crate::sensitivity::Outcome;

/// Why a file of runs cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system refuses.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It is no Parquet file, or a broken one.
    #[error("{0}")]
    Parquet(#[from] ParquetError),
    /// It does not hold what it should.
    #[error("{0}")]
    Content(String),
}

/// The runs of a world in one number.
#[derive(Clone, Debug, PartialEq)]
pub struct WorldMean {
    /// Number of the world.
    pub world: u64,
    /// Number of runs.
    pub runs: u32,
    /// Mean of the quantity over the runs; the first failure if any run failed.
    pub mean: Outcome,
}

/// The mean of a quantity over the runs of each world, in the order of the file. Only the columns that are needed are read.
///
/// # Errors
/// The file cannot be read, or lacks a column.
pub fn world_means(
    path: &Path,
    model: &Model,
    quantity: Quantity,
) -> Result<Vec<WorldMean>, ReadError> {
    let reader = SerializedFileReader::new(File::open(path)?)?;
    let mut wanted = vec!["world".to_owned(), "endgame".to_owned()];
    match quantity {
        Quantity::Flag(flag) => wanted.push(format!("flag_{}", model.flags()[flag].id())),
        Quantity::Metric(metric) => wanted.push(format!("metric_{}", model.metrics()[metric].id())),
        Quantity::Endgame(_) | Quantity::Category => {}
    }
    let projection = projection(&reader, &wanted)?;
    let mut worlds: Vec<WorldMean> = Vec::new();
    for row in reader.get_row_iter(Some(projection))? {
        let (world, value) = read(&row?, model, quantity)?;
        match worlds.last_mut().filter(|last| last.world == world) {
            None => worlds.push(WorldMean {
                world,
                runs: 1,
                mean: value,
            }),
            Some(last) => {
                last.runs += 1;
                // The sum, until all runs are there.
                last.mean = match (&last.mean, value) {
                    (Ok(sum), Ok(value)) => Ok(sum + value),
                    (Ok(_), Err(failure)) => Err(failure),
                    (Err(failure), _) => Err(failure.clone()),
                };
            }
        }
    }
    for world in &mut worlds {
        if let Ok(sum) = &mut world.mean {
            *sum /= f64::from(world.runs);
        }
    }
    Ok(worlds)
}

fn projection(reader: &SerializedFileReader<File>, wanted: &[String]) -> Result<Type, ReadError> {
    let schema = reader.metadata().file_metadata().schema();
    let mut fields = Vec::with_capacity(wanted.len());
    for name in wanted {
        let field = schema.get_fields().iter().find(|f| f.name() == name);
        let field =
            field.ok_or_else(|| ReadError::Content(format!("it has no column `{name}`")))?;
        fields.push(Arc::clone(field));
    }
    Ok(Type::group_type_builder(schema.name())
        .with_fields(fields)
        .build()?)
}

fn read(row: &Row, model: &Model, quantity: Quantity) -> Result<(u64, Outcome), ReadError> {
    let mut cells = row.get_column_iter().map(|(_, cell)| cell);
    let unexpected = |what: &str| ReadError::Content(format!("`{what}` is not of its type"));
    let Some(Field::ULong(world)) = cells.next() else {
        return Err(unexpected("world"));
    };
    let endgame = match cells.next() {
        Some(Field::Null) => None,
        Some(Field::Str(id)) => {
            let index = model.endgames().iter().position(|e| e.id() == id);
            let index = index
                .ok_or_else(|| ReadError::Content(format!("the scenario has no endgame `{id}`")))?;
            Some(index as u32)
        }
        _ => return Err(unexpected("endgame")),
    };
    let (flag, metric) = match cells.next() {
        None => (false, 0.0),
        Some(Field::Bool(flag)) => (*flag, 0.0),
        Some(Field::Double(metric)) => (false, *metric),
        Some(_) => return Err(unexpected("outcome")),
    };
    Ok((*world, quantity.read(model, endgame, |_| flag, |_| metric)))
}
