//! Finding the rows that leave: filters name units, key indexes name files, provenance columns decide.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch, StringArray};
use futures::{StreamExt, TryStreamExt, stream};
use parquet::arrow::ProjectionMask;
use parquet::arrow::async_reader::ParquetRecordBatchStreamBuilder;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;

use crate::job::context::Stop;
use crate::job::error::{JobError, Result};
use crate::job::key_filter::{SUMMARY, units_with};
use crate::job::keys::{Key, KeyKind};
use crate::job::manifest::{Manifest, ManifestFile, ManifestUnit};
use crate::job::output::Output;
use crate::job::reader::RangeReader;
use crate::job::receipt::OutputFile;
use crate::report::progress::Progress;

use super::demand::{Demand, ProvRow, Wanted};
use super::record::{AffectedFile, Withdrawal};

/// The columns that decide.
const DECIDING: [&str; 6] = [
    "prov_row_id",
    "prov_subject_ref",
    "prov_text_sha256",
    "prov_url",
    "prov_consent_status",
    "prov_acquisition_mode",
];

/// What leaves.
#[derive(Debug, Default)]
pub struct Found {
    /// All withdrawals of all demands, with their rows.
    pub withdrawals: Vec<Withdrawal>,
    /// The files that hold them, in the order of the manifest.
    pub files: Vec<AffectedFile>,
    /// Those rows by verdict.
    pub verdicts: BTreeMap<String, u64>,
}

impl Found {
    /// Rows that leave.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }
}

/// What leaves one file, and for which withdrawals (indexes over all demands).
struct Leaving {
    file: AffectedFile,
    rows: Vec<(usize, String)>,
}

/// What a unit's key index is asked.
#[derive(Debug, Clone, Default)]
struct Asked {
    keys: BTreeSet<Key>,
    kinds: BTreeSet<KeyKind>,
}

/// Finds every row that a demand is about.
pub async fn find(
    output: &Output,
    manifest: &Manifest,
    demands: &[Arc<dyn Demand>],
    workers: usize,
    progress: &Progress,
    stop: &Stop,
) -> Result<Found> {
    let asked = asked_units(output, manifest, demands).await?;
    let units: Vec<(&ManifestUnit, &Asked)> = manifest
        .units
        .iter()
        .filter_map(|unit| asked.get(&unit.name).map(|asked| (unit, asked)))
        .collect();
    progress.phase("searching", units.len() as u64);
    let total = units.len();
    let leaving: Vec<Vec<Leaving>> = stream::iter(units.into_iter().enumerate())
        .map(|(done, (unit, asked))| async move {
            if stop.is_requested() {
                return Err(JobError::Interrupted { done, total });
            }
            let found = search_unit(output, unit, asked, demands).await?;
            progress.add(1);
            Ok(found)
        })
        .buffered(workers.max(1))
        .try_collect()
        .await?;
    let mut found = Found {
        withdrawals: demands
            .iter()
            .flat_map(|demand| demand.withdrawals())
            .cloned()
            .collect(),
        ..Found::default()
    };
    for mut leaving in leaving.into_iter().flatten() {
        for (withdrawal, row) in leaving.rows {
            let withdrawal = &mut found.withdrawals[withdrawal];
            *leaving.file.reasons.entry(withdrawal.label()).or_default() += 1;
            withdrawal.rows.push(row);
        }
        *found
            .verdicts
            .entry(leaving.file.verdict.clone())
            .or_default() += leaving.file.rows;
        found.files.push(leaving.file);
    }
    for withdrawal in &mut found.withdrawals {
        withdrawal.rows.sort_unstable();
    }
    // A ticket without rows says that it was looked for; a rule without rows says nothing.
    found
        .withdrawals
        .retain(|withdrawal| withdrawal.ticket.is_some() || !withdrawal.rows.is_empty());
    Ok(found)
}

