//! Rows of an Arrow IPC stream or file.

use std::io::{self, Read};

use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;

use super::pump::Sink;
use super::{Found, Lines, Problem, Rows};

/// An IPC file is this, zeros up to some alignment, a stream, and a footer for random access.
const FILE_MAGIC: &[u8; 8] = b"ARROW1\0\0";

pub(super) fn read(
    input: &mut dyn Read,
    wanted: &[&'static str],
    found: Sink<'_>,
) -> Result<(), Problem> {
    let mut start = word(input)?;
    if start == FILE_MAGIC {
        start = word(input)?;
        while start == [0; 8] {
            start = word(input)?;
        }
    }
    let stream = io::Cursor::new(start).chain(input);
    let reader = StreamReader::try_new(stream, None)
        .map_err(|error| problem("begin of file".to_owned(), error))?;
    let names = reader
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    if !found(Found::Header(names)) {
        return Ok(());
    }
    let mut first = 1;
    for batch in reader {
        let batch = batch.map_err(|error| problem(format!("row {first} or later"), error))?;
        let rows = Rows {
            arrays: wanted
                .iter()
                .map(|name| batch.column_by_name(name).cloned())
                .collect(),
            rows: batch.num_rows(),
            lines: Lines::RowsFrom(first),
        };
        first += batch.num_rows() as u64;
        if !found(Found::Rows(rows)) {
            break;
        }
    }
    Ok(())
}

/// The next eight bytes, fewer at the end.
fn word(input: &mut dyn Read) -> Result<Vec<u8>, Problem> {
    let mut word = Vec::with_capacity(FILE_MAGIC.len());
    let read = input.take(FILE_MAGIC.len() as u64).read_to_end(&mut word);
    read.map_err(|error| Problem::new("begin of file", error.to_string()))?;
    Ok(word)
}

fn problem(place: String, error: ArrowError) -> Problem {
    Problem::new(place, format!("not Arrow IPC: {error}"))
}
