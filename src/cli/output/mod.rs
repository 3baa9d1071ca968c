//! Results of SQL in the formats people and programs read.
//!
//! All formats but `table` are written batch by batch and hold nothing back; a table needs its
//! rows before it knows its widths, so it stops at a number of rows.

mod binary;
mod cells;
mod destination;
mod lines;
mod pages;
mod table;

use std::io::{self, Write};

use clap::ValueEnum;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::parquet::errors::ParquetError;

pub use destination::Destination;

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum Format {
    /// Aligned columns for reading
    Table,
    /// A GitHub-flavoured Markdown table
    Markdown,
    /// One self-contained page
    Html,
    /// Comma-separated values with a header; nested values as JSON text
    Csv,
    /// One JSON array of objects
    Json,
    /// One JSON object a line
    #[value(alias = "jsonl")]
    Ndjson,
    /// Arrow IPC stream
    Arrow,
    /// Parquet, zstd
    Parquet,
}

impl Format {
    /// The format that the name of a file says.
    pub fn of_name(name: &str) -> Option<Self> {
        let extension = std::path::Path::new(name)
            .extension()?
            .to_str()?
            .to_ascii_lowercase();
        Some(match extension.as_str() {
            "txt" => Self::Table,
            "md" | "markdown" => Self::Markdown,
            "html" | "htm" => Self::Html,
            "csv" => Self::Csv,
            "json" => Self::Json,
            "ndjson" | "jsonl" => Self::Ndjson,
            "arrow" | "arrows" => Self::Arrow,
            "parquet" => Self::Parquet,
            _ => return None,
        })
    }

    /// Whether a terminal would show it as noise.
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Arrow | Self::Parquet)
    }
}

/// What a table for a terminal or a file has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Columns of the terminal; `None` when nobody looks and nothing is cut or wrapped.
    pub width: Option<u16>,
    /// Rows a table shows; `None` is all.
    pub max_rows: Option<usize>,
    /// Whether line ends inside values break the line, as in a plan, or are shown as `\n`.
    pub keeps_lines: bool,
}

/// Why a result could not be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The reader went away. No reason to say anything.
    #[error("the reader is gone")]
    Closed,
    /// The destination failed.
    #[error("cannot write the result: {0}")]
    Io(io::Error),
    /// The values do not fit the format.
    #[error("cannot write the result: {0}")]
    Arrow(String),
}

impl From<io::Error> for OutputError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::Closed
        } else {
            Self::Io(error)
        }
    }
}

impl From<ArrowError> for OutputError {
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, error) => error.into(),
            other => Self::Arrow(other.to_string()),
        }
    }
}

impl From<ParquetError> for OutputError {
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::External(inner) => match inner.downcast::<io::Error>() {
                Ok(error) => (*error).into(),
                Err(other) => Self::Arrow(other.to_string()),
            },
            other => Self::Arrow(other.to_string()),
        }
    }
}

/// Takes a result batch by batch.
pub trait ResultWriter: Send {
    /// Writes the rows of a batch.
    ///
    /// # Errors
    /// [`OutputError::Closed`] when the reader is gone, else what failed.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError>;

    /// Whether further rows would be written. `false` lets the query stop early.
    fn wants_more(&self) -> bool {
        true
    }

    /// Completes the result and reports.
    ///
    /// # Errors
    /// As [`ResultWriter::write`].
    fn finish(self: Box<Self>) -> Result<Written, OutputError>;
}

/// What became of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Rows written.
    pub rows: usize,
    /// Whether rows were left out at the end.
    pub cut: bool,
}

/// Where bytes go.
pub type Sink = Box<dyn Write + Send>;

/// The writer of a format.
///
/// # Errors
/// When the schema has a type that the format cannot hold, or the head cannot be written.
pub fn writer(
    format: Format,
    schema: &SchemaRef,
    sink: Sink,
    look: Look,
) -> Result<Box<dyn ResultWriter>, OutputError> {
    Ok(match format {
        Format::Table => Box::new(table::TableWriter::new(schema, sink, look)),
        Format::Markdown => Box::new(pages::MarkdownWriter::new(schema, sink)?),
        Format::Html => Box::new(pages::HtmlWriter::new(schema, sink)?),
        Format::Csv => Box::new(lines::CsvWriter::new(schema, sink)?),
        Format::Json => Box::new(lines::JsonWriter::array(sink)),
        Format::Ndjson => Box::new(lines::JsonWriter::lines(sink)),
        Format::Arrow => Box::new(binary::ArrowStreamWriter::new(schema, sink)?),
        Format::Parquet => Box::new(binary::ParquetFileWriter::new(schema, sink)?),
    })
}

#[cfg(test)]
pub(crate) mod testing {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A sink that can be read back.
    #[derive(Clone, Default)]
    pub(crate) struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    pub(crate) const FOR_NOBODY: Look = Look {
        width: None,
        max_rows: None,
        keeps_lines: false,
    };

    /// All batches written in a format.
    pub(crate) fn written(
        format: Format,
        batches: &[RecordBatch],
        look: Look,
    ) -> (Vec<u8>, Written) {
        let kept = Kept::default();
        let schema = batches[0].schema();
        let mut writer = writer(format, &schema, Box::new(kept.clone()), look).unwrap();
        for batch in batches {
            if writer.wants_more() {
                writer.write(batch).unwrap();
            }
        }
        let report = writer.finish().unwrap();
        let bytes = kept.0.lock().unwrap().clone();
        (bytes, report)
    }

    pub(crate) fn written_text(format: Format, batches: &[RecordBatch]) -> String {
        String::from_utf8(written(format, batches, FOR_NOBODY).0).unwrap()
    }

    /// Strings with everything that must be escaped, nested values, NULLs, times.
    pub(crate) fn sample() -> RecordBatch {
        use datafusion::arrow::array::*;
        use datafusion::arrow::datatypes::{DataType, Field, Int32Type};
        let text = StringArray::from(vec![
            Some("plain"),
            Some(""),
            None,
            Some("a,\"b\"\nc|d<e>&\u{1b}[31m"),
        ]);
        let number = Float64Array::from(vec![Some(1.5), Some(f64::NAN), None, Some(-0.25)]);
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
            Some(vec![Some(1), None]),
            Some(vec![]),
            None,
            Some(vec![Some(2)]),
        ]);
        let inner: StringArray = vec![Some("x\"y"), None, Some("z"), Some("w")].into();
        let structs = StructArray::from(vec![(
            Arc::new(Field::new("k", DataType::Utf8, true)),
            Arc::new(inner) as ArrayRef,
        )]);
        let time = TimestampMicrosecondArray::from(vec![Some(0), None, None, Some(1_500_000)])
            .with_timezone("UTC");
        RecordBatch::try_from_iter(vec![
            ("text", Arc::new(text) as ArrayRef),
            ("number", Arc::new(number)),
            ("list", Arc::new(list)),
            ("struct", Arc::new(structs)),
            ("time", Arc::new(time)),
        ])
        .unwrap()
    }
}
