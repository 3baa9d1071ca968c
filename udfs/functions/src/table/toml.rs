//! Rows of TOML: one array of tables, such as `[[source]]`, for registries written by hand.

use std::io::Read;

use serde_json::{Map, Value};

use super::Problem;
use super::json::{BATCH, Batch};
use super::pump::Sink;

/// A registry written by hand is small; more than this is a file of another kind.
const MOST_BYTES: u64 = 64 << 20;

/// Reads a `.toml` file: its only key is an array of tables, each of which is a row.
pub(super) fn read(
    input: &mut dyn Read,
    wanted: &[&'static str],
    found: Sink<'_>,
) -> Result<(), Problem> {
    let mut text = String::new();
    let read = input.take(MOST_BYTES + 1).read_to_string(&mut text);
    read.map_err(|error| Problem::new("begin of file", format!("cannot be read: {error}")))?;
    if text.len() as u64 > MOST_BYTES {
        return Err(Problem::new(
            "begin of file",
            "a TOML table has at most 64 MiB; use Parquet or CSV",
        ));
    }
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = 1 + text.as_bytes()[..start]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        Problem::new(format!("line {line}"), "not TOML")
    })?;
    let mut arrays = table.into_iter();
    let (Some((_, toml::Value::Array(rows))), None) = (arrays.next(), arrays.next()) else {
        return Err(Problem::new(
            "line 1",
            "expected one array of tables and nothing else, such as [[source]] for each row",
        ));
    };
    let mut batch = Batch::new(wanted);
    for (index, row) in rows.into_iter().enumerate() {
        let place = || format!("row {}", index + 1);
        let toml::Value::Table(row) = row else {
            return Err(Problem::new(place(), "not a table"));
        };
        batch.push(object(row), place)?;
        if batch.is_full(BATCH) && !found(batch.finish()) {
            return Ok(());
        }
    }
    batch.end(found);
    Ok(())
}

fn object(row: toml::Table) -> Map<String, Value> {
    row.into_iter()
        .map(|(name, value)| {
            let value = match value {
                toml::Value::String(text) => Value::String(text),
                toml::Value::Integer(number) => number.into(),
                toml::Value::Float(number) => number.into(),
                toml::Value::Boolean(flag) => flag.into(),
                toml::Value::Datetime(time) => Value::String(time.to_string()),
                // Refused by the batch, which names the column, where it is wanted.
                toml::Value::Array(_) | toml::Value::Table(_) => Value::Array(Vec::new()),
            };
            (name, value)
        })
        .collect()
}
