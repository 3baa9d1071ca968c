//! Receipts: what a unit gave. A unit with a receipt is done; without one it is done again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::{JobError, Result};
use super::spec::canonical_json;

/// The four verdicts, in the order of the summary.
pub const VERDICTS: [&str; 4] = ["keep", "review", "drop", "quarantine"];

/// The folder of a verdict's rows.
pub fn folder(verdict: &str) -> &'static str {
    match verdict {
        "keep" => "data",
        "review" => "review",
        "drop" => "dropped",
        _ => "quarantine",
    }
}

/// Harmful rows of one source in one unit, or over all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceCount {
    /// Rows read.
    pub n: u64,
    /// Rows with a risk of the gate's set, unscored rows included.
    pub harmful: u64,
}

/// What assessing a unit gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssessReceipt {
    /// Unit identity.
    pub unit: String,
    /// Counts by source; `None` is the rows without one.
    pub sources: Vec<(Option<String>, SourceCount)>,
    /// Row groups that could not be read, with the reason.
    pub corrupt: BTreeMap<usize, String>,
    /// Sources known to have rows in the corrupt row groups.
    pub corrupt_sources: Vec<String>,
}

/// One column chunk's digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkDigest {
    /// Row group in the file.
    pub row_group: usize,
    /// Column path.
    pub column: String,
    /// First byte in the file.
    pub offset: u64,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 of those bytes.
    pub sha256: String,
}

/// One object of the output.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputFile {
    /// Relative to the output.
    pub path: String,
    /// Rows, for Parquet files.
    pub rows: Option<u64>,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 of the whole object.
    pub sha256: String,
}

/// A data file with its verdict and chunk digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// The verdict of all its rows.
    pub verdict: String,
    /// The object.
    pub file: OutputFile,
    /// Digests of its column chunks.
    pub chunks: Vec<ChunkDigest>,
}

/// What clearing a unit gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClearReceipt {
    /// Unit identity.
    pub unit: String,
    /// The input file, relative to the corpus root.
    pub input: String,
    /// First and last row group.
    pub row_groups: (usize, usize),
    /// Rows of the unit.
    pub rows_in: u64,
    /// Bytes of text judged.
    pub text_bytes: u64,
    /// Rows by verdict.
    pub verdicts: BTreeMap<String, u64>,
    /// Rows by the first reason.
    pub first_reasons: BTreeMap<String, u64>,
    /// Rows by source and verdict; rows without a source under the empty name.
    pub sources: BTreeMap<String, BTreeMap<String, u64>>,
    /// Row groups quarantined whole, with the reason.
    pub corrupt: BTreeMap<usize, String>,
    /// Data files.
    pub files: Vec<DataFile>,
    /// The index of row, text, url and subject keys of those files.
    pub keys: OutputFile,
    /// The filter over those keys.
    pub filter: OutputFile,
    /// Input rows that have left since (`tamis purge`), ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purged: Vec<i64>,
    /// The consent records that decided, where there are any.
    pub consent: Option<OutputFile>,
}

/// Where a unit's receipts stand.
pub fn assess_path(unit_name: &str) -> String {
    format!("_tamis/receipts/{unit_name}.assess.json")
}

/// Where a unit's clear receipt stands.
pub fn clear_path(unit_name: &str) -> String {
    format!("_tamis/receipts/{unit_name}.clear.json")
}

/// Where the filter over a unit's keys stands.
pub fn filter_path(unit_name: &str) -> String {
    format!("_tamis/receipts/{unit_name}.filter")
}

/// Bytes of a receipt.
pub fn to_bytes<T: Serialize>(receipt: &T) -> Result<Vec<u8>> {
    canonical_json(receipt)
}

/// Reads a receipt; damage is an error that says how to go on.
pub fn from_bytes<T: for<'de> Deserialize<'de>>(bytes: &[u8], uri: &str) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| {
        JobError::failed(format!(
            "{uri}: damaged receipt: {error}. Delete it and run again: its unit is redone"
        ))
    })
}
