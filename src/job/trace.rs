//! Tracing one row back: where it came from, what it was judged with, and what decided.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::arrow::array::{Array, AsArray, BooleanArray};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use futures::TryStreamExt;
use parquet::arrow::async_reader::ParquetRecordBatchStreamBuilder;
use serde::Serialize;
use serde_json::Value;

use crate::session::stores::Stores;

use super::commit::read_small;
use super::error::{JobError, Result};
use super::key_filter::{SUMMARY, units_with};
use super::keys::{Key, KeyKind, key_of_hex, verdict_of_row};
use super::manifest::Manifest;
use super::output::Output;
use super::purge::history::History;
use super::purge::record::Withdrawal;
use super::reader::RangeReader;
use super::receipt::OutputFile;
use super::run::committed;
use super::spec::SpecResource;

/// Everything known of one row.
#[derive(Debug, Clone, Serialize)]
pub struct Trace {
    /// The file it stands in.
    pub file: String,
    /// That file's digest in the manifest.
    pub file_sha256: String,
    /// Its columns; long texts are cut.
    pub row: Vec<(String, Option<String>)>,
    /// The registry record of its source as it stood then.
    pub source: Option<Value>,
    /// The consent record that decided, as it stood then.
    pub consent: Option<Value>,
    /// The source's counts at the gate.
    pub gate: Option<Value>,
    /// What it was judged with.
    pub resources: BTreeMap<String, SpecResource>,
    /// The policy pack.
    pub pack: SpecResource,
    /// The manifest that committed it.
    pub manifest: String,
}

/// What is known of a row that left with a purge.
#[derive(Debug, Clone, Serialize)]
pub struct LeftRow {
    /// Its `prov_row_id`.
    pub row: String,
    /// The instant it was judged at.
    pub left_at: String,
    /// The manifest that committed it.
    pub manifest: String,
    /// Why; of each withdrawal's rows this one alone.
    pub withdrawals: Vec<Withdrawal>,
}

/// Where a row is.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Traced {
    /// In a file.
    There(Box<Trace>),
    /// It left.
    Left(LeftRow),
}

/// Longest value of a column of the corpus shown.
const SHOWN: usize = 200;

/// Finds a row by `prov_row_id` and gathers its proof.
pub async fn trace(uri: &str, row: &str, stores: &Stores) -> Result<Traced> {
    let (output, manifest, spec) = committed(stores, uri).await?;
    let history = History::read(&output, &manifest).await?;
    if let Some(departure) = history.departure(&manifest, row) {
        return Ok(Traced::Left(LeftRow {
            row: row.to_owned(),
            left_at: departure.purge.at.clone(),
            manifest: output.uri(departure.manifest),
            withdrawals: departure
                .withdrawals
                .into_iter()
                .map(|withdrawal| Withdrawal {
                    rows: vec![row.to_owned()],
                    ..withdrawal.clone()
                })
                .collect(),
        }));
    }
    let candidates = candidates(&output, &manifest, row).await?;
    for unit in manifest.units.iter().filter(|unit| {
        candidates
            .as_ref()
            .is_none_or(|names| names.contains_key(&unit.name))
    }) {
        let Some(keys) = unit.keys() else {
            continue;
        };
        for batch in read_small(&output, &keys.path).await? {
            let Some(verdict) = verdict_of_row(&batch, row)? else {
                continue;
            };
            let Some(file) = unit.files.iter().find(|file| file.verdict == verdict) else {
                continue;
            };
            let Some(columns) = read_row(&output, &file.file, row).await? else {
                continue;
            };
            let named = |name: &str| {
                columns
                    .iter()
                    .find(|(column, _)| column == name)
                    .and_then(|(_, value)| value.clone())
            };
            let (source, consent) = (named("prov_source_id"), named("prov_consent_record"));
            return Ok(Traced::There(Box::new(Trace {
                file: output.uri(&file.file.path),
                file_sha256: file.file.sha256.clone(),
                source: evidence(&output, "source", source.as_deref()).await?,
                consent: evidence(&output, "consent", consent.as_deref()).await?,
                gate: gate(&output, source.as_deref()).await?,
                row: columns,
                resources: spec.resources,
                pack: spec.pack,
                manifest: output.uri(&manifest.stored.path),
            })));
        }
    }
    Err(JobError::usage(format!(
        "{}: no row with prov_row_id {row} among its {} rows",
        output.uri(""),
        manifest.rows_in
    )))
}

