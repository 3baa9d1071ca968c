//! Writing a unit's files again without the rows that leave.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::{filter_record_batch, not};
use datafusion::arrow::datatypes::Int64Type;
use futures::TryStreamExt;
use parquet::arrow::async_reader::ParquetRecordBatchStreamBuilder;

use crate::job::commit::{document, read_small};
use crate::job::context::Stop;
use crate::job::error::{JobError, Result};
use crate::job::keys::KeyIndex;
use crate::job::manifest::{Manifest, ManifestFile, ManifestUnit};
use crate::job::output::Output;
use crate::job::reader::RangeReader;
use crate::job::receipt::{self, ClearReceipt, DataFile, OutputFile, folder};
use crate::job::spec::Layout;
use crate::job::writer::{DataWriter, Destination};
use crate::report::progress::Progress;

use super::record::{AffectedFile, Plan};

/// What all units of a purge share.
#[derive(Debug)]
pub struct Rewriting<'a> {
    /// The output.
    pub output: &'a Output,
    /// What was decided.
    pub plan: &'a Plan,
    /// The ids of all rows that leave.
    pub leaving: HashSet<&'a str>,
    /// How files are laid out.
    pub layout: &'a Layout,
    /// Asks for a clean end.
    pub stop: &'a Stop,
    /// Where progress goes: bytes read.
    pub progress: &'a Progress,
    /// Whether an earlier attempt may have left rewritten files.
    pub resuming: bool,
}

/// The objects that a purge replaces: affected files, and the index and receipt of their units.
pub fn superseded(manifest: &Manifest, files: &[AffectedFile]) -> Vec<OutputFile> {
    let paths: HashSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let units: HashSet<&str> = files.iter().map(|file| file.unit.as_str()).collect();
    let mut old = Vec::new();
    for unit in manifest
        .units
        .iter()
        .filter(|unit| units.contains(unit.name.as_str()))
    {
        let data = unit.files.iter().map(|file| &file.file);
        old.extend(
            data.filter(|file| paths.contains(file.path.as_str()))
                .cloned(),
        );
        let receipt = unit.clear_receipt();
        let keys = unit.keys().map(|file| file.path.as_str());
        old.extend(
            unit.receipts
                .iter()
                .filter(|file| file.path == receipt || Some(file.path.as_str()) == keys)
                .cloned(),
        );
    }
    old
}

