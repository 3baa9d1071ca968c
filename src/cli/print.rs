//! Results a command builds itself, in the formats of `tamis sql`.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use datafusion::arrow::array::{ArrayRef, RecordBatch};

use super::error::CliError;
use super::output::{Destination, Format, Look, OutputError, writer};
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

    /// Whether a person reads the result as it is printed.
    pub fn is_table(&self) -> bool {
        self.format() == Format::Table && self.output.is_none()
    }

    /// Writes a result; a reader that went away is no error.
    ///
    /// # Errors
    /// [`CliError::Usage`] for a binary format on a terminal, [`CliError::Failed`] when the result
    /// cannot be written.
    pub fn print(&self, batch: &RecordBatch) -> Result<(), CliError> {
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
        let written = destination
            .open()
            .map_err(OutputError::from)
            .and_then(|sink| {
                let mut writer = writer(format, &batch.schema(), sink, look)?;
                writer.write(batch)?;
                writer.finish()?;
                destination.commit().map_err(OutputError::from)
            });
        match written {
            Ok(()) | Err(OutputError::Closed) => Ok(()),
            Err(error) => Err(CliError::Failed(error.to_string())),
        }
    }
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

/// Says something to a person on standard error, so that a result on standard output stays clean.
pub fn say(message: &str) {
    // Nobody may be reading.
    let _ = writeln!(std::io::stderr(), "{message}");
}
