//! Verifying an output: everything the manifest says is read back and compared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use futures::{StreamExt, TryStreamExt, stream};
use parquet::arrow::ProjectionMask;
use parquet::arrow::async_reader::ParquetRecordBatchStreamBuilder;
use sha2::{Digest, Sha256};

use crate::report::progress::Progress;
use crate::session::stores::Stores;

use super::assess::assess_unit;
use super::clear::clear_unit;
use super::commit::{ASSESSMENT, EVIDENCE, SPEC};
use super::context::{Job, Stop};
use super::error::{JobError, Result};
use super::evidence;
use super::gate::{assess_sources, to_batch};
use super::inputs::Inputs;
use super::manifest::{self, Manifest, ManifestFile, ManifestUnit, SUCCESS};
use super::output::Output;
use super::provenance::{ALWAYS, WHEN_KEPT, provenance_fields, row_id};
use super::purge::history::History;
use super::purge::record::{pending, unfinished};
use super::reader::RangeReader;
use super::receipt::{self, ClearReceipt, OutputFile, VERDICTS};
use super::run::{RunOptions, for_each_unit, stored_spec};
use super::spec::Spec;
use super::writer::Destination;

/// Objects read at the same time.
const CONCURRENT: usize = 4;

/// What to check beyond the output itself.
#[derive(Debug, Clone)]
pub struct VerifyOptions {
    /// Compare the corpus with the spec: sizes, etags, footers.
    pub inputs: bool,
    /// Judge every row again and compare the bytes.
    pub rejudge: bool,
    /// Fetch every document behind the sources and compare its digest.
    pub evidence: bool,
    /// Where resources lie now, as `--set` has it; their digests must still be those of the spec.
    pub overrides: Vec<(String, String)>,
    /// Units at the same time when judging again.
    pub workers: usize,
    /// Where progress goes.
    pub progress: Progress,
    /// Asks for a clean end.
    pub stop: Stop,
}

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub name: String,
    /// What was found when all is well.
    pub detail: String,
    /// What is wrong, each naming its object.
    pub problems: Vec<String>,
}

/// The result of a verification.
#[derive(Debug)]
pub struct Verification {
    /// All checks, in order.
    pub checks: Vec<Check>,
    /// Provenance columns this policy does not fill.
    pub not_checked: Vec<String>,
}

impl Verification {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.checks.iter().all(|check| check.problems.is_empty())
    }
}

/// Verifies an output against its own manifest, and on request against its inputs.
pub async fn verify(uri: &str, stores: &Stores, options: &VerifyOptions) -> Result<Verification> {
    let output = Output::open(stores, uri)?;
    let mut checks = Vec::new();
    let manifest = match manifest::read(&output).await {
        Ok(Some(manifest)) => manifest,
        Ok(None) => {
            if stored_spec(&output).await?.is_none() {
                return Err(JobError::usage(format!(
                    "{}: no Tamis output there",
                    output.uri("")
                )));
            }
            let problem = match pending(&output).await? {
                Some(plan) => unfinished(&output, &plan),
                None => format!(
                    "{}: is missing: the job is not finished. Run it again to complete it",
                    output.uri(SUCCESS)
                ),
            };
            checks.push(failed("commit", problem));
            return Ok(Verification {
                checks,
                not_checked: Vec::new(),
            });
        }
        Err(error) => {
            checks.push(failed("commit", error.to_string()));
            return Ok(Verification {
                checks,
                not_checked: Vec::new(),
            });
        }
    };
    checks.push(Check {
        name: "commit".into(),
        detail: format!(
            "manifest {} ({}), job {}",
            manifest.stored.path,
            manifest.commit,
            &manifest.job[..12]
        ),
        problems: pending(&output)
            .await?
            .map(|plan| unfinished(&output, &plan))
            .into_iter()
            .collect(),
    });
    let history = match History::read(&output, &manifest).await {
        Ok(history) => history,
        Err(error) => {
            checks.push(failed("purges", error.to_string()));
            return Ok(Verification {
                checks,
                not_checked: manifest.not_checked,
            });
        }
    };
    checks.extend(history.check(&output, &manifest));
    let broken = check_objects(&output, &manifest, &history, options, &mut checks).await?;
    checks.push(check_counts(&output, &manifest).await?);
    checks.push(check_rows(&output, &manifest, &history, &broken).await?);
    if options.inputs || options.rejudge {
        let spec = stored_spec(&output)
            .await?
            .ok_or_else(|| JobError::failed(format!("{}: is missing", output.uri(SPEC))))?;
        if options.inputs {
            checks.push(check_inputs(&spec, stores).await?);
        }
        if options.rejudge {
            let first = history.first(&manifest);
            checks.push(rejudge(&spec, first, &output, stores, options).await?);
        }
    }
    if options.evidence && !broken.contains(EVIDENCE) {
        checks.push(check_evidence(&output, stores, options).await?);
    }
    options.progress.finish();
    Ok(Verification {
        checks,
        not_checked: manifest.not_checked,
    })
}

