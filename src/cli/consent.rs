//! `tamis consent`: consent registries made into snapshots, and checked.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use datafusion::arrow::array::{ArrayRef, StringArray, UInt64Array};
use tamis_consent::{ConsentCheckReport, ConsentFinding, ConsentFindingKind};

use crate::job::consent::{ConsentSource, SnapshotOptions, check, snapshot};
use crate::report::summary::thousands;

use super::error::CliError;
use super::print::{PrintArgs, say, table};
use super::resources::load;
use super::run::ProgressArgs;
use super::stores::StoreArgs;

/// The variable libpq reads a password from.
const PASSWORD: &str = "PGPASSWORD";

/// Arguments of `tamis consent`.
#[derive(Debug, Args)]
pub struct ConsentArgs {
    #[command(subcommand)]
    command: ConsentCommand,
}

#[derive(Debug, Subcommand)]
enum ConsentCommand {
    /// Write a registry as one immutable, sorted, digest-named file that jobs open in seconds
    Snapshot(SnapshotArgs),
    /// List what is wrong or remarkable about a registry: contradictions, records that never count
    Check(CheckArgs),
}

#[derive(Debug, Args)]
struct SourceArgs {
    /// The registry: a table (Parquet, CSV, …; file, directory, glob, s3://), or
    /// postgresql://USER@HOST/DATABASE
    #[arg(long, value_name = "TABLE")]
    from: String,
    /// The table or view of a postgresql:// address. Default: consent
    #[arg(long, value_name = "NAME")]
    relation: Option<String>,
}

