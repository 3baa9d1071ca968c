//! The manifest: what a committed output consists of. Readers trust it and nothing else.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tamis_resource::sha256_hex;

use super::error::{JobError, Result};
use super::output::Output;
use super::receipt::OutputFile;
use super::spec::canonical_json;

/// The first manifest of an output.
pub const FIRST: &str = "_tamis/manifests/000001.json";
/// Written last; directory readers wait for it. It holds the manifest's name and digest.
pub const SUCCESS: &str = "_SUCCESS";

/// An input file that could not be read at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantinedFile {
    /// Relative to the corpus root.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Etag.
    pub etag: String,
    /// Why.
    pub reason: String,
}

/// A data file and its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFile {
    /// The verdict of its rows.
    pub verdict: String,
    /// The object.
    #[serde(flatten)]
    pub file: OutputFile,
}

/// One unit's objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestUnit {
    /// Unit identity.
    pub unit: String,
    /// Stem of its files.
    pub name: String,
    /// Rows read.
    pub rows: u64,
    /// Receipts and indexes.
    pub receipts: Vec<OutputFile>,
    /// Data files.
    pub files: Vec<ManifestFile>,
}

/// What a committed output consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Layout version.
    pub format: u32,
    /// Job identity: SHA-256 of `_tamis/spec.json`.
    pub job: String,
    /// Tamis version.
    pub tamis: String,
    /// `as_of` of the job (no clock: a repeated run gives the same bytes).
    pub as_of: String,
    /// `create-only` or `single-writer`: how this manifest was made unique.
    pub commit: String,
    /// Rows of all units.
    pub rows_in: u64,
    /// Rows by verdict.
    pub verdicts: BTreeMap<String, u64>,
    /// Provenance columns the policy does not fill.
    pub not_checked: Vec<String>,
    /// Input files that could not be read; their rows are unknown and in no folder.
    pub quarantined_files: Vec<QuarantinedFile>,
    /// Spec, source assessment, evidence, report.
    pub documents: Vec<OutputFile>,
    /// Zero-row files of folders that would be empty.
    pub empty_files: Vec<ManifestFile>,
    /// All units, in order.
    pub units: Vec<ManifestUnit>,
}

impl Manifest {
    /// Canonical bytes.
    pub fn to_bytes(&self) -> Result<Bytes> {
        Ok(canonical_json(self)?.into())
    }

    /// Every object the output consists of, apart from the manifest and `_SUCCESS`.
    pub fn objects(&self) -> impl Iterator<Item = &OutputFile> {
        self.documents
            .iter()
            .chain(self.empty_files.iter().map(|file| &file.file))
            .chain(self.units.iter().flat_map(|unit| {
                unit.receipts
                    .iter()
                    .chain(unit.files.iter().map(|f| &f.file))
            }))
    }

    /// Every data file.
    pub fn data_files(&self) -> impl Iterator<Item = &ManifestFile> {
        self.units
            .iter()
            .flat_map(|unit| &unit.files)
            .chain(&self.empty_files)
    }
}

/// The content of `_SUCCESS`.
pub fn success_bytes(manifest: &[u8]) -> Bytes {
    format!("{FIRST} sha256:{}\n", sha256_hex(manifest)).into()
}

/// Reads the committed manifest. `None` when the output is not committed.
pub async fn read(output: &Output) -> Result<Option<Manifest>> {
    let Some(success) = output.get(SUCCESS).await? else {
        return Ok(None);
    };
    let damaged = |what: &str| JobError::failed(format!("{}: {what}", output.uri(SUCCESS)));
    let text = std::str::from_utf8(&success).map_err(|_| damaged("is not text"))?;
    let (name, digest) = text
        .strip_suffix('\n')
        .and_then(|text| text.split_once(" sha256:"))
        .ok_or_else(|| damaged("does not hold a manifest's name and digest"))?;
    if name != FIRST {
        return Err(damaged("names a manifest this version does not know"));
    }
    let bytes = output.get(name).await?.ok_or_else(|| {
        JobError::failed(format!(
            "{}: is missing, though _SUCCESS names it",
            output.uri(name)
        ))
    })?;
    if sha256_hex(&bytes) != digest {
        return Err(JobError::failed(format!(
            "{}: its digest is not the one in _SUCCESS",
            output.uri(name)
        )));
    }
    let manifest = serde_json::from_slice(&bytes)
        .map_err(|error| JobError::failed(format!("{}: {error}", output.uri(name))))?;
    Ok(Some(manifest))
}
