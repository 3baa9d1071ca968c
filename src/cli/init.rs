//! `tamis init`: a commented job file from a corpus's schema.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use datafusion::arrow::datatypes::{DataType, Schema};

use crate::job::inputs::{Inputs, is_string};
use crate::report::summary::{bytes, thousands};

use super::error::CliError;
use super::stores::StoreArgs;

/// Arguments of `tamis init`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tamis init corpus/ > job.toml
  tamis init s3://bucket/corpus/ --endpoint-url http://localhost:9000 -o job.toml")]
pub struct InitArgs {
    /// A Parquet file, a directory or a glob; local or s3://
    pub corpus: String,
    /// Write to this file instead of standard output; an existing file is not overwritten
    #[arg(short, long)]
    pub output: Option<PathBuf>,
    /// How to reach S3
    #[command(flatten)]
    pub stores: StoreArgs,
}

/// Lists the corpus, guesses which column plays which part, and writes a job file.
pub async fn run(args: InitArgs) -> Result<(), CliError> {
    let inputs = Inputs::list(&args.stores.stores()?, &args.corpus).await?;
    let text = job_file(&args.corpus, &inputs);
    let Some(path) = &args.output else {
        // A closed pipe is the reader's choice.
        let _ = std::io::stdout().write_all(text.as_bytes());
        return Ok(());
    };
    let failed = |error: std::io::Error| CliError::Failed(format!("{}: {error}", path.display()));
    let mut file = std::fs::File::create_new(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => CliError::Usage(format!(
            "{} is there already; name another file with -o",
            path.display()
        )),
        _ => failed(error),
    })?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    eprintln!(
        "Wrote {}. Look it over, then: tamis run {}",
        path.display(),
        path.display()
    );
    Ok(())
}

/// Names that usually play a part, best first.
const USUAL: &[(&str, &[&str])] = &[
    (
        "id",
        &["id", "doc_id", "document_id", "uuid", "key", "hash"],
    ),
    (
        "text",
        &[
            "text",
            "body",
            "content",
            "raw_content",
            "document",
            "markdown",
            "passage",
        ],
    ),
    (
        "source",
        &[
            "source",
            "source_id",
            "dataset",
            "dataset_name",
            "domain",
            "origin",
        ],
    ),
    (
        "license",
        &["license", "licence", "license_id", "spdx", "rights"],
    ),
    (
        "subject",
        &[
            "subject",
            "subject_id",
            "user_id",
            "author",
            "author_id",
            "user",
        ],
    ),
    ("url", &["url", "uri", "link", "page_url"]),
    (
        "collected_at",
        &[
            "collected_at",
            "fetched_at",
            "crawl_date",
            "crawled_at",
            "timestamp",
            "date",
        ],
    ),
];

fn guess<'a>(schema: &'a Schema, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| {
        schema
            .fields()
            .iter()
            .map(|field| field.name())
            .find(|field| field.eq_ignore_ascii_case(name))
            .map(String::as_str)
    })
}

fn job_file(corpus: &str, inputs: &Inputs) -> String {
    let schema = &inputs.schema;
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "# Job file for `tamis run`, made from {} files with {} rows, {}.\n# Columns of the corpus:",
        inputs.files.len(),
        thousands(inputs.rows()),
        bytes(inputs.bytes())
    );
    for field in schema.fields() {
        let place = if inputs.is_partition(field.name()) {
            ", from the path"
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "#   {}: {}{place}",
            field.name(),
            short_type(field.data_type())
        );
    }
    let _ = writeln!(text, "\n[corpus]\nuri = {}\n", quoted(corpus));
    text.push_str(
        "# Which column plays which part. `text` and `source` are required.\n[corpus.columns]\n",
    );
    for (part, names) in USUAL {
        let fits = |name: &&str| {
            *part != "text"
                || schema
                    .field_with_name(name)
                    .is_ok_and(|field| is_string(field.data_type()))
        };
        let what = match *part {
            "id" => "the row's own id, shown in dropped/",
            "text" => "the text that is judged",
            "source" => "a key of the source registry",
            "license" => "the declared licence, in any spelling",
            "subject" => {
                "the person the row is from or about; written as a keyed ref, needs consent and subject_key below"
            }
            "url" => "where the row was collected",
            _ => "when it was collected",
        };
        let line = match guess(schema, names).filter(fits) {
            // A wrong guess about a person would only cost an error; still, it is theirs to decide.
            Some(name) if *part == "subject" => format!("# {part} = {}", quoted(name)),
            Some(name) => format!("{part} = {}", quoted(name)),
            None if matches!(*part, "text" | "source") => {
                format!("{part} = \"\" # no column looks like it: fill in")
            }
            None => format!("# {part} = \"\""),
        };
        let _ = writeln!(text, "{line:<32} # {what}");
    }
    let reserved: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .filter(|name| name.starts_with("prov_") || *name == "verdict")
        .collect();
    if !reserved.is_empty() {
        text.push_str("\n# Names Tamis writes itself: the corpus's own columns get another name in the output.\n[corpus.rename]\n");
        for name in reserved {
            let _ = writeln!(
                text,
                "{} = {}",
                quoted(name),
                quoted(&format!("input_{name}"))
            );
        }
    }
    text.push_str(
        "
[policy]
pack = \"gb45654\"                 # `tamis policy export` writes a folder to change; its path goes here
purpose = \"model-training\"       # what consent must have been given for
use = \"train-commercial\"         # what licences must allow
# as_of = \"2026-11-01T00:00:00Z\"  # judge as of this instant; default: the first run's clock
# opt_out_max_age_days = 30        # a snapshot older than this at the collection shows no permission
# opt_out_also_as_of = true        # signals in force at as_of count too; default false

[resources]
# One row a source: acquisition mode, licence evidence, contract, records. Required.
sources = \"sources.csv\"
# What the sites said of their pages when they were crawled (`tamis optout import`). Without it no
# row of a self-collected source is kept.
# opt_out = \"opt_out.parquet\"
# Domains, addresses and digests that must not be used, with dates.
# blocked = \"blocked.csv\"
# One row a consent record. Required when a subject column is mapped.
# consent = \"consent.parquet\"
# The key subjects are hashed with: a file, or env:NAME. Never stored or printed.
# subject_key = \"env:TAMIS_SUBJECT_KEY\"
# lexicon = \"lexicon.csv\"         # default: the built-in starter lexicon
# thresholds = \"thresholds.toml\"
# license_policy = \"policy.toml\"

[output]
uri = \"out/\"                     # a directory or s3:// prefix that is empty
# dropped = \"rows\"                # default ids: dropped/ holds ids, verdicts and reasons only
# subject = \"drop\"                # default ref: the subject column holds the keyed ref
",
    );
    text
}

fn short_type(data_type: &DataType) -> String {
    let text = data_type.to_string();
    if text.chars().count() > 80 {
        text.chars().take(80).chain("...".chars()).collect()
    } else {
        text
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
