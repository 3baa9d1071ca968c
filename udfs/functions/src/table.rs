//! Reading resource tables: registries and lexicons as Parquet, CSV, TSV, JSON, NDJSON, TOML or Arrow,
//! from a file, a directory, a glob or an object store of the session.
//!
//! Rows stream: whoever reads keeps what it needs, and a registry never sits in memory twice.
//! Errors name the file, the line or row (counted from 1) and the column, and never repeat a
//! value: registries hold personal information.

mod check;
mod files;
mod ipc;
mod json;
mod lines;
mod parquet;
mod pump;
mod separated;
mod toml;
mod values;

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion::prelude::SessionContext;
use sha2::{Digest, Sha256};
use tamis_resource::{ResourceError, Result};

pub(crate) use files::Format;
use files::{Located, TableFile};
use values::Values;

/// What a column holds, and what it is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text; integers are taken as written.
    Text,
    /// A Boolean, or text that says yes or no (`true`, `false`, `yes`, `no`, `t`, `f`, `y`, `n`,
    /// `1`, `0`, any case); empty text is NULL.
    Boolean,
    /// An instant in microseconds UTC: a timestamp (without a zone: UTC), a date (its first
    /// moment), or text that is one; empty text is NULL.
    Time,
    /// A finite number, or text that is one; empty text is NULL.
    Number,
}

/// A column a table has or may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its header, compared exactly.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether a table without it is refused. A JSON table has a column when some row has its key.
    pub required: bool,
}

impl Column {
    /// A column that must be there.
    pub const fn required(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            required: true,
        }
    }

    /// A column that may be absent; its values are then NULL.
    pub const fn optional(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            required: false,
        }
    }
}

/// What was read, besides the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSummary {
    /// SHA-256 of the file as it is stored, 64 lower-case hexadecimal digits. Of several files:
    /// of the lines `<sha256>  <path below the table>`, in the order of the paths.
    pub sha256: String,
    /// Number of rows.
    pub rows: u64,
    /// Number of files.
    pub files: usize,
    /// Columns that are there and not used, for the person who wrote the table.
    pub warnings: Vec<String>,
}

/// One row of a table. Columns are meant by their index in the list given to [`read_rows`].
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    columns: &'a [Option<Values>],
    places: &'a Places,
    index: usize,
}

impl Row<'_> {
    /// The text in a column of kind [`Kind::Text`].
    pub fn text(&self, column: usize) -> Option<&str> {
        self.columns[column].as_ref()?.text(self.index)
    }

    /// The value of a column of kind [`Kind::Boolean`].
    pub fn boolean(&self, column: usize) -> Option<bool> {
        self.columns[column].as_ref()?.boolean(self.index)
    }

    /// The instant in a column of kind [`Kind::Time`], microseconds UTC.
    pub fn time(&self, column: usize) -> Option<i64> {
        self.columns[column].as_ref()?.time(self.index)
    }

    /// The number in a column of kind [`Kind::Number`].
    pub fn number(&self, column: usize) -> Option<f64> {
        self.columns[column].as_ref()?.number(self.index)
    }

    /// Where the row stands: `line 3`, `row 12`; with the file when the table has several.
    pub fn location(&self) -> String {
        self.places.of(self.index)
    }
}

/// Where the rows of a batch stand.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// The file's name, when the table has several.
    file: Option<Arc<str>>,
    lines: Lines,
}

/// Lines for text formats, row numbers for others.
#[derive(Debug, Clone)]
pub(crate) enum Lines {
    /// The line of each row.
    Each(Vec<u64>),
    /// The number of the first row.
    RowsFrom(u64),
}

impl Places {
    fn of(&self, index: usize) -> String {
        let place = match &self.lines {
            Lines::Each(lines) => format!("line {}", lines[index]),
            Lines::RowsFrom(first) => format!("row {}", first + index as u64),
        };
        in_file(self.file.as_deref(), place)
    }
}

fn in_file(file: Option<&str>, place: String) -> String {
    match file {
        Some(file) => format!("{file}, {place}"),
        None => place,
    }
}

/// Something a reader of one file found.
#[derive(Debug)]
pub(crate) enum Found {
    /// The names of all columns of the file; before or after its rows.
    Header(Vec<String>),
    /// Some rows.
    Rows(Rows),
}

/// Rows of a file before their values are checked: the wanted columns in the order asked for,
/// `None` where the file has no such column.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) arrays: Vec<Option<ArrayRef>>,
    pub(crate) rows: usize,
    pub(crate) lines: Lines,
}

