//! `tamis verify`: an output read back and compared with its manifest.

use clap::Args;

use crate::job::context::Stop;
use crate::job::verify::{Verification, VerifyOptions, verify};

use super::error::CliError;
use super::run::{WorkArgs, key_values, stop_on_signal};
use super::stores::StoreArgs;

/// Arguments of `tamis verify`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tamis verify out/
  tamis verify s3://bucket/cleared/ --inputs --evidence
  tamis verify out/ --rejudge --set subject_key=env:TAMIS_SUBJECT_KEY

Exit codes: 0 sound; 1 could not finish; 2 no Tamis output there; 3 something is wrong, and named.")]
pub struct VerifyArgs {
    /// The output
    pub output: String,
    /// Also compare the corpus with what the job read: sizes, etags, footers
    #[arg(long)]
    pub inputs: bool,
    /// Also judge every row again and compare the files byte for byte
    #[arg(long)]
    pub rejudge: bool,
    /// Also fetch every document behind the sources and compare its sha256 with the recorded one
    #[arg(long)]
    pub evidence: bool,
    /// With --rejudge: where a resource lies now, for example --set subject_key=FILE
    #[arg(long = "set", value_name = "KEY=VALUE", requires = "rejudge")]
    pub set: Vec<String>,
    /// Print the checks as JSON
    #[arg(long)]
    pub json: bool,
    /// How much at once
    #[command(flatten)]
    pub work: WorkArgs,
    /// How to reach S3
    #[command(flatten)]
    pub stores: StoreArgs,
}

/// Verifies and prints each check.
pub async fn run(args: VerifyArgs) -> Result<(), CliError> {
    let stop = Stop::default();
    stop_on_signal(stop.clone());
    let options = VerifyOptions {
        inputs: args.inputs,
        rejudge: args.rejudge,
        evidence: args.evidence,
        overrides: key_values(&args.set)?,
        workers: args.work.workers(),
        progress: args.work.progress(),
        stop,
    };
    let result = verify(&args.output, &args.stores.stores()?, &options).await;
    options.progress.finish();
    let verification = result?;
    if args.json {
        println!("{}", as_json(&verification));
    } else {
        print_checks(&verification);
    }
    if verification.is_sound() {
        return Ok(());
    }
    let problems: usize = verification
        .checks
        .iter()
        .map(|check| check.problems.len())
        .sum();
    Err(CliError::CheckFailed(format!(
        "{}: {problems} problems",
        args.output
    )))
}

fn print_checks(verification: &Verification) {
    for check in &verification.checks {
        if check.problems.is_empty() {
            println!("ok      {}: {}", check.name, check.detail);
        } else {
            println!("FAILED  {}", check.name);
            for problem in &check.problems {
                println!("        {problem}");
            }
        }
    }
    if !verification.not_checked.is_empty() {
        println!(
            "note    not checked by this policy, NULL in every row: {}",
            verification.not_checked.join(", ")
        );
    }
}

fn as_json(verification: &Verification) -> serde_json::Value {
    serde_json::json!({
        "sound": verification.is_sound(),
        "not_checked": verification.not_checked,
        "checks": verification.checks.iter().map(|check| serde_json::json!({
            "name": check.name,
            "ok": check.problems.is_empty(),
            "detail": check.detail,
            "problems": check.problems,
        })).collect::<Vec<_>>(),
    })
}
