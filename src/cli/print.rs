//! Results a command builds itself, in the formats of `tamis sql`.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use datafusion::arrow::array::{ArrayRef, ListBuilder, RecordBatch, StringBuilder};
use datafusion::arrow::datatypes::SchemaRef;

use super::error::CliError;
use super::output::{Destination, Format, Look, OutputError, ResultWriter, writer};
use super::terminal_width;

/// Where and how a result is written.
#[derive(Debug, Clone, Default, Args)]
pub struct PrintArgs {
    /// Write the result to a file, which appears when it is complete
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// How to write the result; default: by the extension of -o, else table
    #[arg(long, value_enum)]
    pub format: Option<Format>,
}

impl PrintArgs {
    fn format(&self) -> Format {
        let by_name = || Format::of_name(self.output.as_ref()?.to_str()?);
        self.format.or_else(by_name).unwrap_or(Format::Table)
    }

    /// Writes a result; a reader that went away is no error.
    ///
    /// # Errors
    /// As [`PrintArgs::start`], and [`CliError::Failed`] when the result cannot be written.
    pub fn print(&self, batch: &RecordBatch) -> Result<(), CliError> {
        let mut printing = self.start(&batch.schema())?;
        printing.write(batch)?;
        printing.finish()
    }

    /// Opens the destination for a result that comes batch by batch.
    ///
    /// # Errors
    /// [`CliError::Usage`] for a binary format on a terminal, [`CliError::Failed`] when the
    /// destination cannot be opened.
    pub fn start(&self, schema: &SchemaRef) -> Result<Printing, CliError> {
        let format = self.format();
        let destination = Destination::new(self.output.as_deref());
        if format.is_binary() && destination.is_terminal() {
            return Err(CliError::Usage(
                "this format is binary and would garble the terminal: write it to a file with -o FILE, or pipe it"
                    .to_owned(),
            ));
        }
        let look = Look {
            width: destination.is_terminal().then(terminal_width),
            max_rows: None,
            keeps_lines: false,
        };
        let opened = destination.open().map_err(OutputError::from);
        let writer = opened.and_then(|sink| writer(format, schema, sink, look));
        Ok(Printing {
            writer: Some(writer.map_err(failed)?),
            destination,
        })
    }
}

/// A result on its way to its destination; nothing appears there before it is finished.
pub struct Printing {
    /// `None` once the reader is gone.
    writer: Option<Box<dyn ResultWriter>>,
    destination: Destination,
}

impl Printing {
    /// Writes some rows.
    ///
    /// # Errors
    /// [`CliError::Failed`] when they cannot be written.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), CliError> {
        let Some(writer) = &mut self.writer else {
            return Ok(());
        };
        match writer.write(batch) {
            Ok(()) => Ok(()),
            Err(OutputError::Closed) => {
                self.writer = None;
                Ok(())
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Completes the result and puts a file in its place.
    ///
    /// # Errors
    /// As [`Printing::write`].
    pub fn finish(self) -> Result<(), CliError> {
        let Some(writer) = self.writer else {
            return Ok(());
        };
        let written = writer
            .finish()
            .and_then(|_| self.destination.commit().map_err(OutputError::from));
        match written {
            Ok(()) | Err(OutputError::Closed) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}

fn failed(error: OutputError) -> CliError {
    CliError::Failed(error.to_string())
}

/// A result from its columns.
///
/// # Errors
/// [`CliError::Failed`] when the columns are of different lengths.
pub fn table(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch, CliError> {
    RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .map_err(|error| CliError::Failed(error.to_string()))
}

/// A column of lists of texts.
pub fn lists<'a>(rows: impl Iterator<Item = Vec<&'a str>>) -> ArrayRef {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for row in rows {
        for value in row {
            builder.values().append_value(value);
        }
        builder.append(true);
    }
    Arc::new(builder.finish())
}

/// Says something to a person on standard error, so that a result on standard output stays clean.
pub fn say(message: &str) {
    // Nobody may be reading.
    let _ = writeln!(std::io::stderr(), "{message}");
}
