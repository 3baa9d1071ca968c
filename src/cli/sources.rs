//! `tamis sources`: what the source registry proves, and the mix of a cleared dataset.

use std::sync::Arc;

use clap::{Args, Subcommand};
use datafusion::arrow::array::{ArrayRef, StringArray, UInt64Array};
use tamis_consent::SourceCheck;

use crate::job::evidence::{EvidenceObject, Proof, prove};
use crate::job::mix::mix;

use super::error::CliError;
use super::print::{PrintArgs, lists, say, table};
use super::resources::load;
use super::run::ProgressArgs;
use super::stores::StoreArgs;

/// Arguments of `tamis sources`.
#[derive(Debug, Args)]
pub struct SourcesArgs {
    #[command(subcommand)]
    command: SourcesCommand,
}

#[derive(Debug, Subcommand)]
enum SourcesCommand {
    /// Check every source of the registry: verdict, missing items and the clauses that ask for them
    Check(CheckArgs),
    /// Languages, sources and regions of a cleared dataset, against the pack's mix.sql
    Mix(MixArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tamis sources check sources.csv
  tamis sources check sources.csv --fetch-evidence
  tamis sources check --set sources=s3://bucket/sources.parquet --at 2026-01-31 --format csv

Exit codes: 0 every source is allowed (and its evidence proven); 2 wrong flags or registry;
3 a source lacks something, or evidence is not there or not the recorded one.")]
struct CheckArgs {
    /// The source registry; default: the setting tamis.sources
    sources: Option<String>,
    /// The instant at which contracts and audits have to be in force, RFC 3339 or a date. Default: now
    #[arg(long, value_name = "INSTANT")]
    at: Option<String>,
    /// Also fetch every document the registry names and compare its sha256 with the recorded one
    #[arg(long)]
    fetch_evidence: bool,
    /// Set tamis.*; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    print: PrintArgs,
    #[command(flatten)]
    progress: ProgressArgs,
    #[command(flatten)]
    stores: StoreArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tamis sources mix out/ --language lang
  tamis sources mix s3://bucket/cleared/ --format csv -o mix.csv

Exit codes: 0 no finding; 2 no Tamis output there, or no such column; 3 the mix has findings.")]
struct MixArgs {
    /// The output of a job
    dataset: String,
    /// The column of the output that holds the language; without it all text is one language, und
    #[arg(long, value_name = "COLUMN")]
    language: Option<String>,
    #[command(flatten)]
    print: PrintArgs,
    #[command(flatten)]
    stores: StoreArgs,
}

/// Runs the command.
///
/// # Errors
/// [`CliError`]; [`CliError::CheckFailed`] when something is found.
pub async fn run(args: SourcesArgs) -> Result<(), CliError> {
    match args.command {
        SourcesCommand::Check(args) => check(args).await,
        SourcesCommand::Mix(args) => {
            let found = mix(
                &args.dataset,
                args.language.as_deref(),
                &args.stores.stores()?,
            )
            .await?;
            args.print.print(&found.table)?;
            match found.findings {
                0 => Ok(()),
                findings => Err(CliError::CheckFailed(format!(
                    "{}: {findings} findings",
                    args.dataset
                ))),
            }
        }
    }
}

async fn check(args: CheckArgs) -> Result<(), CliError> {
    let stores = args.stores.stores()?;
    let mut flags = args.set.clone();
    flags.extend(args.sources.as_ref().map(|uri| format!("sources={uri}")));
    flags.extend(args.at.as_ref().map(|at| format!("as_of={at}")));
    let resources = load(&stores, &flags, &["sources", "as_of"]).await?;
    let Some(registry) = &resources.sources else {
        return Err(CliError::Usage(
            "no source registry: name it, as in `tamis sources check sources.csv`, or set tamis.sources"
                .to_owned(),
        ));
    };
    let checks: Vec<(&str, SourceCheck)> = registry
        .iter()
        .map(|row| {
            let id = row.source_id.as_str();
            let check = registry.check(Some(id), resources.as_of, &resources.source_rules);
            (id, check)
        })
        .collect();
    let progress = args.progress.progress();
    let proofs = match args.fetch_evidence {
        true => {
            let objects = registry.iter().flat_map(EvidenceObject::of_row).collect();
            Some(prove(&stores, objects, &progress).await)
        }
        false => None,
    };
    progress.finish();
    args.print
        .print(&table(columns(&checks, proofs.as_deref()))?)?;

    let refused = checks
        .iter()
        .filter(|(_, check)| check.verdict != "allow")
        .count();
    let mut unproven = 0;
    for proof in proofs.iter().flatten() {
        if let Some(problem) = &proof.problem {
            unproven += 1;
            say(&format!("{}: {problem}", proof.object));
        }
    }
    match (refused, unproven) {
        (0, 0) => Ok(()),
        (refused, unproven) => Err(CliError::CheckFailed(format!(
            "{}: {refused} of {} sources are not allowed{}",
            registry.identity().uri,
            checks.len(),
            match proofs {
                Some(proofs) => format!(
                    "; {unproven} of {} evidence objects are not proven",
                    proofs.len()
                ),
                None => String::new(),
            }
        ))),
    }
}

fn columns(
    checks: &[(&str, SourceCheck)],
    proofs: Option<&[Proof]>,
) -> Vec<(&'static str, ArrayRef)> {
    let text = |value: &dyn Fn(&SourceCheck) -> Option<&'static str>| -> ArrayRef {
        Arc::new(
            checks
                .iter()
                .map(|(_, check)| value(check))
                .collect::<StringArray>(),
        )
    };
    let ids: StringArray = checks.iter().map(|(id, _)| Some(*id)).collect();
    let mut columns: Vec<(&'static str, ArrayRef)> = vec![
        ("source_id", Arc::new(ids)),
        ("verdict", text(&|check| Some(check.verdict))),
        ("acquisition_mode", text(&|check| check.acquisition_mode)),
        ("origin_region", text(&|check| check.origin_region)),
        (
            "missing",
            lists(checks.iter().map(|(_, check)| check.missing.clone())),
        ),
        (
            "clauses",
            lists(checks.iter().map(|(_, check)| {
                let mut clauses: Vec<&str> = Vec::new();
                for clause in &check.clauses {
                    if !clauses.contains(&clause.as_str()) {
                        clauses.push(clause);
                    }
                }
                clauses
            })),
        ),
    ];
    if let Some(proofs) = proofs {
        let of = |id: &str| {
            let id = id.to_owned();
            proofs
                .iter()
                .filter(move |proof| proof.object.source_id == id)
        };
        let proven: UInt64Array = checks
            .iter()
            .map(|(id, _)| Some(of(id).filter(|proof| proof.problem.is_none()).count() as u64))
            .collect();
        columns.push(("evidence_proven", Arc::new(proven)));
        columns.push((
            "evidence_problems",
            lists(checks.iter().map(|(id, _)| {
                of(id)
                    .filter(|proof| proof.problem.is_some())
                    .map(|proof| proof.object.column.as_str())
                    .collect::<Vec<_>>()
            })),
        ));
    }
    columns
}
