//! `tamis optout`: the registry of opt-out signals, built from what a crawler kept.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use datafusion::arrow::array::{
    ArrayRef, RecordBatch, StringArray, StringBuilder, TimestampMicrosecondArray, UInt16Array,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use futures::TryStreamExt;
use object_store::{ObjectMeta, ObjectStoreExt};
use tamis_consent::opt_out::Snapshot;
use tamis_consent::opt_out::files::FetchedFile;
use tamis_consent::opt_out::warc::{WarcImport, WarcStatistics};
use tamis_functions::parse_span;

use crate::report::progress::Progress;
use crate::session::files::{FilesError, find_files, has_wildcard};
use crate::session::reading::ObjectReader;
use crate::session::stores::{Location, Stores};

use super::error::CliError;
use super::print::{PrintArgs, Printing, say, table};
use super::resources::load;
use super::run::ProgressArgs;
use super::settings::parse_instant;
use super::stores::StoreArgs;

/// Snapshots written at once.
const ROWS: usize = 1024;
/// Broken records named one by one; the others are counted.
const SHOWN_ERRORS: u64 = 20;

/// Arguments of `tamis optout`.
#[derive(Debug, Args)]
pub struct OptoutArgs {
    #[command(subcommand)]
    command: OptoutCommand,
}

