//! Proving evidence: that each document a source registry names is there and is the one it was.

use datafusion::arrow::array::AsArray;
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tamis_consent::SourceRow;

use crate::report::progress::Progress;
use crate::session::stores::Stores;

use super::commit::{EVIDENCE, read_small};
use super::error::{JobError, Result};
use super::output::Output;

/// Objects fetched at the same time.
const CONCURRENT: usize = 4;

/// A document that proves something of a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct EvidenceObject {
    /// The source.
    pub source_id: String,
    /// The column of the registry that names the document.
    pub column: String,
    /// Where it lies.
    pub uri: String,
    /// Its digest in the registry.
    pub sha256: Option<String>,
}

/// Source, column and, where there is one, address.
impl std::fmt::Display for EvidenceObject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "source {}, {}", self.source_id, self.column)?;
        match self.uri.as_str() {
            "" => Ok(()),
            uri => write!(f, ": {uri}"),
        }
    }
}

/// What proving one document gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// The document.
    #[serde(flatten)]
    pub object: EvidenceObject,
    /// Its bytes, when it could be read.
    pub bytes: Option<u64>,
    /// What is wrong with it; `None`: it is there and its digest is the recorded one.
    pub problem: Option<String>,
}

/// The documents without which a way of acquiring data is not proven (TC260-003-2024 5.1 c): licence;
/// collection record; contract, commitments and audit; authorisation.
const NEEDED: [(&str, &[&str]); 4] = [
    ("open_source", &["license_evidence_uri"]),
    ("self_collected", &["crawl_record_uri"]),
    (
        "commercial",
        &[
            "contract_evidence_uri",
            "commitment_evidence_uri",
            "audit_report_uri",
        ],
    ),
    ("user_input", &["authorization_record_uri"]),
];

impl EvidenceObject {
    /// The documents a row of the source registry names, and those it should name: their uri is empty.
    pub fn of_row(row: &SourceRow) -> Vec<Self> {
        let named = row.evidence().into_iter().map(|evidence| Self {
            source_id: row.source_id.clone(),
            column: evidence.column.to_owned(),
            uri: evidence.uri.to_owned(),
            sha256: evidence.sha256.map(str::to_owned),
        });
        Self::with_needed(
            &row.source_id,
            row.acquisition_mode.as_deref(),
            named.collect(),
        )
    }

    fn with_needed(source_id: &str, mode: Option<&str>, mut named: Vec<Self>) -> Vec<Self> {
        let needed = NEEDED.iter().filter(|(of, _)| Some(*of) == mode);
        for column in needed.flat_map(|(_, columns)| *columns) {
            if !named.iter().any(|object| object.column == *column) {
                named.push(Self {
                    source_id: source_id.to_owned(),
                    column: (*column).to_owned(),
                    uri: String::new(),
                    sha256: None,
                });
            }
        }
        named
    }

    /// The documents a source record in `evidence.parquet` names.
    fn of_record(source_id: &str, record: &Value) -> Vec<Self> {
        let text = |column: &str| record.get(column)?.as_str().map(str::to_owned);
        let named = SourceRow::EVIDENCE_COLUMNS
            .iter()
            .filter_map(|(uri, sha256)| {
                Some(Self {
                    source_id: source_id.to_owned(),
                    column: (*uri).to_owned(),
                    uri: text(uri)?,
                    sha256: text(sha256),
                })
            })
            .collect();
        let mode = text("acquisition_mode");
        Self::with_needed(source_id, mode.as_deref(), named)
    }
}

/// The source records of a finished output by source id, as the registry had them then.
///
/// # Errors
/// When `evidence.parquet` cannot be read or holds a record that is no JSON.
pub async fn source_records(output: &Output) -> Result<Vec<(String, Value)>> {
    let mut found = Vec::new();
    for batch in read_small(output, EVIDENCE).await? {
        let [kinds, ids, _, records] =
            [0, 1, 2, 3].map(|index| batch.column(index).as_string::<i32>());
        for row in (0..batch.num_rows()).filter(|row| kinds.value(*row) == "source") {
            let record = serde_json::from_str(records.value(row)).map_err(|error| {
                JobError::failed(format!(
                    "{}: the record of source `{}` is damaged: {error}",
                    output.uri(EVIDENCE),
                    ids.value(row)
                ))
            })?;
            found.push((ids.value(row).to_owned(), record));
        }
    }
    Ok(found)
}

/// The documents behind the sources of a finished output, as the registry had them then.
///
/// # Errors
/// As [`source_records`].
pub async fn of_output(output: &Output) -> Result<Vec<EvidenceObject>> {
    let records = source_records(output).await?;
    Ok(records
        .iter()
        .flat_map(|(id, record)| EvidenceObject::of_record(id, record))
        .collect())
}

