//! Tables for reading in a terminal or a text file.

use std::sync::Arc;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Row, Table, presets};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;

use super::cells::{Cells, is_numeric, json_options, plain_options};
use super::pages::push_shown;
use super::{Look, OutputError, ResultWriter, Sink, Written};

/// A column narrower than this cannot be read; then a row is shown as a list of its values.
const LEAST_COLUMN_WIDTH: usize = 9;
/// Characters of a value on a terminal.
const MOST_CHARACTERS: usize = 300;
/// Lines of a value in a table on a terminal.
const MOST_LINES: usize = 4;

/// Keeps the texts of its rows and aligns them at the end.
pub(crate) struct TableWriter {
    sink: Sink,
    schema: SchemaRef,
    look: Look,
    rows: Vec<Vec<String>>,
    cut: bool,
}

impl TableWriter {
    pub(crate) fn new(schema: &SchemaRef, sink: Sink, look: Look) -> Self {
        Self {
            sink,
            schema: Arc::clone(schema),
            look,
            rows: Vec::new(),
            cut: false,
        }
    }

    fn shown(&self, value: &str) -> String {
        let limit = match self.look.width {
            Some(_) if !self.look.keeps_lines => MOST_CHARACTERS,
            _ => usize::MAX,
        };
        let mut text = String::new();
        for (count, character) in value.chars().enumerate() {
            if count == limit {
                text.push('…');
                break;
            }
            if character == '\n' && self.look.keeps_lines {
                text.push('\n');
            } else {
                push_shown(&mut text, character);
            }
        }
        text
    }

    /// Whether the columns side by side would be too narrow to read.
    fn is_too_wide(&self) -> bool {
        let Some(width) = self.look.width else {
            return false;
        };
        let columns = self.schema.fields().len();
        columns * (LEAST_COLUMN_WIDTH + 3) + 1 > usize::from(width) && columns > 1
    }

    fn side_by_side(&self) -> String {
        let mut table = new_table(self.look.width);
        table.set_header(
            self.schema
                .fields()
                .iter()
                .map(|field| self.shown(field.name())),
        );
        for values in &self.rows {
            let cells = values
                .iter()
                .zip(self.schema.fields())
                .map(|(value, field)| {
                    let cell = Cell::new(value);
                    if is_numeric(field.data_type()) {
                        cell.set_alignment(CellAlignment::Right)
                    } else {
                        cell
                    }
                });
            let mut row: Row = cells.collect::<Vec<Cell>>().into();
            if self.look.width.is_some() && !self.look.keeps_lines {
                row.max_height(MOST_LINES);
            }
            table.add_row(row);
        }
        trimmed(&table)
    }

    /// One small table a row, a value a line.
    fn one_below_the_other(&self) -> String {
        let mut text = String::new();
        for (number, values) in self.rows.iter().enumerate() {
            let mut table = new_table(self.look.width);
            for (value, field) in values.iter().zip(self.schema.fields()) {
                let mut row: Row = vec![self.shown(field.name()), value.clone()].into();
                if !self.look.keeps_lines {
                    row.max_height(MOST_LINES);
                }
                table.add_row(row);
            }
            text.push_str(&format!("row {}\n{}\n", number + 1, trimmed(&table)));
        }
        if self.rows.is_empty() {
            let names: Vec<String> = self
                .schema
                .fields()
                .iter()
                .map(|field| self.shown(field.name()))
                .collect();
            text.push_str(&format!("no rows; columns: {}\n", names.join(", ")));
        }
        text.truncate(text.trim_end().len());
        text
    }
}

fn new_table(width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    match width {
        Some(width) => {
            table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width);
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    table
}

fn trimmed(table: &Table) -> String {
    let lines: Vec<String> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.join("\n")
}

impl ResultWriter for TableWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        let room = match self.look.max_rows {
            Some(most) => most.saturating_sub(self.rows.len()),
            None => usize::MAX,
        };
        let take = batch.num_rows().min(room);
        if take < batch.num_rows() {
            self.cut = true;
        }
        let (json, plain) = (json_options(), plain_options());
        let mut cells = Cells::new(batch, self.schema.fields(), &json, &plain)?;
        for row in 0..take {
            let values = (0..batch.num_columns()).map(|column| match cells.text(column, row) {
                Some(value) => self.shown(&value),
                None => "NULL".to_owned(),
            });
            let values = values.collect();
            self.rows.push(values);
        }
        Ok(())
    }

    fn wants_more(&self) -> bool {
        !self.cut
    }

    fn finish(mut self: Box<Self>) -> Result<Written, OutputError> {
        let text = if self.is_too_wide() {
            self.one_below_the_other()
        } else {
            self.side_by_side()
        };
        writeln!(self.sink, "{text}")?;
        self.sink.flush()?;
        Ok(Written {
            rows: self.rows.len(),
            cut: self.cut,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::testing::{FOR_NOBODY, sample, written, written_text};
    use super::*;

    fn text_at(width: u16, batch: RecordBatch) -> String {
        let look = Look {
            width: Some(width),
            max_rows: None,
            keeps_lines: false,
        };
        String::from_utf8(written(Format::Table, &[batch], look).0).unwrap()
    }

    #[test]
    fn a_table_for_a_file_is_whole() {
        let text = written_text(Format::Table, &[sample().project(&[0, 1]).unwrap()]);
        let expected = "\
┌──────────────────────────┬────────┐
│ text                     ┆ number │
╞══════════════════════════╪════════╡
│ plain                    ┆    1.5 │
│                          ┆    NaN │
│ NULL                     ┆   NULL │
│ a,\"b\"\\nc|d<e>&\\u{1b}[31m ┆  -0.25 │
└──────────────────────────┴────────┘
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_table_fits_the_terminal() {
        use unicode_columns::width;
        for columns in [20, 40, 61, 80, 200] {
            let text = text_at(columns, sample());
            for line in text.lines() {
                assert!(width(line) <= usize::from(columns), "{columns}: {line}");
            }
        }
        let narrow = text_at(40, sample());
        assert!(narrow.starts_with("row 1\n"), "{narrow}");
        assert!(narrow.contains("row 4\n"), "{narrow}");
    }

    /// Display columns, as far as the sample needs them: one a character.
    mod unicode_columns {
        pub(super) fn width(line: &str) -> usize {
            line.chars().count()
        }
    }

    #[test]
    fn rows_beyond_the_most_are_cut_and_said() {
        let look = Look {
            max_rows: Some(3),
            ..FOR_NOBODY
        };
        let (bytes, report) = written(Format::Table, &[sample(), sample()], look);
        assert_eq!(report, Written { rows: 3, cut: true });
        assert!(!String::from_utf8(bytes).unwrap().contains("-0.25"));
        let look = Look {
            max_rows: Some(4),
            ..FOR_NOBODY
        };
        assert_eq!(
            written(Format::Table, &[sample()], look).1,
            Written {
                rows: 4,
                cut: false
            }
        );
    }
}
