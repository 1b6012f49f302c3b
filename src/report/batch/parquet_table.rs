//! Tables as Parquet files, row by row in flat memory.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Encoding, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, Type};
use serde_json::{Map, Value, json};

use crate::report::parquet::{compression, to_io, write_column};

/// Rows of every group but the last.
const GROUP: usize = 65_536;
/// Key of the metadata under which labels and units stand.
pub const METADATA: &str = "flashpoint";

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// Whole numbers from 0 (Arrow: uint64).
    Count,
    /// Numbers; missing ones are null (Arrow: double).
    Number,
    /// True or false.
    Truth,
    /// Text of few kinds, null for none (Arrow: string, stored as a dictionary).
    Text,
}

/// A column with what readers want to know about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ColumnType,
    /// For readers.
    pub label: String,
    /// Its unit, if it has one.
    pub unit: Option<String>,
}

impl Column {
    /// A column without a unit.
    pub fn new(name: impl Into<String>, kind: ColumnType, label: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind,
            label: label.into(),
            unit: None,
        }
    }
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    /// A whole number.
    Count(u64),
    /// A number, if there is one.
    Number(Option<f64>),
    /// True or false.
    Truth(bool),
    /// A text, if there is one.
    Text(Option<&'a str>),
}

/// Values of one column that wait to be written.
enum Pending {
    Count(Vec<i64>),
    Number(Vec<f64>, Vec<i16>),
    Truth(Vec<bool>),
    Text(Vec<ByteArray>, Vec<i16>),
}

/// A Parquet file on its way. Row groups have a fixed size, so the bytes depend on the rows alone.
pub struct ParquetTable<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    pending: Vec<Pending>,
    rows: usize,
}

impl<W: Write + Send> ParquetTable<W> {
    /// Begins a table. The metadata of the file holds `description`, and labels and units of the columns.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn new(output: W, columns: &[Column], description: &str) -> io::Result<Self> {
        let fields = columns.iter().map(|column| {
            let optional = matches!(column.kind, ColumnType::Number | ColumnType::Text);
            let field = match column.kind {
                ColumnType::Count => Type::primitive_type_builder(&column.name, Physical::INT64)
                    .with_logical_type(Some(LogicalType::integer(64, false))),
                ColumnType::Number => Type::primitive_type_builder(&column.name, Physical::DOUBLE),
                ColumnType::Truth => Type::primitive_type_builder(&column.name, Physical::BOOLEAN),
                ColumnType::Text => {
                    Type::primitive_type_builder(&column.name, Physical::BYTE_ARRAY)
                        .with_logical_type(Some(LogicalType::String))
                }
            };
            let repetition = if optional {
                Repetition::OPTIONAL
            } else {
                Repetition::REQUIRED
            };
            field.with_repetition(repetition).build().map(Arc::new)
        });
        let fields = fields.collect::<Result<_, _>>().map_err(to_io)?;
        let schema = Type::group_type_builder("table")
            .with_fields(fields)
            .build()
            .map_err(to_io)?;
        let mut properties = WriterProperties::builder()
            .set_compression(compression())
            .set_dictionary_enabled(false)
            .set_key_value_metadata(Some(vec![KeyValue::new(
                METADATA.to_owned(),
                metadata(columns, description),
            )]));
        for column in columns {
            let path = ColumnPath::from(column.name.as_str());
            properties = match column.kind {
                ColumnType::Text => properties.set_column_dictionary_enabled(path, true),
                ColumnType::Count => {
                    properties.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED)
                }
                _ => properties,
            };
        }
        Ok(Self {
            writer: SerializedFileWriter::new(
                output,
                Arc::new(schema),
                Arc::new(properties.build()),
            )
            .map_err(to_io)?,
            pending: columns.iter().map(|column| empty(column.kind)).collect(),
            rows: 0,
        })
    }

    /// Adds a row: a cell for each column, of its type.
    ///
    /// # Errors
    /// The file cannot be written, or the cells are not those of the columns.
    pub fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        if cells.len() != self.pending.len() {
            return Err(io::Error::other(
                "a row has another number of cells than the table",
            ));
        }
        for (pending, cell) in self.pending.iter_mut().zip(cells) {
            match (pending, cell) {
                (Pending::Count(values), Cell::Count(value)) => values.push(*value as i64),
                (Pending::Number(values, defined), Cell::Number(value)) => {
                    values.extend(*value);
                    defined.push(i16::from(value.is_some()));
                }
                (Pending::Truth(values), Cell::Truth(value)) => values.push(*value),
                (Pending::Text(values, defined), Cell::Text(value)) => {
                    // Neighbours are mostly equal, and a clone shares the text.
                    values.extend(value.map(|text| match values.last() {
                        Some(last) if last.data() == text.as_bytes() => last.clone(),
                        _ => ByteArray::from(text),
                    }));
                    defined.push(i16::from(value.is_some()));
                }
                _ => {
                    return Err(io::Error::other(
                        "a cell is of another type than its column",
                    ));
                }
            }
        }
        self.rows += 1;
        if self.rows == GROUP {
            self.write_group()?;
        }
        Ok(())
    }

    fn write_group(&mut self) -> io::Result<()> {
        let mut group = self.writer.next_row_group().map_err(to_io)?;
        for pending in &mut self.pending {
            match pending {
                Pending::Count(values) => {
                    write_column::<Int64Type>(&mut group, values, None).map_err(to_io)?;
                    values.clear();
                }
                Pending::Number(values, defined) => {
                    write_column::<DoubleType>(&mut group, values, Some(defined)).map_err(to_io)?;
                    values.clear();
                    defined.clear();
                }
                Pending::Truth(values) => {
                    write_column::<BoolType>(&mut group, values, None).map_err(to_io)?;
                    values.clear();
                }
                Pending::Text(values, defined) => {
                    write_column::<ByteArrayType>(&mut group, values, Some(defined))
                        .map_err(to_io)?;
                    values.clear();
                    defined.clear();
                }
            }
        }
        group.close().map_err(to_io)?;
        self.rows = 0;
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        if self.rows > 0 {
            self.write_group()?;
        }
        self.writer.into_inner().map_err(to_io)
    }
}

