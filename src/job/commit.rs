//! Committing: side documents, one create-only manifest, then `_SUCCESS`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::{AsArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tamis_resource::sha256_hex;

use super::clear::open_writer;
use super::context::Job;
use super::error::{JobError, Result};
use super::gate::{SourceAssessment, to_batch};
use super::key_filter::write_summary;
use super::manifest::{
    FIRST, Manifest, ManifestFile, ManifestUnit, QuarantinedFile, SUCCESS, success_bytes,
};
use super::output::{CommitProtocol, Created, Output};
use super::provenance::NOT_CHECKED;
use super::receipt::{self, ClearReceipt, OutputFile, VERDICTS, folder};
use super::report::{JobReport, SourceReport};
use super::spec::{FORMAT, canonical_json};
use super::writer::{DataWriter, Destination};

/// Where the source assessment stands.
pub const ASSESSMENT: &str = "_tamis/source_assessment.parquet";
/// Where the records used stand.
pub const EVIDENCE: &str = "_tamis/evidence.parquet";
/// Where the report stands.
pub const REPORT: &str = "_tamis/report.json";
/// Where the spec stands.
pub const SPEC: &str = "_tamis/spec.json";

/// Writes `source_assessment.parquet`.
pub async fn write_assessment(
    job: &Job,
    output: &Output,
    found: &[SourceAssessment],
) -> Result<OutputFile> {
    let batch = to_batch(found)?;
    let metadata = [("tamis.job", job.identity.as_str())];
    let mut writer = DataWriter::new(
        output,
        ASSESSMENT.to_owned(),
        &batch.schema(),
        &metadata,
        &job.spec.layout,
        Destination::Output,
    )?;
    writer.write(&batch).await?;
    Ok(writer.finish().await?.0)
}

/// Reads every receipt, writes the side documents and commits. Returns the report.
pub async fn commit(
    job: &Job,
    output: &Output,
    assessments: &[SourceAssessment],
    assessment_file: OutputFile,
    protocol: CommitProtocol,
) -> Result<JobReport> {
    let mut report = JobReport::new(job, assessments);
    let mut units = Vec::with_capacity(job.units.len());
    let mut consent_files = Vec::new();
    let mut filters = Vec::with_capacity(job.units.len());
    for unit in &job.units {
        let name = unit.name();
        let (assess_file, assess) =
            stored_receipt::<receipt::AssessReceipt>(output, receipt::assess_path(&name)).await?;
        let (clear_file, clear) =
            stored_receipt::<ClearReceipt>(output, receipt::clear_path(&name)).await?;
        report.add(&assess, &clear, &job.inputs.files[unit.file].relative);
        filters.push((name.clone(), clear.filter.clone()));
        let mut receipts = vec![assess_file, clear_file, clear.keys.clone(), clear.filter];
        if let Some(consent) = &clear.consent {
            receipts.push(consent.clone());
            consent_files.push(consent.path.clone());
        }
        units.push(ManifestUnit {
            unit: unit.id.clone(),
            name,
            rows: clear.rows_in,
            receipts,
            files: clear
                .files
                .into_iter()
                .map(|data| ManifestFile {
                    verdict: data.verdict,
                    file: data.file,
                })
                .collect(),
            purged: 0,
        });
    }
    report.check()?;
    let empty_files = write_empty_folders(job, output, &units).await?;
    let evidence = write_evidence(job, output, assessments, &consent_files).await?;
    let keys = write_summary(output, &job.identity, &filters, &job.spec.layout).await?;
    let report_file = put_document(output, REPORT, canonical_json(&report)?).await?;
    let spec = OutputFile {
        path: SPEC.to_owned(),
        rows: None,
        bytes: job.spec.canonical()?.len() as u64,
        sha256: job.identity.clone(),
    };
    let manifest = Manifest {
        format: FORMAT,
        job: job.identity.clone(),
        tamis: job.spec.tamis.clone(),
        as_of: job.spec.as_of.clone(),
        commit: match protocol {
            CommitProtocol::CreateOnly => "create-only",
            CommitProtocol::SingleWriter => "single-writer",
        }
        .to_owned(),
        rows_in: report.rows_in,
        verdicts: report.verdicts.clone(),
        not_checked: NOT_CHECKED.iter().map(|name| (*name).to_owned()).collect(),
        quarantined_files: report.quarantined_files.clone(),
        documents: vec![spec, assessment_file, evidence, keys, report_file],
        empty_files,
        units,
        previous: None,
        purged: 0,
        kept: Vec::new(),
        purge: None,
        stored: OutputFile::default(),
    };
    let bytes = manifest.to_bytes()?;
    match output.create(FIRST, &bytes, protocol).await? {
        Created::New | Created::Same => {}
        Created::Other(_) => {
            return Err(JobError::failed(format!(
                "{}: another job committed here in the meantime; nothing of it was changed. Use another output",
                output.uri(FIRST)
            )));
        }
    }
    output
        .put(SUCCESS, success_bytes(FIRST, &sha256_hex(&bytes)))
        .await?;
    Ok(report)
}

async fn stored_receipt<T: for<'de> serde::Deserialize<'de>>(
    output: &Output,
    path: String,
) -> Result<(OutputFile, T)> {
    let bytes = output.get(&path).await?.ok_or_else(|| {
        JobError::failed(format!(
            "{}: the receipt went away while the job ran",
            output.uri(&path)
        ))
    })?;
    let receipt = receipt::from_bytes(&bytes, &output.uri(&path))?;
    Ok((document(&path, &bytes), receipt))
}