impl Rewriting<'_> {
    /// Writes the unit's affected files, its key index and last its receipt to where they wait for
    /// the commit. Gives the unit as the new manifest has it.
    pub async fn unit(&self, unit: &ManifestUnit, files: &[&AffectedFile]) -> Result<ManifestUnit> {
        let old_receipt = unit.clear_receipt();
        let new_receipt = self
            .plan
            .rewritten(&unit.name, "_tamis/receipts", "clear.json");
        let receipt = match self.done_before(&new_receipt).await? {
            Some(receipt) => receipt,
            None => {
                let bytes = self.output.get(&old_receipt).await?.ok_or_else(|| {
                    JobError::failed(format!("{}: is missing", self.output.uri(&old_receipt)))
                })?;
                let mut receipt: ClearReceipt =
                    receipt::from_bytes(&bytes, &self.output.uri(&old_receipt))?;
                self.write(unit, files, &mut receipt).await?;
                let bytes = receipt::to_bytes(&receipt)?;
                self.output
                    .put(&self.plan.staged(&new_receipt), bytes)
                    .await?;
                receipt
            }
        };
        let receipt_file = document(&new_receipt, &receipt::to_bytes(&receipt)?);
        let old_keys = unit.keys().map(|file| file.path.clone());
        let receipts = unit
            .receipts
            .iter()
            .map(|file| match &file.path {
                path if *path == old_receipt => receipt_file.clone(),
                path if Some(path) == old_keys.as_ref() => receipt.keys.clone(),
                _ => file.clone(),
            })
            .collect();
        Ok(ManifestUnit {
            receipts,
            files: receipt
                .files
                .iter()
                .map(|data| ManifestFile {
                    verdict: data.verdict.clone(),
                    file: data.file.clone(),
                })
                .collect(),
            purged: receipt.purged.len() as u64,
            ..unit.clone()
        })
    }

    /// The receipt an interrupted attempt left, if all it names is there.
    async fn done_before(&self, path: &str) -> Result<Option<ClearReceipt>> {
        if !self.resuming {
            return Ok(None);
        }
        let staged = self.plan.staged(path);
        let Some(bytes) = self.output.get(&staged).await? else {
            return Ok(None);
        };
        let receipt: ClearReceipt = receipt::from_bytes(&bytes, &self.output.uri(&staged))?;
        let number = format!(".{:06}.", self.plan.number);
        let files = receipt.files.iter().map(|data| &data.file);
        for file in files.chain([&receipt.keys]) {
            if file.path.contains(&number) {
                let size = self.output.size(&self.plan.staged(&file.path)).await?;
                if size != Some(file.bytes) {
                    return Ok(None);
                }
            }
        }
        Ok(Some(receipt))
    }

    async fn write(
        &self,
        unit: &ManifestUnit,
        files: &[&AffectedFile],
        receipt: &mut ClearReceipt,
    ) -> Result<()> {
        let verdicts: Vec<String> = files.iter().map(|file| file.verdict.clone()).collect();
        let mut keys = KeyIndex::default();
        for batch in read_small(self.output, &receipt.keys.path).await? {
            keys.add_written(&batch, &verdicts).ok_or_else(|| {
                JobError::failed(format!(
                    "{}: is no key index; `tamis verify` says more",
                    self.output.uri(&receipt.keys.path)
                ))
            })?;
        }
        for file in files {
            let data = receipt
                .files
                .iter()
                .position(|data| data.file.path == file.path)
                .ok_or_else(|| {
                    JobError::failed(format!(
                        "{}: the receipt of unit {} does not name it",
                        self.output.uri(&file.path),
                        unit.name
                    ))
                })?;
            let old = receipt.files[data].clone();
            let new = self.file(unit, file, &old, receipt, &mut keys).await?;
            receipt.files[data] = new;
            self.progress.add(old.file.bytes);
        }
        receipt.purged.sort_unstable();
        let path = self
            .plan
            .rewritten(&unit.name, "_tamis/receipts", "keys.parquet");
        let staged = self.plan.staged(&path);
        let written = keys
            .write(self.output, staged, self.layout, Destination::Output)
            .await?;
        receipt.keys = OutputFile { path, ..written };
        Ok(())
    }

    /// Copies one file without the rows that leave, and takes them out of the receipt's counts.
    async fn file(
        &self,
        unit: &ManifestUnit,
        affected: &AffectedFile,
        old: &DataFile,
        receipt: &mut ClearReceipt,
        keys: &mut KeyIndex,
    ) -> Result<DataFile> {
        let (output, path) = (self.output, &old.file.path);
        let named = |error: parquet::errors::ParquetError| {
            JobError::failed(format!("{}: {error}", output.uri(path)))
        };
        let reader = RangeReader::new(output.store(), output.path(path), old.file.bytes);
        let builder = ParquetRecordBatchStreamBuilder::new(reader)
            .await
            .map_err(named)?
            .with_batch_size(usize::try_from(self.layout.batch_rows).unwrap_or(4096));
        let stored = builder.metadata().file_metadata().key_value_metadata();
        let metadata: Vec<(String, String)> = stored
            .into_iter()
            .flatten()
            .filter(|entry| entry.key.starts_with("tamis.") && entry.key != "tamis.purge")
            .map(|entry| (entry.key.clone(), entry.value.clone().unwrap_or_default()))
            .chain([("tamis.purge".to_owned(), format!("{:06}", self.plan.number))])
            .collect();
        let metadata: Vec<(&str, &str)> = metadata
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        let new = self
            .plan
            .rewritten(&unit.name, folder(&affected.verdict), "parquet");
        // The Arrow schema comes from the footer, that of the folder: the writer stores it again.
        let schema = Arc::new(
            builder
                .schema()
                .as_ref()
                .clone()
                .with_metadata(Default::default()),
        );
        let mut writer = DataWriter::new(
            output,
            self.plan.staged(&new),
            &schema,
            &metadata,
            self.layout,
            Destination::Output,
        )?;
        let mut stream = builder.build().map_err(named)?;
        let copied: Result<u64> = async {
            let mut left = 0;
            while let Some(batch) = stream.try_next().await.map_err(named)? {
                if self.stop.is_requested() {
                    return Err(JobError::Interrupted { done: 0, total: 0 });
                }
                let leaves = self.leaving_rows(&batch, path)?;
                let gone = filter_record_batch(&batch, &leaves)?;
                if gone.num_rows() > 0 {
                    left += gone.num_rows() as u64;
                    take_out(receipt, &gone, &affected.verdict)
                        .ok_or_else(|| self.disagree(path))?;
                }
                let stays = filter_record_batch(&batch, &not(&leaves)?)?;
                if stays.num_rows() > 0 {
                    keys.add(&stays, &affected.verdict);
                    writer.write(&stays).await?;
                }
            }
            Ok(left)
        }
        .await;
        match copied {
            Ok(left) if left == affected.rows => {}
            Ok(_) => {
                writer.abort().await;
                return Err(self.disagree(path));
            }
            Err(error) => {
                writer.abort().await;
                return Err(error);
            }
        }
        let (written, chunks) = writer.finish().await?;
        Ok(DataFile {
            verdict: affected.verdict.clone(),
            file: OutputFile {
                path: new,
                ..written
            },
            chunks,
        })
    }

    fn leaving_rows(&self, batch: &RecordBatch, path: &str) -> Result<BooleanArray> {
        let ids = batch
            .column_by_name("prov_row_id")
            .and_then(|array| array.as_string_opt::<i32>())
            .ok_or_else(|| self.disagree(path))?;
        Ok(ids
            .iter()
            .map(|id| Some(id.is_some_and(|id| self.leaving.contains(id))))
            .collect())
    }

    fn disagree(&self, path: &str) -> JobError {
        JobError::failed(format!(
            "{}: is not as its receipt and the plan of this purge say; `tamis verify` says more",
            self.output.uri(path)
        ))
    }
}

