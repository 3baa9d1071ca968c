//! The summary of a finished job.

use std::fmt::Write;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

use crate::job::output::CommitProtocol;
use crate::job::receipt::{VERDICTS, folder};
use crate::job::run::RunOutcome;

/// Sources shown before the rest is counted.
const SOURCES_SHOWN: usize = 20;

/// The summary as text, for a terminal of `width` columns.
pub fn summary(outcome: &RunOutcome, width: u16) -> String {
    let report = &outcome.report;
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{} rows in {} files, {} (text {})",
        thousands(report.rows_in),
        thousands(report.files_in),
        bytes(report.bytes_in),
        bytes(report.text_bytes)
    );
    let mut table = new_table(width, &["verdict", "rows", "share", "where"]);
    for verdict in VERDICTS {
        let rows = report.rows(verdict);
        table.add_row(vec![
            Cell::new(verdict),
            number(rows),
            right(share(rows, report.rows_in)),
            Cell::new(format!("{}/{}/", outcome.output, folder(verdict))),
        ]);
    }
    let _ = writeln!(text, "{table}\n");
    if !report.first_reasons.is_empty() {
        let mut table = new_table(width, &["first reason", "rows"]);
        let mut reasons: Vec<_> = report.first_reasons.iter().collect();
        reasons.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        for (rule, rows) in reasons {
            table.add_row(vec![Cell::new(rule), number(*rows)]);
        }
        let _ = writeln!(text, "{table}\n");
    }
    let mut table = new_table(
        width,
        &[
            "source",
            "rows",
            "harmful",
            "gate",
            "keep",
            "review",
            "drop",
            "quarantine",
        ],
    );
    let mut sources: Vec<_> = report.sources.iter().collect();
    sources.sort_by(|a, b| {
        (b.1.gate == "reject")
            .cmp(&(a.1.gate == "reject"))
            .then(b.1.n.cmp(&a.1.n))
            .then(a.0.cmp(b.0))
    });
    for (id, source) in sources.iter().take(SOURCES_SHOWN) {
        let mut row = vec![
            Cell::new(if id.is_empty() { "(none)" } else { id }),
            number(source.n),
            right(format!(
                "{} ({})",
                thousands(source.harmful),
                share(source.harmful, source.n)
            )),
            Cell::new(&source.gate),
        ];
        row.extend(
            VERDICTS.map(|verdict| number(source.verdicts.get(verdict).copied().unwrap_or(0))),
        );
        table.add_row(row);
    }
    let _ = writeln!(text, "{table}");
    if sources.len() > SOURCES_SHOWN {
        let _ = writeln!(
            text,
            "{} more sources in {}/_tamis/source_assessment.parquet",
            sources.len() - SOURCES_SHOWN,
            outcome.output
        );
    }
    text.push('\n');
    for file in &report.quarantined_files {
        let _ = writeln!(
            text,
            "quarantined file {}: {}; its rows and sources are unknown",
            file.path, file.reason
        );
    }
    for group in &report.corrupt_row_groups {
        let _ = writeln!(
            text,
            "quarantined row group {} of {}: {}",
            group.row_group, group.path, group.reason
        );
    }
    if outcome.protocol == CommitProtocol::SingleWriter {
        let _ = writeln!(
            text,
            "note: this store does not honour create-only writes; the commit relied on being the only writer here"
        );
    }
    if outcome.already_done {
        let _ = writeln!(
            text,
            "Nothing to do: this job is finished and committed in {}",
            outcome.output
        );
        if outcome.purged > 0 {
            let _ = writeln!(
                text,
                "{} of these rows have left since with `tamis purge` and do not come back",
                thousands(outcome.purged)
            );
        }
    } else {
        let seconds = outcome.elapsed.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = report.text_bytes as f64 / 1e6 / seconds.max(1e-3);
        let resumed = match outcome.units_resumed {
            0 => String::new(),
            units => format!(", {units} of {} units from an earlier run", outcome.units),
        };
        let _ = writeln!(
            text,
            "Done in {seconds:.1} s ({rate:.1} MB of text a second){resumed}"
        );
        let _ = writeln!(
            text,
            "Results in {}; `tamis verify {}` checks them",
            outcome.output, outcome.output
        );
    }
    text
}

fn new_table(width: u16, header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::ASCII_MARKDOWN)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width)
        .set_header(header.to_vec());
    table
}

fn number(value: u64) -> Cell {
    right(thousands(value))
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// `1234567` as `1,234,567`.
pub fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes with a decimal unit.
pub fn bytes(value: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a size for people")]
    let mut size = value as f64;
    let mut unit = "B";
    for next in ["kB", "MB", "GB", "TB", "PB"] {
        if size < 1000.0 {
            break;
        }
        size /= 1000.0;
        unit = next;
    }
    if unit == "B" {
        format!("{value} B")
    } else {
        format!("{size:.1} {unit}")
    }
}

fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    let share = part as f64 * 100.0 / whole as f64;
    format!("{share:.2} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(12_345_678), "12.3 MB");
        assert_eq!(share(51, 1000), "5.10 %");
    }
}
