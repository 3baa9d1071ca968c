//! Clearing one unit: judge every row once, split by verdict in the same pass, write, give a receipt.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema};
use datafusion::physical_plan::execute_stream;
use futures::StreamExt;

use super::context::{Job, Stop};
use super::error::{JobError, Result};
use super::keys::KeyIndex;
use super::output::Output;
use super::provenance::{ConsentEvidence, consent_evidence, judged_batch, unreadable_batch};
use super::reader::{ReadFailure, UnitTable};
use super::receipt::{ClearReceipt, DataFile, OutputFile, VERDICTS, folder};
use super::unit::Unit;
use super::writer::{DataWriter, Destination};

/// Rows of one batch of unreadable rows.
const UNREADABLE_BATCH: i64 = 8192;

/// Clears a unit. A row group that turns out corrupt is quarantined whole: the unit starts again without it.
pub async fn clear_unit(
    job: &Job,
    unit: &Unit,
    assessment: &RecordBatch,
    output: &Output,
    destination: Destination,
    stop: &Stop,
    rows_done: &(dyn Fn(u64) + Sync),
) -> Result<ClearReceipt> {
    let mut corrupt = BTreeMap::new();
    loop {
        let mut clearing = Clearing::new(job, unit, output, destination);
        match clearing.run(assessment, &corrupt, stop, rows_done).await {
            Ok(None) => return clearing.finish(corrupt).await,
            Ok(Some((row_group, reason))) => {
                clearing.abort().await;
                corrupt.insert(row_group, reason);
            }
            Err(error) => {
                clearing.abort().await;
                return Err(error);
            }
        }
    }
}

struct Clearing<'a> {
    job: &'a Job,
    unit: &'a Unit,
    output: &'a Output,
    destination: Destination,
    writers: BTreeMap<&'static str, DataWriter>,
    keys: KeyIndex,
    consent: BTreeMap<String, ConsentEvidence>,
    verdicts: BTreeMap<String, u64>,
    first_reasons: BTreeMap<String, u64>,
    sources: BTreeMap<String, BTreeMap<String, u64>>,
    text_bytes: u64,
}

impl<'a> Clearing<'a> {
    fn new(job: &'a Job, unit: &'a Unit, output: &'a Output, destination: Destination) -> Self {
        Self {
            job,
            unit,
            output,
            destination,
            writers: BTreeMap::new(),
            keys: KeyIndex::default(),
            consent: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            first_reasons: BTreeMap::new(),
            sources: BTreeMap::new(),
            text_bytes: 0,
        }
    }

    /// Judges all readable rows. `Some` names a row group that is corrupt after all.
    async fn run(
        &mut self,
        assessment: &RecordBatch,
        corrupt: &BTreeMap<usize, String>,
        stop: &Stop,
        rows_done: &(dyn Fn(u64) + Sync),
    ) -> Result<Option<(usize, String)>> {
        let table = Arc::new(UnitTable::new(&self.job.inputs, self.unit, corrupt, &self.job.spec.layout));
        let failure = table.failure();
        let ctx = self.job.session(table, Some(assessment)).await?;
        let plan = self.job.clear_plan(&ctx).await?;
        let mut stream = execute_stream(plan, ctx.task_ctx())?;
        let mut expected = self
            .unit
            .row_groups
            .iter()
            .filter(|group| !corrupt.contains_key(&group.index))
            .flat_map(|group| group.first_row..group.first_row + group.rows);
        while let Some(batch) = stream.next().await {
            if stop.is_requested() {
                return Err(JobError::Interrupted { done: 0, total: 0 });
            }
            let batch = match batch {
                Ok(batch) => batch,
                Err(error) => match failure.lock().ok().and_then(|mut slot| slot.take()) {
                    Some(ReadFailure::Corrupt { row_group, reason }) => return Ok(Some((row_group, reason))),
                    Some(ReadFailure::Store(message)) => return Err(JobError::failed(message)),
                    None => return Err(self.failed(&error.strip_backtrace())),
                },
            };
            check_rows(&batch, &mut expected).map_err(|what| self.failed(&what))?;
            self.take(&batch).await?;
            rows_done(batch.num_rows() as u64);
        }
        if let Some(row) = expected.next() {
            return Err(self.failed(&format!("the policy lost row {row}")));
        }
        for group in &self.unit.row_groups {
            if corrupt.contains_key(&group.index) {
                self.quarantine(group.index, group.first_row, group.rows).await?;
                rows_done(group.rows);
            }
        }
        Ok(None)
    }