/// The units that may hold a row; `None` where no filter says.
async fn candidates(
    output: &Output,
    manifest: &Manifest,
    row: &str,
) -> Result<Option<BTreeMap<String, BTreeSet<Key>>>> {
    let summary = manifest.documents.iter().find(|file| file.path == SUMMARY);
    // What is no row id is refused by the index.
    let (Some(summary), Some(key)) = (summary, key_of_hex(row)) else {
        return Ok(None);
    };
    if row.len() != 32 {
        return Ok(None);
    }
    let wanted = BTreeSet::from([(KeyKind::Row, key)]);
    units_with(output, summary, &wanted).await.map(Some)
}

async fn read_row(
    output: &Output,
    file: &OutputFile,
    row: &str,
) -> Result<Option<Vec<(String, Option<String>)>>> {
    let path = &file.path;
    let reader = RangeReader::new(output.store(), output.path(path), file.bytes);
    let named = |error: parquet::errors::ParquetError| {
        JobError::failed(format!("{}: {error}", output.uri(path)))
    };
    let mut stream = ParquetRecordBatchStreamBuilder::new(reader)
        .await
        .map_err(named)?
        .build()
        .map_err(named)?;
    while let Some(batch) = stream.try_next().await.map_err(named)? {
        let Some(ids) = batch.column_by_name("prov_row_id") else {
            return Ok(None);
        };
        let mask: BooleanArray = ids
            .as_string::<i32>()
            .iter()
            .map(|id| Some(id == Some(row)))
            .collect();
        let found = filter_record_batch(&batch, &mask)?;
        if found.num_rows() == 0 {
            continue;
        }
        let options = FormatOptions::default();
        let columns = found
            .schema()
            .fields()
            .iter()
            .zip(found.columns())
            .map(|(field, array)| {
                let value = if array.is_null(0) {
                    None
                } else {
                    let text = ArrayFormatter::try_new(array, &options)?
                        .value(0)
                        .try_to_string()?;
                    // The proof is shown whole, the row's own content is not.
                    Some(if field.name().starts_with("prov_") {
                        text
                    } else {
                        shorten(&text)
                    })
                };
                Ok((field.name().clone(), value))
            })
            .collect::<std::result::Result<_, datafusion::arrow::error::ArrowError>>()?;
        return Ok(Some(columns));
    }
    Ok(None)
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(SHOWN).collect();
    cut.push_str(" [...]");
    cut
}

async fn evidence(output: &Output, kind: &str, id: Option<&str>) -> Result<Option<Value>> {
    let Some(id) = id else { return Ok(None) };
    for batch in read_small(output, "_tamis/evidence.parquet").await? {
        let [kinds, ids, _, records] =
            [0, 1, 2, 3].map(|index| batch.column(index).as_string::<i32>());
        let found =
            (0..batch.num_rows()).find(|row| kinds.value(*row) == kind && ids.value(*row) == id);
        if let Some(row) = found {
            return Ok(serde_json::from_str(records.value(row)).ok());
        }
    }
    Ok(None)
}

async fn gate(output: &Output, source: Option<&str>) -> Result<Option<Value>> {
    let Some(source) = source else {
        return Ok(None);
    };
    let options = FormatOptions::default();
    for batch in read_small(output, super::commit::ASSESSMENT).await? {
        let ids = batch.column(0).as_string::<i32>();
        let Some(row) =
            (0..batch.num_rows()).find(|row| ids.is_valid(*row) && ids.value(*row) == source)
        else {
            continue;
        };
        let mut found = serde_json::Map::new();
        for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
            let text = ArrayFormatter::try_new(array, &options)?
                .value(row)
                .try_to_string()?;
            found.insert(field.name().clone(), text.into());
        }
        return Ok(Some(found.into()));
    }
    Ok(None)
}