/// Takes rows out of the counts of a receipt. `None` when it never counted them.
fn take_out(receipt: &mut ClearReceipt, gone: &RecordBatch, verdict: &str) -> Option<()> {
    let indices = gone
        .column_by_name("prov_input_row")?
        .as_primitive_opt::<Int64Type>()?;
    receipt.purged.extend(indices.values());
    let sources = gone
        .column_by_name("prov_source_id")?
        .as_string_opt::<i32>()?;
    let reasons = gone.column_by_name("prov_reasons")?.as_list_opt::<i32>()?;
    let rules = reasons
        .values()
        .as_struct_opt()?
        .column_by_name("rule")?
        .as_string_opt::<i32>()?;
    for row in 0..gone.num_rows() {
        subtract(&mut receipt.verdicts, verdict)?;
        let source = if sources.is_valid(row) {
            sources.value(row)
        } else {
            ""
        };
        subtract(receipt.sources.get_mut(source)?, verdict)?;
        if reasons.value_length(row) > 0 {
            let first = usize::try_from(reasons.value_offsets()[row]).ok()?;
            subtract(&mut receipt.first_reasons, rules.value(first))?;
        }
    }
    Some(())
}

fn subtract(counts: &mut BTreeMap<String, u64>, key: &str) -> Option<()> {
    let count = counts.get_mut(key)?;
    *count = count.checked_sub(1)?;
    Some(())
}
