//! `tamis lexicon check`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use datafusion::arrow::array::{ArrayRef, StringArray};
use tamis_harm::{CheckOptions, LexiconCheck, LexiconRules, Sample, Taxonomy, check_lexicon};

use crate::cli::error::CliError;
use crate::cli::print::{PrintArgs, say, table};
use crate::cli::stores::StoreArgs;
use crate::job::pack::Pack;

use super::{day, judging, usage};
use crate::cli::documents::each_batch;

const MICROSECONDS_A_DAY: i64 = 24 * 60 * 60 * 1_000_000;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tamis lexicon check
  tamis lexicon check ours.csv --pack gb45654 --updated 2026-11-20
  tamis lexicon check 'builtin:lexicon|ours.csv' --sample s3://bucket/encyclopedia/ --text body
  tamis lexicon check ours.csv --words innocent.txt --strict --format json -o check.json

A lexicon says when it was updated in a comment before its header: # updated: 2026-11-20

Exit codes: 0 every rule is kept; 2 wrong flags, lexicon or pack; 3 a rule fails.")]
pub struct CheckArgs {
    /// The lexicon, or several joined by |, later ones over earlier; default: the setting tamis.lexicon
    lexicon: Option<String>,
    /// The policy pack whose [lexicon] rules hold: built in, or a folder
    #[arg(long, default_value = "gb45654")]
    pack: String,
    /// A corpus of ordinary text, in which entries should not hit
    #[arg(long, value_name = "CORPUS")]
    sample: Option<String>,
    /// The column of the sample that holds the text
    #[arg(
        long,
        value_name = "COLUMN",
        default_value = "text",
        requires = "sample"
    )]
    text: String,
    /// The largest share of the sample's rows that one entry may hit
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.0005,
        requires = "sample"
    )]
    max_share: f64,
    /// A file of innocent words, one a line, in which no entry may hit
    #[arg(long, value_name = "FILE")]
    words: Option<PathBuf>,
    /// The day of the last update; default: what the lexicon says
    #[arg(long, value_name = "DATE")]
    updated: Option<String>,
    /// The instant to count the age to, RFC 3339 or a date; default: now
    #[arg(long, value_name = "INSTANT")]
    at: Option<String>,
    /// Fail for every finding, also for those a person should look at
    #[arg(long)]
    strict: bool,
    /// Set tamis.*; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    print: PrintArgs,
    #[command(flatten)]
    stores: StoreArgs,
}

pub async fn run(args: CheckArgs) -> Result<(), CliError> {
    if !(0.0..=1.0).contains(&args.max_share) {
        return Err(CliError::Usage(format!(
            "--max-share {} is not between 0 and 1",
            args.max_share
        )));
    }
    let mut set = args.set.clone();
    set.extend(args.at.as_ref().map(|at| format!("as_of={at}")));
    let resources = judging(&args.stores, &set, args.lexicon.as_deref()).await?;
    let judge = &resources.judge;
    let pack = Pack::load(&args.pack)?;
    let uri = format!("{}/pack.toml", pack.identity.uri);
    let rules = LexiconRules::from_pack_toml(&uri, pack.file("pack.toml"), judge.taxonomy())
        .map_err(usage)?;
    let innocent_words = match &args.words {
        Some(path) => words(path)?,
        None => Vec::new(),
    };
    let updated = args.updated.as_deref();
    let options = CheckOptions {
        today: resources.as_of.div_euclid(MICROSECONDS_A_DAY),
        updated: updated.map(|date| day("--updated", date)).transpose()?,
        max_document_share: args.max_share,
        innocent_words,
    };
    let sample = match &args.sample {
        Some(corpus) => {
            let mut sample = Sample::new(judge);
            let stores = args.stores.stores()?;
            each_batch(&stores, corpus, &args.text, None, &mut |documents| {
                let texts: Vec<&str> = documents.iter().map(|one| one.text.as_str()).collect();
                sample.add(&texts).map_err(usage)
            })
            .await?;
            if sample.documents() == 0 {
                return Err(CliError::Usage(format!("{corpus}: no text in it")));
            }
            Some(sample)
        }
        None => None,
    };
    let check = check_lexicon(judge, &rules, sample.as_ref(), &options).map_err(usage)?;
    args.print
        .print(&table(columns(&check, judge.taxonomy()))?)?;
    let fails = check
        .findings
        .iter()
        .filter(|finding| finding.fails || args.strict)
        .count();
    say(&format!(
        "{}: {} distinct terms and {} that mask; {} findings, {fails} of them fail",
        judge.lexicon().identity(),
        check.total,
        check.allow,
        check.findings.len(),
    ));
    match fails {
        0 => Ok(()),
        fails => Err(CliError::CheckFailed(format!(
            "{}: {fails} findings fail the check against {}",
            judge.lexicon().identity().uri,
            pack.name
        ))),
    }
}

fn words(path: &std::path::Path) -> Result<Vec<String>, CliError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| CliError::Usage(format!("{}: {error}", path.display())))?;
    let lines = text.trim_start_matches('\u{FEFF}').lines().map(str::trim);
    Ok(lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect())
}

/// One row for each risk with its number of terms, then one for each finding.
fn columns(check: &LexiconCheck, taxonomy: &Taxonomy) -> Vec<(&'static str, ArrayRef)> {
    let mut rows: Vec<[Option<String>; 6]> = Vec::new();
    for count in &check.risks {
        let minimum = count.minimum.unwrap_or(0);
        let asked = match count.minimum {
            Some(minimum) => format!("{} distinct terms; {minimum} are asked for", count.terms),
            None => format!("{} distinct terms", count.terms),
        };
        // A risk with too few terms has a finding, with its clause.
        if count.terms as u64 >= minimum {
            let risk = taxonomy.risks()[count.risk].id.clone();
            rows.push([
                Some("ok".to_owned()),
                Some("per_risk".to_owned()),
                Some(risk),
                None,
                Some(asked),
                None,
            ]);
        }
    }
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    for finding in &check.findings {
        rows.push([
            Some(if finding.fails { "fails" } else { "look" }.to_owned()),
            Some(finding.kind.as_str().to_owned()),
            given(&finding.place),
            finding.term.clone(),
            Some(finding.message.clone()),
            given(&finding.clause),
        ]);
    }
    let names = ["result", "rule", "place", "term", "message", "clause"];
    let column = |index: usize| -> ArrayRef {
        Arc::new(
            rows.iter()
                .map(|row| row[index].as_deref())
                .collect::<StringArray>(),
        )
    };
    names
        .into_iter()
        .enumerate()
        .map(|(index, name)| (name, column(index)))
        .collect()
}
