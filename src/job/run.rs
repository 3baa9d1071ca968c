//! Running a job: resolve, assess, clear, commit. Interrupted anywhere, a rerun completes it.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use tamis_resource::sha256_hex;

use crate::report::progress::Progress;
use crate::session::stores::Stores;

use super::assess::assess_unit;
use super::clear::clear_unit;
use super::commit::{REPORT, SPEC, commit, write_assessment};
use super::context::{Job, Stop};
use super::error::{JobError, Result};
use super::file::JobFile;
use super::gate::{assess_sources, to_batch};
use super::manifest::{self, FIRST, Manifest, SUCCESS, success_bytes};
use super::output::{CommitProtocol, Created, Output};
use super::purge::record::{pending, unfinished};
use super::receipt::{self, AssessReceipt, ClearReceipt};
use super::report::JobReport;
use super::spec::Spec;
use super::unit::Unit;
use super::writer::Destination;

/// How to run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Only the first rows of the corpus.
    pub limit: Option<u64>,
    /// Units at the same time.
    pub workers: usize,
    /// Asks for a clean end.
    pub stop: Stop,
    /// Where progress goes.
    pub progress: Progress,
}

/// How a run ended.
#[derive(Debug)]
pub struct RunOutcome {
    /// Counts.
    pub report: JobReport,
    /// Where the results are.
    pub output: String,
    /// Nothing was left to do.
    pub already_done: bool,
    /// Rows that have left since (`tamis purge`).
    pub purged: u64,
    /// Units an earlier run had done.
    pub units_resumed: usize,
    /// Units in all.
    pub units: usize,
    /// How the manifest was made unique.
    pub protocol: CommitProtocol,
    /// Wall time of this run.
    pub elapsed: Duration,
}

/// Runs a job to its commit.
pub async fn run(file: &JobFile, stores: &Stores, options: &RunOptions) -> Result<RunOutcome> {
    let started = Instant::now();
    let output = Output::open(stores, &file.output.uri)?;
    let stored = stored_spec(&output).await?;
    if stored.is_none() {
        refuse_foreign(&output).await?;
    }
    let job = Arc::new(Job::resolve(file, stores, options.limit, stored.as_ref()).await?);
    refuse_overlap(&job, &output)?;
    if let Some(stored) = &stored {
        refuse_other_job(stored, &job, &output)?;
        if let Some(outcome) = already_done(&job, &output, started).await? {
            return Ok(outcome);
        }
    }
    output.remove_leftovers().await?;
    let protocol = output.probe_protocol().await?;
    if stored.is_none() {
        let bytes = job.spec.canonical()?.into();
        if let Created::Other(there) = output.create(SPEC, &bytes, protocol).await? {
            refuse_other_job(&Spec::parse(&there, &output.uri(SPEC))?, &job, &output)?;
        }
    }
    let there = output.list().await?;

    let stop = options.stop.clone();
    let progress = options.progress.clone();
    let total = job.units.iter().map(Unit::rows).sum();
    progress.phase("assessing", total);
    let assess = for_each_unit(&job, options, {
        let (output, there) = (output.clone(), Arc::new(there));
        let (stop, progress) = (stop.clone(), progress.clone());
        move |job, unit| {
            let (output, there, stop, progress) = (
                output.clone(),
                Arc::clone(&there),
                stop.clone(),
                progress.clone(),
            );
            async move {
                let path = receipt::assess_path(&unit.name());
                if there.contains_key(&path)
                    && let Some(bytes) = output.get(&path).await?
                {
                    progress.add(unit.rows());
                    return receipt::from_bytes::<AssessReceipt>(&bytes, &output.uri(&path));
                }
                let done = assess_unit(&job, &unit, &stop, &|rows| progress.add(rows)).await?;
                output.put(&path, receipt::to_bytes(&done)?).await?;
                Ok(done)
            }
        }
    })
    .await?;
    let assessments = assess_sources(&assess, &job.pack.gate)?;
    let assessment_file = write_assessment(&job, &output, &assessments).await?;
    let side: Vec<_> = assessments
        .iter()
        .filter(|found| found.source_id.is_some())
        .cloned()
        .collect();
    let side = to_batch(&side)?;

    let there = Arc::new(output.list().await?);
    progress.phase("clearing", total);
    let resumed = for_each_unit(&job, options, {
        let (output, progress) = (output.clone(), progress.clone());
        move |job, unit| {
            let (output, there, side) = (output.clone(), Arc::clone(&there), side.clone());
            let (stop, progress) = (stop.clone(), progress.clone());
            async move {
                if is_cleared(&output, &there, &unit).await? {
                    progress.add(unit.rows());
                    return Ok(true);
                }
                let done = clear_unit(
                    &job,
                    &unit,
                    &side,
                    &output,
                    Destination::Output,
                    &stop,
                    &|rows| {
                        progress.add(rows);
                    },
                )
                .await?;
                output
                    .put(
                        &receipt::clear_path(&unit.name()),
                        receipt::to_bytes(&done)?,
                    )
                    .await?;
                Ok(false)
            }
        }
    })
    .await?;
    progress.phase("committing", 0);
    let report = commit(&job, &output, &assessments, assessment_file, protocol).await?;
    progress.finish();
    Ok(RunOutcome {
        report,
        output: output.uri(""),
        already_done: false,
        purged: 0,
        units_resumed: resumed.iter().filter(|resumed| **resumed).count(),
        units: job.units.len(),
        protocol,
        elapsed: started.elapsed(),
    })
}

