//! Assessing one unit: the gate's flag for every row, counted by source.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::physical_plan::execute_stream;
use futures::StreamExt;

use super::context::{Job, Stop};
use super::error::{JobError, Result};
use super::reader::{ReadFailure, UnitTable, corpus_column};
use super::receipt::{AssessReceipt, SourceCount};
use super::unit::Unit;

/// Counts rows and harmful rows of a unit by source. Row groups that cannot be read are left
/// out, named, and their sources looked for.
pub async fn assess_unit(
    job: &Job,
    unit: &Unit,
    stop: &Stop,
    rows_done: &(dyn Fn(u64) + Sync),
) -> Result<AssessReceipt> {
    let mut corrupt = BTreeMap::new();
    loop {
        match attempt(job, unit, &corrupt, stop, rows_done).await? {
            Attempt::Done(sources) => {
                let mut corrupt_sources = BTreeSet::new();
                for row_group in corrupt.keys() {
                    corrupt_sources.extend(sources_of_row_group(job, unit, *row_group).await);
                }
                return Ok(AssessReceipt {
                    unit: unit.id.clone(),
                    sources: sources.into_iter().collect(),
                    corrupt,
                    corrupt_sources: corrupt_sources.into_iter().collect(),
                });
            }
            Attempt::Corrupt(row_group, reason) => {
                corrupt.insert(row_group, reason);
            }
        }
    }
}

enum Attempt {
    Done(BTreeMap<Option<String>, SourceCount>),
    Corrupt(usize, String),
}

async fn attempt(
    job: &Job,
    unit: &Unit,
    corrupt: &BTreeMap<usize, String>,
    stop: &Stop,
    rows_done: &(dyn Fn(u64) + Sync),
) -> Result<Attempt> {
    let table = Arc::new(UnitTable::new(&job.inputs, unit, corrupt, &job.spec.layout));
    let failure = table.failure();
    let ctx = job.session(table, None).await?;
    let plan = job
        .pack_plan(&ctx, job.pack.assess_sql(), "assess.sql")
        .await?;
    let plan = ctx.state().create_physical_plan(&plan).await?;
    let mut stream = execute_stream(plan, ctx.task_ctx())?;
    let mut counts: BTreeMap<Option<String>, SourceCount> = BTreeMap::new();
    while let Some(batch) = stream.next().await {
        if stop.is_requested() {
            return Err(JobError::Interrupted { done: 0, total: 0 });
        }
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => match failure.lock().ok().and_then(|mut slot| slot.take()) {
                Some(ReadFailure::Corrupt { row_group, reason }) => {
                    return Ok(Attempt::Corrupt(row_group, reason));
                }
                Some(ReadFailure::Store(message)) => return Err(JobError::failed(message)),
                None => return Err(error.into()),
            },
        };
        rows_done(batch.num_rows() as u64);
        let source = cast(batch.column(0), &DataType::Utf8)?;
        let source = source.as_string::<i32>();
        let harmful = cast(batch.column(1), &DataType::Boolean)?;
        let harmful = harmful.as_boolean();
        for row in 0..batch.num_rows() {
            let id = source.is_valid(row).then(|| source.value(row));
            let count = counts.entry(id.map(str::to_owned)).or_default();
            count.n += 1;
            count.harmful += u64::from(harmful.is_null(row) || harmful.value(row));
        }
    }
    Ok(Attempt::Done(counts))
}

/// The sources with rows in a row group whose text cannot be read: often the source column
/// alone still can. Where it cannot, nobody knows, and the manifest says so.
async fn sources_of_row_group(job: &Job, unit: &Unit, row_group: usize) -> BTreeSet<String> {
    let Some(column) = &job.spec.columns.source else {
        return BTreeSet::new();
    };
    let only = Unit {
        row_groups: unit
            .row_groups
            .iter()
            .filter(|group| group.index == row_group)
            .cloned()
            .collect(),
        ..unit.clone()
    };
    let table = Arc::new(UnitTable::new(
        &job.inputs,
        &only,
        &BTreeMap::new(),
        &job.spec.layout,
    ));
    let read = async {
        let ctx = job.session(table, None).await?;
        let name = corpus_column(column).replace('"', "\"\"");
        let sql = format!("SELECT DISTINCT CAST(\"{name}\" AS VARCHAR) AS source_id FROM corpus");
        let batches = ctx.sql(&sql).await?.collect().await?;
        let mut found = BTreeSet::new();
        for batch in batches {
            let ids = cast(batch.column(0), &DataType::Utf8)?;
            found.extend(ids.as_string::<i32>().iter().flatten().map(str::to_owned));
        }
        Ok::<_, JobError>(found)
    };
    read.await.unwrap_or_default()
}
