//! `tamis lexicon`: a keyword library checked, explained, compared and imported.

mod check;
mod diff;
mod explain;
mod import;

use clap::{Args, Subcommand};
use tamis_functions::Resources;
use tamis_resource::ResourceError;

use super::error::CliError;
use super::resources::load;
use super::stores::StoreArgs;

/// Arguments of `tamis lexicon`.
#[derive(Debug, Args)]
pub struct LexiconArgs {
    #[command(subcommand)]
    command: LexiconCommand,
}

#[derive(Debug, Subcommand)]
enum LexiconCommand {
    /// Compare a lexicon with the rules of a policy pack, with ordinary text and with itself
    Check(check::CheckArgs),
    /// Show what a lexicon finds in a text, and why
    Explain(explain::ExplainArgs),
    /// Say what differs between two lexicons, or which rows of a corpus they judge differently
    Diff(diff::DiffArgs),
    /// Make a lexicon of a word list
    Import(import::ImportArgs),
}

/// Runs the command.
///
/// # Errors
/// [`CliError`]; [`CliError::CheckFailed`] when a rule fails.
pub async fn run(args: LexiconArgs) -> Result<(), CliError> {
    match args.command {
        LexiconCommand::Check(args) => check::run(args).await,
        LexiconCommand::Explain(args) => explain::run(args).await,
        LexiconCommand::Diff(args) => diff::run(args).await,
        LexiconCommand::Import(args) => import::run(args).await,
    }
}

/// A lexicon, or the one `tamis.lexicon` names, ready to judge.
async fn judging(
    stores: &StoreArgs,
    set: &[String],
    lexicon: Option<&str>,
) -> Result<Resources, CliError> {
    let mut flags = set.to_vec();
    flags.extend(lexicon.map(|uri| format!("lexicon={uri}")));
    let wanted = ["lexicon", "thresholds", "as_of"];
    load(&stores.stores()?, &flags, &wanted).await
}

/// A lexicon, list or pack that does not read is a wrong argument.
fn usage(error: ResourceError) -> CliError {
    CliError::Usage(error.to_string())
}

/// A date on the command line as a day since 1970-01-01.
fn day(flag: &str, date: &str) -> Result<i64, CliError> {
    tamis_harm::day_of_date(date).ok_or_else(|| {
        CliError::Usage(format!("{flag}: '{date}' is not a date such as 2026-01-31"))
    })
}