/// Every document that the source records name is there and is the one it was.
async fn check_evidence(
    output: &Output,
    stores: &Stores,
    options: &VerifyOptions,
) -> Result<Check> {
    let objects = evidence::of_output(output).await?;
    let proofs = evidence::prove(stores, objects, &options.progress).await;
    Ok(Check {
        name: "evidence".into(),
        detail: format!(
            "{} documents behind the sources, sha256 as recorded",
            proofs.len()
        ),
        problems: proofs
            .iter()
            .filter_map(|proof| {
                let problem = proof.problem.as_ref()?;
                Some(format!("{}: {problem}", proof.object))
            })
            .collect(),
    })
}

fn failed(name: &str, problem: String) -> Check {
    Check {
        name: name.into(),
        detail: String::new(),
        problems: vec![problem],
    }
}

/// Every object is there, has its bytes, and nothing else is. Returns the paths that are not sound.
async fn check_objects(
    output: &Output,
    manifest: &Manifest,
    history: &History,
    options: &VerifyOptions,
    checks: &mut Vec<Check>,
) -> Result<BTreeSet<String>> {
    let there = output.list().await?;
    let objects: Vec<&OutputFile> = manifest
        .objects()
        .chain(&manifest.kept)
        .chain(history.objects())
        .collect();
    let named: BTreeSet<&str> = objects
        .iter()
        .map(|object| object.path.as_str())
        .chain([manifest.stored.path.as_str(), SUCCESS])
        .collect();
    let strays: Vec<String> = there
        .keys()
        .filter(|name| !named.contains(name.as_str()))
        .map(|name| format!("{}: not in the manifest", output.uri(name)))
        .collect();
    checks.push(Check {
        name: "no strays".into(),
        detail: format!("{} objects, all in the manifest", there.len()),
        problems: strays,
    });
    options
        .progress
        .phase("hashing", objects.iter().map(|object| object.bytes).sum());
    let results: Vec<Option<(String, String)>> = stream::iter(objects.iter().copied())
        .map(|object| async {
            let problem =
                check_object(output, object, there.get(&object.path).copied(), options).await?;
            Ok::<_, JobError>(problem.map(|problem| (object.path.clone(), problem)))
        })
        .buffered(CONCURRENT)
        .try_collect()
        .await?;
    let broken: BTreeMap<String, String> = results.into_iter().flatten().collect();
    let mut problems: Vec<String> = broken.values().cloned().collect();
    for file in manifest
        .data_files()
        .filter(|file| broken.contains_key(&file.file.path))
    {
        problems.extend(broken_chunks(output, manifest, file).await);
    }
    let bytes: u64 = objects.iter().map(|object| object.bytes).sum();
    checks.push(Check {
        name: "digests".into(),
        detail: format!(
            "{} objects, {bytes} bytes, sha256 as in the manifest",
            objects.len()
        ),
        problems,
    });
    Ok(broken.into_keys().collect())
}

