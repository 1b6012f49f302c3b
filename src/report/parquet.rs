//! The single runs as a Parquet file.
//!
//! Columns: `run`, `world`, `endgame` (null for a run stopped at the cap on events), `events`, then `flag_ID` for each flag and
//! `metric_ID` for each metric (infinite for a day that never came). Row groups have a fixed size, so the bytes depend on the
//! runs alone.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnPath, Type};

use crate::experiment::{RowSink, Rows};
use crate::model::Model;

/// Rows of every group but the last.
const GROUP: usize = 16_384;

/// How Parquet files are compressed.
#[cfg(not(feature = "zstd"))]
pub(super) fn compression() -> Compression {
    Compression::SNAPPY
}

/// How Parquet files are compressed: at Zstandard's own default, level 3.
#[cfg(feature = "zstd")]
pub(super) fn compression() -> Compression {
    Compression::ZSTD(parquet::basic::ZstdLevel::try_new(3).unwrap_or_default())
}

/// Writes runs to a Parquet file as they come, in flat memory.
pub struct RunsFile<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    endgames: Vec<ByteArray>,
    flags: usize,
    metrics: usize,
    /// Less than a group, between calls.
    pending: Rows,
}

impl<W: Write + Send> RunsFile<W> {
    /// Begins a file with the columns of `model`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn new(output: W, model: &Model) -> io::Result<Self> {
        let unsigned = LogicalType::integer(64, false);
        let mut fields = vec![
            Type::primitive_type_builder("run", Physical::INT64)
                .with_logical_type(Some(unsigned.clone())),
            Type::primitive_type_builder("world", Physical::INT64)
                .with_logical_type(Some(unsigned.clone())),
            Type::primitive_type_builder("endgame", Physical::BYTE_ARRAY)
                .with_logical_type(Some(LogicalType::String)),
            Type::primitive_type_builder("events", Physical::INT64)
                .with_logical_type(Some(unsigned)),
        ];
        let flags: Vec<_> = model
            .flags()
            .iter()
            .map(|f| format!("flag_{}", f.id()))
            .collect();
        let metrics: Vec<_> = (model.metrics().iter())
            .map(|metric| format!("metric_{}", metric.id()))
            .collect();
        fields.extend(
            flags
                .iter()
                .map(|name| Type::primitive_type_builder(name, Physical::BOOLEAN)),
        );
        fields.extend(
            metrics
                .iter()
                .map(|name| Type::primitive_type_builder(name, Physical::DOUBLE)),
        );
        let fields = fields.into_iter().enumerate().map(|(position, field)| {
            let repetition = if position == 2 {
                Repetition::OPTIONAL
            } else {
                Repetition::REQUIRED
            };
            field.with_repetition(repetition).build().map(Arc::new)
        });
        let fields = fields.collect::<Result<_, _>>().map_err(to_io)?;
        let schema = Type::group_type_builder("runs")
            .with_fields(fields)
            .build()
            .map_err(to_io)?;
        let mut properties = WriterProperties::builder()
            .set_compression(compression())
            .set_dictionary_enabled(false)
            .set_column_dictionary_enabled(ColumnPath::from("endgame"), true);
        for name in ["run", "world", "events"] {
            properties = properties
                .set_column_encoding(ColumnPath::from(name), Encoding::DELTA_BINARY_PACKED);
        }
        let properties = Arc::new(properties.build());
        Ok(Self {
            writer: SerializedFileWriter::new(output, Arc::new(schema), properties)
                .map_err(to_io)?,
            endgames: (model.endgames().iter())
                .map(|endgame| ByteArray::from(endgame.id()))
                .collect(),
            flags: flags.len(),
            metrics: metrics.len(),
            pending: Rows::default(),
        })
    }

    /// Ends the file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        let rest = self.pending.len();
        if rest > 0 {
            self.write_group(rest).map_err(to_io)?;
        }
        self.writer.into_inner().map_err(to_io)
    }

    /// Writes the first `rows` pending rows as one group.
    fn write_group(&mut self, rows: usize) -> Result<(), ParquetError> {
        let Rows {
            first_run,
            worlds,
            endgames,
            events,
            flags,
            metrics,
        } = &self.pending;
        let mut group = self.writer.next_row_group()?;
        let runs: Vec<i64> = (0..rows)
            .map(|row| (first_run + row as u64) as i64)
            .collect();
        let signed = |values: &[u64]| -> Vec<i64> {
            values[..rows].iter().map(|&value| value as i64).collect()
        };
        write_column::<Int64Type>(&mut group, &runs, None)?;
        write_column::<Int64Type>(&mut group, &signed(worlds), None)?;
        let reached: Vec<ByteArray> = (endgames[..rows].iter().flatten())
            .map(|&endgame| self.endgames[endgame as usize].clone())
            .collect();
        let defined: Vec<i16> = (endgames[..rows].iter())
            .map(|endgame| i16::from(endgame.is_some()))
            .collect();
        write_column::<ByteArrayType>(&mut group, &reached, Some(&defined))?;
        write_column::<Int64Type>(&mut group, &signed(events), None)?;
        for flag in 0..self.flags {
            write_column::<BoolType>(&mut group, &every(flags, flag, self.flags, rows), None)?;
        }
        for metric in 0..self.metrics {
            let values = every(metrics, metric, self.metrics, rows);
            write_column::<DoubleType>(&mut group, &values, None)?;
        }
        group.close()?;

        self.pending.first_run += rows as u64;
        self.pending.worlds.drain(..rows);
        self.pending.endgames.drain(..rows);
        self.pending.events.drain(..rows);
        self.pending.flags.drain(..rows * self.flags);
        self.pending.metrics.drain(..rows * self.metrics);
        Ok(())
    }
}