    fn failed(&self, what: &str) -> JobError {
        let file = &self.job.inputs.files[self.unit.file];
        JobError::failed(format!("{}, unit {}: {what}", file.uri, self.unit.name()))
    }

    async fn take(&mut self, batch: &RecordBatch) -> Result<()> {
        let judged = judged_batch(batch, &self.job.schemas, &self.job.facts(self.unit))?;
        consent_evidence(batch, &mut self.consent)?;
        self.text_bytes += judged.text_bytes;
        for rule in judged.first_reasons.iter().flatten() {
            add(&mut self.first_reasons, rule, 1);
        }
        let source = judged.batch.column_by_name("prov_source_id").map(|array| array.as_string::<i32>().clone());
        for (row, verdict) in judged.verdicts.iter().enumerate() {
            let id = source.as_ref().filter(|source| source.is_valid(row)).map_or("", |source| source.value(row));
            self.count(id, verdict, 1);
        }
        for verdict in VERDICTS {
            let mask: BooleanArray = judged.verdicts.iter().map(|given| Some(*given == verdict)).collect();
            let rows = mask.true_count();
            if rows == judged.verdicts.len() {
                self.write(verdict, &judged.batch).await?;
            } else if rows > 0 {
                let rows = filter_record_batch(&judged.batch, &mask)?;
                self.write(verdict, &rows).await?;
            }
        }
        Ok(())
    }

    fn count(&mut self, source: &str, verdict: &str, rows: u64) {
        add(&mut self.verdicts, verdict, rows);
        if !self.sources.contains_key(source) {
            self.sources.insert(source.to_owned(), BTreeMap::new());
        }
        if let Some(counts) = self.sources.get_mut(source) {
            add(counts, verdict, rows);
        }
    }

    async fn quarantine(&mut self, row_group: usize, first_row: u64, rows: u64) -> Result<()> {
        let index = |row: u64| i64::try_from(row).unwrap_or(i64::MAX);
        let (mut at, end) = (index(first_row), index(first_row + rows));
        let clause = self.job.pack.clause("row_unreadable").to_owned();
        while at < end {
            let next = (at + UNREADABLE_BATCH).min(end);
            let facts = self.job.facts(self.unit);
            let batch = unreadable_batch(row_group, at..next, &clause, &self.job.schemas, &facts)?;
            self.write("quarantine", &batch).await?;
            at = next;
        }
        self.count("", "quarantine", rows);
        add(&mut self.first_reasons, "row_unreadable", rows);
        Ok(())
    }

    async fn write(&mut self, verdict: &'static str, batch: &RecordBatch) -> Result<()> {
        let schema = self.job.schemas.of(verdict);
        let columns: Vec<ArrayRef> = schema
            .fields()
            .iter()
            .map(|field| {
                batch.column_by_name(field.name()).cloned().ok_or_else(|| {
                    self.failed(&format!("column `{}` got lost", field.name()))
                })
            })
            .collect::<Result<_>>()?;
        if !self.writers.contains_key(verdict) {
            let path = format!("{}/{}.parquet", folder(verdict), self.unit.name());
            let writer = open_writer(self.job, self.output, path, verdict, self.destination)?;
            self.writers.insert(verdict, writer);
        }
        let Some(writer) = self.writers.get_mut(verdict) else { return Ok(()) };
        let fields: Vec<Field> =
            schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
        let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
        self.keys.add(&rows, verdict);
        writer.write(&rows).await
    }