async fn check_object(
    output: &Output,
    object: &OutputFile,
    size: Option<u64>,
    options: &VerifyOptions,
) -> Result<Option<String>> {
    let uri = output.uri(&object.path);
    let Some(size) = size else {
        return Ok(Some(format!("{uri}: is missing")));
    };
    if size != object.bytes {
        return Ok(Some(format!(
            "{uri}: has {size} bytes, the manifest says {}",
            object.bytes
        )));
    }
    let mut digest = Sha256::new();
    let mut bytes = output.stream(&object.path).await?.into_stream();
    while let Some(part) = bytes
        .try_next()
        .await
        .map_err(|error| JobError::store(&error, &uri))?
    {
        digest.update(&part);
        options.progress.add(part.len() as u64);
    }
    let found = hex::encode(digest.finalize());
    Ok((found != object.sha256).then(|| {
        format!(
            "{uri}: its sha256 is {found}, the manifest says {}",
            object.sha256
        )
    }))
}

/// Which column chunks of a broken file are not as the receipt has them.
async fn broken_chunks(output: &Output, manifest: &Manifest, file: &ManifestFile) -> Vec<String> {
    let Some(unit) = manifest.units.iter().find(|unit| unit.files.contains(file)) else {
        return Vec::new();
    };
    let Ok(Some(bytes)) = output.get(&unit.clear_receipt()).await else {
        return Vec::new();
    };
    let Ok(receipt) = receipt::from_bytes::<ClearReceipt>(&bytes, "") else {
        return Vec::new();
    };
    let Some(data) = receipt
        .files
        .iter()
        .find(|data| data.file.path == file.file.path)
    else {
        return Vec::new();
    };
    let mut broken = Vec::new();
    for chunk in &data.chunks {
        let range = chunk.offset..chunk.offset + chunk.bytes;
        let path = output.path(&file.file.path);
        let read = object_store::ObjectStoreExt::get_range(output.store(), &path, range).await;
        if read.is_ok_and(|bytes| hex::encode(Sha256::digest(&bytes)) != chunk.sha256) {
            broken.push(format!(
                "{}: row group {}, column `{}` is damaged",
                output.uri(&file.file.path),
                chunk.row_group,
                chunk.column
            ));
        }
    }
    broken
}

/// Rows in = rows out by verdict, in the manifest, its units and the receipts.
async fn check_counts(output: &Output, manifest: &Manifest) -> Result<Check> {
    let mut problems = Vec::new();
    let out: u64 = manifest.verdicts.values().sum();
    if out + manifest.purged != manifest.rows_in {
        problems.push(format!(
            "{}: {} rows in, {out} rows out, {} purged",
            output.uri(&manifest.stored.path),
            manifest.rows_in,
            manifest.purged
        ));
    }
    let mut by_verdict: BTreeMap<&str, u64> = BTreeMap::new();
    for file in manifest.data_files() {
        *by_verdict.entry(&file.verdict).or_default() += file.file.rows.unwrap_or(0);
    }
    for verdict in VERDICTS {
        let said = manifest.verdicts.get(verdict).copied().unwrap_or(0);
        let held = by_verdict.get(verdict).copied().unwrap_or(0);
        if said != held {
            problems.push(format!(
                "{}: {said} rows `{verdict}`, its files have {held}",
                output.uri(&manifest.stored.path)
            ));
        }
    }
    for unit in &manifest.units {
        let path = unit.clear_receipt();
        let Some(bytes) = output.get(&path).await? else {
            continue;
        };
        let Ok(receipt) = receipt::from_bytes::<ClearReceipt>(&bytes, &path) else {
            problems.push(format!("{}: damaged receipt", output.uri(&path)));
            continue;
        };
        let out: u64 = receipt.verdicts.values().sum();
        if receipt.rows_in != unit.rows || out + unit.purged != unit.rows {
            problems.push(format!(
                "{}: {} rows in, {out} out and {} purged, the manifest says {}",
                output.uri(&path),
                receipt.rows_in,
                unit.purged,
                unit.rows
            ));
        }
    }
    let parts: Vec<String> = VERDICTS
        .iter()
        .map(|verdict| {
            format!(
                "{} {verdict}",
                manifest.verdicts.get(*verdict).copied().unwrap_or(0)
            )
        })
        .collect();
    let purged = match manifest.purged {
        0 => String::new(),
        rows => format!(" + {rows} purged"),
    };
    Ok(Check {
        name: "row counts".into(),
        detail: format!(
            "{} rows in = {}{purged}",
            manifest.rows_in,
            parts.join(" + ")
        ),
        problems,
    })
}

