//! `tamis trace`: one row walked back to where it came from.

use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

use crate::job::trace::{LeftRow, Trace, Traced, trace};

use super::error::CliError;
use super::stores::StoreArgs;
use super::terminal_width;

/// Arguments of `tamis trace`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tamis sql \"select prov_row_id, prov_verdict from 'out/data/' limit 3\"
  tamis trace out/ --row 0f3c5a…")]
pub struct TraceArgs {
    /// The output
    pub output: String,
    /// The row's prov_row_id
    #[arg(long)]
    pub row: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// How to reach S3
    #[command(flatten)]
    pub stores: StoreArgs,
}

/// Finds the row and prints its proof.
pub async fn run(args: TraceArgs) -> Result<(), CliError> {
    let found = trace(&args.output, &args.row, &args.stores.stores()?).await?;
    if args.json {
        let text = serde_json::to_string_pretty(&found)
            .map_err(|error| CliError::Failed(error.to_string()))?;
        println!("{text}");
    } else {
        let width = terminal_width();
        match &found {
            Traced::There(found) => print!("{}", as_text(found, width)),
            Traced::Left(left) => print!("{}", left_text(left)),
        }
    }
    Ok(())
}

fn left_text(left: &LeftRow) -> String {
    let mut text = format!(
        "row {} left with a purge\n\nat        {}\nmanifest  {}\n",
        left.row, left.left_at, left.manifest
    );
    for withdrawal in &left.withdrawals {
        let lines = [
            ("rule", Some(&withdrawal.rule)),
            ("clause", Some(&withdrawal.clause)),
            ("reason", Some(&withdrawal.reason)),
            ("found by", Some(&withdrawal.kind)),
            ("ticket", withdrawal.ticket.as_ref()),
            ("received", withdrawal.received_at.as_ref()),
            ("closed", withdrawal.closed_at.as_ref()),
        ];
        text.push('\n');
        for (name, value) in lines {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                text.push_str(&format!("{name:<9} {value}\n"));
            }
        }
    }
    text
}

fn as_text(found: &Trace, width: u16) -> String {
    let mut text = format!(
        "file      {}\nsha256    {}\nmanifest  {}\n\n",
        found.file, found.file_sha256, found.manifest
    );
    let section = |title: &str, rows: Vec<(String, String)>| {
        let mut table = Table::new();
        table
            .load_preset(presets::ASCII_MARKDOWN)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width)
            .set_header(vec![title, ""]);
        for (key, value) in rows {
            table.add_row(vec![key, value]);
        }
        format!("{table}\n\n")
    };
    let row = found.row.iter().map(|(name, value)| {
        (
            name.clone(),
            value.clone().unwrap_or_else(|| "NULL".to_owned()),
        )
    });
    text.push_str(&section("row", row.collect()));
    for (title, record) in [
        ("source record", &found.source),
        ("source gate", &found.gate),
        ("consent record", &found.consent),
    ] {
        if let Some(Value::Object(record)) = record {
            let rows = record
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| {
                    (
                        key.clone(),
                        value
                            .as_str()
                            .map_or_else(|| value.to_string(), str::to_owned),
                    )
                });
            text.push_str(&section(title, rows.collect()));
        }
    }
    let judged = std::iter::once(("policy".to_owned(), &found.pack))
        .chain(
            found
                .resources
                .iter()
                .map(|(setting, resource)| (setting.clone(), resource)),
        )
        .map(|(name, resource)| {
            (
                name,
                format!(
                    "{} {} sha256:{}",
                    resource.uri, resource.version, resource.sha256
                ),
            )
        });
    text.push_str(&section("judged with", judged.collect()));
    text
}
