//! The job as it stands: everything that changes a row, and nothing that does not.
//!
//! The spec's canonical JSON is written to `_tamis/spec.json`; its SHA-256 is the job's identity.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tamis_resource::{Identity, sha256_hex};

use super::error::{JobError, Result};
use super::file::Columns;
use super::inputs::Inputs;

/// Layout version of everything below `_tamis/`.
pub const FORMAT: u32 = 1;

/// A resource in the spec: what it is called and its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecResource {
    /// Where it was loaded from.
    pub uri: String,
    /// Its own version, where it has one.
    pub version: String,
    /// Digest of its content.
    pub sha256: String,
}

impl From<&Identity> for SpecResource {
    fn from(identity: &Identity) -> Self {
        Self {
            uri: identity.uri.clone(),
            version: identity.version.clone(),
            sha256: identity.sha256.clone(),
        }
    }
}

/// An input file in the spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecInput {
    /// Relative to the corpus root.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// The store's etag; for local files size and hash of the footer.
    pub etag: String,
}

/// Sizes that shape the output and so belong to the spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// A unit holds row groups up to this many uncompressed bytes.
    pub unit_bytes: u64,
    /// A unit holds at most this many rows, unless one row group has more.
    pub unit_rows: u64,
    /// Bytes of input a batch aims at.
    pub batch_bytes: u64,
    /// Rows a batch has at most.
    pub batch_rows: u64,
    /// Encoded bytes after which an output row group is closed.
    pub row_group_bytes: u64,
    /// Rows after which an output row group is closed.
    pub row_group_rows: u64,
    /// Parquet codec of the output.
    pub compression: String,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            unit_bytes: 256 << 20,
            unit_rows: 1 << 20,
            batch_bytes: 8 << 20,
            batch_rows: 4096,
            row_group_bytes: 32 << 20,
            row_group_rows: 1 << 18,
            compression: "zstd(3)".to_owned(),
        }
    }
}

/// Everything that changes a row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Spec {
    /// [`FORMAT`].
    pub format: u32,
    /// The Tamis version.
    pub tamis: String,
    /// The corpus root as given.
    pub corpus: String,
    /// The instant everything is judged at, RFC 3339.
    pub as_of: String,
    /// Whether nobody gave `as_of` and the first run's clock was taken.
    pub as_of_defaulted: bool,
    /// The policy pack.
    pub pack: SpecResource,
    /// The purpose consent is asked for.
    pub purpose: String,
    /// The use licences are checked for.
    #[serde(rename = "use")]
    pub use_case: String,
    /// Days after which an opt-out snapshot no longer shows a permission.
    pub opt_out_max_age_days: String,
    /// Whether opt-out signals in force at `as_of` count too.
    pub opt_out_also_as_of: String,
    /// Which column plays which part.
    pub columns: Columns,
    /// Input columns written under another name.
    pub rename: BTreeMap<String, String>,
    /// `ids` or `rows`.
    pub dropped: String,
    /// `ref` or `drop`.
    pub subject: String,
    /// Only the first rows of the corpus.
    pub limit: Option<u64>,
    /// Resources by setting; the subject key only as its key id.
    pub resources: BTreeMap<String, SpecResource>,
    /// Sizes that shape the output.
    pub layout: Layout,
    /// The unified schema, column to Arrow type.
    pub schema: Vec<(String, String)>,
    /// The input files.
    pub inputs: Vec<SpecInput>,
}

impl Spec {
    /// Canonical bytes: JSON with sorted keys, two-space indent, a final newline.
    pub fn canonical(&self) -> Result<Vec<u8>> {
        canonical_json(self)
    }

    /// SHA-256 of the canonical bytes: the job's identity.
    pub fn identity(&self) -> Result<String> {
        Ok(sha256_hex(&self.canonical()?))
    }

