//! `tamis sql`: statements from the command line, a file or standard input; a prompt without.

mod deliver;
mod engine;
mod errors;
mod statements;

use std::io::{IsTerminal, Read};
use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::output::{Destination, Format, Look, OutputError, writer};
use super::settings::{ConfigFile, ResolvedSettings, process_environment};
use super::stores::StoreArgs;

pub use deliver::{DeliveryError, deliver, thousands};
pub use engine::{Engine, Outcome};
pub use errors::table_names;
pub use statements::{Numbered, SyntaxError, split};

/// Rows of a table on a terminal, unless asked otherwise.
const ROWS_ON_TERMINAL: usize = 100;
/// Rows of a table in a file or a pipe, which is held in memory to find its widths.
const ROWS_IN_FILE: usize = 10_000;

/// Arguments of `tamis sql`.
#[derive(Debug, Args)]
#[command(
    long_about = "Runs SQL with the Tamis functions over files: local or s3:// paths in quotes are \
tables. Parquet, CSV, TSV, JSON, NDJSON and Arrow are read, the text kinds also as .gz and .zst, from \
one file, a directory or a glob, with name=value directories as columns. Of several statements the \
last result is written. Without statements: a prompt on a terminal, else standard input is read.",
    after_long_help = "Examples:
  tamis sql \"SELECT count(*) FROM 'corpus/*.parquet'\"
  tamis sql \"SELECT id, harm_risks(text) FROM 's3://bucket/corpus/' WHERE is_harmful(text)\" -o found.parquet
  tamis sql --set tamis.lexicon=words.csv -f check.sql --format ndjson
  echo \"SELECT license_id('Apache 2.0')\" | tamis sql -
  tamis sql

Settings are taken from --set, then TAMIS_* variables, then tamis.toml, or changed by
SET tamis.lexicon = 'words.csv'; SHOW tamis.lexicon shows one.

Exit codes: 0 done; 1 an error in SQL, or the result could not be written; 2 wrong flags or settings."
)]
pub struct SqlArgs {
    /// Statements, separated by semicolons; - reads them from standard input
    #[arg(value_name = "SQL")]
    pub sql: Option<String>,
    /// Read the statements from a file
    #[arg(short, long, value_name = "FILE", conflicts_with = "sql")]
    pub file: Option<PathBuf>,
    /// Write the result to a file, which appears when it is complete
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// How to write the result; default: by the extension of -o, else table
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Rows of a table; 0 shows all. Default: 100 on a terminal, else 10000. Other formats have no limit
    #[arg(long, value_name = "N")]
    pub max_rows: Option<usize>,
    /// Set tamis.* or datafusion.* for this session; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// How to reach S3
    #[command(flatten)]
    pub stores: StoreArgs,
}

/// Runs the statements, or the prompt.
///
/// # Errors
/// [`CliError::Usage`] for wrong flags and settings, [`CliError::Failed`] for the first statement
/// that fails, named by number and line.
pub async fn run(args: SqlArgs) -> Result<(), CliError> {
    let text = statements_of(&args)?;
    let file = ConfigFile::in_working_directory()?;
    let plan = Plan::new(&args, &file)?;
    if text.is_none() && args.output.is_some() {
        return Err(CliError::Usage(
            "-o needs statements: give them, -f FILE, or -".to_owned(),
        ));
    }
    if plan.format.is_binary() && text.is_some() && plan.destination.is_terminal() {
        return Err(CliError::Usage(format!(
            "{} is binary and would garble the terminal: write it to a file with -o FILE, or pipe it",
            name_of(plan.format)
        )));
    }
    let environment = process_environment();
    let settings = ResolvedSettings::resolve(&args.set, &Default::default(), &environment, &file)?;
    let mut engine = Engine::start(args.stores.stores()?, &settings).await?;
    match text {
        None => super::repl::run(engine, plan.format, plan.max_rows).await,
        Some(text) => {
            tokio::select! {
                result = run_text(&mut engine, &text, plan) => result,
                _ = tokio::signal::ctrl_c() => {
                    Err(CliError::Failed("stopped by Ctrl-C; no file was written".to_owned()))
                }
            }
        }
    }
}

/// How the result is to be written.
struct Plan {
    format: Format,
    max_rows: Option<usize>,
    destination: Destination,
}

impl Plan {
    fn new(args: &SqlArgs, file: &ConfigFile) -> Result<Self, CliError> {
        if let Some(path) = &args.output
            && path.to_str().is_some_and(|path| path.contains("://"))
        {
            return Err(CliError::Usage(format!(
                "-o writes local files; for {} use COPY (SELECT …) TO '…' STORED AS PARQUET",
                path.display()
            )));
        }
        let by_name = args
            .output
            .as_ref()
            .and_then(|path| Format::of_name(path.to_str()?));
        let configured = match file.print.get("format") {
            Some(name) => Some(<Format as clap::ValueEnum>::from_str(name, true).map_err(
                |_| CliError::Usage(format!("tamis.toml: [print] format: there is no '{name}'")),
            )?),
            None => None,
        };
        let max_rows = match (args.max_rows, file.print.get("max_rows")) {
            (Some(rows), _) => Some(rows),
            (None, Some(rows)) => Some(rows.parse().map_err(|_| {
                CliError::Usage(format!(
                    "tamis.toml: [print] max_rows: '{rows}' is no number"
                ))
            })?),
            (None, None) => None,
        };
        Ok(Self {
            format: args
                .format
                .or(by_name)
                .or(configured)
                .unwrap_or(Format::Table),
            max_rows,
            destination: Destination::new(args.output.as_deref()),
        })
    }
}