/// The units whose key indexes have to be read, and what for.
async fn asked_units(
    output: &Output,
    manifest: &Manifest,
    demands: &[Arc<dyn Demand>],
) -> Result<BTreeMap<String, Asked>> {
    let mut keys = BTreeSet::new();
    let mut kinds = BTreeSet::new();
    for demand in demands {
        match demand.wanted() {
            Wanted::Keys(wanted) => keys.extend(wanted.iter().copied()),
            Wanted::Every(kind) => {
                kinds.insert(kind);
            }
        }
    }
    let summary = manifest.documents.iter().find(|file| file.path == SUMMARY);
    let mut asked: BTreeMap<String, Asked> = BTreeMap::new();
    match summary {
        _ if keys.is_empty() => {}
        Some(summary) => {
            for (unit, keys) in units_with(output, summary, &keys).await? {
                asked.entry(unit).or_default().keys = keys;
            }
        }
        None => {
            for unit in &manifest.units {
                asked.entry(unit.name.clone()).or_default().keys = keys.clone();
            }
        }
    }
    if !kinds.is_empty() {
        for unit in &manifest.units {
            asked.entry(unit.name.clone()).or_default().kinds = kinds.clone();
        }
    }
    Ok(asked)
}

async fn search_unit(
    output: &Output,
    unit: &ManifestUnit,
    asked: &Asked,
    demands: &[Arc<dyn Demand>],
) -> Result<Vec<Leaving>> {
    let index = unit.keys().ok_or_else(|| {
        JobError::failed(format!(
            "{}: unit {} has no key index in the manifest",
            output.uri(""),
            unit.name
        ))
    })?;
    let mut verdicts: BTreeSet<String> = BTreeSet::new();
    let mut each = |key: Key, verdict: &str| {
        let concerned = demands
            .iter()
            .any(|demand| demand.covers(verdict) && demand.concerns(key));
        if concerned && !verdicts.contains(verdict) {
            verdicts.insert(verdict.to_owned());
        }
    };
    read_index(output, index, asked, &mut each).await?;
    let mut leaving = Vec::new();
    for file in unit
        .files
        .iter()
        .filter(|file| verdicts.contains(&file.verdict))
    {
        leaving.extend(search_file(output, unit, file, demands).await?);
    }
    Ok(leaving)
}

/// Hands the entries of a key index to `each`, reading only the row groups that can hold what is asked.
async fn read_index(
    output: &Output,
    index: &OutputFile,
    asked: &Asked,
    each: &mut (dyn FnMut(Key, &str) + Send),
) -> Result<()> {
    let named = |error: parquet::errors::ParquetError| {
        JobError::failed(format!("{}: {error}", output.uri(&index.path)))
    };
    let damaged = || {
        JobError::failed(format!(
            "{}: is no key index; `tamis verify` says more",
            output.uri(&index.path)
        ))
    };
    let reader = RangeReader::new(output.store(), output.path(&index.path), index.bytes);
    let builder = ParquetRecordBatchStreamBuilder::new(reader)
        .await
        .map_err(named)?;
    let groups: Vec<usize> = builder
        .metadata()
        .row_groups()
        .iter()
        .enumerate()
        .filter(|(_, group)| may_hold(group, asked))
        .map(|(number, _)| number)
        .collect();
    let mut stream = builder.with_row_groups(groups).build().map_err(named)?;
    let kinds = [KeyKind::Row, KeyKind::Subject, KeyKind::Text, KeyKind::Url];
    while let Some(batch) = stream.try_next().await.map_err(named)? {
        let column = |name: &str| text(&batch, name).ok_or_else(damaged);
        let (names, keys, verdicts) = (column("kind")?, column("key")?, column("verdict")?);
        for row in 0..batch.num_rows() {
            let kind = kinds
                .into_iter()
                .find(|kind| kind.name() == names.value(row))
                .ok_or_else(damaged)?;
            let key = u64::from_str_radix(keys.value(row), 16).map_err(|_| damaged())?;
            if asked.kinds.contains(&kind) || asked.keys.contains(&(kind, key)) {
                each((kind, key), verdicts.value(row));
            }
        }
    }
    Ok(())
}

