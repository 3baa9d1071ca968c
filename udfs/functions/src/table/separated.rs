//! Rows of CSV and TSV text.

use std::io::Read;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use csv::{ErrorKind, ReaderBuilder, StringRecord};

use super::lines::{LineCounter, remembered};
use super::pump::Sink;
use super::{Found, Lines, Problem, Rows};

const BATCH: usize = 4096;

pub(super) fn read(
    input: &mut dyn Read,
    delimiter: u8,
    wanted: &[&'static str],
    found: Sink<'_>,
) -> Result<(), Problem> {
    let (input, lines) = remembered(input);
    let mut reader = ReaderBuilder::new().delimiter(delimiter).from_reader(input);
    let problem = |error| problem(&lines, error);
    let headers = reader.headers().map_err(problem)?.clone();
    if headers.is_empty() {
        return Err(Problem::new("line 1", "there is no header"));
    }
    if !found(Found::Header(headers.iter().map(str::to_owned).collect())) {
        return Ok(());
    }
    let places: Vec<Option<usize>> = wanted
        .iter()
        .map(|name| headers.iter().position(|header| header == *name))
        .collect();
    let mut batch = Batch::new(&places);
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(problem)? {
        batch.push(&record, &lines);
        if batch.lines.len() == BATCH && !found(batch.finish()) {
            return Ok(());
        }
    }
    if !batch.lines.is_empty() {
        found(batch.finish());
    }
    Ok(())
}

struct Batch<'a> {
    places: &'a [Option<usize>],
    builders: Vec<StringBuilder>,
    lines: Vec<u64>,
}

impl<'a> Batch<'a> {
    fn new(places: &'a [Option<usize>]) -> Self {
        let builders = places.iter().map(|_| StringBuilder::new()).collect();
        Self {
            places,
            builders,
            lines: Vec::with_capacity(BATCH),
        }
    }

    /// An empty field is NULL: the format has no other way to write it.
    fn push(&mut self, record: &StringRecord, lines: &LineCounter) {
        for (place, builder) in self.places.iter().zip(&mut self.builders) {
            if let Some(place) = place {
                builder.append_option(record.get(*place).filter(|field| !field.is_empty()));
            }
        }
        let offset = record.position().map_or(0, csv::Position::byte);
        self.lines.push(lines.line_from(offset));
    }

    fn finish(&mut self) -> Found {
        let arrays = self
            .places
            .iter()
            .zip(&mut self.builders)
            .map(|(place, builder)| place.map(|_| Arc::new(builder.finish()) as ArrayRef))
            .collect();
        let lines = std::mem::replace(&mut self.lines, Vec::with_capacity(BATCH));
        Found::Rows(Rows {
            arrays,
            rows: lines.len(),
            lines: Lines::Each(lines),
        })
    }
}

/// The crate's own messages repeat parts of the text; these do not.
fn problem(lines: &LineCounter, error: csv::Error) -> Problem {
    let line = error
        .position()
        .map(|position| lines.line_from(position.byte()));
    let place = line.map_or_else(|| "begin of file".to_owned(), |line| format!("line {line}"));
    let message = match error.kind() {
        ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!("{len} fields where the header has {expected_len}")
        }
        ErrorKind::Utf8 { .. } => "not UTF-8".to_owned(),
        ErrorKind::Io(error) => format!("cannot be read: {error}"),
        _ => "cannot be read as separated text".to_owned(),
    };
    Problem::new(place, message)
}