/// Fetches every document and compares its digest. Whatever keeps a document from being proven is
/// its problem, not an error: the others are still proven.
pub async fn prove(
    stores: &Stores,
    objects: Vec<EvidenceObject>,
    progress: &Progress,
) -> Vec<Proof> {
    progress.phase("fetching evidence", objects.len() as u64);
    let mut proofs: Vec<Proof> = stream::iter(objects)
        .map(|object| async {
            let proof = prove_one(stores, object).await;
            progress.add(1);
            proof
        })
        .buffer_unordered(CONCURRENT)
        .collect()
        .await;
    proofs.sort_by(|a, b| a.object.cmp(&b.object));
    proofs
}

async fn prove_one(stores: &Stores, object: EvidenceObject) -> Proof {
    if object.uri.is_empty() {
        return Proof {
            problem: Some("the registry names no such document".to_owned()),
            bytes: None,
            object,
        };
    }
    match digest(stores, &object.uri).await {
        Err(message) => Proof {
            problem: Some(message),
            bytes: None,
            object,
        },
        Ok((bytes, found)) => Proof {
            problem: match &object.sha256 {
                Some(recorded) if *recorded == found => None,
                Some(recorded) => Some(format!(
                    "its sha256 is {found}, the registry has {recorded}"
                )),
                None => Some(format!(
                    "the registry has no sha256 of it; it is now {found}"
                )),
            },
            bytes: Some(bytes),
            object,
        },
    }
}

async fn digest(stores: &Stores, uri: &str) -> Result<(u64, String), String> {
    let location = stores.locate(uri).map_err(|error| error.to_string())?;
    let got = object_store::ObjectStoreExt::get(location.store.as_ref(), &location.path).await;
    let got = got.map_err(|error| match error {
        object_store::Error::NotFound { .. } => match &location.local {
            Some(path) => format!(
                "is not there ({}; a relative path is taken from the working directory)",
                path.display()
            ),
            None => "is not there".to_owned(),
        },
        error => JobError::store(&error, uri).to_string(),
    })?;
    let mut digest = Sha256::new();
    let mut length = 0;
    let mut parts = got.into_stream();
    while let Some(part) = parts
        .try_next()
        .await
        .map_err(|error| JobError::store(&error, uri).to_string())?
    {
        digest.update(&part);
        length += part.len() as u64;
    }
    Ok((length, hex::encode(digest.finalize())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::progress::ProgressMode;
    use crate::session::stores::StoreOptions;

    fn object(uri: String, sha256: Option<&str>) -> EvidenceObject {
        EvidenceObject {
            source_id: "s".into(),
            column: "license_evidence_uri".into(),
            uri,
            sha256: sha256.map(str::to_owned),
        }
    }

    #[tokio::test]
    async fn a_document_is_proven_by_its_bytes_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("licence.txt");
        std::fs::write(&path, "abc").unwrap();
        let uri = path.display().to_string();
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let missing = folder.path().join("gone.txt").display().to_string();
        let stores = Stores::new(StoreOptions::default());
        let proofs = prove(
            &stores,
            vec![
                object(uri.clone(), Some(abc)),
                object(uri.clone(), Some(&"0".repeat(64))),
                object(uri, None),
                object(missing, Some(abc)),
            ],
            &Progress::new(ProgressMode::None),
        )
        .await;
        let problems: Vec<Option<&str>> = proofs
            .iter()
            .map(|proof| proof.problem.as_deref())
            .collect();
        assert_eq!(
            problems.iter().filter(|problem| problem.is_none()).count(),
            1
        );
        for expected in [
            "is not there",
            "the registry has no sha256 of it",
            "the registry has 0000",
        ] {
            assert!(
                problems
                    .iter()
                    .flatten()
                    .any(|problem| problem.contains(expected)),
                "{expected}: {problems:?}"
            );
        }
    }

    #[test]
    fn a_record_names_the_documents_its_row_names() {
        let row = SourceRow {
            source_id: "s".into(),
            license_evidence_uri: Some("a.txt".into()),
            license_evidence_sha256: Some("ab".repeat(32)),
            contract_evidence_uri: Some("b.txt".into()),
            commitment_evidence_uri: Some("c.txt".into()),
            audit_report_uri: Some("d.txt".into()),
            crawl_record_uri: Some("e.txt".into()),
            authorization_record_uri: Some("f.txt".into()),
            opt_out_snapshot_uri: Some("g.txt".into()),
            ..SourceRow::default()
        };
        let record = super::super::report::source_record(&row);
        let objects = EvidenceObject::of_row(&row);
        assert_eq!(objects.len(), SourceRow::EVIDENCE_COLUMNS.len());
        assert_eq!(EvidenceObject::of_record("s", &record), objects);
    }
}
