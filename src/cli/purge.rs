//! `tamis purge`: rows that leave an output after the fact.

use std::collections::{BTreeMap, HashMap};

use clap::{ArgGroup, Args};
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::json;

use crate::job::context::Stop;
use crate::job::output::CommitProtocol;
use crate::job::purge::record::Withdrawal;
use crate::job::purge::{PurgeOptions, PurgeOutcome, purge};
use crate::report::summary::thousands;

use super::error::CliError;
use super::run::{WorkArgs, stop_on_signal};
use super::settings::{ConfigFile, Origin, ResolvedSettings, process_environment};
use super::stores::StoreArgs;
use super::terminal_width;

/// Settings that `--set` takes here.
const SETTINGS: [&str; 3] = ["subject_key", "opt_out_agents", "as_of"];

/// Arguments of `tamis purge`.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("what").args(["consent", "opt_out", "takedown", "drop_old", "resume"]).multiple(true).required(true),
    after_help = "Examples:
  tamis purge out/ --takedown tickets.csv --dry-run
  tamis purge out/ --takedown tickets.csv --set subject_key=env:TAMIS_KEY
  tamis purge s3://bucket/cleared/ --consent s3://bucket/consent-2026-12.parquet --set subject_key=subject.key
  tamis purge out/ --opt-out crawl-2026-12/opt_out.parquet --dry-run
  tamis purge out/ --resume

A takedown list has the columns kind (row, url, sha256 or subject), value, ticket, received_at, reason
and, if you like, closed_at. Subjects may be raw ids (the subject key hashes them; they are written
nowhere) or refs. --consent (a table or a snapshot) judges every row
that had a consent in force anew with another registry; --opt-out takes out the rows whose address is
off-limits by its signals now, but for those under a contract.

The rows leave with a new manifest that names them with reason, clause and ticket. A purge that was
interrupted is completed by the same command, or by --resume.
Exit codes: 0 done, or nothing to do; 1 could not finish, or another purge is under way; 2 wrong flags or tables."
)]
pub struct PurgeArgs {
    /// The output
    pub output: String,
    /// A newer consent registry: rows whose consent is no longer in force leave
    #[arg(long, value_name = "TABLE")]
    pub consent: Option<String>,
    /// Newer snapshots of opt-out signals: rows whose address is off-limits now leave
    #[arg(long, value_name = "TABLE")]
    pub opt_out: Option<String>,
    /// A list of takedown requests; may be given several times
    #[arg(long, value_name = "TABLE")]
    pub takedown: Vec<String>,
    /// subject_key=FILE or subject_key=env:NAME; opt_out_agents=FILE; as_of=TIME, at which consent and signals are judged (default: now)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Keep the objects that are replaced, below _tamis/superseded/
    #[arg(long, conflicts_with = "drop_old")]
    pub keep_old: bool,
    /// Remove what earlier purges kept, even if no row leaves
    #[arg(long)]
    pub drop_old: bool,
    /// List what would leave, by file and reason; write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Complete an interrupted purge from what it had decided
    #[arg(long, conflicts_with_all = ["consent", "opt_out", "takedown", "drop_old", "keep_old", "dry_run"])]
    pub resume: bool,
    /// How much at once
    #[command(flatten)]
    pub work: WorkArgs,
    /// Print JSON, with the row ids
    #[arg(long)]
    pub json: bool,
    /// How to reach S3
    #[command(flatten)]
    pub stores: StoreArgs,
}

/// Purges and prints what left.
pub async fn run(args: PurgeArgs) -> Result<(), CliError> {
    for setting in &args.set {
        let key = setting.split('=').next().unwrap_or_default().trim();
        if !SETTINGS.contains(&key.strip_prefix("tamis.").unwrap_or(key)) {
            return Err(CliError::Usage(format!(
                "--set {setting}: purge takes subject_key, opt_out_agents and as_of; all else is as the job had it"
            )));
        }
    }
    let settings = ResolvedSettings::resolve(
        &args.set,
        &BTreeMap::new(),
        &process_environment(),
        &ConfigFile::in_working_directory()?,
    )?;
    let setting = |name: &str| settings.tamis.get(name).map(|(value, _)| value.clone());
    // What leaves must not depend on a variable somewhere: an instant is asked for, or it is now.
    let flag = |name: &str| {
        let found = settings.tamis.get(name);
        let found = found.filter(|(_, origin)| *origin == Origin::Flag);
        found.map(|(value, _)| value.clone())
    };
    let stop = Stop::default();
    stop_on_signal(stop.clone());
    let options = PurgeOptions {
        consent: args.consent,
        opt_out: args.opt_out,
        takedown: args.takedown,
        subject_key: setting("subject_key"),
        opt_out_agents: flag("opt_out_agents"),
        as_of: flag("as_of"),
        keep_old: args.keep_old,
        drop_old: args.drop_old,
        dry_run: args.dry_run,
        resume: args.resume,
        workers: args.work.workers(),
        progress: args.work.progress(),
        stop,
    };
    let result = purge(&args.output, &args.stores.stores()?, &options).await;
    options.progress.finish();
    let outcome = result?;
    for warning in &outcome.warnings {
        eprintln!("warning: {warning}");
    }
    if args.json {
        let text = serde_json::to_string_pretty(&as_json(&outcome))
            .map_err(|error| CliError::Failed(error.to_string()))?;
        println!("{text}");
    } else {
        print!("{}", as_text(&outcome, args.resume, terminal_width()));
    }
    Ok(())
}