/// Every row of every unit stands in exactly one file, with provenance that is its own.
async fn check_rows(
    output: &Output,
    manifest: &Manifest,
    history: &History,
    broken: &BTreeSet<String>,
) -> Result<Check> {
    let mut problems = Vec::new();
    let mut rows_by_input: BTreeMap<String, Vec<(i64, i64)>> = BTreeMap::new();
    for file in &manifest.empty_files {
        if !broken.contains(&file.file.path) {
            let found = read_rows(output, manifest, file, "").await?;
            problems.extend(found.problems);
        }
    }
    let units: Vec<UnitRows> = stream::iter(&manifest.units)
        .map(|unit| check_unit(output, manifest, history, unit, broken))
        .buffered(CONCURRENT)
        .try_collect()
        .await?;
    for (found, range) in units {
        problems.extend(found);
        if let Some((input, first, last)) = range {
            rows_by_input.entry(input).or_default().push((first, last));
        }
    }
    for (input, ranges) in &mut rows_by_input {
        ranges.sort_unstable();
        let mut next = 0;
        for (first, last) in ranges {
            if *first != next {
                problems.push(format!(
                    "input {input}: rows {next} to {first} stand in no unit or in two"
                ));
            }
            next = *last + 1;
        }
    }
    Ok(Check {
        name: "rows".into(),
        detail: "every input row once, ids unique, provenance complete".into(),
        problems,
    })
}

/// What is wrong in a unit, and its input with the first and last row.
type UnitRows = (Vec<String>, Option<(String, i64, i64)>);

struct FileRows {
    rows: Vec<i64>,
    problems: Vec<String>,
}

async fn check_unit(
    output: &Output,
    manifest: &Manifest,
    history: &History,
    unit: &ManifestUnit,
    broken: &BTreeSet<String>,
) -> Result<UnitRows> {
    let path = unit.clear_receipt();
    if broken.contains(&path)
        || unit
            .files
            .iter()
            .any(|file| broken.contains(&file.file.path))
    {
        return Ok((Vec::new(), None));
    }
    let bytes = output.get(&path).await?.unwrap_or_default();
    let receipt: ClearReceipt = receipt::from_bytes(&bytes, &output.uri(&path))?;
    let mut problems = Vec::new();
    let mut rows = Vec::new();
    for file in &unit.files {
        let found = read_rows(output, manifest, file, &receipt.input).await?;
        problems.extend(found.problems);
        rows.extend(found.rows);
    }
    problems.extend(history.add_left(unit, &receipt, &mut rows));
    rows.sort_unstable();
    let whole = rows.windows(2).all(|pair| pair[1] == pair[0] + 1);
    if !whole || rows.len() as u64 != unit.rows {
        problems.push(format!(
            "unit {}: {} rows in its files, not each of {} once",
            unit.name,
            rows.len(),
            unit.rows
        ));
    }
    let range = rows
        .first()
        .zip(rows.last())
        .map(|(first, last)| (receipt.input, *first, *last));
    Ok((problems, range))
}