    async fn finish(self, corrupt: BTreeMap<usize, String>) -> Result<ClearReceipt> {
        let mut files = Vec::new();
        for (verdict, writer) in self.writers {
            let (file, chunks) = writer.finish().await?;
            files.push(DataFile { verdict: verdict.to_owned(), file, chunks });
        }
        let name = self.unit.name();
        let keys = self
            .keys
            .write(
                self.output,
                format!("_tamis/receipts/{name}.keys.parquet"),
                &self.job.spec.layout,
                self.destination,
            )
            .await?;
        let consent = if self.consent.is_empty() {
            None
        } else {
            let path = format!("_tamis/receipts/{name}.consent.parquet");
            Some(write_consent(self.job, self.output, path, &self.consent, self.destination).await?)
        };
        let groups = &self.unit.row_groups;
        Ok(ClearReceipt {
            unit: self.unit.id.clone(),
            input: self.job.inputs.files[self.unit.file].relative.clone(),
            row_groups: (
                groups.first().map_or(0, |group| group.index),
                groups.last().map_or(0, |group| group.index),
            ),
            rows_in: self.unit.rows(),
            text_bytes: self.text_bytes,
            verdicts: self.verdicts,
            first_reasons: self.first_reasons,
            sources: self.sources,
            corrupt,
            files,
            keys,
            consent,
        })
    }

    async fn abort(self) {
        for writer in self.writers.into_values() {
            writer.abort().await;
        }
    }
}

/// Opens a data file with the job's identity and digests in its footer.
pub(crate) fn open_writer(
    job: &Job,
    output: &Output,
    path: String,
    verdict: &str,
    destination: Destination,
) -> Result<DataWriter> {
    let resources: BTreeMap<&str, &str> = job
        .spec
        .resources
        .iter()
        .map(|(setting, resource)| (setting.as_str(), resource.sha256.as_str()))
        .collect();
    let resources = serde_json::to_string(&resources).map_err(|error| JobError::failed(error.to_string()))?;
    let metadata = [
        ("tamis.job", job.identity.as_str()),
        ("tamis.policy", job.policy.as_str()),
        ("tamis.resources", resources.as_str()),
        ("tamis.verdict", verdict),
        ("tamis.as_of", job.spec.as_of.as_str()),
    ];
    DataWriter::new(output, path, job.schemas.of(verdict), &metadata, &job.spec.layout, destination)
}

async fn write_consent(
    job: &Job,
    output: &Output,
    path: String,
    records: &BTreeMap<String, ConsentEvidence>,
    destination: Destination,
) -> Result<OutputFile> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("record_id", DataType::Utf8, false),
        Field::new("subject_ref", DataType::Utf8, true),
        Field::new("record", DataType::Utf8, false),
    ]));
    let ids: StringArray = records.keys().map(|id| Some(id.as_str())).collect();
    let subjects: StringArray = records.values().map(|evidence| evidence.subject_ref.as_deref()).collect();
    let texts: StringArray = records.values().map(|evidence| Some(evidence.record.as_str())).collect();
    let batch =
        RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(ids), Arc::new(subjects), Arc::new(texts)])?;
    let mut writer = DataWriter::new(output, path, &schema, &[], &job.spec.layout, destination)?;
    writer.write(&batch).await?;
    Ok(writer.finish().await?.0)
}

/// Every row of the unit once, in input order.
fn check_rows(batch: &RecordBatch, expected: &mut impl Iterator<Item = u64>) -> Result<(), String> {
    let rows = batch
        .column_by_name("row_index")
        .and_then(|array| array.as_primitive_opt::<Int64Type>())
        .ok_or("the policy changed the column `row_index`")?;
    for row in rows.iter() {
        let wanted = expected.next();
        let given = row.and_then(|row| u64::try_from(row).ok());
        if given != wanted || wanted.is_none() {
            return Err(format!("the policy gave row {given:?} where row {wanted:?} was due"));
        }
    }
    Ok(())
}

fn add(counts: &mut BTreeMap<String, u64>, key: &str, rows: u64) {
    match counts.get_mut(key) {
        Some(count) => *count += rows,
        None => {
            counts.insert(key.to_owned(), rows);
        }
    }
}