impl<W: Write + Send> RowSink for RunsFile<W> {
    fn take(&mut self, rows: &Rows) -> io::Result<()> {
        if self.pending.is_empty() {
            self.pending.first_run = rows.first_run;
        }
        self.pending.worlds.extend_from_slice(&rows.worlds);
        self.pending.endgames.extend_from_slice(&rows.endgames);
        self.pending.events.extend_from_slice(&rows.events);
        self.pending.flags.extend_from_slice(&rows.flags);
        self.pending.metrics.extend_from_slice(&rows.metrics);
        while self.pending.len() >= GROUP {
            self.write_group(GROUP).map_err(to_io)?;
        }
        Ok(())
    }
}

/// The values of one column out of `columns`, row by row.
fn every<T: Copy>(values: &[T], column: usize, columns: usize, rows: usize) -> Vec<T> {
    let cells = values[..rows * columns].iter().skip(column);
    cells.step_by(columns).copied().collect()
}

pub(super) fn write_column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: &[T::T],
    defined: Option<&[i16]>,
) -> Result<(), ParquetError> {
    if let Some(mut column) = group.next_column()? {
        column.typed::<T>().write_batch(values, defined, None)?;
        column.close()?;
    }
    Ok(())
}

/// The system's own error where there is one, so that a full disk is named as such.
pub(super) fn to_io(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(source) => io::Error::other(source),
        },
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use parquet::data_type::AsBytes;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    use super::*;
    use crate::experiment::fixture::{RIVALS, model_of};
    use crate::experiment::{Control, Plan, WorldSource, replicate};

    /// Takes rows as they are.
    #[derive(Default)]
    struct Plain(Vec<Rows>);

    impl RowSink for Plain {
        fn take(&mut self, rows: &Rows) -> io::Result<()> {
            self.0.push(rows.clone());
            Ok(())
        }
    }

    fn make(model: &Model, threads: usize, sink: &mut dyn RowSink) {
        let plan = Plan {
            seed: 3,
            first_run: 80,
            runs: 40_000,
            worlds: WorldSource::Priors,
        };
        let control = Control {
            threads,
            stop: &AtomicBool::new(false),
            progress: &(),
        };
        replicate(model, &plan, &control, Some(sink)).unwrap();
    }

    fn file(model: &Model, threads: usize) -> Vec<u8> {
        let mut file = RunsFile::new(Vec::new(), model).unwrap();
        make(model, threads, &mut file);
        file.finish().unwrap()
    }

    #[test]
    fn runs_read_back_as_they_were() {
        // A cap that some runs reach, so that there are runs without an endgame.
        let model = model_of(&RIVALS.replace("horizon = 60", "horizon = 60\nmax_events = 5"));
        let bytes = file(&model, 1);
        let mut plain = Plain::default();
        make(&model, 2, &mut plain);

        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
        let metadata = reader.metadata();
        let sizes: Vec<i64> = metadata
            .row_groups()
            .iter()
            .map(|group| group.num_rows())
            .collect();
        assert_eq!(sizes, [16_384, 16_384, 40_000 - 2 * 16_384]);
        let columns = metadata.file_metadata().schema_descr().columns();
        let names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
        let expected = [
            "run",
            "world",
            "endgame",
            "events",
            "flag_angry",
            "metric_raids",
            "metric_first_raid",
            "metric_peak_anger",
        ];
        assert_eq!(names, expected);

        let mut records = reader.get_row_iter(None).unwrap();
        let mut capped = 0;
        for rows in &plain.0 {
            for row in 0..rows.len() {
                let record = records.next().unwrap().unwrap();
                let cells: Vec<&Field> = record.get_column_iter().map(|(_, field)| field).collect();
                assert_eq!(*cells[0], Field::ULong(rows.first_run + row as u64));
                assert_eq!(*cells[1], Field::ULong(rows.worlds[row]));
                let endgame = match rows.endgames[row] {
                    Some(index) => Field::Str(model.endgames()[index as usize].id().to_owned()),
                    None => Field::Null,
                };
                capped += u32::from(rows.endgames[row].is_none());
                assert_eq!(*cells[2], endgame);
                assert_eq!(*cells[3], Field::ULong(rows.events[row]));
                assert_eq!(*cells[4], Field::Bool(rows.flags[row]));
                for metric in 0..3 {
                    let value = rows.metrics[3 * row + metric];
                    assert_eq!(*cells[5 + metric], Field::Double(value));
                }
            }
        }
        assert!(records.next().is_none());
        assert!(capped > 100, "{capped}");
    }

    #[test]
    fn bytes_do_not_depend_on_threads() {
        let model = crate::experiment::fixture::rivals();
        let one = file(&model, 1);
        assert_eq!(one.as_bytes()[..4], *b"PAR1");
        assert!(one == file(&model, 4), "the files differ");
    }
}