/// Reads the provenance columns of one file.
async fn read_rows(
    output: &Output,
    manifest: &Manifest,
    file: &ManifestFile,
    input: &str,
) -> Result<FileRows> {
    let uri = output.uri(&file.file.path);
    let mut found = FileRows {
        rows: Vec::new(),
        problems: Vec::new(),
    };
    let reader = RangeReader::new(
        output.store(),
        output.path(&file.file.path),
        file.file.bytes,
    );
    let builder = match ParquetRecordBatchStreamBuilder::new(reader).await {
        Ok(builder) => builder,
        Err(error) => {
            found.problems.push(format!("{uri}: {error}"));
            return Ok(found);
        }
    };
    let schema = Arc::clone(builder.schema());
    for field in provenance_fields() {
        match schema.field_with_name(field.name()) {
            Ok(there) if there.data_type() == field.data_type() => {}
            Ok(there) => found.problems.push(format!(
                "{uri}: column `{}` is {}",
                field.name(),
                there.data_type()
            )),
            Err(_) => found
                .problems
                .push(format!("{uri}: column `{}` is missing", field.name())),
        }
    }
    if !found.problems.is_empty() {
        return Ok(found);
    }
    let roots: Vec<usize> = (0..schema.fields().len())
        .filter(|index| schema.field(*index).name().starts_with("prov_"))
        .collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
    let mut stream = builder.with_projection(mask).build()?;
    while let Some(batch) = stream.next().await {
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                found.problems.push(format!("{uri}: {error}"));
                return Ok(found);
            }
        };
        check_batch(&batch, manifest, file, input, &uri, &mut found)?;
    }
    if file.file.rows != Some(found.rows.len() as u64) {
        found.problems.push(format!(
            "{uri}: has {} rows, the manifest says {:?}",
            found.rows.len(),
            file.file.rows
        ));
    }
    Ok(found)
}

fn check_batch(
    batch: &RecordBatch,
    manifest: &Manifest,
    file: &ManifestFile,
    input: &str,
    uri: &str,
    found: &mut FileRows,
) -> Result<()> {
    let column = |name: &str| -> Result<&ArrayRef> {
        batch
            .column_by_name(name)
            .ok_or_else(|| JobError::failed(format!("{uri}: column `{name}` is missing")))
    };
    let kept = file.verdict == "keep";
    for name in ALWAYS.iter().chain(WHEN_KEPT.iter().filter(|_| kept)) {
        let nulls = column(name)?.null_count();
        if nulls > 0 {
            found
                .problems
                .push(format!("{uri}: column `{name}` is NULL in {nulls} rows"));
        }
    }
    let rows = column("prov_input_row")?.as_primitive::<Int64Type>();
    let ids = column("prov_row_id")?.as_string::<i32>();
    let verdicts = column("prov_verdict")?.as_string::<i32>();
    let jobs = column("prov_job")?.as_string::<i32>();
    let reasons = column("prov_reasons")?.as_list::<i32>();
    let mut wrong = |what: &str, row: i64| {
        found
            .problems
            .push(format!("{uri}: input row {row}: {what}"))
    };
    for index in 0..batch.num_rows() {
        let row = rows.value(index);
        if ids.value(index) != row_id(input, row) {
            wrong("prov_row_id is not the id of this row", row);
        }
        if verdicts.value(index) != file.verdict {
            wrong("prov_verdict is not the verdict of this folder", row);
        }
        if jobs.value(index) != manifest.job {
            wrong("prov_job is another job", row);
        }
        if !kept && reasons.value_length(index) == 0 {
            wrong("no reason is given", row);
        }
    }
    found.rows.extend(rows.values());
    // One broken file must not print a million lines.
    found.problems.truncate(20);
    Ok(())
}