/// Whether a row group of the (sorted) index can hold what is asked, by its statistics.
fn may_hold(group: &RowGroupMetaData, asked: &Asked) -> bool {
    let range = |column: usize| -> Option<(String, String)> {
        let Some(Statistics::ByteArray(found)) = group.column(column).statistics() else {
            return None;
        };
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        let (min, max) = found.min_opt().zip(found.max_opt())?;
        Some((text(min.data())?, text(max.data())?))
    };
    let Some((first, last)) = range(0) else {
        return true;
    };
    let holds = |kind: KeyKind| first.as_str() <= kind.name() && kind.name() <= last.as_str();
    if asked.kinds.iter().any(|kind| holds(*kind)) {
        return true;
    }
    // Keys ascend within a kind only.
    let keys = (first == last).then(|| range(1)).flatten();
    asked.keys.iter().any(|(kind, key)| {
        let hex = format!("{key:016x}");
        let within = |(min, max): &(String, String)| *min <= hex && hex <= *max;
        holds(*kind) && keys.as_ref().is_none_or(within)
    })
}

/// Reads the deciding columns of a file and asks every demand about every row.
async fn search_file(
    output: &Output,
    unit: &ManifestUnit,
    file: &ManifestFile,
    demands: &[Arc<dyn Demand>],
) -> Result<Option<Leaving>> {
    let path = &file.file.path;
    let named = |error: parquet::errors::ParquetError| {
        JobError::failed(format!("{}: {error}", output.uri(path)))
    };
    let reader = RangeReader::new(output.store(), output.path(path), file.file.bytes);
    let builder = ParquetRecordBatchStreamBuilder::new(reader)
        .await
        .map_err(named)?;
    let schema = Arc::clone(builder.schema());
    let roots = (0..schema.fields().len())
        .filter(|index| DECIDING.contains(&schema.field(*index).name().as_str()));
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
    let mut stream = builder.with_projection(mask).build().map_err(named)?;
    let mut leaving = Vec::new();
    let mut rows = 0;
    while let Some(batch) = stream.try_next().await.map_err(named)? {
        let column = |name: &str| {
            text(&batch, name).ok_or_else(|| {
                JobError::failed(format!("{}: column `{name}` is missing", output.uri(path)))
            })
        };
        let columns = [
            column(DECIDING[0])?,
            column(DECIDING[1])?,
            column(DECIDING[2])?,
            column(DECIDING[3])?,
            column(DECIDING[4])?,
            column(DECIDING[5])?,
        ];
        for row in 0..batch.num_rows() {
            let value = |index: usize| {
                let array = columns[index];
                array.is_valid(row).then(|| array.value(row))
            };
            let facts = ProvRow {
                row_id: value(0).unwrap_or_default(),
                subject_ref: value(1),
                text_sha256: value(2),
                url: value(3),
                consent_status: value(4),
                acquisition_mode: value(5),
            };
            let mut reasons = BTreeSet::new();
            let mut offset = 0;
            for demand in demands {
                if demand.covers(&file.verdict) {
                    demand.judge(&facts, &mut |index| {
                        reasons.insert(offset + index);
                    });
                }
                offset += demand.withdrawals().len();
            }
            rows += u64::from(!reasons.is_empty());
            leaving.extend(
                reasons
                    .into_iter()
                    .map(|reason| (reason, facts.row_id.to_owned())),
            );
        }
    }
    Ok((rows > 0).then(|| Leaving {
        file: AffectedFile {
            unit: unit.name.clone(),
            verdict: file.verdict.clone(),
            path: path.clone(),
            rows,
            reasons: BTreeMap::new(),
        },
        rows: leaving,
    }))
}

fn text<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a StringArray> {
    batch.column_by_name(name)?.as_string_opt::<i32>()
}