/// An object of these bytes.
pub(crate) fn document(path: &str, bytes: &[u8]) -> OutputFile {
    OutputFile {
        path: path.to_owned(),
        rows: None,
        bytes: bytes.len() as u64,
        sha256: sha256_hex(bytes),
    }
}

async fn put_document(output: &Output, path: &str, bytes: Vec<u8>) -> Result<OutputFile> {
    let file = document(path, &bytes);
    output.put(path, Bytes::from(bytes)).await?;
    Ok(file)
}

async fn write_empty_folders(
    job: &Job,
    output: &Output,
    units: &[ManifestUnit],
) -> Result<Vec<ManifestFile>> {
    let filled: BTreeSet<&str> = units
        .iter()
        .flat_map(|unit| &unit.files)
        .map(|file| file.verdict.as_str())
        .collect();
    let mut files = Vec::new();
    for verdict in VERDICTS
        .into_iter()
        .filter(|verdict| !filled.contains(verdict))
    {
        let path = format!("{}/empty.parquet", folder(verdict));
        let writer = open_writer(job, output, path, verdict, Destination::Output)?;
        files.push(ManifestFile {
            verdict: verdict.to_owned(),
            file: writer.finish().await?.0,
        });
    }
    Ok(files)
}

fn evidence_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("kind", DataType::Utf8, false),
        Field::new("id", DataType::Utf8, false),
        Field::new("subject_ref", DataType::Utf8, true),
        Field::new("record", DataType::Utf8, false),
    ]))
}

/// The source and consent records used, so that `trace` answers when the registries have moved on.
async fn write_evidence(
    job: &Job,
    output: &Output,
    assessments: &[SourceAssessment],
    consent_files: &[String],
) -> Result<OutputFile> {
    let schema = evidence_schema();
    let metadata = [("tamis.job", job.identity.as_str())];
    let mut writer = DataWriter::new(
        output,
        EVIDENCE.to_owned(),
        &schema,
        &metadata,
        &job.spec.layout,
        Destination::Output,
    )?;
    let mut sources = BTreeMap::new();
    if let Some(registry) = &job.resources.sources {
        for id in assessments
            .iter()
            .filter_map(|found| found.source_id.as_deref())
        {
            if let Some(row) = registry.get(id) {
                sources.insert(id, super::report::source_record(row).to_string());
            }
        }
    }
    let batch = RecordBatch::try_new(
        Arc::clone(&schema),
        vec![
            Arc::new(StringArray::from(vec!["source"; sources.len()])),
            Arc::new(sources.keys().map(|id| Some(*id)).collect::<StringArray>()),
            Arc::new(StringArray::new_null(sources.len())),
            Arc::new(
                sources
                    .values()
                    .map(|record| Some(record.as_str()))
                    .collect::<StringArray>(),
            ),
        ],
    )?;
    writer.write(&batch).await?;
    let mut seen = BTreeSet::new();
    for path in consent_files {
        for batch in read_small(output, path).await? {
            let [ids, subjects, records] =
                [0, 1, 2].map(|index| batch.column(index).as_string::<i32>());
            let fresh: Vec<bool> = ids
                .iter()
                .map(|id| seen.insert(id.unwrap_or_default().to_owned()))
                .collect();
            let keep = |array: &StringArray| -> StringArray {
                array
                    .iter()
                    .zip(&fresh)
                    .filter(|(_, fresh)| **fresh)
                    .map(|(value, _)| value)
                    .collect()
            };
            let ids = keep(ids);
            let rows = vec!["consent"; datafusion::arrow::array::Array::len(&ids)];
            let columns: Vec<datafusion::arrow::array::ArrayRef> = vec![
                Arc::new(StringArray::from(rows)),
                Arc::new(ids),
                Arc::new(keep(subjects)),
                Arc::new(keep(records)),
            ];
            writer
                .write(&RecordBatch::try_new(Arc::clone(&schema), columns)?)
                .await?;
        }
    }
    Ok(writer.finish().await?.0)
}

/// A small Parquet object of the output, whole.
pub(crate) async fn read_small(output: &Output, path: &str) -> Result<Vec<RecordBatch>> {
    let bytes = output
        .get(path)
        .await?
        .ok_or_else(|| JobError::failed(format!("{}: is missing", output.uri(path))))?;
    let named = |error: String| JobError::failed(format!("{}: {error}", output.uri(path)));
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes)
        .and_then(ParquetRecordBatchReaderBuilder::build)
        .map_err(|error| named(error.to_string()))?;
    reader
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| named(error.to_string()))
}

/// The quarantined files of a job: those without a readable footer.
pub(crate) fn quarantined_files(job: &Job) -> Vec<QuarantinedFile> {
    job.inputs
        .files
        .iter()
        .filter_map(|file| {
            file.unreadable.as_ref().map(|reason| QuarantinedFile {
                path: file.relative.clone(),
                size: file.size,
                etag: file.etag.clone(),
                reason: reason.clone(),
            })
        })
        .collect()
}

/// Rows of each source in the report.
pub(crate) fn source_reports(assessments: &[SourceAssessment]) -> BTreeMap<String, SourceReport> {
    assessments
        .iter()
        .map(|found| {
            let report = SourceReport {
                n: found.count.n,
                harmful: found.count.harmful,
                unreadable_units: found.unreadable_units,
                gate: found.verdict.to_owned(),
                verdicts: BTreeMap::new(),
            };
            (found.source_id.clone().unwrap_or_default(), report)
        })
        .collect()
}
