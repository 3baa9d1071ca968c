//! Clearing one unit: judge every row once, split by verdict in the same pass, write, give a receipt.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray,
};
use datafusion::arrow::compute::{
    concat_batches, filter_record_batch, sort_to_indices, take_record_batch,
};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema};
use datafusion::physical_plan::execute_stream;
use futures::StreamExt;

use super::commit::document;
use super::context::{Job, Stop};
use super::error::{JobError, Result};
use super::keys::KeyIndex;
use super::output::Output;
use super::provenance::{ConsentEvidence, consent_evidence, judged_batch, unreadable_batch};
use super::reader::{ReadFailure, UnitTable};
use super::receipt::{self, ClearReceipt, DataFile, OutputFile, VERDICTS, folder};
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
        let table = Arc::new(UnitTable::new(
            &self.job.inputs,
            self.unit,
            corrupt,
            &self.job.spec.layout,
        ));
        let failure = table.failure();
        let ctx = self.job.session(table, Some(assessment)).await?;
        let plan = self.job.clear_plan(&ctx).await?;
        let mut stream = execute_stream(plan, ctx.task_ctx())?;
        let readable = self
            .unit
            .row_groups
            .iter()
            .filter(|group| !corrupt.contains_key(&group.index));
        let mut order = RowOrder::new(
            readable
                .map(|group| group.first_row..group.first_row + group.rows)
                .collect(),
        );
        while let Some(batch) = stream.next().await {
            if stop.is_requested() {
                return Err(JobError::Interrupted { done: 0, total: 0 });
            }
            let batch = match batch {
                Ok(batch) => batch,
                Err(error) => match failure.lock().ok().and_then(|mut slot| slot.take()) {
                    Some(ReadFailure::Corrupt { row_group, reason }) => {
                        return Ok(Some((row_group, reason)));
                    }
                    Some(ReadFailure::Store(message)) => return Err(JobError::failed(message)),
                    None => return Err(self.failed(&error.strip_backtrace())),
                },
            };
            let ready = order.restore(batch).map_err(|what| self.failed(&what))?;
            self.take(&ready).await?;
            rows_done(ready.num_rows() as u64);
        }
        order.finish().map_err(|what| self.failed(&what))?;
        for group in &self.unit.row_groups {
            if corrupt.contains_key(&group.index) {
                self.quarantine(group.index, group.first_row, group.rows)
                    .await?;
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
        let source = judged
            .batch
            .column_by_name("prov_source_id")
            .map(|array| array.as_string::<i32>().clone());
        for (row, verdict) in judged.verdicts.iter().enumerate() {
            let id = source
                .as_ref()
                .filter(|source| source.is_valid(row))
                .map_or("", |source| source.value(row));
            self.count(id, verdict, 1);
        }
        for verdict in VERDICTS {
            let mask: BooleanArray = judged
                .verdicts
                .iter()
                .map(|given| Some(*given == verdict))
                .collect();
            let rows = mask.true_count();
            if rows == 0 {
                continue;
            }
            if rows == judged.verdicts.len() {
                self.write(verdict, &judged.batch).await?;
            } else {
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
                batch
                    .column_by_name(field.name())
                    .cloned()
                    .ok_or_else(|| self.failed(&format!("column `{}` got lost", field.name())))
            })
            .collect::<Result<_>>()?;
        if !self.writers.contains_key(verdict) {
            let path = format!("{}/{}.parquet", folder(verdict), self.unit.name());
            let writer = open_writer(self.job, self.output, path, verdict, self.destination)?;
            self.writers.insert(verdict, writer);
        }
        let Some(writer) = self.writers.get_mut(verdict) else {
            return Ok(());
        };
        let fields: Vec<Field> = schema
            .fields()
            .iter()
            .map(|field| field.as_ref().clone().with_nullable(true))
            .collect();
        let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
        self.keys.add(&rows, verdict);
        writer.write(&rows).await
    }

    async fn finish(mut self, corrupt: BTreeMap<usize, String>) -> Result<ClearReceipt> {
        let mut files = Vec::new();
        for (verdict, writer) in self.writers {
            let (file, chunks) = writer.finish().await?;
            files.push(DataFile {
                verdict: verdict.to_owned(),
                file,
                chunks,
            });
        }
        let name = self.unit.name();
        let filter = self.keys.filter().to_bytes();
        let filter_file = document(&receipt::filter_path(&name), &filter);
        if self.destination == Destination::Output {
            self.output.put(&filter_file.path, filter).await?;
        }
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
            filter: filter_file,
            purged: Vec::new(),
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
    let resources =
        serde_json::to_string(&resources).map_err(|error| JobError::failed(error.to_string()))?;
    let metadata = [
        ("tamis.job", job.identity.as_str()),
        ("tamis.policy", job.policy.as_str()),
        ("tamis.resources", resources.as_str()),
        ("tamis.verdict", verdict),
        ("tamis.as_of", job.spec.as_of.as_str()),
    ];
    DataWriter::new(
        output,
        path,
        job.schemas.of(verdict),
        &metadata,
        &job.spec.layout,
        destination,
    )
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
    let subjects: StringArray = records
        .values()
        .map(|evidence| evidence.subject_ref.as_deref())
        .collect();
    let texts: StringArray = records
        .values()
        .map(|evidence| Some(evidence.record.as_str()))
        .collect();
    let batch = RecordBatch::try_new(
        Arc::clone(&schema),
        vec![Arc::new(ids), Arc::new(subjects), Arc::new(texts)],
    )?;
    let mut writer = DataWriter::new(output, path, &schema, &[], &job.spec.layout, destination)?;
    writer.write(&batch).await?;
    Ok(writer.finish().await?.0)
}

/// Rows held back at most while an earlier one is awaited; a lookup keeps far less.
const HELD_ROWS: usize = 1 << 20;

/// Puts rows back into input order and proves that each comes once. A hash join gives the rows of
/// one batch without a match after those with one; nothing moves farther than that.
struct RowOrder {
    due: std::iter::Peekable<Box<dyn Iterator<Item = u64> + Send>>,
    held: Option<RecordBatch>,
}

impl RowOrder {
    fn new(ranges: Vec<std::ops::Range<u64>>) -> Self {
        let rows: Box<dyn Iterator<Item = u64> + Send> = Box::new(ranges.into_iter().flatten());
        Self {
            due: rows.peekable(),
            held: None,
        }
    }

    /// The rows that are due, as far as they have come.
    fn restore(&mut self, batch: RecordBatch) -> Result<RecordBatch, String> {
        let text = |error: datafusion::arrow::error::ArrowError| error.to_string();
        let mut batch = match self.held.take() {
            Some(held) => concat_batches(&batch.schema(), [&held, &batch]).map_err(text)?,
            None => batch,
        };
        if !row_index(&batch)?.values().is_sorted() {
            let indices = sort_to_indices(row_index(&batch)?, None, None).map_err(text)?;
            batch = take_record_batch(&batch, &indices).map_err(text)?;
        }
        let rows = row_index(&batch)?;
        let mut ready = 0;
        while ready < rows.len() {
            let row = u64::try_from(rows.value(ready))
                .ok()
                .filter(|_| rows.is_valid(ready));
            if row.is_none() || self.due.peek() != row.as_ref() {
                break;
            }
            self.due.next();
            ready += 1;
        }
        let left = batch.num_rows() - ready;
        if left > HELD_ROWS {
            return Err(self.lost());
        }
        self.held = (left > 0).then(|| batch.slice(ready, left));
        Ok(batch.slice(0, ready))
    }

    fn finish(mut self) -> Result<(), String> {
        if self.held.is_some() || self.due.peek().is_some() {
            return Err(self.lost());
        }
        Ok(())
    }

    fn lost(&mut self) -> String {
        match self.due.peek() {
            Some(row) => format!("the policy lost row {row}"),
            None => "the policy gave more rows than there are".to_owned(),
        }
    }
}

fn row_index(batch: &RecordBatch) -> Result<&Int64Array, String> {
    batch
        .column_by_name("row_index")
        .and_then(|array| array.as_primitive_opt::<Int64Type>())
        .ok_or_else(|| "the policy changed the column `row_index`".to_owned())
}

fn add(counts: &mut BTreeMap<String, u64>, key: &str, rows: u64) {
    match counts.get_mut(key) {
        Some(count) => *count += rows,
        None => {
            counts.insert(key.to_owned(), rows);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(rows: &[i64]) -> RecordBatch {
        let rows: ArrayRef = Arc::new(Int64Array::from(rows.to_vec()));
        RecordBatch::try_from_iter([("row_index", rows)]).unwrap()
    }

    fn restored(batches: &[&[i64]], due: std::ops::Range<u64>) -> Result<Vec<i64>, String> {
        let mut order = RowOrder::new(vec![due]);
        let mut found = Vec::new();
        for rows in batches {
            let ready = order.restore(batch(rows))?;
            found.extend(row_index(&ready)?.values());
        }
        order.finish().map(|()| found)
    }

    #[test]
    fn order_is_restored_and_every_row_comes_once() {
        assert_eq!(
            restored(&[&[0, 2, 1], &[5, 3], &[4]], 0..6).unwrap(),
            vec![0, 1, 2, 3, 4, 5]
        );
        assert_eq!(
            restored(&[&[0, 2]], 0..3).unwrap_err(),
            "the policy lost row 1"
        );
        assert_eq!(
            restored(&[&[0, 1, 1]], 0..2).unwrap_err(),
            "the policy gave more rows than there are"
        );
        assert_eq!(
            restored(&[&[0, 0, 1]], 0..2).unwrap_err(),
            "the policy lost row 1"
        );
        assert_eq!(restored(&[], 0..1).unwrap_err(), "the policy lost row 0");
    }
}
