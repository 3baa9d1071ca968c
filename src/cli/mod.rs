//! The commands: arguments and printing only; the work is done below.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub mod consent;
mod documents;
pub mod error;
pub mod harm;
pub mod init;
mod labelled;
pub mod lexicon;
pub mod license;
pub mod model;
pub mod optout;
pub mod output;
pub mod policy;
pub mod print;
pub mod purge;
pub mod repl;
pub mod resources;
pub mod run;
pub mod settings;
pub mod sources;
pub mod sql;
pub mod stores;
pub mod trace;
pub mod verify;

/// DataFusion plans recurse; the default of a worker thread is too small for an unoptimised build.
const STACK: usize = 16 << 20;

#[derive(Debug, Parser)]
#[command(
    name = "tamis",
    version,
    about = "The sieve for training corpora: SQL policies over Parquet, a filtered dataset with proof in every row",
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Judge a corpus and write a cleared dataset with provenance
    Run(run::RunArgs),
    /// Run SQL with the Tamis functions; without a statement, a prompt
    Sql(Box<sql::SqlArgs>),
    /// Read an output back and compare it with its manifest
    Verify(verify::VerifyArgs),
    /// Walk one row back to where it came from and what decided
    Trace(trace::TraceArgs),
    /// Take rows out of an output: withdrawn consent, opt-outs, takedown requests
    Purge(purge::PurgeArgs),
    /// Write a commented job file from a corpus's schema
    Init(init::InitArgs),
    /// List the built-in policy packs or copy one out
    Policy(policy::PolicyArgs),
    /// Read, explain or list licences and what the policy says of them
    License(license::LicenseArgs),
    /// Make a consent registry into a snapshot, or check it
    Consent(consent::ConsentArgs),
    /// Choose thresholds of harm scores from labelled texts
    Harm(harm::HarmArgs),
    /// Train, measure or show a classifier
    Model(model::ModelArgs),
    /// Check, explain, compare or import a lexicon
    Lexicon(lexicon::LexiconArgs),
    /// Check the source registry and its evidence, or the mix of a cleared dataset
    Sources(sources::SourcesArgs),
    /// Build the registry of opt-out signals, or ask it about an address
    Optout(optout::OptoutArgs),
}

/// Parses the arguments, runs the command, prints its error.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // `--help` and `--version` are "errors" with exit code 0; a closed pipe is no reason to fail.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("tamis: cannot start: {error}");
            return ExitCode::from(1);
        }
    };
    // The command runs on a thread of its own: the main thread's stack is not ours to size.
    let handle = runtime.handle().clone();
    let command = cli.command;
    let result = std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || handle.block_on(dispatch(command)))
        .and_then(|thread| {
            thread
                .join()
                .map_err(|_| std::io::Error::other("the command panicked"))
        });
    runtime.shutdown_background();
    match result {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => error.report(),
        Err(error) => {
            eprintln!("tamis: {error}");
            ExitCode::from(1)
        }
    }
}

async fn dispatch(command: Command) -> Result<(), error::CliError> {
    match command {
        Command::Run(args) => run::run(args).await,
        Command::Sql(args) => sql::run(*args).await,
        Command::Verify(args) => verify::run(args).await,
        Command::Trace(args) => trace::run(args).await,
        Command::Purge(args) => purge::run(args).await,
        Command::Init(args) => init::run(args).await,
        Command::Policy(args) => policy::run(args),
        Command::License(args) => license::run(args).await,
        Command::Consent(args) => consent::run(args).await,
        Command::Harm(args) => harm::run(args).await,
        Command::Model(args) => model::run(args).await,
        Command::Lexicon(args) => lexicon::run(args).await,
        Command::Sources(args) => sources::run(args).await,
        Command::Optout(args) => optout::run(args).await,
    }
}

/// Columns of the terminal; 120 where there is none.
pub(crate) fn terminal_width() -> u16 {
    comfy_table::Table::new().width().unwrap_or(120)
}
