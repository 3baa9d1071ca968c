//! `tamis lexicon explain`.

use std::fmt::Write as _;
use std::io::{IsTerminal, Read, Write};
use std::sync::Arc;

use clap::Args;
use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use tamis_harm::{ExplainedHit, Explainer, Explanation};

use crate::cli::error::CliError;
use crate::cli::print::{PrintArgs, table};
use crate::cli::stores::StoreArgs;

use super::{judging, usage};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tamis lexicon explain '出售假币，联系我'
  tamis lexicon explain 'Ｓｔｏｌｅｎ cards' --lexicon 'builtin:lexicon|ours.csv'
  cat page.txt | tamis lexicon explain - --format json

Without --format the text is shown with its hits marked, then a line for each hit.")]
pub struct ExplainArgs {
    /// The texts; - reads one from standard input
    #[arg(required = true, value_name = "TEXT")]
    texts: Vec<String>,
    /// The lexicon, or several joined by |; default: the setting tamis.lexicon
    #[arg(long)]
    lexicon: Option<String>,
    /// Set tamis.*; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    print: PrintArgs,
    #[command(flatten)]
    stores: StoreArgs,
}

pub async fn run(args: ExplainArgs) -> Result<(), CliError> {
    let resources = judging(&args.stores, &args.set, args.lexicon.as_deref()).await?;
    let explainer = Explainer::new(Arc::clone(&resources.judge)).map_err(usage)?;
    let mut explanations: Vec<Explanation> = Vec::with_capacity(args.texts.len());
    for text in &args.texts {
        let read = match text.as_str() {
            "-" => {
                let mut text = String::new();
                std::io::stdin()
                    .read_to_string(&mut text)
                    .map_err(|error| CliError::Failed(format!("standard input: {error}")))?;
                text
            }
            text => text.to_owned(),
        };
        explanations.push(explainer.explain(&read).map_err(usage)?);
    }
    if args.print.format.is_some() || args.print.output.is_some() {
        return args.print.print(&table(columns(&explanations))?);
    }
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let shown: Vec<String> = explanations
        .iter()
        .map(|explanation| for_reading(explanation, colour))
        .collect();
    // A closed pipe is the reader's choice.
    let _ = std::io::stdout().write_all(shown.join("\n").as_bytes());
    Ok(())
}

/// The text with what counts in red or « », what is masked in green or ‹ ›, and a line for each hit.
fn for_reading(explanation: &Explanation, colour: bool) -> String {
    let mut shown = String::new();
    for segment in &explanation.segments {
        let text = printable(&segment.text);
        let marks = match (segment.hits.is_empty(), segment.masked.is_empty(), colour) {
            (true, true, _) => ("", ""),
            (false, _, true) => ("\u{1b}[1;31m", "\u{1b}[0m"),
            (false, _, false) => ("«", "»"),
            (true, false, true) => ("\u{1b}[32m", "\u{1b}[0m"),
            (true, false, false) => ("‹", "›"),
        };
        let _ = write!(shown, "{}{text}{}", marks.0, marks.1);
    }
    let risks: Vec<String> = explanation
        .risks
        .iter()
        .map(|(risk, threshold)| format!("{risk} (from {threshold})"))
        .collect();
    let _ = writeln!(
        shown,
        "\n  score {}{}",
        explanation.score,
        match risks.is_empty() {
            true => ", no risk".to_owned(),
            false => format!(", risks {}", risks.join(", ")),
        }
    );
    for hit in &explanation.hits {
        let _ = writeln!(shown, "  {}", path_of(hit));
    }
    shown
}

fn path_of(hit: &ExplainedHit) -> String {
    let mut path = format!(
        "{}..{} '{}' -> {} -> '{}' -> {} {} ({})",
        hit.start,
        hit.end,
        printable(&hit.found),
        hit.via.as_str(),
        printable(&hit.term),
        hit.risk,
        hit.weight,
        hit.place
    );
    if let Some((term, place)) = &hit.masked_by {
        let _ = write!(path, ", masked by '{}' ({place})", printable(term));
    }
    path
}

/// Control characters, and those that show nothing, as escapes: a text must not command a terminal,
/// and what hides between letters should be seen.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        let hidden = matches!(c,
            '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}');
        match c {
            '\n' | '\t' => shown.push(c),
            _ if c.is_control() || hidden => shown.extend(c.escape_unicode()),
            _ => shown.push(c),
        }
    }
    shown
}

/// One row for each hit, counted or masked.
fn columns(explanations: &[Explanation]) -> Vec<(&'static str, ArrayRef)> {
    let hits: Vec<(usize, &ExplainedHit)> = explanations
        .iter()
        .enumerate()
        .flat_map(|(text, explanation)| explanation.hits.iter().map(move |hit| (text, hit)))
        .collect();
    let text = |value: fn(&ExplainedHit) -> Option<&str>| -> ArrayRef {
        Arc::new(
            hits.iter()
                .map(|(_, hit)| value(hit))
                .collect::<StringArray>(),
        )
    };
    let number = |value: fn(usize, &ExplainedHit) -> usize| -> ArrayRef {
        let values = hits
            .iter()
            .map(|&(text, hit)| Some(value(text, hit) as i64));
        Arc::new(values.collect::<Int64Array>())
    };
    let weights: Float64Array = hits.iter().map(|(_, hit)| Some(hit.weight)).collect();
    vec![
        ("text", number(|text, _| text)),
        ("start", number(|_, hit| hit.start)),
        ("end", number(|_, hit| hit.end)),
        ("found", text(|hit| Some(&hit.found))),
        ("via", text(|hit| Some(hit.via.as_str()))),
        ("term", text(|hit| Some(&hit.term))),
        ("risk", text(|hit| Some(&hit.risk))),
        ("weight", Arc::new(weights)),
        ("place", text(|hit| Some(&hit.place))),
        (
            "masked_by",
            text(|hit| hit.masked_by.as_ref().map(|(term, _)| term.as_str())),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_shown_and_commands_nothing() {
        assert_eq!(
            printable("a\u{200B}b\u{1b}[2J\n"),
            "a\\u{200b}b\\u{1b}[2J\n"
        );
    }
}
