//! Reading one unit: row group by row group, by byte ranges, with row numbers, in the corpus schema.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::arrow::array::{
    ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, new_null_array,
};
use datafusion::arrow::compute::CastOptions;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::nested_struct::cast_column;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, SendableRecordBatchStream};
use datafusion::scalar::ScalarValue;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::inputs::{InputFile, Inputs, footer_bytes, local_etag};
use super::spec::Layout;
use super::unit::{Unit, UnitRowGroup};

/// Column of the row's index in its file.
pub const ROW_INDEX: &str = "__tamis_row_index";
/// Column of the row's row group.
pub const ROW_GROUP: &str = "__tamis_row_group";

/// Columns of the corpus stand under this prefix, so that none can be taken for one of `judged`.
const INPUT_PREFIX: &str = "corpus.";

/// The name of a corpus column in the table `corpus`.
pub fn corpus_column(name: &str) -> String {
    format!("{INPUT_PREFIX}{name}")
}

fn input_name(field: &Field) -> &str {
    field
        .name()
        .strip_prefix(INPUT_PREFIX)
        .unwrap_or(field.name())
}

/// Why a unit could not be read.
#[derive(Debug, Clone)]
pub enum ReadFailure {
    /// The bytes are there but are not sound Parquet.
    Corrupt {
        /// The row group.
        row_group: usize,
        /// What the decoder said.
        reason: String,
    },
    /// The store did not give the bytes, or gave another object's.
    Store(String),
}

/// A slot through which a stream inside a plan tells why it failed.
pub type FailureSlot = Arc<Mutex<Option<ReadFailure>>>;

/// One unit as a DataFusion table: the corpus schema plus [`ROW_INDEX`] and [`ROW_GROUP`].
#[derive(Debug)]
pub struct UnitTable {
    schema: SchemaRef,
    source: UnitSource,
    failure: FailureSlot,
}

#[derive(Debug, Clone)]
struct UnitSource {
    store: Arc<dyn ObjectStore>,
    local: bool,
    file: Arc<InputFile>,
    row_groups: Arc<Vec<UnitRowGroup>>,
    layout: Layout,
}

/// The schema of the table `corpus`.
pub fn corpus_schema(unified: &Schema) -> SchemaRef {
    let mut fields: Vec<Field> = unified
        .fields()
        .iter()
        .map(|field| {
            field
                .as_ref()
                .clone()
                .with_name(corpus_column(field.name()))
        })
        .collect();
    fields.push(Field::new(ROW_INDEX, DataType::Int64, false));
    fields.push(Field::new(ROW_GROUP, DataType::Int64, false));
    Arc::new(Schema::new(fields))
}

impl UnitTable {
    /// A table over a unit without the row groups that are known to be corrupt.
    pub fn new(
        inputs: &Inputs,
        unit: &Unit,
        corrupt: &BTreeMap<usize, String>,
        layout: &Layout,
    ) -> Self {
        let row_groups = unit
            .row_groups
            .iter()
            .filter(|group| !corrupt.contains_key(&group.index))
            .cloned()
            .collect();
        Self {
            schema: corpus_schema(&inputs.schema),
            source: UnitSource {
                store: Arc::clone(&inputs.location.store),
                local: inputs.location.local.is_some(),
                file: Arc::new(inputs.files[unit.file].clone()),
                row_groups: Arc::new(row_groups),
                layout: layout.clone(),
            },
            failure: FailureSlot::default(),
        }
    }

    /// Where a failed read says why.
    pub fn failure(&self) -> FailureSlot {
        Arc::clone(&self.failure)
    }
}

#[async_trait]
impl TableProvider for UnitTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => Arc::clone(&self.schema),
        };
        let stream = UnitStream {
            schema: Arc::clone(&schema),
            source: self.source.clone(),
            failure: Arc::clone(&self.failure),
        };
        let scan =
            StreamingTableExec::try_new(schema, vec![Arc::new(stream)], None, [], false, limit)?;
        Ok(Arc::new(scan))
    }
}

#[derive(Debug)]
struct UnitStream {
    schema: SchemaRef,
    source: UnitSource,
    failure: FailureSlot,
}

impl PartitionStream for UnitStream {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _ctx: Arc<TaskContext>) -> SendableRecordBatchStream {
        // One batch ahead: decoding the next one overlaps with judging this one.
        let mut builder = RecordBatchReceiverStreamBuilder::new(Arc::clone(&self.schema), 1);
        let sender = builder.tx();
        let (schema, source, failure) = (
            Arc::clone(&self.schema),
            self.source.clone(),
            Arc::clone(&self.failure),
        );
        builder.spawn(async move {
            let read = AssertUnwindSafe(source.read(&schema, &sender))
                .catch_unwind()
                .await;
            let why = match read {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(why)) => why,
                // `read` itself catches the decoder's panics; this one is ours.
                Err(_) => ReadFailure::Store(format!("{}: the reader panicked", source.file.uri)),
            };
            let error = DataFusionError::Execution(why.to_string());
            if let Ok(mut slot) = failure.lock() {
                *slot = Some(why);
            }
            Err(error)
        });
        builder.build()
    }
}