async fn check_inputs(spec: &Spec, stores: &Stores) -> Result<Check> {
    let inputs = Inputs::list(stores, &spec.corpus).await?;
    let now: BTreeMap<String, (u64, String)> = Spec::inputs_of(&inputs)
        .into_iter()
        .map(|input| (input.path, (input.size, input.etag)))
        .collect();
    let then: BTreeMap<&str, (u64, &str)> = spec
        .inputs
        .iter()
        .map(|input| (input.path.as_str(), (input.size, input.etag.as_str())))
        .collect();
    let mut problems = Vec::new();
    for (path, (size, etag)) in &then {
        match now.get(*path) {
            None => problems.push(format!("input {path}: is gone")),
            Some((found, _)) if found != size => {
                problems.push(format!(
                    "input {path}: has {found} bytes, the job read {size}"
                ));
            }
            Some((_, found)) if found != etag => {
                problems.push(format!(
                    "input {path}: is another file now (etag {found}, the job read {etag})"
                ));
            }
            Some(_) => {}
        }
    }
    problems.extend(
        now.keys()
            .filter(|path| !then.contains_key(path.as_str()))
            .map(|path| format!("input {path}: is new")),
    );
    Ok(Check {
        name: "inputs".into(),
        detail: format!("{} files as the job read them", then.len()),
        problems,
    })
}

/// Judges every row again with the resources as they are now; the bytes must be the same.
async fn rejudge(
    spec: &Spec,
    manifest: &Manifest,
    output: &Output,
    stores: &Stores,
    options: &VerifyOptions,
) -> Result<Check> {
    let mut check = Check {
        name: "rejudge".into(),
        detail: String::new(),
        problems: Vec::new(),
    };
    let file = Job::file_of(spec).with_overrides(&output.uri(""), &options.overrides)?;
    let job = Arc::new(Job::resolve(&file, stores, spec.limit, Some(spec)).await?);
    let differences = spec.differences(&job.spec)?;
    if !differences.is_empty() {
        check.problems = differences;
        return Ok(check);
    }
    let run = RunOptions {
        limit: spec.limit,
        workers: options.workers,
        stop: options.stop.clone(),
        progress: options.progress.clone(),
    };
    let total = job.units.iter().map(super::unit::Unit::rows).sum();
    options.progress.phase("assessing again", total);
    let assess = for_each_unit(&job, &run, |job, unit| {
        let (stop, progress) = (run.stop.clone(), run.progress.clone());
        async move { assess_unit(&job, &unit, &stop, &|rows| progress.add(rows)).await }
    })
    .await?;
    let assessments = assess_sources(&assess, &job.pack.gate)?;
    let stored = super::commit::read_small(output, ASSESSMENT).await?;
    let again = to_batch(&assessments)?;
    let stored = datafusion::arrow::compute::concat_batches(&again.schema(), &stored)?;
    if stored != again {
        check.problems.push(format!(
            "{}: the gate counts differ when assessed again",
            output.uri(ASSESSMENT)
        ));
    }
    let side: Vec<_> = assessments
        .into_iter()
        .filter(|found| found.source_id.is_some())
        .collect();
    let side = to_batch(&side)?;
    options.progress.phase("judging again", total);
    let receipts = for_each_unit(&job, &run, |job, unit| {
        let (side, output) = (side.clone(), output.clone());
        let (stop, progress) = (run.stop.clone(), run.progress.clone());
        async move {
            clear_unit(
                &job,
                &unit,
                &side,
                &output,
                Destination::Nowhere,
                &stop,
                &|rows| progress.add(rows),
            )
            .await
        }
    })
    .await?;
    let known: BTreeMap<&str, &str> = manifest
        .data_files()
        .map(|file| (file.file.path.as_str(), file.file.sha256.as_str()))
        .collect();
    for data in receipts.iter().flat_map(|receipt| &receipt.files) {
        if known.get(data.file.path.as_str()) != Some(&data.file.sha256.as_str()) {
            check.problems.push(format!(
                "{}: other bytes when judged again",
                output.uri(&data.file.path)
            ));
        }
    }
    check.detail = format!(
        "{} rows judged again, every file byte for byte the same",
        manifest.rows_in
    );
    Ok(check)
}
