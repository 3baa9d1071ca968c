//! Lexicons: delimited and NDJSON text goes to the lexicon's own readers, which allow comments;
//! tables of other formats are read by column.

use std::collections::BTreeSet;

use datafusion::prelude::SessionContext;
use tamis_harm::{
    ALLOW, Entry, Layer, Lexicon, MatchKind, Taxonomy, lexicon_updated, parse_lexicon_csv,
    parse_lexicon_ndjson,
};
use tamis_resource::{Identity, ResourceError, Result};

use crate::table::{
    Column, FileContent, Format, Kind, Row, check_columns, formats, read_files, read_rows,
};

/// In the order of their indexes below.
const COLUMNS: [Column; 7] = [
    Column::required("term", Kind::Text),
    Column::required("risk", Kind::Text),
    Column::required("weight", Kind::Number),
    Column::optional("match", Kind::Text),
    Column::optional("lang", Kind::Text),
    Column::optional("variants", Kind::Text),
    Column::optional("note", Kind::Text),
];
const TERM: usize = 0;
const RISK: usize = 1;
const WEIGHT: usize = 2;
const MATCH: usize = 3;
const LANG: usize = 4;
const VARIANTS: usize = 5;
const NOTE: usize = 6;

/// What joins the lexicons of `tamis.lexicon` when it names several.
pub(super) const LAYERS: char = '|';

const BUILTIN: &str = "builtin:lexicon";

/// Several lexicons joined by [`LAYERS`], later ones over earlier ones.
pub(super) async fn load_layers(
    ctx: &SessionContext,
    uri: &str,
    taxonomy: &Taxonomy,
    warnings: &mut Vec<String>,
) -> Result<Lexicon> {
    let mut layers = Vec::new();
    for layer in uri.split(LAYERS).map(str::trim) {
        layers.push(match layer {
            BUILTIN => Layer::from(&*Lexicon::builtin()),
            _ if layer.starts_with("builtin:") => {
                return Err(ResourceError::UnknownName {
                    kind: "lexicon",
                    name: layer.to_owned(),
                    nearest: Some(BUILTIN.to_owned()),
                    known: format!("{BUILTIN}, or a path or URL"),
                });
            }
            _ => load_layer(ctx, layer, warnings).await?,
        });
    }
    Lexicon::layered(uri, layers, taxonomy)
}

pub(super) async fn load(
    ctx: &SessionContext,
    uri: &str,
    taxonomy: &Taxonomy,
    warnings: &mut Vec<String>,
) -> Result<Lexicon> {
    let Layer { identity, entries } = load_layer(ctx, uri, warnings).await?;
    Lexicon::new(identity, entries, taxonomy)
}

async fn load_layer(ctx: &SessionContext, uri: &str, warnings: &mut Vec<String>) -> Result<Layer> {
    let own_readers = formats(ctx, "lexicon", uri)
        .await?
        .iter()
        .all(|format| matches!(format, Format::Separated(_) | Format::JsonLines));
    let mut entries = Vec::new();
    let mut version = String::new();
    let sha256 = if own_readers {
        let (files, sha256) = read_files(ctx, "lexicon", uri).await?;
        for file in &files {
            entries.extend(parse(uri, file)?);
            // Dates in this form compare like days.
            let updated = lexicon_updated(&file.bytes).unwrap_or_default();
            if updated > version.as_str() {
                version = updated.to_owned();
            }
            // Their readers have insisted on what each entry needs.
            let columns = COLUMNS.map(|column| Column::optional(column.name, column.kind));
            let unused = check_columns(uri, file.name.as_deref(), &names(file), &columns)?;
            warnings.extend(unused);
        }
        sha256
    } else {
        let mut each = |row: &Row<'_>| {
            entries.push((row.location(), entry(uri, row)?));
            Ok(())
        };
        let summary = read_rows(ctx, "lexicon", uri, &COLUMNS, &mut each).await?;
        warnings.extend(summary.warnings);
        summary.sha256
    };
    let identity = Identity {
        uri: uri.to_owned(),
        version,
        sha256,
    };
    Ok(Layer { identity, entries })
}

fn parse(uri: &str, file: &FileContent) -> Result<Vec<(String, Entry)>> {
    let uri = match &file.name {
        Some(name) => &format!("{}/{name}", uri.trim_end_matches('/')),
        None => uri,
    };
    let entries = match file.format {
        Format::Separated(delimiter) => parse_lexicon_csv(uri, &file.bytes, delimiter)?,
        _ => parse_lexicon_ndjson(uri, &file.bytes)?,
    };
    Ok(entries
        .into_iter()
        .map(|(place, entry)| match &file.name {
            Some(name) => (format!("{name}, {place}"), entry),
            None => (place, entry),
        })
        .collect())
}

/// The columns of a file that has been read.
fn names(file: &FileContent) -> Vec<String> {
    if let Format::Separated(delimiter) = file.format {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .from_reader(file.bytes.as_slice());
        let headers = reader.headers().cloned().unwrap_or_default();
        return headers.iter().map(str::to_owned).collect();
    }
    let lines = file.bytes.split(|byte| *byte == b'\n');
    let objects = lines.filter_map(|line| {
        serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(line).ok()
    });
    let names: BTreeSet<String> = objects
        .flat_map(|object| object.into_iter().map(|(name, _)| name))
        .collect();
    names.into_iter().collect()
}

fn entry(uri: &str, row: &Row<'_>) -> Result<Entry> {
    let wrong = |message: String| ResourceError::Malformed {
        uri: uri.to_owned(),
        location: row.location(),
        message,
    };
    let text = |column: usize| row.text(column).unwrap_or_default().to_owned();
    let risk = text(RISK);
    let weight = match row.number(WEIGHT) {
        Some(weight) => weight,
        None if risk == ALLOW => 1.0,
        None => return Err(wrong("column weight is empty".to_owned())),
    };
    let match_kind = MatchKind::parse(row.text(MATCH).unwrap_or_default())
        .ok_or_else(|| wrong("column match is not one of auto, word, substring".to_owned()))?;
    Ok(Entry {
        term: text(TERM),
        risk,
        weight,
        match_kind,
        lang: text(LANG),
        variants: text(VARIANTS),
        note: text(NOTE),
    })
}
