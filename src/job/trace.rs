//! Tracing one row back: where it came from, what it was judged with, and what decided.

use std::collections::BTreeMap;

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
use super::keys::verdict_of_row;
use super::manifest::FIRST;
use super::output::Output;
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

/// Longest value shown.
const SHOWN: usize = 200;

/// Finds a row by `prov_row_id` and gathers its proof.
pub async fn trace(uri: &str, row: &str, stores: &Stores) -> Result<Trace> {
    let (output, manifest, spec) = committed(stores, uri).await?;
    for unit in &manifest.units {
        let Some(keys) = unit
            .receipts
            .iter()
            .find(|file| file.path.ends_with(".keys.parquet"))
        else {
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
            return Ok(Trace {
                file: output.uri(&file.file.path),
                file_sha256: file.file.sha256.clone(),
                source: evidence(&output, "source", source.as_deref()).await?,
                consent: evidence(&output, "consent", consent.as_deref()).await?,
                gate: gate(&output, source.as_deref()).await?,
                row: columns,
                resources: spec.resources,
                pack: spec.pack,
                manifest: output.uri(FIRST),
            });
        }
    }
    Err(JobError::usage(format!(
        "{}: no row with prov_row_id {row} among its {} rows",
        output.uri(""),
        manifest.rows_in
    )))
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
                    Some(shorten(&text))
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