fn empty(kind: ColumnType) -> Pending {
    match kind {
        ColumnType::Count => Pending::Count(Vec::new()),
        ColumnType::Number => Pending::Number(Vec::new(), Vec::new()),
        ColumnType::Truth => Pending::Truth(Vec::new()),
        ColumnType::Text => Pending::Text(Vec::new(), Vec::new()),
    }
}

/// A JSON object with `description` and, for each column, its `label` and `unit`.
fn metadata(columns: &[Column], description: &str) -> String {
    let described = columns.iter().map(|column| {
        let value = json!({ "label": column.label, "unit": column.unit });
        (column.name.clone(), value)
    });
    let columns: Map<String, Value> = described.collect();
    json!({ "description": description, "columns": columns }).to_string()
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    use super::*;

    #[test]
    fn rows_read_back_as_they_were_with_labels_and_units() {
        let columns = [
            Column::new("n", ColumnType::Count, "Number"),
            Column {
                unit: Some("days".to_owned()),
                ..Column::new("x", ColumnType::Number, "Wait")
            },
            Column::new("t", ColumnType::Truth, "Whether"),
            Column::new("s", ColumnType::Text, "Which"),
        ];
        let count = GROUP as u64 + 3;
        let number = |n: u64| (!n.is_multiple_of(3)).then_some(n as f64 / 7.0);
        let text = |n: u64| {
            (!n.is_multiple_of(5)).then_some(if n.is_multiple_of(2) { "even" } else { "odd" })
        };
        let mut table = ParquetTable::new(Vec::new(), &columns, "a table").unwrap();
        for n in 0..count {
            table
                .row(&[
                    Cell::Count(n),
                    Cell::Number(number(n)),
                    Cell::Truth(n.is_multiple_of(4)),
                    Cell::Text(text(n)),
                ])
                .unwrap();
        }
        assert!(table.row(&[Cell::Count(1)]).is_err());
        let reader =
            SerializedFileReader::new(bytes::Bytes::from(table.finish().unwrap())).unwrap();
        let file = reader.metadata().file_metadata();
        let pairs = file.key_value_metadata().unwrap();
        let found = pairs.iter().find(|pair| pair.key == METADATA).unwrap();
        let metadata: Value = serde_json::from_str(found.value.as_ref().unwrap()).unwrap();
        assert_eq!(metadata["description"], "a table");
        assert_eq!(
            metadata["columns"]["x"],
            json!({ "label": "Wait", "unit": "days" })
        );
        assert_eq!(reader.num_row_groups(), 2);
        let mut rows = 0;
        for row in reader.get_row_iter(None).unwrap() {
            let row = row.unwrap();
            let cells: Vec<&Field> = row.get_column_iter().map(|(_, field)| field).collect();
            assert_eq!(*cells[0], Field::ULong(rows));
            assert_eq!(*cells[1], number(rows).map_or(Field::Null, Field::Double));
            assert_eq!(*cells[2], Field::Bool(rows.is_multiple_of(4)));
            let expected = text(rows).map_or(Field::Null, |s| Field::Str(s.to_owned()));
            assert_eq!(*cells[3], expected);
            rows += 1;
        }
        assert_eq!(rows, count);
    }
}
