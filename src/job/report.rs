//! `_tamis/report.json`: the counts of a finished job, the same for every run of the same spec.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tamis_consent::SourceRow;

use super::commit::{quarantined_files, source_reports};
use super::context::Job;
use super::error::{JobError, Result};
use super::gate::SourceAssessment;
use super::manifest::QuarantinedFile;
use super::receipt::{AssessReceipt, ClearReceipt};

/// One source in the report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceReport {
    /// Rows assessed.
    pub n: u64,
    /// Harmful rows, unscored rows included.
    pub harmful: u64,
    /// Units with rows of this source that could not be read.
    pub unreadable_units: u64,
    /// `accept`, `reject` or `undecided`.
    pub gate: String,
    /// Rows by verdict.
    pub verdicts: BTreeMap<String, u64>,
}

/// A row group that was quarantined whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorruptRowGroup {
    /// Input file, relative to the corpus root.
    pub path: String,
    /// Row group.
    pub row_group: usize,
    /// What the decoder said.
    pub reason: String,
}

/// The counts of a finished job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobReport {
    /// Job identity.
    pub job: String,
    /// Pack name and digest.
    pub policy: String,
    /// Instant judged at.
    pub as_of: String,
    /// Input files.
    pub files_in: u64,
    /// Their bytes.
    pub bytes_in: u64,
    /// Bytes of text judged.
    pub text_bytes: u64,
    /// Rows of all units.
    pub rows_in: u64,
    /// Rows by verdict.
    pub verdicts: BTreeMap<String, u64>,
    /// Rows by the first reason.
    pub first_reasons: BTreeMap<String, u64>,
    /// Sources by id; rows without one under the empty name.
    pub sources: BTreeMap<String, SourceReport>,
    /// Files that could not be read.
    pub quarantined_files: Vec<QuarantinedFile>,
    /// Row groups that could not be read.
    pub corrupt_row_groups: Vec<CorruptRowGroup>,
}

impl JobReport {
    pub(crate) fn new(job: &Job, assessments: &[SourceAssessment]) -> Self {
        Self {
            job: job.identity.clone(),
            policy: job.policy.clone(),
            as_of: job.spec.as_of.clone(),
            files_in: job.inputs.files.len() as u64,
            bytes_in: job.inputs.bytes(),
            text_bytes: 0,
            rows_in: 0,
            verdicts: BTreeMap::new(),
            first_reasons: BTreeMap::new(),
            sources: source_reports(assessments),
            quarantined_files: quarantined_files(job),
            corrupt_row_groups: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, assess: &AssessReceipt, clear: &ClearReceipt, input: &str) {
        self.text_bytes += clear.text_bytes;
        self.rows_in += clear.rows_in;
        sum(&mut self.verdicts, &clear.verdicts);
        sum(&mut self.first_reasons, &clear.first_reasons);
        for (source, verdicts) in &clear.sources {
            sum(
                &mut self.sources.entry(source.clone()).or_default().verdicts,
                verdicts,
            );
        }
        let corrupt: BTreeMap<_, _> = assess.corrupt.iter().chain(&clear.corrupt).collect();
        self.corrupt_row_groups
            .extend(
                corrupt
                    .into_iter()
                    .map(|(row_group, reason)| CorruptRowGroup {
                        path: input.to_owned(),
                        row_group: *row_group,
                        reason: reason.clone(),
                    }),
            );
    }

    /// Rows in = keep + review + drop + quarantine, or nothing is committed.
    pub(crate) fn check(&self) -> Result<()> {
        let out: u64 = self.verdicts.values().sum();
        if out == self.rows_in {
            return Ok(());
        }
        Err(JobError::failed(format!(
            "{} rows in and {out} rows out: nothing was committed. This is a fault of Tamis; the receipts show where",
            self.rows_in
        )))
    }

    /// Rows of a verdict.
    pub fn rows(&self, verdict: &str) -> u64 {
        self.verdicts.get(verdict).copied().unwrap_or(0)
    }

    /// Whether anything was quarantined (exit code 3).
    pub fn has_quarantine(&self) -> bool {
        self.rows("quarantine") > 0
            || !self.quarantined_files.is_empty()
            || !self.corrupt_row_groups.is_empty()
    }
}

fn sum(into: &mut BTreeMap<String, u64>, from: &BTreeMap<String, u64>) {
    for (key, count) in from {
        *into.entry(key.clone()).or_default() += count;
    }
}

/// A source registry row as JSON, for `evidence.parquet`.
pub(crate) fn source_record(row: &SourceRow) -> Value {
    let time = |micros: Option<i64>| {
        micros
            .and_then(chrono::DateTime::from_timestamp_micros)
            .map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true))
    };
    json!({
        "source_id": row.source_id,
        "acquisition_mode": row.acquisition_mode,
        "origin_region": row.origin_region,
        "license": row.license,
        "license_evidence_uri": row.license_evidence_uri,
        "license_evidence_sha256": row.license_evidence_sha256,
        "contract_id": row.contract_id,
        "contract_valid_from": time(row.contract_valid_from),
        "contract_valid_to": time(row.contract_valid_to),
        "commitment_source": row.commitment_source,
        "commitment_quality": row.commitment_quality,
        "commitment_security": row.commitment_security,
        "audit_status": row.audit_status,
        "audit_date": time(row.audit_date),
        "crawl_record_uri": row.crawl_record_uri,
        "authorization_record_uri": row.authorization_record_uri,
        "is_link_list": row.is_link_list,
        "gen_model": row.gen_model,
        "gen_model_version": row.gen_model_version,
        "vertical": row.vertical,
        "contract_evidence_uri": row.contract_evidence_uri,
        "contract_evidence_sha256": row.contract_evidence_sha256,
        "commitment_evidence_uri": row.commitment_evidence_uri,
        "commitment_evidence_sha256": row.commitment_evidence_sha256,
        "audit_report_uri": row.audit_report_uri,
        "audit_report_sha256": row.audit_report_sha256,
        "crawl_record_sha256": row.crawl_record_sha256,
        "authorization_record_sha256": row.authorization_record_sha256,
        "opt_out_snapshot_uri": row.opt_out_snapshot_uri,
        "opt_out_snapshot_sha256": row.opt_out_snapshot_sha256,
        "gen_at": time(row.gen_at),
    })
}