#[derive(Debug, Subcommand)]
enum OptoutCommand {
    /// Build a table of snapshots from WARC files or directories of fetched files
    Import(ImportArgs),
    /// Say what the snapshots say of addresses at an instant
    Check(CheckArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tamis optout import crawl.warc.gz -o opt_out.parquet
  tamis optout import 's3://bucket/crawl/*.warc.gz' -o opt_out.parquet
  tamis optout import fetched/ --fetched-at 2026-03-01T00:00:00Z -o opt_out.csv

A directory of fetched files has a folder for each host: fetched/example.org/robots.txt,
fetched/example.org/.well-known/tdmrep.json, fetched/example.org/ai.txt.

Exit codes: 0 done; 1 a file cannot be read; 2 wrong flags; 3 done, but records were broken.")]
struct ImportArgs {
    /// WARC files (.warc, .warc.gz), globs of them, or directories; local or s3://
    #[arg(required = true)]
    inputs: Vec<String>,
    /// When the files of a directory were fetched; default: when each was last modified. WARC
    /// records say it themselves
    #[arg(long, value_name = "INSTANT")]
    fetched_at: Option<String>,
    #[command(flatten)]
    print: PrintArgs,
    #[command(flatten)]
    progress: ProgressArgs,
    #[command(flatten)]
    stores: StoreArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tamis optout check https://example.org/page --set opt_out=opt_out.parquet --at 2026-03-02
  tamis optout check example.org/a example.org/b --set opt_out=opt_out.parquet --format json")]
struct CheckArgs {
    /// Addresses
    #[arg(required = true)]
    urls: Vec<String>,
    /// The instant of collection; a date stands for its day. Default: now
    #[arg(long, value_name = "INSTANT")]
    at: Option<String>,
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
/// [`CliError`]; [`CliError::CheckFailed`] when records were broken.
pub async fn run(args: OptoutArgs) -> Result<(), CliError> {
    match args.command {
        OptoutCommand::Import(args) => import(args).await,
        OptoutCommand::Check(args) => check(args).await,
    }
}

async fn check(args: CheckArgs) -> Result<(), CliError> {
    let mut flags = args.set.clone();
    flags.extend(args.at.as_ref().map(|at| format!("as_of={at}")));
    let wanted = ["opt_out", "opt_out_agents", "opt_out_max_age_days", "as_of"];
    let resources = load(&args.stores.stores()?, &flags, &wanted).await?;
    let Some(registry) = &resources.opt_out else {
        return Err(CliError::Usage(
            "no snapshots: name their table with --set opt_out=FILE, or tamis.opt_out".to_owned(),
        ));
    };
    let rules = resources.opt_out_rules();
    let at = args.at.as_deref().and_then(parse_span);
    let (from, until) = at.unwrap_or((resources.as_of, resources.as_of));
    let mut columns: [StringBuilder; 4] = Default::default();
    let (mut fetched, mut digests) = (Vec::new(), StringBuilder::new());
    for url in &args.urls {
        let address = match url.contains("://") {
            true => url.clone(),
            false => format!("https://{url}"),
        };
        let check = registry.check_span(Some(&address), from, until, &rules);
        let rows = check.signals.iter().map(Some);
        // An address without a signal has a row too.
        let rows = rows.chain(check.signals.is_empty().then_some(None));
        for signal in rows {
            columns[0].append_value(&address);
            columns[1].append_value(check.verdict);
            columns[2].append_option(signal.map(|signal| signal.signal));
            columns[3].append_option(signal.map(|signal| &*signal.value));
            fetched.push(signal.map(|signal| signal.fetched_at));
            digests.append_option(signal.map(|signal| signal.sha256.as_str()));
        }
    }
    let [url, verdict, signal, value] =
        columns.map(|mut column| -> ArrayRef { Arc::new(column.finish()) });
    args.print.print(&table(vec![
        ("url", url),
        ("verdict", verdict),
        ("signal", signal),
        ("value", value),
        (
            "fetched_at",
            Arc::new(TimestampMicrosecondArray::from(fetched).with_timezone("UTC")),
        ),
        ("sha256", Arc::new(digests.finish())),
    ])?)
}

/// One file to import.
struct Input {
    location: Location,
    /// The file's place below the directory that was named; of a WARC file its name.
    name: String,
    meta: ObjectMeta,
}

impl Input {
    fn failed(&self, message: &str) -> CliError {
        CliError::Failed(format!("{}: {message}", self.location.display()))
    }

    fn is_warc(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        name.ends_with(".warc") || name.ends_with(".warc.gz")
    }
}

async fn import(args: ImportArgs) -> Result<(), CliError> {
    let fetched_at = match &args.fetched_at {
        Some(text) => Some(parse_instant("--fetched-at", text)?),
        None => None,
    };
    let stores = args.stores.stores()?;
    let mut inputs = Vec::new();
    for uri in &args.inputs {
        let found = list(&stores, uri).await?;
        if found.is_empty() {
            return Err(CliError::Usage(format!(
                "{uri}: holds neither WARC files nor files such as HOST/robots.txt"
            )));
        }
        inputs.extend(found);
    }
    let progress = args.progress.progress();
    progress.phase(
        "importing",
        inputs.iter().map(|input| input.meta.size).sum(),
    );
    let mut writer = Import {
        printing: args.print.start(&schema())?,
        rows: Vec::new(),
        count: 0,
        statistics: Vec::new(),
        errors: 0,
    };
    for input in inputs {
        let reader = ObjectReader::open(&input.location).await;
        let reader = reader.map_err(|error| input.failed(&error.to_string()))?;
        let counted = Counted {
            reader,
            progress: progress.clone(),
        };
        // Parsing takes as long as it takes: not on a thread of the runtime.
        let done = tokio::task::spawn_blocking(move || {
            let result = writer.file(&input, counted, fetched_at);
            (writer, result)
        })
        .await;
        let (returned, result) =
            done.map_err(|error| CliError::Failed(format!("the import panicked: {error}")))?;
        writer = returned;
        result?;
    }
    progress.finish();
    writer.finish()
}

async fn list(stores: &Stores, uri: &str) -> Result<Vec<Input>, CliError> {
    let location = stores.locate(uri)?;
    let is_file = location.store.head(&location.path).await.ok();
    if let (Some(meta), false) = (is_file, uri.ends_with('/')) {
        let name = meta.location.filename().unwrap_or_default().to_owned();
        let input = Input {
            location,
            name,
            meta,
        };
        if input.is_warc() {
            return Ok(vec![input]);
        }
        return Err(CliError::Usage(format!(
            "{uri}: is neither a WARC file (.warc, .warc.gz) nor a directory"
        )));
    }
    let below = |meta: ObjectMeta, name: String| Input {
        location: Location {
            path: meta.location.clone(),
            local: location
                .local
                .as_ref()
                .map(|_| PathBuf::from(format!("/{}", meta.location))),
            ..location.clone()
        },
        name,
        meta,
    };
    let not_found = |error: FilesError| CliError::Usage(error.to_string());
    if has_wildcard(uri) {
        let found = find_files(stores, uri).await.map_err(not_found)?;
        let inputs = found.files.into_iter().map(|meta| {
            let name = meta.location.filename().unwrap_or_default().to_owned();
            below(meta, name)
        });
        return Ok(inputs.filter(Input::is_warc).collect());
    }
    // Listed here: `.well-known` is hidden to those who look for data.
    let prefix = location.path.as_ref().to_owned();
    let listed = location.store.list(Some(&location.path)).try_collect();
    let listed: object_store::Result<Vec<ObjectMeta>> = listed.await;
    let mut objects = match listed {
        Ok(objects) if !objects.is_empty() => objects,
        // Those who look for data also know why nothing is there.
        Ok(_) => {
            find_files(stores, uri).await.map_err(not_found)?;
            Vec::new()
        }
        Err(error) => {
            find_files(stores, uri).await.map_err(not_found)?;
            return Err(CliError::Failed(format!("{uri}: {error}")));
        }
    };
    objects.sort_by(|a, b| a.location.cmp(&b.location));
    let mut inputs = Vec::new();
    for meta in objects {
        let path = meta.location.as_ref();
        let name = path.strip_prefix(&prefix).unwrap_or(path);
        let name = name.trim_start_matches('/').to_owned();
        let input = below(meta, name);
        let is_signal = FetchedFile::of_path(&input.name)
            .map_err(|message| CliError::Usage(format!("{uri}: {message}")))?;
        if input.is_warc() || is_signal.is_some() {
            inputs.push(input);
        }
    }
    Ok(inputs)
}

/// Counts what was read.
struct Counted {
    reader: ObjectReader,
    progress: Progress,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.progress.add(length as u64);
        Ok(length)
    }
}

struct Import {
    printing: Printing,
    rows: Vec<Snapshot>,
    count: u64,
    statistics: Vec<(String, WarcStatistics)>,
    errors: u64,
}

impl Import {
    fn file(
        &mut self,
        input: &Input,
        mut reader: Counted,
        fetched_at: Option<i64>,
    ) -> Result<(), CliError> {
        if !input.is_warc() {
            let mut body = Vec::new();
            reader
                .read_to_end(&mut body)
                .map_err(|error| input.failed(&error.to_string()))?;
            let fetched_at =
                fetched_at.unwrap_or_else(|| input.meta.last_modified.timestamp_micros());
            let file = FetchedFile::of_path(&input.name).ok().flatten();
            let file = file.ok_or_else(|| input.failed("is no file of a site"))?;
            return self.push(file.snapshot(fetched_at, body));
        }
        let mut records = WarcImport::new(reader);
        for found in records.by_ref() {
            match found {
                Ok(snapshot) => self.push(snapshot)?,
                Err(error) if error.is_fatal => return Err(input.failed(&error.to_string())),
                Err(error) => {
                    self.errors += 1;
                    if self.errors <= SHOWN_ERRORS {
                        say(&format!("{}: {error}", input.location.display()));
                    }
                }
            }
        }
        self.statistics
            .push((input.location.display(), records.statistics()));
        Ok(())
    }

    fn push(&mut self, snapshot: Snapshot) -> Result<(), CliError> {
        self.rows.push(snapshot);
        self.count += 1;
        if self.rows.len() < ROWS {
            return Ok(());
        }
        self.write()
    }

    fn write(&mut self) -> Result<(), CliError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let batch = batch(&std::mem::take(&mut self.rows))?;
        self.printing.write(&batch)
    }

    fn finish(mut self) -> Result<(), CliError> {
        self.write()?;
        self.printing.finish()?;
        for (file, found) in &self.statistics {
            say(&format!(
                "{file}: {} records, {} answers, {} snapshots, {} revisits, {} redirects within the site, \
                 {} unchanged (304), {} cut at the limit of their kind, {} broken",
                found.records,
                found.responses,
                found.snapshots,
                found.revisits,
                found.redirects,
                found.not_modified,
                found.cut,
                found.errors
            ));
        }
        say(&format!("{} snapshots", self.count));
        match self.errors {
            0 => Ok(()),
            errors => Err(CliError::CheckFailed(format!(
                "{errors} records are broken; what they held is in no snapshot"
            ))),
        }
    }
}

fn schema() -> SchemaRef {
    let utf8 = |name: &str| Field::new(name, DataType::Utf8, false);
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        utf8("url"),
        Field::new("fetched_at", time, false),
        utf8("kind"),
        Field::new("status", DataType::UInt16, true),
        utf8("sha256"),
        utf8("encoding"),
        utf8("body"),
    ]))
}

fn batch(rows: &[Snapshot]) -> Result<RecordBatch, CliError> {
    let text = |value: fn(&Snapshot) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(value)))
    };
    let times = rows.iter().map(|row| row.fetched_at);
    let statuses: UInt16Array = rows.iter().map(|row| row.status).collect();
    let mut encodings = StringBuilder::new();
    let mut bodies = StringBuilder::new();
    for row in rows {
        match std::str::from_utf8(&row.body) {
            Ok(body) => {
                encodings.append_value("utf-8");
                bodies.append_value(body);
            }
            Err(_) => {
                encodings.append_value("hex");
                bodies.append_value(hex::encode(&row.body));
            }
        }
    }
    let columns: Vec<ArrayRef> = vec![
        text(|row| &row.url),
        Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC")),
        text(|row| row.kind.as_str()),
        Arc::new(statuses),
        text(|row| &row.sha256),
        Arc::new(encodings.finish()),
        Arc::new(bodies.finish()),
    ];
    RecordBatch::try_new(schema(), columns).map_err(|error| CliError::Failed(error.to_string()))
}