impl SourceArgs {
    fn source(&self) -> Result<ConsentSource, CliError> {
        let password = std::env::var(PASSWORD).ok();
        Ok(ConsentSource::parse(
            &self.from,
            self.relation.as_deref(),
            password.as_deref(),
        )?)
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tamis consent snapshot --from consent.csv --to snapshots/ --set subject_key=subject.key
  tamis consent snapshot --from 's3://bucket/consent/*.parquet' --to snapshots/ --set subject_key=env:TAMIS_KEY
  tamis consent snapshot --from postgresql://reader@db.internal/crm --relation legal.consent --to snapshots/ --set subject_key=subject.key

The file is named consent-SHA256.snapshot; set tamis.consent to it. Subject ids are not in it, only
references under the subject key. PostgreSQL is read in one read-only transaction; the password comes
from PGPASSWORD or the address, TLS is used where the server has it (sslmode=require insists).

Exit codes: 0 written; 1 the registry cannot be read; 2 wrong flags, or records that are malformed or
contradict each other: tamis consent check lists them.")]
struct SnapshotArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// The local directory the snapshot is written into
    #[arg(long, value_name = "DIRECTORY")]
    to: PathBuf,
    /// What the registry calls this state of it
    #[arg(long, default_value = "")]
    version: String,
    /// subject_key=FILE or env:NAME (required); purposes=FILE; may be repeated
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
  tamis consent check --from consent.csv
  tamis consent check --from postgresql://reader@db.internal/crm --relation legal.consent --at 2026-06-30 --format json

malformed and reused_record_id keep a registry from loading. contradictory, undated and
minor_without_guardian are answers that do not count, or lose; the others are worth a look. No subject
is named.

Exit codes: 0 nothing of the first two kinds and no contradiction; 1 the registry cannot be read;
2 wrong flags; 3 something of these three.")]
struct CheckArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// The instant at which withdrawals and expiries are counted, RFC 3339 or a date. Default: now
    #[arg(long, value_name = "INSTANT")]
    at: Option<String>,
    /// How many rows of each kind are shown
    #[arg(long, default_value_t = 3)]
    examples: usize,
    /// purposes=FILE; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    print: PrintArgs,
    #[command(flatten)]
    progress: ProgressArgs,
    #[command(flatten)]
    stores: StoreArgs,
}

/// Runs the command.
///
/// # Errors
/// [`CliError`]; [`CliError::CheckFailed`] when the check finds what must not be.
pub async fn run(args: ConsentArgs) -> Result<(), CliError> {
    match args.command {
        ConsentCommand::Snapshot(args) => run_snapshot(args).await,
        ConsentCommand::Check(args) => run_check(args).await,
    }
}

async fn run_snapshot(args: SnapshotArgs) -> Result<(), CliError> {
    let stores = args.stores.stores()?;
    let source = args.source.source()?;
    let resources = load(&stores, &args.set, &["subject_key", "purposes"]).await?;
    let key = resources.subject_key.as_deref().ok_or_else(|| {
        CliError::Usage(
            "a snapshot needs the subject key its subjects are referred to by: --set subject_key=FILE or env:NAME"
                .to_owned(),
        )
    })?;
    let options = SnapshotOptions {
        key,
        purposes: &resources.purposes,
        version: &args.version,
    };
    let progress = args.progress.progress();
    let written = snapshot(&source, &args.to, &options, &stores, &progress).await;
    progress.finish();
    let (written, warnings) = written?;
    for warning in warnings {
        say(&format!("warning: {warning}"));
    }
    args.print.print(&table(vec![
        ("snapshot", texts([written.path.display().to_string()])),
        ("sha256", texts([written.sha256])),
        ("records", numbers([written.records])),
        ("subjects", numbers([written.subjects])),
        ("bytes", numbers([written.bytes])),
        ("subject_key", texts([key.key_id()])),
    ])?)
}

async fn run_check(args: CheckArgs) -> Result<(), CliError> {
    let stores = args.stores.stores()?;
    let source = args.source.source()?;
    let mut flags = args.set.clone();
    flags.extend(args.at.as_ref().map(|at| format!("as_of={at}")));
    let resources = load(&stores, &flags, &["purposes", "as_of"]).await?;
    let progress = args.progress.progress();
    let checked = check(
        &source,
        &resources.purposes,
        resources.as_of,
        args.examples,
        &stores,
        &progress,
    )
    .await;
    progress.finish();
    let (report, warnings) = checked?;
    for warning in warnings {
        say(&format!("warning: {warning}"));
    }
    let found: Vec<&ConsentFinding> = report
        .findings
        .iter()
        .filter(|finding| finding.count > 0)
        .collect();
    args.print.print(&table(vec![
        ("finding", texts(found.iter().map(|f| f.kind.as_str()))),
        ("rows", numbers(found.iter().map(|f| f.count))),
        (
            "loads",
            texts(
                found
                    .iter()
                    .map(|f| if f.kind.is_error() { "no" } else { "yes" }),
            ),
        ),
        ("examples", texts(found.iter().map(|f| examples(f)))),
    ])?)?;
    say(&format!(
        "{}: {} records of {} subjects",
        source.shown(),
        thousands(report.rows),
        thousands(report.subjects)
    ));
    verdict(source.shown(), &report)
}

fn verdict(shown: &str, report: &ConsentCheckReport) -> Result<(), CliError> {
    if !report.loads() {
        return Err(CliError::CheckFailed(format!(
            "{shown}: does not load as a registry: {} malformed rows, {} record ids with two meanings",
            report.count(ConsentFindingKind::Malformed),
            report.count(ConsentFindingKind::ReusedRecordId)
        )));
    }
    match report.count(ConsentFindingKind::Contradictory) {
        0 => Ok(()),
        count => Err(CliError::CheckFailed(format!(
            "{shown}: {count} grants stand against a refusal or withdrawal of the same instant; they do not count"
        ))),
    }
}

fn examples(finding: &ConsentFinding) -> String {
    let shown = finding.examples.iter().map(|example| {
        let id = example.record_id.as_ref();
        let id = id.map_or_else(String::new, |id| format!(" ({id})"));
        format!("{}{id}: {}", example.location, example.detail)
    });
    shown.collect::<Vec<_>>().join("; ")
}

fn texts<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn numbers(values: impl IntoIterator<Item = u64>) -> ArrayRef {
    Arc::new(UInt64Array::from_iter_values(values))
}