/// A finished output with its manifest and spec.
pub(crate) async fn committed(stores: &Stores, uri: &str) -> Result<(Output, Manifest, Spec)> {
    let output = Output::open(stores, uri)?;
    let manifest = manifest::read(&output).await?.ok_or_else(|| {
        JobError::usage(format!(
            "{}: no committed Tamis output there",
            output.uri("")
        ))
    })?;
    let spec = stored_spec(&output)
        .await?
        .ok_or_else(|| JobError::failed(format!("{}: the spec is missing", output.uri(""))))?;
    Ok((output, manifest, spec))
}

/// The spec an output holds, if it is one of ours.
pub(crate) async fn stored_spec(output: &Output) -> Result<Option<Spec>> {
    match output.get(SPEC).await? {
        Some(bytes) => Spec::parse(&bytes, &output.uri(SPEC)).map(Some),
        None => Ok(None),
    }
}

/// An output without a spec must be empty, but for what a run killed at once may leave.
async fn refuse_foreign(output: &Output) -> Result<()> {
    let there = output.list().await?;
    let foreign = there.keys().find(|name| {
        !(name.starts_with("_tamis/spec.json#") || name.as_str() == "_tamis/create-only-probe")
    });
    match foreign {
        None => Ok(()),
        Some(name) => Err(JobError::usage(format!(
            "output {} is not empty and not a Tamis output: it holds {} objects, {name} among them. Choose another --output",
            output.uri(""),
            there.len()
        ))),
    }
}

fn refuse_other_job(stored: &Spec, job: &Job, output: &Output) -> Result<()> {
    let differences = stored.differences(&job.spec)?;
    if differences.is_empty() {
        return Ok(());
    }
    let shown = differences
        .iter()
        .take(20)
        .map(|line| format!("\n  {line}"))
        .collect::<String>();
    let more = differences.len().saturating_sub(20);
    let more = if more > 0 {
        format!("\n  and {more} more")
    } else {
        String::new()
    };
    Err(JobError::usage(format!(
        "output {} holds another job; nothing was changed. It differs in{shown}{more}\nTo judge with the new spec, choose another --output",
        output.uri("")
    )))
}

fn refuse_overlap(job: &Job, output: &Output) -> Result<()> {
    let corpus = &job.inputs.location;
    let same_store = corpus.local.is_some() == output.is_local()
        && corpus.url.host_str() == output.location().url.host_str();
    let inside = |a: &str, b: &str| {
        let (a, b) = (a.trim_matches('/'), b.trim_matches('/'));
        a == b || b.is_empty() || a.starts_with(&format!("{b}/"))
    };
    let (a, b) = (corpus.path.as_ref(), output.location().path.as_ref());
    if same_store && (inside(a, b) || inside(b, a)) {
        return Err(JobError::usage(format!(
            "output {} and corpus {} lie in each other: the job would read what it writes. Choose another --output",
            output.uri(""),
            job.spec.corpus
        )));
    }
    Ok(())
}

