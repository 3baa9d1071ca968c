//! `tamis license`: licences as people write them, and what the policy says of them.

use std::sync::Arc;

use clap::{Args, Subcommand};
use datafusion::arrow::array::{ArrayRef, ListBuilder, StringArray, StringBuilder};
use tamis_license::{Check, Verdict};

use super::error::CliError;
use super::print::{PrintArgs, table};
use super::sources::load;
use super::stores::StoreArgs;

/// Arguments of `tamis license`.
#[derive(Debug, Args)]
pub struct LicenseArgs {
    #[command(subcommand)]
    command: LicenseCommand,
}

#[derive(Debug, Subcommand)]
enum LicenseCommand {
    /// Say what the policy says of licences
    Check(CheckArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tamis license check MIT 'CC BY-NC 4.0' 'GPLv3+ or Apache 2.0'
  tamis license check CC-BY-NC-4.0 --use train-research
  tamis license check MulanPSL-2.0 --set license_policy=our-policy.toml --format json

Exit codes: 0 every licence is allowed; 2 wrong flags or policy; 3 one is denied, for review, or missing.")]
struct CheckArgs {
    /// Licences as written
    #[arg(required = true)]
    raw: Vec<String>,
    /// The use asked about; default: the setting tamis.use
    #[arg(long = "use", value_name = "USE")]
    use_case: Option<String>,
    /// Set tamis.*; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    print: PrintArgs,
    #[command(flatten)]
    stores: StoreArgs,
}

/// Runs the command.
///
/// # Errors
/// [`CliError`]; [`CliError::CheckFailed`] when a licence is not allowed.
pub async fn run(args: LicenseArgs) -> Result<(), CliError> {
    match args.command {
        LicenseCommand::Check(args) => check(args).await,
    }
}

async fn check(args: CheckArgs) -> Result<(), CliError> {
    let mut flags = args.set.clone();
    flags.extend(args.use_case.as_ref().map(|name| format!("use={name}")));
    let resources = load(&args.stores.stores()?, &flags, &["license_policy", "use"]).await?;
    let checks: Vec<Check> = args
        .raw
        .iter()
        .map(|raw| {
            resources
                .license_policy
                .check(Some(raw), &resources.use_case)
        })
        .collect::<Result<_, _>>()
        .map_err(|error| CliError::Usage(error.to_string()))?;
    let text = |value: fn(&Check) -> Option<&str>| -> ArrayRef {
        Arc::new(checks.iter().map(value).collect::<StringArray>())
    };
    let mut obligations = ListBuilder::new(StringBuilder::new());
    for check in &checks {
        for obligation in &check.obligations {
            obligations.values().append_value(obligation);
        }
        obligations.append(true);
    }
    args.print.print(&table(vec![
        ("raw", Arc::new(StringArray::from(args.raw.clone()))),
        ("spdx", text(|check| check.spdx.as_deref())),
        ("verdict", text(|check| Some(check.verdict.as_str()))),
        ("reason", text(|check| Some(&check.reason))),
        ("obligations", Arc::new(obligations.finish())),
    ])?)?;
    let refused = checks
        .iter()
        .filter(|check| check.verdict != Verdict::Allow)
        .count();
    match refused {
        0 => Ok(()),
        refused => Err(CliError::CheckFailed(format!(
            "{refused} of {} licences are not allowed for {}",
            checks.len(),
            resources.use_case
        ))),
    }
}
