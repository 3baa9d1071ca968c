//! `tamis lexicon diff`.

use std::sync::Arc;

use clap::Args;
use datafusion::arrow::array::{ArrayRef, Float64Array, StringArray, UInt64Array};
use tamis_harm::{Entry, Impact, LexiconDiff, Taxonomy, diff_lexicons, impact};

use crate::cli::error::CliError;
use crate::cli::print::{PrintArgs, lists, say, table};
use crate::cli::stores::StoreArgs;

use super::{judging, usage};
use crate::cli::documents::each_batch;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tamis lexicon diff last-week.csv this-week.csv
  tamis lexicon diff builtin:lexicon 'builtin:lexicon|ours.csv' --format csv
  tamis lexicon diff old.csv new.csv --impact s3://bucket/corpus/ --text body --id doc_id

With --impact: the rows whose risks differ, in the order of the corpus; with --scores also those whose
score alone differs. Exit codes: 0 compared; 1 the corpus cannot be read; 2 wrong flags or lexicon.")]
pub struct DiffArgs {
    /// The lexicon before, or several joined by |
    before: String,
    /// The lexicon after, or several joined by |
    after: String,
    /// A corpus: list the rows they judge differently instead of the entries that differ
    #[arg(long, value_name = "CORPUS")]
    impact: Option<String>,
    /// The column of the corpus that holds the text
    #[arg(
        long,
        value_name = "COLUMN",
        default_value = "text",
        requires = "impact"
    )]
    text: String,
    /// A column of the corpus that names its rows
    #[arg(long, value_name = "COLUMN", requires = "impact")]
    id: Option<String>,
    /// List rows whose score alone differs too
    #[arg(long, requires = "impact")]
    scores: bool,
    /// Set tamis.*; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    print: PrintArgs,
    #[command(flatten)]
    stores: StoreArgs,
}

pub async fn run(args: DiffArgs) -> Result<(), CliError> {
    let before = judging(&args.stores, &args.set, Some(&args.before)).await?;
    let after = judging(&args.stores, &args.set, Some(&args.after)).await?;
    let Some(corpus) = &args.impact else {
        let diff = diff_lexicons(before.judge.lexicon(), after.judge.lexicon());
        args.print.print(&table(entry_columns(&diff))?)?;
        say(&format!(
            "{} added, {} removed, {} changed",
            diff.added.len(),
            diff.removed.len(),
            diff.changed.len()
        ));
        return Ok(());
    };
    let mut changed: Vec<(u64, Option<String>, Impact)> = Vec::new();
    let (mut rows, mut harmful, mut harmless) = (0, 0, 0);
    let stores = args.stores.stores()?;
    each_batch(
        &stores,
        corpus,
        &args.text,
        args.id.as_deref(),
        &mut |documents| {
            let texts: Vec<&str> = documents.iter().map(|one| one.text.as_str()).collect();
            rows += texts.len();
            for impact in impact(&before.judge, &after.judge, &texts).map_err(usage)? {
                match impact.becomes_harmful() {
                    Some(true) => harmful += 1,
                    Some(false) => harmless += 1,
                    None => {}
                }
                if args.scores || impact.changes_risks() {
                    let document = &documents[impact.document];
                    changed.push((document.row, document.id.clone(), impact));
                }
            }
            Ok(())
        },
    )
    .await?;
    let columns = impact_columns(&changed, before.judge.taxonomy(), args.id.is_some());
    args.print.print(&table(columns)?)?;
    say(&format!(
        "{rows} rows with a text: {harmful} become harmful, {harmless} no longer are, {} are listed",
        changed.len()
    ));
    Ok(())
}

fn entry_columns(diff: &LexiconDiff) -> Vec<(&'static str, ArrayRef)> {
    let unchanged: &[&'static str] = &[];
    type Row<'a> = (
        &'static str,
        Option<&'a Entry>,
        Option<&'a Entry>,
        &'a [&'static str],
    );
    let mut rows: Vec<Row<'_>> = Vec::new();
    rows.extend(
        diff.added
            .iter()
            .map(|entry| ("added", None, Some(entry), unchanged)),
    );
    rows.extend(
        diff.removed
            .iter()
            .map(|entry| ("removed", Some(entry), None, unchanged)),
    );
    rows.extend(diff.changed.iter().map(|change| {
        (
            "changed",
            Some(&change.before),
            Some(&change.after),
            change.columns.as_slice(),
        )
    }));
    let changes: StringArray = rows.iter().map(|row| Some(row.0)).collect();
    let terms: StringArray = rows
        .iter()
        .map(|row| row.2.or(row.1).map(|entry| entry.term.as_str()))
        .collect();
    let risk = |entry: fn(&Row<'_>) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(entry).collect::<StringArray>())
    };
    let weight = |entry: fn(&Row<'_>) -> Option<f64>| -> ArrayRef {
        Arc::new(rows.iter().map(entry).collect::<Float64Array>())
    };
    vec![
        ("change", Arc::new(changes)),
        ("term", Arc::new(terms)),
        ("risk_before", risk(|row| Some(row.1?.risk.clone()))),
        ("risk_after", risk(|row| Some(row.2?.risk.clone()))),
        ("weight_before", weight(|row| Some(row.1?.weight))),
        ("weight_after", weight(|row| Some(row.2?.weight))),
        ("columns", lists(rows.iter().map(|row| row.3.to_vec()))),
    ]
}

fn impact_columns(
    changed: &[(u64, Option<String>, Impact)],
    taxonomy: &Taxonomy,
    with_id: bool,
) -> Vec<(&'static str, ArrayRef)> {
    let rows: UInt64Array = changed.iter().map(|(row, _, _)| Some(*row)).collect();
    let mut columns: Vec<(&'static str, ArrayRef)> = vec![("row", Arc::new(rows))];
    if with_id {
        let ids: StringArray = changed.iter().map(|(_, id, _)| id.as_deref()).collect();
        columns.push(("id", Arc::new(ids)));
    }
    let changes = changed.iter().map(|(_, _, impact)| {
        Some(match impact.becomes_harmful() {
            Some(true) => "becomes harmful",
            Some(false) => "no longer harmful",
            None if impact.changes_risks() => "other risks",
            None => "score",
        })
    });
    let ids = |risks: &[usize]| -> Vec<&str> {
        let risks = risks.iter();
        risks
            .map(|&risk| taxonomy.risks()[risk].id.as_str())
            .collect()
    };
    let before = || changed.iter().map(|(_, _, impact)| &impact.before);
    let after = || changed.iter().map(|(_, _, impact)| &impact.after);
    let scores_before: Float64Array = before().map(|verdict| Some(verdict.score)).collect();
    let scores_after: Float64Array = after().map(|verdict| Some(verdict.score)).collect();
    let more: [(&'static str, ArrayRef); 5] = [
        ("change", Arc::new(changes.collect::<StringArray>())),
        ("score_before", Arc::new(scores_before)),
        ("score_after", Arc::new(scores_after)),
        (
            "risks_before",
            lists(before().map(|verdict| ids(&verdict.risks))),
        ),
        (
            "risks_after",
            lists(after().map(|verdict| ids(&verdict.risks))),
        ),
    ];
    columns.extend(more);
    columns
}