/// A finished job has nothing to do; one that died between manifest and `_SUCCESS` only that.
async fn already_done(job: &Job, output: &Output, started: Instant) -> Result<Option<RunOutcome>> {
    if output.get(FIRST).await?.is_none() {
        return Ok(None);
    }
    if output.get(SUCCESS).await?.is_none() {
        if let Some(plan) = pending(output).await? {
            return Err(JobError::failed(unfinished(output, &plan)));
        }
        output.remove_leftovers().await?;
        // The newest: rows that left must not come back.
        let newest = manifest::newest(output).await?.unwrap_or(FIRST.to_owned());
        if let Some(bytes) = output.get(&newest).await? {
            let success = success_bytes(&newest, &sha256_hex(&bytes));
            output.put(SUCCESS, success).await?;
        }
    }
    let manifest = manifest::read(output)
        .await?
        .ok_or_else(|| JobError::failed(format!("{}: is missing", output.uri(SUCCESS))))?;
    let report = output.get(REPORT).await?.ok_or_else(|| {
        JobError::failed(format!(
            "{}: is missing; `tamis verify` lists what else is",
            output.uri(REPORT)
        ))
    })?;
    let report: JobReport = serde_json::from_slice(&report)
        .map_err(|error| JobError::failed(format!("{}: {error}", output.uri(REPORT))))?;
    Ok(Some(RunOutcome {
        report,
        output: output.uri(""),
        already_done: true,
        purged: manifest.purged,
        units_resumed: job.units.len(),
        units: job.units.len(),
        protocol: if manifest.commit == "create-only" {
            CommitProtocol::CreateOnly
        } else {
            CommitProtocol::SingleWriter
        },
        elapsed: started.elapsed(),
    }))
}

/// A unit is done when its receipt is there and every file the receipt names has its size.
async fn is_cleared(output: &Output, there: &BTreeMap<String, u64>, unit: &Unit) -> Result<bool> {
    let path = receipt::clear_path(&unit.name());
    if !there.contains_key(&path) {
        return Ok(false);
    }
    let Some(bytes) = output.get(&path).await? else {
        return Ok(false);
    };
    let receipt: ClearReceipt = receipt::from_bytes(&bytes, &output.uri(&path))?;
    let mut files = receipt
        .files
        .iter()
        .map(|data| &data.file)
        .chain([&receipt.keys, &receipt.filter])
        .chain(receipt.consent.as_ref());
    Ok(receipt.unit == unit.id && files.all(|file| there.get(&file.path) == Some(&file.bytes)))
}

/// Runs `work` over all units, `workers` at a time; results in the order of the units.
pub(crate) async fn for_each_unit<T, F, W>(
    job: &Arc<Job>,
    options: &RunOptions,
    work: W,
) -> Result<Vec<T>>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
    W: Fn(Arc<Job>, Unit) -> F,
{
    let total = job.units.len();
    let mut running = stream::iter(job.units.iter().cloned())
        .map(|unit| {
            let index = unit.index;
            let stopped = options.stop.is_requested();
            let task = (!stopped).then(|| tokio::spawn(work(Arc::clone(job), unit)));
            async move {
                let Some(task) = task else {
                    return Err(JobError::Interrupted { done: 0, total });
                };
                task.await
                    .unwrap_or_else(|error| Err(JobError::failed(format!("unit {index}: {error}"))))
                    .map(|result| (index, result))
            }
        })
        .buffer_unordered(options.workers.max(1));
    let mut results = Vec::with_capacity(total);
    let mut first_error = None;
    while let Some(result) = running.next().await {
        match result {
            Ok(result) => results.push(result),
            Err(error) => {
                // The others end at their next batch; the first error is the one to tell.
                options.stop.request();
                first_error.get_or_insert(error);
            }
        }
    }
    match first_error {
        None => {
            results.sort_by_key(|(index, _)| *index);
            Ok(results.into_iter().map(|(_, result)| result).collect())
        }
        Some(JobError::Interrupted { .. }) => Err(JobError::Interrupted {
            done: results.len(),
            total,
        }),
        Some(error) => Err(error),
    }
}