/// The most rows a table shows; `None` is all.
pub fn most_rows(asked: Option<usize>, on_terminal: bool) -> Option<usize> {
    match asked {
        Some(0) => None,
        Some(rows) => Some(rows),
        None if on_terminal => Some(ROWS_ON_TERMINAL),
        None => Some(ROWS_IN_FILE),
    }
}

/// The statements to run; `None` for the prompt.
fn statements_of(args: &SqlArgs) -> Result<Option<String>, CliError> {
    let from_stdin = || {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| CliError::Usage(format!("cannot read standard input: {error}")))?;
        Ok(Some(text))
    };
    match (&args.file, args.sql.as_deref()) {
        (Some(path), _) if path.as_os_str() == "-" => from_stdin(),
        (Some(path), _) => std::fs::read_to_string(path)
            .map(Some)
            .map_err(|error| CliError::Usage(format!("{}: {error}", path.display()))),
        (None, Some("-")) => from_stdin(),
        (None, Some(sql)) => Ok(Some(sql.to_owned())),
        (None, None) if std::io::stdin().is_terminal() => Ok(None),
        (None, None) => from_stdin(),
    }
}

async fn run_text(engine: &mut Engine, text: &str, plan: Plan) -> Result<(), CliError> {
    let statements = split(text, &engine.context().copied_config()).map_err(|error| {
        CliError::Failed(place(
            error.number,
            error.line,
            error.number > 1 || error.line > 1,
            &error.message,
        ))
    })?;
    if statements.is_empty() {
        return Err(CliError::Usage("there is no statement to run".to_owned()));
    }
    let last_result = statements.iter().rposition(Numbered::gives_result);
    if last_result.is_none() && matches!(plan.destination, Destination::File { .. }) {
        return Err(CliError::Usage(
            "-o is given, but no statement has a result to write".to_owned(),
        ));
    }
    let several = statements.len() > 1;
    let mut plan = Some(plan);
    for (index, statement) in statements.iter().enumerate() {
        let named = |message: &str| {
            let with_place = several || statement.line > 1;
            CliError::Failed(place(statement.number, statement.line, with_place, message))
        };
        let rows = match engine
            .run(statement)
            .await
            .map_err(|message| named(&message))?
        {
            Outcome::Done => continue,
            Outcome::Rows(rows) => rows,
        };
        if last_result != Some(index) {
            // Run to its end all the same: it may write, and it may fail.
            deliver(rows, None, false)
                .await
                .map_err(|error| named(&message_of(error)))?;
            continue;
        }
        let Some(Plan {
            format,
            max_rows,
            destination,
        }) = plan.take()
        else {
            continue;
        };
        let on_terminal = destination.is_terminal();
        let look = Look {
            width: on_terminal.then(super::terminal_width),
            max_rows: most_rows(max_rows, on_terminal),
            keeps_lines: statement.is_explain(),
        };
        let opened = destination.open().map_err(OutputError::from);
        let written = match opened.and_then(|sink| writer(format, &rows.schema, sink, look)) {
            Ok(writer) => deliver(rows, Some(writer), on_terminal && format != Format::Table).await,
            Err(error) => Err(error.into()),
        };
        let written = match written {
            Ok(written) => written,
            Err(DeliveryError::Output(OutputError::Closed)) => return Ok(()),
            Err(DeliveryError::Output(error)) => return Err(CliError::Failed(error.to_string())),
            Err(DeliveryError::Query(message)) => return Err(named(&message)),
        };
        let place = match &destination {
            Destination::File { path, .. } => Some(path.clone()),
            _ => None,
        };
        match destination.commit() {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
            Err(error) => {
                return Err(CliError::Failed(format!(
                    "cannot write the result: {error}"
                )));
            }
            Ok(()) => {}
        }
        if written.cut {
            eprintln!("{}", cut_message(written.rows));
        } else if let Some(place) = place
            && std::io::stderr().is_terminal()
        {
            eprintln!("{} rows in {}", thousands(written.rows), place.display());
        }
    }
    Ok(())
}

/// What to say below a table that does not show everything.
pub fn cut_message(rows: usize) -> String {
    format!(
        "the first {} rows; there are more. --max-rows 0 shows all, -o FILE with another format writes all",
        thousands(rows)
    )
}

/// The message of a delivery that broke off.
pub fn message_of(error: DeliveryError) -> String {
    match error {
        DeliveryError::Query(message) => message,
        DeliveryError::Output(error) => error.to_string(),
    }
}

fn place(number: usize, line: u64, with_place: bool, message: &str) -> String {
    if with_place {
        format!("statement {number} (line {line}): {message}")
    } else {
        message.to_owned()
    }
}

fn name_of(format: Format) -> String {
    use clap::ValueEnum;
    format
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}
