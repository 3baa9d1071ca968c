//! `tamis lexicon import`.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use tamis_harm::{
    CategoryMap, EntryDefaults, Imported, Lexicon, MatchKind, Taxonomy, parse_categorised,
    parse_word_list, write_lexicon_csv,
};
use tamis_resource::Identity;

use crate::cli::error::CliError;
use crate::cli::print::say;
use crate::cli::stores::StoreArgs;
use crate::session::reading::ObjectReader;
use crate::session::stores::Stores;

use super::{day, usage};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tamis lexicon import words.txt --risk A1h -o ours.csv
  tamis lexicon import words.csv --term word --category type --map porn=A1f --map gambling=A1h \\
      --map '*=skip' -o ours.csv
  tamis lexicon import s3://bucket/words.tsv --term 1 --category 2 --map 毒品=A1h -o ours.csv
  tamis lexicon check ours.csv

A list with one term a line has a risk for all; a list with columns has a category for each term, mapped
to a risk, to allow, or to skip. Columns given by number mean a list without a header.")]
pub struct ImportArgs {
    /// The list: a path or s3:// URL, UTF-8
    list: String,
    /// One term a line: the risk of all of them, or allow
    #[arg(
        long,
        conflicts_with_all = ["term", "category", "map"],
        required_unless_present = "term"
    )]
    risk: Option<String>,
    /// The column that holds the term: its name, or its number from 1
    #[arg(long, value_name = "COLUMN", requires = "category")]
    term: Option<String>,
    /// The column that holds the category: its name, or its number from 1
    #[arg(long, value_name = "COLUMN", requires_all = ["term", "map"])]
    category: Option<String>,
    /// What a category stands for; * is every other one; may be repeated
    #[arg(long, value_name = "CATEGORY=RISK")]
    map: Vec<String>,
    /// What separates columns; default: a tab in .tsv files, else a comma
    #[arg(long, value_name = "CHARACTER")]
    delimiter: Option<char>,
    /// The weight of every entry, in (0, 1]: how surely the term alone means the risk
    #[arg(long, default_value_t = 0.5)]
    weight: f64,
    /// Where the terms may match: auto, word or substring
    #[arg(long = "match", value_name = "HOW", default_value = "auto")]
    match_kind: String,
    /// The language of the terms
    #[arg(long, default_value = "")]
    lang: String,
    /// The forms of a text that still match; empty: the default ones
    #[arg(long, default_value = "")]
    variants: String,
    /// A note on every entry
    #[arg(long, default_value = "")]
    note: String,
    /// The day of the update the lexicon states; default: today
    #[arg(long, value_name = "DATE")]
    updated: Option<String>,
    /// Write the lexicon, as CSV, to this file instead of standard output; an existing file is not overwritten
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    stores: StoreArgs,
}

pub async fn run(args: ImportArgs) -> Result<(), CliError> {
    let updated = match &args.updated {
        Some(date) => {
            day("--updated", date)?;
            date.clone()
        }
        None => chrono::Utc::now().format("%Y-%m-%d").to_string(),
    };
    let match_kind = MatchKind::parse(&args.match_kind).ok_or_else(|| {
        CliError::Usage(format!(
            "--match: '{}' is not one of auto, word, substring",
            args.match_kind
        ))
    })?;
    let defaults = EntryDefaults {
        weight: args.weight,
        match_kind,
        lang: args.lang.clone(),
        variants: args.variants.clone(),
        note: args.note.clone(),
    };
    let bytes = bytes_of(&args.stores.stores()?, &args.list).await?;
    let taxonomy = Taxonomy::builtin();
    let imported = match (&args.risk, &args.term, &args.category) {
        (Some(risk), _, _) => parse_word_list(&args.list, &bytes, risk, &defaults, &taxonomy),
        (None, Some(term), Some(category)) => {
            let map = CategoryMap::parse(args.map.iter().map(String::as_str), &taxonomy)
                .map_err(|message| CliError::Usage(format!("--map: {message}")))?;
            let columns = (term.as_str(), category.as_str());
            let delimiter = delimiter(&args)?;
            parse_categorised(&args.list, &bytes, delimiter, columns, &map, &defaults)
        }
        _ => {
            return Err(CliError::Usage(
                "give --risk for a list with one term a line, or --term, --category and --map"
                    .to_owned(),
            ));
        }
    }
    .map_err(usage)?;
    let Imported {
        entries,
        duplicates,
        skipped,
        empty,
    } = imported;
    let text = write_lexicon_csv(entries.iter().map(|(_, entry)| entry), Some(&updated));
    let terms = entries.len();
    // What is written must load; a list of masks alone loads as a layer over another.
    let only_masks = entries
        .iter()
        .all(|(_, entry)| entry.risk == tamis_harm::ALLOW);
    if !only_masks {
        let identity = Identity::of_bytes(args.list.as_str(), updated, text.as_bytes());
        Lexicon::new(identity, entries, &taxonomy).map_err(usage)?;
    }
    write(args.output.as_deref(), &text)?;
    say(&format!(
        "{terms} entries; left out: {duplicates} given before, {skipped} skipped by category, {} without \
         a character that matches{}",
        empty.len(),
        match &args.output {
            Some(path) => format!(". Now: tamis lexicon check {}", path.display()),
            None => String::new(),
        }
    ));
    Ok(())
}

fn delimiter(args: &ImportArgs) -> Result<u8, CliError> {
    match args.delimiter {
        Some(character) => u8::try_from(character)
            .ok()
            .filter(u8::is_ascii)
            .ok_or_else(|| {
                CliError::Usage(format!(
                    "--delimiter: '{character}' is not one ASCII character"
                ))
            }),
        None if args.list.to_ascii_lowercase().ends_with(".tsv") => Ok(b'\t'),
        None => Ok(b','),
    }
}

async fn bytes_of(stores: &Stores, uri: &str) -> Result<Vec<u8>, CliError> {
    let location = stores.locate(uri)?;
    let failed = |message: String| CliError::Usage(format!("{uri}: {message}"));
    let mut reader = ObjectReader::open(&location)
        .await
        .map_err(|error| failed(error.to_string()))?;
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map(|_| bytes)
    });
    match read.await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(error) => Err(CliError::Failed(format!("the import panicked: {error}"))),
    }
}

fn write(output: Option<&Path>, text: &str) -> Result<(), CliError> {
    let Some(path) = output else {
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
    file.write_all(text.as_bytes()).map_err(failed)
}
