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
use crate::sensitivity::{Failure, Outcome};
use crate::stats::moments::Moments;

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
    /// Variance of this mean over repetitions of the runs, in the squared unit of the quantity; 0 if there is one run, which
    /// does not tell, or if any run failed.
    pub noise: f64,
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
    let means = means(path, model, quantity, false)?;
    Ok(means.into_iter().map(|(_, world)| world).collect())
}

/// The same for the runs of an experiment, with the number of the cell before each world; `model` is any of its models.
///
/// # Errors
/// As [`world_means`].
pub fn cell_means(
    path: &Path,
    model: &Model,
    quantity: Quantity,
) -> Result<Vec<(u64, WorldMean)>, ReadError> {
    means(path, model, quantity, true)
}

fn means(
    path: &Path,
    model: &Model,
    quantity: Quantity,
    cells: bool,
) -> Result<Vec<(u64, WorldMean)>, ReadError> {
    let reader = SerializedFileReader::new(File::open(path)?)?;
    let mut wanted = Vec::new();
    if cells {
        wanted.push("cell".to_owned());
    }
    wanted.extend(["world", "endgame"].map(str::to_owned));
    match quantity {
        Quantity::Flag(flag) => wanted.push(format!("flag_{}", model.flags()[flag].id())),
        Quantity::Metric(metric) => wanted.push(format!("metric_{}", model.metrics()[metric].id())),
        Quantity::Endgame(_) | Quantity::Category => {}
    }
    let projection = projection(&reader, &wanted)?;
    let mut worlds: Vec<(u64, WorldMean)> = Vec::new();
    let mut open: Option<OpenWorld> = None;
    for row in reader.get_row_iter(Some(projection))? {
        let read = read(&row?, model, quantity, cells)?;
        let same = |open: &OpenWorld| open.cell == read.cell && open.world == read.world;
        if !open.as_ref().is_some_and(same) {
            worlds.extend(open.take().map(OpenWorld::close));
        }
        let open = open.get_or_insert_with(|| OpenWorld::new(read.cell, read.world));
        open.runs += 1;
        match read.outcome {
            Ok(value) => open.values.add(value),
            Err(failure) => open.failure = open.failure.take().or(Some(failure)),
        }
    }
    worlds.extend(open.map(OpenWorld::close));
    Ok(worlds)
}

/// A run.
struct ReadRun {
    cell: u64,
    world: u64,
    outcome: Outcome,
}

/// A world some of whose runs have been read.
struct OpenWorld {
    cell: u64,
    world: u64,
    runs: u32,
    values: Moments,
    failure: Option<Failure>,
}

impl OpenWorld {
    fn new(cell: u64, world: u64) -> Self {
        Self {
            cell,
            world,
            runs: 0,
            values: Moments::new(),
            failure: None,
        }
    }

    fn close(self) -> (u64, WorldMean) {
        let (mean, noise) = match self.failure {
            Some(failure) => (Err(failure), 0.0),
            None => {
                let variance = self.values.variance().unwrap_or(0.0);
                let mean = self.values.mean().unwrap_or(0.0);
                (Ok(mean), variance / f64::from(self.runs))
            }
        };
        let world = WorldMean {
            world: self.world,
            runs: self.runs,
            mean,
            noise,
        };
        (self.cell, world)
    }
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

fn read(
    row: &Row,
    model: &Model,
    quantity: Quantity,
    with_cell: bool,
) -> Result<ReadRun, ReadError> {
    let mut cells = row.get_column_iter().map(|(_, cell)| cell);
    let unexpected = |what: &str| ReadError::Content(format!("`{what}` is not of its type"));
    let mut number = |what: &str| match cells.next() {
        Some(Field::ULong(number)) => Ok(*number),
        _ => Err(unexpected(what)),
    };
    let cell = if with_cell { number("cell")? } else { 0 };
    let world = number("world")?;
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
    let outcome = quantity.read(model, endgame, |_| flag, |_| metric);
    Ok(ReadRun {
        cell,
        world,
        outcome,
    })
}