/// A problem inside one file: where, and what.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) place: String,
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            message: message.into(),
        }
    }
}

/// Reads the rows of a table, in the order of its files by path, and hands each to `each`.
///
/// `uri` is a path relative to the working directory or absolute, a `file://` URL, or any URL
/// whose object store is registered in `ctx`; a file, a directory (its files, not hidden ones), or
/// a glob. The format goes by the file's extension: parquet, csv, tsv, json (one array, or one
/// object a line), ndjson, jsonl, toml (one array of tables), arrow (a file or a stream); all but
/// parquet and arrow also .gz and .zst. `setting` is named in errors.
///
/// # Errors
/// [`ResourceError::Read`] when it cannot be read, does not exist or changes meanwhile;
/// [`ResourceError::Malformed`] with file, line or row, and column for content that is wrong: a
/// column that is missing, or an unknown one whose name is almost that of an absent one; a value
/// that is not what its column holds; and the first error of `each`.
pub async fn read_rows(
    ctx: &SessionContext,
    setting: &str,
    uri: &str,
    columns: &[Column],
    each: &mut (dyn FnMut(&Row<'_>) -> Result<()> + Send),
) -> Result<TableSummary> {
    let located = Located::find(ctx, setting, uri).await?;
    let mut reading = Reading {
        uri,
        columns,
        file: None,
        rows: 0,
        warnings: Vec::new(),
        each,
    };
    let mut digests = Vec::with_capacity(located.files.len());
    for file in &located.files {
        reading.file = located.several().then(|| file.name.as_str().into());
        digests.push(reading.file(&located, file).await?);
        located.check_unchanged(file).await?;
    }
    Ok(TableSummary {
        sha256: located.digest(&digests),
        rows: reading.rows,
        files: digests.len(),
        warnings: reading.warnings,
    })
}

/// The format of each file of a table.
pub(crate) async fn formats(ctx: &SessionContext, setting: &str, uri: &str) -> Result<Vec<Format>> {
    let located = Located::find(ctx, setting, uri).await?;
    Ok(located.files.iter().map(|file| file.format).collect())
}

/// Checks the columns of a table that has readers of its own; gives a warning for each that is not
/// used. `file` is named when the table has several.
pub(crate) fn check_columns(
    uri: &str,
    file: Option<&str>,
    names: &[String],
    columns: &[Column],
) -> Result<Vec<String>> {
    match check::header(names, columns) {
        Ok(unused) => Ok(unused.iter().map(|name| unused_column(uri, name)).collect()),
        Err(problem) => Err(malformed(uri, file, problem)),
    }
}

fn unused_column(uri: &str, name: &str) -> String {
    format!("{uri}: column {name} is not used")
}

fn malformed(uri: &str, file: Option<&str>, problem: Problem) -> ResourceError {
    ResourceError::Malformed {
        uri: uri.to_owned(),
        location: in_file(file, problem.place),
        message: problem.message,
    }
}

/// The content of each file of a resource that is not read row by row, uncompressed, with the
/// digest of the whole as in [`TableSummary`].
pub(crate) async fn read_files(
    ctx: &SessionContext,
    setting: &str,
    uri: &str,
) -> Result<(Vec<FileContent>, String)> {
    let located = Located::find(ctx, setting, uri).await?;
    let mut digests = Vec::with_capacity(located.files.len());
    let mut contents = Vec::with_capacity(located.files.len());
    for file in &located.files {
        let stored = located.bytes(file).await?;
        digests.push(hex::encode(Sha256::digest(&stored)));
        located.check_unchanged(file).await?;
        contents.push(FileContent {
            name: located.several().then(|| file.name.clone()),
            format: file.format,
            bytes: located.uncompressed(file, stored)?,
        });
    }
    Ok((contents, located.digest(&digests)))
}

/// The text of a resource that is one file of UTF-8, whatever its extension, with its digest.
pub(crate) async fn read_text(ctx: &SessionContext, setting: &str, uri: &str) -> Result<String> {
    let bytes = files::one_file(ctx, setting, uri).await?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        ResourceError::Malformed {
            uri: uri.to_owned(),
            location: format!(
                "line {}",
                1 + valid.iter().filter(|byte| **byte == b'\n').count()
            ),
            message: "not UTF-8".to_owned(),
        }
    })
}

/// The bytes of a resource that is one file.
pub(crate) async fn read_bytes(ctx: &SessionContext, setting: &str, uri: &str) -> Result<Vec<u8>> {
    files::one_file(ctx, setting, uri).await
}