impl fmt::Display for ReadFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt { row_group, reason } => {
                write!(f, "row group {row_group} is corrupt: {reason}")
            }
            Self::Store(message) => f.write_str(message),
        }
    }
}

/// Where a column of the table comes from.
enum Origin {
    File(usize),
    Constant(ScalarValue),
    Missing,
    RowIndex,
    RowGroup,
}

impl UnitSource {
    async fn read(
        &self,
        schema: &SchemaRef,
        sender: &tokio::sync::mpsc::Sender<DataFusionResult<RecordBatch>>,
    ) -> Result<(), ReadFailure> {
        self.check_unchanged().await?;
        let mut reader = RangeReader {
            store: Arc::clone(&self.store),
            path: self.file.path.clone(),
            size: self.file.size,
            etag: (!self.local && !self.file.etag.is_empty()).then(|| self.file.etag.clone()),
        };
        let first = self.row_groups.first().map_or(0, |group| group.index);
        let options = ArrowReaderOptions::new();
        let metadata = ArrowReaderMetadata::load_async(&mut reader, options)
            .await
            .map_err(|error| self.failure(first, &error))?;
        let (origins, columns) = self.origins(schema, metadata.schema());
        let mask = ProjectionMask::roots(metadata.parquet_schema(), columns.iter().copied());
        for group in self.row_groups.iter() {
            let batch_rows = batch_rows(group, &self.layout);
            if columns.is_empty() {
                let mut at = 0;
                while at < group.rows {
                    let rows = (group.rows - at).min(batch_rows as u64);
                    let batch = self.assemble(schema, &origins, &[], rows, group, at)?;
                    if sender.send(Ok(batch)).await.is_err() {
                        return Ok(());
                    }
                    at += rows;
                }
                continue;
            }
            let mut stream = ParquetRecordBatchStreamBuilder::new_with_metadata(
                reader.clone(),
                metadata.clone(),
            )
            .with_row_groups(vec![group.index])
            .with_projection(mask.clone())
            .with_batch_size(batch_rows)
            .with_limit(usize::try_from(group.rows).unwrap_or(usize::MAX))
            .build()
            .map_err(|error| self.failure(group.index, &error))?;
            let mut at = 0;
            // The decoder may panic on corrupt bytes; that is this row group's fault alone.
            while let Some(next) = AssertUnwindSafe(stream.next())
                .catch_unwind()
                .await
                .unwrap_or_else(|_| {
                    Some(Err(ParquetError::General(
                        "the decoder panicked".to_owned(),
                    )))
                })
            {
                let read = next.map_err(|error| self.failure(group.index, &error))?;
                let rows = read.num_rows() as u64;
                let batch = self.assemble(schema, &origins, read.columns(), rows, group, at)?;
                if sender.send(Ok(batch)).await.is_err() {
                    return Ok(());
                }
                at += rows;
            }
            if at != group.rows {
                let reason = format!("{at} rows where the footer says {}", group.rows);
                return Err(ReadFailure::Corrupt {
                    row_group: group.index,
                    reason,
                });
            }
        }
        Ok(())
    }

    fn failure(&self, row_group: usize, error: &ParquetError) -> ReadFailure {
        match store_error(error) {
            Some(
                object_store::Error::Precondition { .. } | object_store::Error::NotFound { .. },
            ) => ReadFailure::Store(format!(
                "{}: the file changed or went away while the job ran. Run again into another output to judge it as it is now",
                self.file.uri
            )),
            Some(error) => {
                ReadFailure::Store(crate::session::stores::explain(error, &self.file.uri))
            }
            None => ReadFailure::Corrupt {
                row_group,
                reason: error.to_string(),
            },
        }
    }

    /// A local file has no etag to read by: its footer is hashed again.
    async fn check_unchanged(&self) -> Result<(), ReadFailure> {
        if !self.local {
            return Ok(());
        }
        let explain = |error: object_store::Error| {
            ReadFailure::Store(crate::session::stores::explain(&error, &self.file.uri))
        };
        let size = self
            .store
            .head(&self.file.path)
            .await
            .map_err(explain)?
            .size;
        let footer = footer_bytes(&self.store, &self.file.path, size)
            .await
            .map_err(explain)?;
        if local_etag(size, &footer) != self.file.etag {
            return Err(ReadFailure::Store(format!(
                "{}: the file changed while the job ran. Run again into another output to judge it as it is now",
                self.file.uri
            )));
        }
        Ok(())
    }

