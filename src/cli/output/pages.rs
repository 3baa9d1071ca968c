//! Markdown and HTML.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;

use super::cells::{Cells, is_numeric, json_options, plain_options};
use super::{OutputError, ResultWriter, Sink, Written};

/// A GitHub-flavoured Markdown table. Values show as they are: what Markdown or HTML would
/// interpret is escaped.
pub(crate) struct MarkdownWriter {
    sink: Sink,
    schema: SchemaRef,
    rows: usize,
}

impl MarkdownWriter {
    pub(crate) fn new(schema: &SchemaRef, mut sink: Sink) -> Result<Self, OutputError> {
        let mut head = String::from("|");
        for field in schema.fields() {
            head.push(' ');
            push_markdown(&mut head, field.name());
            head.push_str(" |");
        }
        head.push_str("\n|");
        for field in schema.fields() {
            head.push_str(if is_numeric(field.data_type()) {
                " ---: |"
            } else {
                " --- |"
            });
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

impl ResultWriter for MarkdownWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        let (json, plain) = (json_options(), plain_options());
        let mut cells = Cells::new(batch, self.schema.fields(), &json, &plain)?;
        let mut text = String::new();
        for row in 0..batch.num_rows() {
            text.push('|');
            for column in 0..batch.num_columns() {
                text.push(' ');
                match cells.text(column, row) {
                    Some(value) => push_markdown(&mut text, &value),
                    None => text.push_str("NULL"),
                }
                text.push_str(" |");
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

fn push_markdown(text: &mut String, value: &str) {
    let mut characters = value.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' | '\r' => text.push_str("<br>"),
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '\\' | '|' | '`' | '*' | '[' | ']' => {
                text.push('\\');
                text.push(character);
            }
            other => push_shown(text, other),
        }
    }
}

/// A page that needs nothing else: style inside, no script, light and dark, printable.
pub(crate) struct HtmlWriter {
    sink: Sink,
    schema: SchemaRef,
    rows: usize,
}

const HTML_HEAD: &str = r#"<!doctype html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Result</title>
<style>
:root { color-scheme: light dark; --line: #c8ccd0; --head: #f0f2f4; --dim: #707880; }
@media (prefers-color-scheme: dark) { :root { --line: #40464c; --head: #24292e; --dim: #8b949e; } }
body { font: 14px/1.45 system-ui, sans-serif; margin: 1.5rem; }
table { border-collapse: collapse; }
th, td { border: 1px solid var(--line); padding: .25rem .6rem; text-align: left; vertical-align: top; }
th { background: var(--head); position: sticky; top: 0; }
td { white-space: pre-wrap; overflow-wrap: anywhere; max-width: 60ch; }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.null, p { color: var(--dim); }
@media print { body { margin: 0; } th { position: static; } tr { break-inside: avoid; } }
</style>
</head>
<body>
<table>
<thead><tr>"#;

impl HtmlWriter {
    pub(crate) fn new(schema: &SchemaRef, mut sink: Sink) -> Result<Self, OutputError> {
        let mut head = String::from(HTML_HEAD);
        for field in schema.fields() {
            head.push_str("<th>");
            push_html(&mut head, field.name());
            head.push_str("</th>");
        }
        head.push_str("</tr></thead>\n<tbody>\n");
        sink.write_all(head.as_bytes())?;
        Ok(Self {
            sink,
            schema: Arc::clone(schema),
            rows: 0,
        })
    }
}

impl ResultWriter for HtmlWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        let (json, plain) = (json_options(), plain_options());
        let mut cells = Cells::new(batch, self.schema.fields(), &json, &plain)?;
        let mut text = String::new();
        for row in 0..batch.num_rows() {
            text.push_str("<tr>");
            for (column, field) in self.schema.fields().iter().enumerate() {
                match cells.text(column, row) {
                    Some(value) => {
                        let numeric = is_numeric(field.data_type());
                        text.push_str(if numeric { "<td class=\"n\">" } else { "<td>" });
                        push_html(&mut text, &value);
                    }
                    None => text.push_str("<td class=\"null\">NULL"),
                }
                text.push_str("</td>");
            }
            text.push_str("</tr>\n");
        }
        self.rows += batch.num_rows();
        Ok(self.sink.write_all(text.as_bytes())?)
    }

    fn finish(mut self: Box<Self>) -> Result<Written, OutputError> {
        let rows = if self.rows == 1 {
            "1 row".to_owned()
        } else {
            format!("{} rows", self.rows)
        };
        let end = format!("</tbody>\n</table>\n<p>{rows}</p>\n</body>\n</html>\n");
        self.sink.write_all(end.as_bytes())?;
        self.sink.flush()?;
        Ok(Written {
            rows: self.rows,
            cut: false,
        })
    }
}

fn push_html(text: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\n' | '\t' => text.push(character),
            other => push_shown(text, other),
        }
    }
}

/// A character, or its escape when it would not be seen or would turn the reading direction.
pub(crate) fn push_shown(text: &mut String, character: char) {
    let unseen = character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        );
    match character {
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        hidden if unseen => text.extend(hidden.escape_unicode()),
        other => text.push(other),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::testing::{sample, written_text};

    #[test]
    fn markdown_escapes_what_it_would_interpret() {
        let text = written_text(Format::Markdown, &[sample().project(&[0, 1, 2]).unwrap()]);
        assert_eq!(
            text,
            "| text | number | list |\n| --- | ---: | --- |\n\
             | plain | 1.5 | \\[1,null\\] |\n|  | NaN | \\[\\] |\n| NULL | NULL | NULL |\n\
             | a,\"b\"<br>c\\|d&lt;e&gt;&amp;\\u{1b}\\[31m | -0.25 | \\[2\\] |\n"
        );
    }

    #[test]
    fn html_is_one_page_without_live_content() {
        let text = written_text(Format::Html, &[sample(), sample().slice(0, 1)]);
        assert!(text.starts_with("<!doctype html>") && text.ends_with("</html>\n"));
        assert!(text.contains("<th>text</th>"));
        assert!(text.contains("<td class=\"n\">-0.25</td>"));
        assert!(text.contains("<td class=\"null\">NULL</td>"));
        assert!(text.contains("c|d&lt;e&gt;&amp;\\u{1b}[31m"));
        assert!(text.contains("<td>{&quot;k&quot;:&quot;x\\&quot;y&quot;}</td>"));
        assert!(text.contains("<p>5 rows</p>"));
        assert_eq!(text.matches("<tr>").count(), 6);
        assert!(
            !text.contains("<script") && !text.contains("http://") && !text.contains("https://")
        );
    }
}