fn as_json(outcome: &PurgeOutcome) -> serde_json::Value {
    json!({
        "output": outcome.output,
        "dry_run": outcome.dry_run,
        "completed": outcome.completed,
        "manifest": outcome.manifest,
        "files": outcome.files,
        "purge": outcome.record,
    })
}

fn as_text(outcome: &PurgeOutcome, resume: bool, width: u16) -> String {
    let mut text = String::new();
    if let Some(number) = outcome.completed {
        text.push_str(&format!("Completed the interrupted purge {number:06}\n"));
        if resume && outcome.manifest.is_none() {
            return text;
        }
    } else if resume {
        return "Nothing to do: no purge was interrupted\n".to_owned();
    }
    let table = |header: &[&str], rows: Vec<Vec<String>>| {
        let mut table = Table::new();
        table
            .load_preset(presets::ASCII_MARKDOWN)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width)
            .set_header(header.to_vec());
        for row in rows {
            table.add_row(row);
        }
        format!("{table}\n\n")
    };
    let record = &outcome.record;
    if !record.withdrawals.is_empty() {
        let rows = record.withdrawals.iter().map(|withdrawal| {
            vec![
                withdrawal.ticket.clone().unwrap_or_default(),
                withdrawal.rule.clone(),
                withdrawal.kind.clone(),
                withdrawal.reason.clone(),
                withdrawal.clause.clone(),
                thousands(withdrawal.rows.len() as u64),
            ]
        });
        let header = ["ticket", "rule", "found by", "reason", "clause", "rows"];
        text.push_str(&table(&header, rows.collect()));
    }
    if !outcome.files.is_empty() {
        let rows = outcome.files.iter().map(|file| {
            vec![
                file.path.clone(),
                file.verdict.clone(),
                thousands(file.rows),
                reasons(&file.reasons),
            ]
        });
        let header = ["file", "verdict", "rows", "why"];
        text.push_str(&table(&header, rows.collect()));
    }
    let (rows, files) = (thousands(record.rows), outcome.files.len());
    let dropped = outcome.manifest.is_some() && record.rows == 0;
    text.push_str(&match (&outcome.manifest, outcome.dry_run) {
        _ if dropped => "No row leaves; what earlier purges kept is removed\n".to_owned(),
        (Some(manifest), _) => format!(
            "{rows} rows left {files} files of {}; {manifest} names them\n",
            outcome.output
        ),
        (None, true) if record.rows > 0 => {
            format!("{rows} rows would leave {files} files. Nothing was written\n")
        }
        _ => format!("Nothing to do: no row of {} has to leave\n", outcome.output),
    });
    let unmet = without_rows(&record.withdrawals);
    if !unmet.is_empty() {
        text.push_str(&format!("note: no row found for {}\n", unmet.join(", ")));
    }
    if outcome.protocol == CommitProtocol::SingleWriter {
        text.push_str("note: this store does not honour create-only writes; the commit relied on being the only writer here\n");
    }
    text
}

fn reasons(counts: &BTreeMap<String, u64>) -> String {
    let parts: Vec<String> = counts
        .iter()
        .map(|(reason, rows)| format!("{reason}: {}", thousands(*rows)))
        .collect();
    parts.join(", ")
}

/// Tickets that found no row at all.
fn without_rows(withdrawals: &[Withdrawal]) -> Vec<String> {
    let mut tickets: Vec<&str> = Vec::new();
    let mut rows: HashMap<&str, usize> = HashMap::new();
    for withdrawal in withdrawals {
        let Some(ticket) = withdrawal.ticket.as_deref() else {
            continue;
        };
        let count = rows.entry(ticket).or_insert_with(|| {
            tickets.push(ticket);
            0
        });
        *count += withdrawal.rows.len();
    }
    tickets
        .into_iter()
        .filter(|ticket| rows[ticket] == 0)
        .map(str::to_owned)
        .collect()
}