    /// Origins of the wanted columns and the root columns to read, in file order.
    fn origins(&self, wanted: &Schema, file: &Schema) -> (Vec<Origin>, Vec<usize>) {
        let mut columns: Vec<usize> = wanted
            .fields()
            .iter()
            .filter_map(|field| file.index_of(input_name(field)).ok())
            .collect();
        columns.sort_unstable();
        let origins = wanted
            .fields()
            .iter()
            .map(|field| match input_name(field) {
                _ if field.name() == ROW_INDEX => Origin::RowIndex,
                _ if field.name() == ROW_GROUP => Origin::RowGroup,
                name => match file.index_of(name) {
                    Ok(root) => {
                        Origin::File(columns.iter().position(|c| *c == root).unwrap_or_default())
                    }
                    Err(_) => self
                        .file
                        .partitions
                        .iter()
                        .find(|(partition, _)| partition == name)
                        .map_or(Origin::Missing, |(_, value)| {
                            Origin::Constant(ScalarValue::Utf8(value.clone()))
                        }),
                },
            })
            .collect();
        (origins, columns)
    }

    fn assemble(
        &self,
        schema: &SchemaRef,
        origins: &[Origin],
        read: &[ArrayRef],
        rows: u64,
        group: &UnitRowGroup,
        at: u64,
    ) -> Result<RecordBatch, ReadFailure> {
        let corrupt = |reason: String| ReadFailure::Corrupt {
            row_group: group.index,
            reason,
        };
        let count = usize::try_from(rows).unwrap_or(usize::MAX);
        // A value that does not fit the unified type is an error, never a silent null.
        let strict = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(origins.len());
        for (origin, field) in origins.iter().zip(schema.fields()) {
            arrays.push(match origin {
                Origin::File(index) if read[*index].data_type() == field.data_type() => {
                    Arc::clone(&read[*index])
                }
                Origin::File(index) => cast_column(&read[*index], field.data_type(), &strict)
                    .map_err(|error| {
                        corrupt(format!(
                            "column `{}`: {}",
                            input_name(field),
                            error.strip_backtrace()
                        ))
                    })?,
                Origin::Constant(value) => value
                    .to_array_of_size(count)
                    .map_err(|error| corrupt(error.strip_backtrace()))?,
                Origin::Missing => new_null_array(field.data_type(), count),
                Origin::RowIndex => {
                    let first = i64::try_from(group.first_row + at).unwrap_or(i64::MAX);
                    let last = first.saturating_add(i64::try_from(rows).unwrap_or(0));
                    Arc::new(Int64Array::from_iter_values(first..last))
                }
                Origin::RowGroup => {
                    let index = i64::try_from(group.index).unwrap_or(i64::MAX);
                    Arc::new(Int64Array::from_value(index, count))
                }
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)
            .map_err(|error| corrupt(error.to_string()))
    }
}

/// Rows a batch of this row group has: fixed by the footer, so that a rerun cuts the same batches.
fn batch_rows(group: &UnitRowGroup, layout: &Layout) -> usize {
    let row_bytes = (group.bytes / group.all_rows.max(1)).max(1);
    let rows = (layout.batch_bytes / row_bytes).clamp(1, layout.batch_rows);
    usize::try_from(rows).unwrap_or(1)
}

fn store_error(error: &ParquetError) -> Option<&object_store::Error> {
    let ParquetError::External(inner) = error else {
        return None;
    };
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(inner.as_ref());
    while let Some(error) = source {
        if let Some(found) = error.downcast_ref::<object_store::Error>() {
            return Some(found);
        }
        if let Some(found) = error.downcast_ref::<ParquetError>() {
            return store_error(found);
        }
        source = error.source();
    }
    None
}

/// Byte ranges of one object, as it was when listed.
#[derive(Debug, Clone)]
pub(crate) struct RangeReader {
    store: Arc<dyn ObjectStore>,
    path: Path,
    size: u64,
    etag: Option<String>,
}

impl RangeReader {
    /// Reads an object of known size, whatever its etag.
    pub(crate) fn new(store: &Arc<dyn ObjectStore>, path: Path, size: u64) -> Self {
        Self {
            store: Arc::clone(store),
            path,
            size,
            etag: None,
        }
    }

    async fn range(&self, range: Range<u64>) -> parquet::errors::Result<Bytes> {
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            if_match: self.etag.clone(),
            ..GetOptions::default()
        };
        let external = |error: object_store::Error| ParquetError::External(Box::new(error));
        self.store
            .get_opts(&self.path, options)
            .await
            .map_err(external)?
            .bytes()
            .await
            .map_err(external)
    }
}

impl AsyncFileReader for RangeReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, parquet::errors::Result<Bytes>> {
        self.range(range).boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, parquet::errors::Result<Vec<Bytes>>> {
        async move {
            // Neighbouring column chunks come in one request.
            let this = &*self;
            let fetch = |range: Range<u64>| async move { this.range(range).await };
            object_store::coalesce_ranges(&ranges, fetch, 1 << 20).await
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, parquet::errors::Result<Arc<ParquetMetaData>>> {
        async move {
            let size = self.size;
            let reader = ParquetMetaDataReader::new().with_prefetch_hint(Some(64 * 1024));
            Ok(Arc::new(reader.load_and_finish(self, size).await?))
        }
        .boxed()
    }
}
