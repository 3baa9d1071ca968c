//! The manifest: what a committed output consists of. Readers trust it and nothing else.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tamis_resource::sha256_hex;

use super::error::{JobError, Result};
use super::output::Output;
use super::purge::record::PurgeRecord;
use super::receipt::{OutputFile, clear_path};
use super::spec::canonical_json;

/// The first manifest of an output.
pub const FIRST: &str = "_tamis/manifests/000001.json";
/// Where manifests stand.
pub const MANIFESTS: &str = "_tamis/manifests";
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
    /// Rows of it that have left since (`tamis purge`).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub purged: u64,
}

impl ManifestUnit {
    /// The receipt of clearing it; a purge writes it again under another name.
    pub fn clear_receipt(&self) -> String {
        self.receipt(".clear.json")
            .map_or_else(|| clear_path(&self.name), |file| file.path.clone())
    }

    /// Its key index.
    pub fn keys(&self) -> Option<&OutputFile> {
        self.receipt(".keys.parquet")
    }

    fn receipt(&self, ending: &str) -> Option<&OutputFile> {
        self.receipts
            .iter()
            .find(|file| file.path.ends_with(ending))
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
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
    /// The manifest before this one; the first has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<OutputFile>,
    /// Rows that have left since the first manifest.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub purged: u64,
    /// Superseded objects that are still there because a purge was told to keep them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<OutputFile>,
    /// The purge that made this manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purge: Option<PurgeRecord>,
    /// The manifest as it is stored. Not part of its bytes.
    #[serde(skip)]
    pub stored: OutputFile,
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

/// The name of a manifest by its number.
pub fn path_of(number: u64) -> String {
    format!("{MANIFESTS}/{number:06}.json")
}

/// The number in a manifest's name.
pub fn number_of(path: &str) -> Option<u64> {
    let digits = path
        .strip_prefix(MANIFESTS)?
        .strip_prefix('/')?
        .strip_suffix(".json")?;
    let is_number = digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

/// The content of `_SUCCESS` for a manifest's name and digest.
pub fn success_bytes(path: &str, sha256: &str) -> Bytes {
    format!("{path} sha256:{sha256}\n").into()
}

/// The name and digest that `_SUCCESS` holds. `None` when it is not there.
pub async fn success(output: &Output) -> Result<Option<(String, String)>> {
    let Some(success) = output.get(SUCCESS).await? else {
        return Ok(None);
    };
    let damaged = |what: &str| JobError::failed(format!("{}: {what}", output.uri(SUCCESS)));
    let text = std::str::from_utf8(&success).map_err(|_| damaged("is not text"))?;
    let (name, digest) = text
        .strip_suffix('\n')
        .and_then(|text| text.split_once(" sha256:"))
        .ok_or_else(|| damaged("does not hold a manifest's name and digest"))?;
    if number_of(name).is_none() {
        return Err(damaged("does not name a manifest"));
    }
    Ok(Some((name.to_owned(), digest.to_owned())))
}

/// Reads the committed manifest. `None` when the output is not committed.
pub async fn read(output: &Output) -> Result<Option<Manifest>> {
    let Some((name, digest)) = success(output).await? else {
        return Ok(None);
    };
    read_as(output, &name, &digest, SUCCESS).await.map(Some)
}

/// Reads a manifest that `named_by` names with a digest.
pub async fn read_as(
    output: &Output,
    path: &str,
    digest: &str,
    named_by: &str,
) -> Result<Manifest> {
    let manifest = read_any(output, path).await?.ok_or_else(|| {
        JobError::failed(format!(
            "{}: is missing, though {named_by} names it",
            output.uri(path)
        ))
    })?;
    if manifest.stored.sha256 != digest {
        return Err(JobError::failed(format!(
            "{}: its digest is not the one in {named_by}",
            output.uri(path)
        )));
    }
    Ok(manifest)
}

/// Reads a manifest by name, whatever its digest. `None` when it is not there.
pub async fn read_any(output: &Output, path: &str) -> Result<Option<Manifest>> {
    let Some(bytes) = output.get(path).await? else {
        return Ok(None);
    };
    parse(output, path, &bytes).map(Some)
}

/// Parses a manifest's bytes.
pub fn parse(output: &Output, path: &str, bytes: &[u8]) -> Result<Manifest> {
    let mut manifest: Manifest = serde_json::from_slice(bytes)
        .map_err(|error| JobError::failed(format!("{}: {error}", output.uri(path))))?;
    manifest.stored = OutputFile {
        path: path.to_owned(),
        rows: None,
        bytes: bytes.len() as u64,
        sha256: sha256_hex(bytes),
    };
    Ok(manifest)
}

/// The name of the manifest with the highest number. `None` when there is none.
pub async fn newest(output: &Output) -> Result<Option<String>> {
    let there = output.list_below(MANIFESTS).await?;
    let numbers = there.iter().filter_map(|name| number_of(name));
    Ok(numbers.max().map(path_of))
}
