//! Rows of JSON: one object a line, or one array of objects.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::pump::Sink;
use super::{Found, Lines, Problem, Rows};

pub(super) const BATCH: usize = 4096;

const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();

/// Reads a `.json` file: an array when it begins with a bracket, lines otherwise.
pub(super) fn read(
    input: &mut dyn Read,
    wanted: &[&'static str],
    found: Sink<'_>,
) -> Result<(), Problem> {
    let mut input = BufReader::new(input);
    let buffer = input.fill_buf().map_err(unreadable)?;
    let begin = buffer.strip_prefix(BYTE_ORDER_MARK).unwrap_or(buffer);
    match begin.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[') => {
            let mark = buffer.len() - begin.len();
            input.consume(mark);
            read_array(input, wanted, found)
        }
        Some(_) => lines(input, wanted, found),
        None => Err(Problem::new("line 1", "there is no JSON at the beginning")),
    }
}

/// Reads a file of one object a line; blank lines are skipped.
pub(super) fn read_lines(
    input: &mut dyn Read,
    wanted: &[&'static str],
    found: Sink<'_>,
) -> Result<(), Problem> {
    lines(BufReader::new(input), wanted, found)
}

fn lines(mut input: impl BufRead, wanted: &[&'static str], found: Sink<'_>) -> Result<(), Problem> {
    let mut batch = Batch::new(wanted);
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line).map_err(unreadable)? == 0 {
            break;
        }
        number += 1;
        let content = match number {
            1 => line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&line),
            _ => &line,
        };
        if content.trim_ascii().is_empty() {
            continue;
        }
        let place = || format!("line {number}");
        let object: Map<String, Value> = serde_json::from_slice(content)
            .map_err(|error| Problem::new(place(), not_an_object(&error)))?;
        batch.push(object, place)?;
        batch.lines.push(number);
        if batch.rows == BATCH && !found(batch.finish()) {
            return Ok(());
        }
    }
    batch.end(found);
    Ok(())
}

fn read_array(input: impl Read, wanted: &[&'static str], found: Sink<'_>) -> Result<(), Problem> {
    let mut problem = None;
    let mut deserializer = serde_json::Deserializer::from_reader(input);
    let visitor = Objects {
        batch: Batch::new(wanted),
        found,
        problem: &mut problem,
    };
    let read = deserializer
        .deserialize_seq(visitor)
        .and_then(|all| match all {
            true => deserializer.end(),
            false => Ok(()),
        });
    match (problem, read) {
        (Some(problem), _) => Err(problem),
        (None, Err(error)) => Err(Problem::new(
            format!("line {}", error.line()),
            not_an_object(&error),
        )),
        (None, Ok(())) => Ok(()),
    }
}

/// Takes the objects of an array one by one; `false` when nobody wanted more.
struct Objects<'a, 'f> {
    batch: Batch<'a>,
    found: Sink<'f>,
    problem: &'a mut Option<Problem>,
}

impl<'de> Visitor<'de> for Objects<'_, '_> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut objects: A) -> Result<bool, A::Error> {
        let mut number: u64 = 0;
        while let Some(object) = objects.next_element::<Map<String, Value>>()? {
            number += 1;
            if let Err(problem) = self.batch.push(object, || format!("row {number}")) {
                *self.problem = Some(problem);
                return Ok(false);
            }
            if self.batch.rows == BATCH && !(self.found)(self.batch.finish()) {
                return Ok(false);
            }
        }
        self.batch.end(self.found);
        Ok(true)
    }
}

/// Objects on their way to columns.
pub(super) struct Batch<'a> {
    wanted: &'a [&'static str],
    builders: Vec<StringBuilder>,
    rows: usize,
    /// The lines of the rows; empty for an array, whose rows are counted.
    lines: Vec<u64>,
    first: u64,
    keys: BTreeSet<String>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(wanted: &'a [&'static str]) -> Self {
        Self {
            wanted,
            builders: wanted.iter().map(|_| StringBuilder::new()).collect(),
            rows: 0,
            lines: Vec::new(),
            first: 1,
            keys: BTreeSet::new(),
        }
    }

    /// Adds a row; every value as its text, which is then read as the column's kind.
    pub(super) fn push(
        &mut self,
        mut object: Map<String, Value>,
        place: impl Fn() -> String,
    ) -> Result<(), Problem> {
        for (name, builder) in self.wanted.iter().zip(&mut self.builders) {
            match object.get(*name) {
                None | Some(Value::Null) => builder.append_null(),
                Some(Value::String(text)) => builder.append_value(text),
                Some(Value::Bool(value)) => builder.append_value(value.to_string()),
                Some(Value::Number(value)) => builder.append_value(value.to_string()),
                Some(Value::Array(_) | Value::Object(_)) => {
                    let message = format!("column {name} is not a single value");
                    return Err(Problem::new(place(), message));
                }
            }
        }
        self.rows += 1;
        object.retain(|name, _| !self.keys.contains(name));
        self.keys.extend(object.into_iter().map(|(name, _)| name));
        Ok(())
    }

    pub(super) fn is_full(&self, rows: usize) -> bool {
        self.rows == rows
    }

    pub(super) fn finish(&mut self) -> Found {
        let arrays = self
            .builders
            .iter_mut()
            .map(|builder| Some(Arc::new(builder.finish()) as ArrayRef))
            .collect();
        let rows = std::mem::take(&mut self.rows);
        let lines = match std::mem::take(&mut self.lines) {
            lines if lines.is_empty() => Lines::RowsFrom(self.first),
            lines => Lines::Each(lines),
        };
        self.first += rows as u64;
        Found::Rows(Rows {
            arrays,
            rows,
            lines,
        })
    }

    /// The last rows, and which columns the file has; a file without rows has them all.
    pub(super) fn end(mut self, found: Sink<'_>) {
        if self.first == 1 && self.rows == 0 {
            return;
        }
        if self.rows == 0 || found(self.finish()) {
            found(Found::Header(self.keys.into_iter().collect()));
        }
    }
}

fn unreadable(error: std::io::Error) -> Problem {
    Problem::new("begin of file", format!("cannot be read: {error}"))
}

/// Without the content: serde_json's messages hold it only for types, and this drops the position.
fn not_an_object(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Data => "not an object of single values".to_owned(),
        serde_json::error::Category::Io => "cannot be read".to_owned(),
        _ => format!("not JSON (column {})", error.column()),
    }
}
