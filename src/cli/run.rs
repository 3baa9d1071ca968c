//! `tamis run`: a job from its file to its commit.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::job::context::{Job, Stop};
use crate::job::file::JobFile;
use crate::job::output::Output;
use crate::job::run::{RunOptions, RunOutcome, run as run_job, stored_spec};
use crate::report::progress::{Progress, ProgressMode};
use crate::report::summary::{bytes, summary, thousands};

use super::error::CliError;
use super::stores::StoreArgs;
use super::terminal_width;

/// Arguments of `tamis run`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tamis run job.toml
  tamis run job.toml --dry-run
  tamis run job.toml --output s3://bucket/cleared/ --set sources=s3://bucket/sources.parquet
  tamis run job.toml --limit 10000 --output /tmp/try

A run that was interrupted is completed by running the same command again.
Exit codes: 0 done; 1 could not finish; 2 wrong flags, settings or job file; 3 done, but rows or files were quarantined.")]
pub struct RunArgs {
    /// The job file (`tamis init CORPUS` writes one)
    pub job: PathBuf,
    /// Where to write, instead of the job file's output.uri
    #[arg(short, long)]
    pub output: Option<String>,
    /// Set a key of the job file: --set policy.as_of=2026-11-01, --set tamis.sources=FILE
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Resolve and check everything, say what would be done, write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Only the first N rows of the corpus
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// How much at once
    #[command(flatten)]
    pub work: WorkArgs,
    /// Print the report as JSON instead of a summary
    #[arg(long)]
    pub json: bool,
    /// How to reach S3
    #[command(flatten)]
    pub stores: StoreArgs,
}

/// How much at once, and how progress is shown.
#[derive(Debug, Args)]
pub struct WorkArgs {
    /// Units at the same time; default: the number of cores
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub workers: Option<u16>,
    /// What is shown meanwhile
    #[command(flatten)]
    pub progress: ProgressArgs,
}

/// What is shown while a command works.
#[derive(Debug, Args)]
pub struct ProgressArgs {
    /// How progress is shown
    #[arg(long, value_enum, default_value_t = ProgressArg::Auto)]
    pub progress: ProgressArg,
}

/// `--progress`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProgressArg {
    /// A bar on a terminal, else nothing
    Auto,
    /// JSON lines on standard error
    Json,
    /// Nothing
    None,
}

impl WorkArgs {
    /// Units at the same time.
    pub fn workers(&self) -> usize {
        self.workers.map_or_else(
            || std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            usize::from,
        )
    }

    /// Progress as asked for.
    pub fn progress(&self) -> Progress {
        self.progress.progress()
    }
}

impl ProgressArgs {
    /// Progress as asked for.
    pub fn progress(&self) -> Progress {
        Progress::new(match self.progress {
            ProgressArg::Auto => ProgressMode::Auto,
            ProgressArg::Json => ProgressMode::Json,
            ProgressArg::None => ProgressMode::None,
        })
    }
}

/// Runs a job, or only says what it would do.
pub async fn run(args: RunArgs) -> Result<(), CliError> {
    let mut overrides = key_values(&args.set)?;
    if let Some(output) = &args.output {
        overrides.push(("output.uri".to_owned(), output.clone()));
    }
    let file = JobFile::read(&args.job, &overrides)?;
    let stores = args.stores.stores()?;
    if args.dry_run {
        let output = Output::open(&stores, &file.output.uri)?;
        let stored = stored_spec(&output).await?;
        let job = Job::resolve(&file, &stores, args.limit, stored.as_ref()).await?;
        print!("{}", plan(&job, &output.uri("")));
        return Ok(());
    }
    let stop = Stop::default();
    stop_on_signal(stop.clone());
    let options = RunOptions {
        limit: args.limit,
        workers: args.work.workers(),
        stop,
        progress: args.work.progress(),
    };
    let result = run_job(&file, &stores, &options).await;
    options.progress.finish();
    let outcome = result?;
    print_outcome(&outcome, args.json)?;
    if outcome.report.has_quarantine() {
        return Err(CliError::CheckFailed(format!(
            "finished, but {} rows, {} row groups and {} files are quarantined; their reasons are in {}/quarantine/ and _tamis/report.json",
            thousands(outcome.report.rows("quarantine")),
            outcome.report.corrupt_row_groups.len(),
            outcome.report.quarantined_files.len(),
            outcome.output
        )));
    }
    Ok(())
}

/// `--set KEY=VALUE` pairs.
pub(super) fn key_values(pairs: &[String]) -> Result<Vec<(String, String)>, CliError> {
    pairs
        .iter()
        .map(|pair| match pair.split_once('=') {
            Some((key, value)) => Ok((key.trim().to_owned(), value.to_owned())),
            None => Err(CliError::Usage(format!("--set {pair}: write KEY=VALUE"))),
        })
        .collect()
}

fn print_outcome(outcome: &RunOutcome, json: bool) -> Result<(), CliError> {
    if json {
        let text = serde_json::to_string_pretty(&outcome.report)
            .map_err(|error| CliError::Failed(error.to_string()))?;
        println!("{text}");
    } else {
        print!("{}", summary(outcome, terminal_width()));
    }
    Ok(())
}

/// The first Ctrl-C or termination request ends the job cleanly, a second one at once.
pub(super) fn stop_on_signal(stop: Stop) {
    tokio::spawn(async move {
        for attempt in 0.. {
            if wait_for_signal().await.is_err() {
                return;
            }
            if attempt > 0 {
                std::process::exit(1);
            }
            eprintln!("Stopping after the current batches; once more to stop at once");
            stop.request();
        }
    });
}

async fn wait_for_signal() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

fn plan(job: &Job, output: &str) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    let spec = &job.spec;
    let rows: u64 = job.units.iter().map(crate::job::unit::Unit::rows).sum();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "Would judge {} rows of {} files ({}) in {} units",
        thousands(rows),
        job.inputs.files.len(),
        bytes(job.inputs.bytes()),
        job.units.len()
    );
    if job.inputs.ignored > 0 {
        let _ = writeln!(
            text,
            "  {} other objects below the corpus are not Parquet by name and are left alone",
            job.inputs.ignored
        );
    }
    for file in job
        .inputs
        .files
        .iter()
        .filter(|file| file.unreadable.is_some())
    {
        let reason = file.unreadable.as_deref().unwrap_or_default();
        let _ = writeln!(text, "  would quarantine {}: {reason}", file.relative);
    }
    let _ = writeln!(
        text,
        "Policy    {} ({}), as of {}",
        job.policy, job.pack.standard, spec.as_of
    );
    let _ = writeln!(text, "Purpose   {}; use {}", spec.purpose, spec.use_case);
    for (part, column) in spec.columns.mapped() {
        let _ = writeln!(text, "Column    {part} = {column}");
    }
    for (setting, resource) in &spec.resources {
        let digest: String = resource.sha256.chars().take(12).collect();
        let _ = writeln!(
            text,
            "Resource  {setting} = {} {} sha256:{digest}",
            resource.uri, resource.version
        );
    }
    let _ = writeln!(text, "Job       {}", job.identity);
    let _ = writeln!(text, "Output    {output}");
    text.push_str("Nothing was written.\n");
    text
}