/// Copies a resource that is one file, of any name, into `out`, chunk by chunk.
pub(crate) async fn copy_to_file(
    ctx: &SessionContext,
    setting: &str,
    uri: &str,
    out: &mut std::fs::File,
) -> Result<()> {
    files::copy_one(ctx, setting, uri, out).await
}

/// The content of one file.
#[derive(Debug)]
pub(crate) struct FileContent {
    /// Its name, when the resource has several files.
    pub(crate) name: Option<String>,
    /// Its format, by its extension.
    pub(crate) format: Format,
    /// Its bytes, uncompressed.
    pub(crate) bytes: Vec<u8>,
}

struct Reading<'a> {
    uri: &'a str,
    columns: &'a [Column],
    file: Option<Arc<str>>,
    rows: u64,
    warnings: Vec<String>,
    each: &'a mut (dyn FnMut(&Row<'_>) -> Result<()> + Send),
}

impl Reading<'_> {
    /// Reads one file and gives the digest of its stored bytes.
    async fn file(&mut self, located: &Located, file: &TableFile) -> Result<String> {
        let wanted: Vec<&'static str> = self.columns.iter().map(|column| column.name).collect();
        let read: pump::ReadAll = match file.format {
            Format::Parquet => return self.parquet(located, file, &wanted).await,
            Format::Arrow => Box::new(move |input, found| ipc::read(input, &wanted, found)),
            Format::Separated(delimiter) => {
                Box::new(move |input, found| separated::read(input, delimiter, &wanted, found))
            }
            Format::Json => Box::new(move |input, found| json::read(input, &wanted, found)),
            Format::JsonLines => {
                Box::new(move |input, found| json::read_lines(input, &wanted, found))
            }
            Format::Toml => Box::new(move |input, found| toml::read(input, &wanted, found)),
        };
        let stream = located.stream(file).await?;
        let compression = file.compression;
        let pumped = pump::pump(stream, compression, read, &mut |found| self.found(found)).await;
        pumped.map_err(|stop| match stop {
            pump::Stop::Store(message) => located.unreadable(file, &message),
            pump::Stop::Content(problem) => self.malformed(problem),
            pump::Stop::Consumer(error) => error,
        })
    }

    async fn parquet(
        &mut self,
        located: &Located,
        file: &TableFile,
        wanted: &[&'static str],
    ) -> Result<String> {
        let digest = located.file_digest(file).await?;
        let reader = located.ranges(file);
        match parquet::read(reader, wanted, &mut |found| self.found(found)).await {
            Ok(()) => Ok(digest),
            Err(pump::Stop::Consumer(error)) => Err(error),
            Err(pump::Stop::Content(problem)) => Err(self.malformed(problem)),
            Err(pump::Stop::Store(message)) => Err(located.unreadable(file, &message)),
        }
    }

    fn found(&mut self, found: Found) -> Result<()> {
        match found {
            Found::Header(names) => {
                let file = self.file.as_deref();
                for warning in check_columns(self.uri, file, &names, self.columns)? {
                    if !self.warnings.contains(&warning) {
                        self.warnings.push(warning);
                    }
                }
                Ok(())
            }
            Found::Rows(rows) => self.hand_on(rows),
        }
    }

    fn hand_on(&mut self, rows: Rows) -> Result<()> {
        let places = Places {
            file: self.file.clone(),
            lines: rows.lines,
        };
        let columns: Vec<Option<Values>> = self
            .columns
            .iter()
            .zip(&rows.arrays)
            .map(|(column, array)| {
                let values = array.as_ref().map(|array| Values::read(column.kind, array));
                values
                    .transpose()
                    .map_err(|problem| ResourceError::Malformed {
                        uri: self.uri.to_owned(),
                        location: match problem.row {
                            Some(row) => places.of(row),
                            None => in_file(self.file.as_deref(), "header".to_owned()),
                        },
                        message: format!("column {} {}", column.name, problem.message),
                    })
            })
            .collect::<Result<_>>()?;
        self.rows += rows.rows as u64;
        for index in 0..rows.rows {
            (self.each)(&Row {
                columns: &columns,
                places: &places,
                index,
            })?;
        }
        Ok(())
    }

    fn malformed(&self, problem: Problem) -> ResourceError {
        malformed(self.uri, self.file.as_deref(), problem)
    }
}

#[cfg(test)]
mod tests;
