//! `tamis license`: licences as people write them, and what the policy says of them.

use std::sync::Arc;

use clap::{Args, Subcommand};
use datafusion::arrow::array::{ArrayRef, BooleanArray, StringArray};
use tamis_license::{Check, Explanation, LicensePolicy, Permission, Row, Verdict};

use super::error::CliError;
use super::print::{PrintArgs, lists, table};
use super::resources::load;
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
    /// Say how licences as written are read
    Explain(ExplainArgs),
    /// List every SPDX licence with what the policy says of it
    Export(ExportArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tamis license explain 'GPL-2.0+' 'CC BY' 木兰宽松许可证
  tamis license explain apache2 --format json")]
struct ExplainArgs {
    /// Licences as written
    #[arg(required = true)]
    raw: Vec<String>,
    #[command(flatten)]
    print: PrintArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tamis license export -o licences.csv
  tamis license export --set license_policy=our-policy.toml --format json
  tamis license export --toml > our-policy.toml")]
struct ExportArgs {
    /// Write the built-in policy file itself, to change it and name it in tamis.license_policy
    #[arg(long, conflicts_with_all = ["set", "format", "output"])]
    toml: bool,
    /// Set tamis.*; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    print: PrintArgs,
    #[command(flatten)]
    stores: StoreArgs,
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
        LicenseCommand::Explain(args) => explain(&args),
        LicenseCommand::Export(args) => export(args).await,
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
    let obligations = checks
        .iter()
        .map(|check| check.obligations.iter().map(String::as_str).collect());
    args.print.print(&table(vec![
        ("raw", Arc::new(StringArray::from(args.raw.clone()))),
        ("spdx", text(|check| check.spdx.as_deref())),
        ("verdict", text(|check| Some(check.verdict.as_str()))),
        ("reason", text(|check| Some(&check.reason))),
        ("obligations", lists(obligations)),
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

fn explain(args: &ExplainArgs) -> Result<(), CliError> {
    let found: Vec<Explanation> = args
        .raw
        .iter()
        .map(|raw| tamis_license::explain(raw))
        .collect();
    let text = |value: fn(&Explanation) -> Option<&str>| -> ArrayRef {
        Arc::new(found.iter().map(value).collect::<StringArray>())
    };
    let notes = found
        .iter()
        .map(|found| found.notes.iter().map(String::as_str).collect());
    args.print.print(&table(vec![
        ("raw", Arc::new(StringArray::from(args.raw.clone()))),
        ("read_as", text(|found| Some(found.form.as_str()))),
        ("spdx", text(|found| found.spdx.as_deref())),
        ("family", text(|found| found.family.as_deref())),
        ("matched", text(|found| found.matched.as_deref())),
        ("notes", lists(notes)),
    ])?)
}

async fn export(args: ExportArgs) -> Result<(), CliError> {
    if args.toml {
        print!("{}", LicensePolicy::BUILTIN_TOML);
        return Ok(());
    }
    let stores = args.stores.stores()?;
    let resources = load(&stores, &args.set, &["license_policy"]).await?;
    let rows: Vec<Row> = resources.license_policy.rows().collect();
    let text = |value: fn(&Row) -> Option<&str>| -> ArrayRef {
        Arc::new(rows.iter().map(value).collect::<StringArray>())
    };
    let deprecated: BooleanArray = rows.iter().map(|row| Some(row.deprecated)).collect();
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("id", text(|row| Some(&row.id))),
        ("name", text(|row| Some(&row.name))),
        ("deprecated", Arc::new(deprecated)),
        ("successor", text(|row| row.successor.as_deref())),
        ("rule", text(|row| row.rule.as_deref())),
        (
            "commercial",
            text(|row| row.commercial.map(Permission::as_str)),
        ),
        (
            "derivatives",
            text(|row| row.derivatives.map(Permission::as_str)),
        ),
        (
            "ai_training",
            text(|row| row.ai_training.map(Permission::as_str)),
        ),
        ("duties", lists(rows.iter().map(|row| row.duties.clone()))),
    ];
    let uses = resources.license_policy.uses();
    for (index, use_case) in uses.iter().enumerate() {
        let verdicts = rows
            .iter()
            .map(|row| Some(row.uses.get(index)?.verdict.as_str()));
        let verdicts: StringArray = verdicts.collect();
        columns.push((use_case, Arc::new(verdicts)));
    }
    args.print.print(&table(columns)?)
}
