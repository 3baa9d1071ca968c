//! CSV and JSON.

use datafusion::arrow::array::{RecordBatch, StructArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, SchemaRef};
use datafusion::arrow::json::writer::make_encoder;
use std::sync::Arc;

use super::cells::{Cells, for_json, json_options, plain_options};
use super::{OutputError, ResultWriter, Sink, Written};

/// Comma-separated values after RFC 4180 with `\n` line ends. NULL is an empty field, an empty
/// text is `""`; a lone NULL column also writes `""`, because readers skip empty lines.
pub(crate) struct CsvWriter {
    sink: Sink,
    schema: SchemaRef,
    rows: usize,
}

impl CsvWriter {
    pub(crate) fn new(schema: &SchemaRef, mut sink: Sink) -> Result<Self, OutputError> {
        let mut head = String::new();
        for (index, field) in schema.fields().iter().enumerate() {
            if index > 0 {
                head.push(',');
            }
            push_csv(&mut head, field.name());
        }
        head.push('\n');
        sink.write_all(head.as_bytes())?;
        Ok(Self {
            sink,
            schema: Arc::clone(schema),
            rows: 0,
        })
    }
}

impl ResultWriter for CsvWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        let (json, plain) = (json_options(), plain_options());
        let mut cells = Cells::new(batch, self.schema.fields(), &json, &plain)?;
        let columns = batch.num_columns();
        let mut text = String::new();
        for row in 0..batch.num_rows() {
            for column in 0..columns {
                if column > 0 {
                    text.push(',');
                }
                match cells.text(column, row) {
                    Some(value) => push_csv(&mut text, &value),
                    None if columns == 1 => text.push_str("\"\""),
                    None => {}
                }
            }
            text.push('\n');
        }
        self.rows += batch.num_rows();
        Ok(self.sink.write_all(text.as_bytes())?)
    }

    fn finish(mut self: Box<Self>) -> Result<Written, OutputError> {
        self.sink.flush()?;
        Ok(Written {
            rows: self.rows,
            cut: false,
        })
    }
}

fn push_csv(line: &mut String, value: &str) {
    let spaced = value.starts_with(' ') || value.ends_with(' ');
    if !value.is_empty() && !spaced && !value.contains([',', '"', '\n', '\r']) {
        line.push_str(value);
        return;
    }
    line.push('"');
    line.push_str(&value.replace('"', "\"\""));
    line.push('"');
}

/// JSON objects, one a line, as one array or bare. Not-a-number and infinities are `null`.
pub(crate) struct JsonWriter {
    sink: Sink,
    array: bool,
    rows: usize,
}

impl JsonWriter {
    pub(crate) fn array(sink: Sink) -> Self {
        Self {
            sink,
            array: true,
            rows: 0,
        }
    }

    pub(crate) fn lines(sink: Sink) -> Self {
        Self {
            sink,
            array: false,
            rows: 0,
        }
    }
}

impl ResultWriter for JsonWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let batch = for_json(batch)?;
        let options = json_options();
        let fields = batch.schema().fields().clone();
        let field: FieldRef = Arc::new(Field::new("row", DataType::Struct(fields), false));
        let mut bytes = Vec::new();
        if batch.num_columns() == 0 {
            for _ in 0..batch.num_rows() {
                self.begin_row(&mut bytes);
                bytes.extend_from_slice(b"{}");
                self.end_row(&mut bytes);
            }
        } else {
            let rows = StructArray::from(batch.clone());
            let mut encoder = make_encoder(&field, &rows, &options)?;
            for row in 0..batch.num_rows() {
                self.begin_row(&mut bytes);
                encoder.encode(row, &mut bytes);
                self.end_row(&mut bytes);
            }
        }
        Ok(self.sink.write_all(&bytes)?)
    }

    fn finish(mut self: Box<Self>) -> Result<Written, OutputError> {
        if self.array {
            let end: &[u8] = if self.rows == 0 { b"[]\n" } else { b"\n]\n" };
            self.sink.write_all(end)?;
        }
        self.sink.flush()?;
        Ok(Written {
            rows: self.rows,
            cut: false,
        })
    }
}

impl JsonWriter {
    fn begin_row(&mut self, bytes: &mut Vec<u8>) {
        if self.array {
            bytes.extend_from_slice(if self.rows == 0 { b"[\n" } else { b",\n" });
        }
        self.rows += 1;
    }

    fn end_row(&self, bytes: &mut Vec<u8>) {
        if !self.array {
            bytes.push(b'\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::testing::{sample, written_text};

    #[test]
    fn csv_keeps_null_and_empty_apart_and_nests_json() {
        let text = written_text(Format::Csv, &[sample()]);
        let expected = "text,number,list,struct,time\n\
            plain,1.5,\"[1,null]\",\"{\"\"k\"\":\"\"x\\\"\"y\"\"}\",1970-01-01T00:00:00Z\n\
            \"\",NaN,[],\"{\"\"k\"\":null}\",\n\
            ,,,\"{\"\"k\"\":\"\"z\"\"}\",\n\
            \"a,\"\"b\"\"\nc|d<e>&\u{1b}[31m\",-0.25,[2],\"{\"\"k\"\":\"\"w\"\"}\",1970-01-01T00:00:01.500Z\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn csv_of_a_lone_null_is_a_row() {
        let batch = sample().project(&[0]).unwrap().slice(2, 1);
        assert_eq!(written_text(Format::Csv, &[batch]), "text\n\"\"\n");
    }

    #[test]
    fn json_is_one_array_over_batches() {
        let batch = sample().project(&[0, 2]).unwrap();
        let text = written_text(
            Format::Json,
            &[batch.slice(0, 1), batch.slice(1, 0), batch.slice(1, 2)],
        );
        assert_eq!(
            text,
            "[\n{\"text\":\"plain\",\"list\":[1,null]},\n{\"text\":\"\",\"list\":[]},\n\
             {\"text\":null,\"list\":null}\n]\n"
        );
        let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(parsed.as_array().unwrap().len(), 3);
        assert_eq!(written_text(Format::Json, &[batch.slice(0, 0)]), "[]\n");
    }

    #[test]
    fn ndjson_is_a_value_a_line() {
        let text = written_text(Format::Ndjson, &[sample()]);
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[0]["struct"]["k"], "x\"y");
        assert_eq!(lines[1]["number"], serde_json::Value::Null);
        assert_eq!(lines[3]["text"], "a,\"b\"\nc|d<e>&\u{1b}[31m");
    }
}