    /// Parses `_tamis/spec.json`.
    pub fn parse(bytes: &[u8], uri: &str) -> Result<Self> {
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| JobError::failed(format!("{uri}: not a Tamis spec: {error}")))?;
        let format = value.get("format").and_then(Value::as_u64);
        if format != Some(u64::from(FORMAT)) {
            return Err(JobError::failed(format!(
                "{uri}: layout {format:?} is not the one this version reads ({FORMAT}). Use the Tamis version that wrote it"
            )));
        }
        serde_json::from_value(value)
            .map_err(|error| JobError::failed(format!("{uri}: not a Tamis spec: {error}")))
    }

    /// The input list of a corpus.
    pub fn inputs_of(inputs: &Inputs) -> Vec<SpecInput> {
        inputs
            .files
            .iter()
            .map(|file| SpecInput {
                path: file.relative.clone(),
                size: file.size,
                etag: file.etag.clone(),
            })
            .collect()
    }

    /// The keys in which two specs differ, with both values; input files one by one.
    pub fn differences(&self, other: &Self) -> Result<Vec<String>> {
        let (mut mine, mut theirs) = (BTreeMap::new(), BTreeMap::new());
        for (spec, leaves) in [(self, &mut mine), (other, &mut theirs)] {
            let mut value =
                serde_json::to_value(spec).map_err(|error| JobError::failed(error.to_string()))?;
            if let Some(object) = value.as_object_mut() {
                let inputs = object.remove("inputs");
                for input in inputs.iter().filter_map(Value::as_array).flatten() {
                    let path = input
                        .get("path")
                        .and_then(Value::as_str)
                        .unwrap_or_default();
                    leaves.insert(
                        format!("inputs.{path}"),
                        format!("{}, {}", input["size"], input["etag"]),
                    );
                }
            }
            flatten("", &value, leaves);
        }
        let keys: std::collections::BTreeSet<&String> = mine.keys().chain(theirs.keys()).collect();
        Ok(keys
            .into_iter()
            .filter_map(|key| match (mine.get(key), theirs.get(key)) {
                (Some(a), Some(b)) if a == b => None,
                (Some(a), Some(b)) => Some(format!("{key}: was {a}, is {b}")),
                (Some(a), None) => Some(format!("{key}: was {a}, is gone")),
                (None, Some(b)) => Some(format!("{key}: was absent, is {b}")),
                (None, None) => None,
            })
            .collect())
    }
}

fn flatten(prefix: &str, value: &Value, leaves: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let key = if prefix.is_empty() {
                    key.clone()
                } else {
                    format!("{prefix}.{key}")
                };
                flatten(&key, value, leaves);
            }
        }
        Value::Null => {}
        other => {
            leaves.insert(prefix.to_owned(), other.to_string());
        }
    }
}

/// JSON with sorted keys (serde_json's map is sorted), indented, with a final newline.
pub(crate) fn canonical_json<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    let failed = |error: serde_json::Error| JobError::failed(error.to_string());
    let value = serde_json::to_value(value).map_err(failed)?;
    let mut bytes = serde_json::to_vec_pretty(&value).map_err(failed)?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn spec() -> Spec {
        Spec {
            opt_out_max_age_days: "30".into(),
            opt_out_also_as_of: "false".into(),
            format: FORMAT,
            tamis: "0.1.0".into(),
            corpus: "corpus/".into(),
            as_of: "2026-11-01T00:00:00Z".into(),
            as_of_defaulted: false,
            pack: SpecResource {
                uri: "builtin:gb45654".into(),
                version: "1".into(),
                sha256: "00".into(),
            },
            purpose: "model-training".into(),
            use_case: "train-commercial".into(),
            columns: Columns::default(),
            rename: BTreeMap::new(),
            dropped: "ids".into(),
            subject: "ref".into(),
            limit: None,
            resources: BTreeMap::new(),
            layout: Layout::default(),
            schema: vec![],
            inputs: vec![SpecInput {
                path: "a".into(),
                size: 1,
                etag: "x".into(),
            }],
        }
    }

    #[test]
    fn identity_changes_with_what_changes_a_row() {
        let a = spec();
        let mut b = spec();
        assert_eq!(a.identity().unwrap(), b.identity().unwrap());
        b.use_case = "train-research".into();
        b.inputs[0].etag = "y".into();
        assert_ne!(a.identity().unwrap(), b.identity().unwrap());
        let differences = a.differences(&b).unwrap();
        assert_eq!(differences.len(), 2);
        assert!(
            differences[0].starts_with("inputs.a: was 1, \"x\""),
            "{differences:?}"
        );
        assert_eq!(
            differences[1],
            "use: was \"train-commercial\", is \"train-research\""
        );
    }

    #[test]
    fn canonical_bytes_read_back() {
        let bytes = spec().canonical().unwrap();
        let back = Spec::parse(&bytes, "spec.json").unwrap();
        assert_eq!(back.canonical().unwrap(), bytes);
        assert!(Spec::parse(b"{\"format\": 9}", "spec.json").is_err());
    }
}
