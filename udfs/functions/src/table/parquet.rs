//! Rows of a Parquet file, a batch at a time, of the wanted columns alone.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryFutureExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use tamis_resource::ResourceError;

use super::pump::Stop;
use super::{Found, Lines, Problem, Rows};

const BATCH: usize = 8192;

pub(super) async fn read(
    reader: RangeReader,
    wanted: &[&str],
    consume: &mut (dyn FnMut(Found) -> Result<(), ResourceError> + Send),
) -> Result<(), Stop> {
    let builder = ParquetRecordBatchStreamBuilder::new(reader)
        .await
        .map_err(|error| stop("footer", error))?;
    let names: Vec<String> = builder
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let roots: Vec<usize> = (0..names.len())
        .filter(|root| wanted.contains(&names[*root].as_str()))
        .collect();
    consume(Found::Header(names)).map_err(Stop::Consumer)?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
    let mut batches = builder
        .with_projection(mask)
        .with_batch_size(BATCH)
        .build()
        .map_err(|error| stop("footer", error))?;
    let mut first = 1;
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(|error| stop(&format!("row {first} or later"), error))?;
        let rows = Rows {
            arrays: wanted
                .iter()
                .map(|name| batch.column_by_name(name).cloned())
                .collect(),
            rows: batch.num_rows(),
            lines: Lines::RowsFrom(first),
        };
        first += batch.num_rows() as u64;
        consume(Found::Rows(rows)).map_err(Stop::Consumer)?;
    }
    Ok(())
}

fn stop(place: &str, error: ParquetError) -> Stop {
    match error {
        ParquetError::External(error) if error.is::<object_store::Error>() => {
            Stop::Store(error.to_string())
        }
        error => Stop::Content(Problem::new(place, error.to_string())),
    }
}

/// A file of an object store, read by ranges.
#[derive(Debug)]
pub(super) struct RangeReader {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) path: Path,
    pub(super) size: u64,
}

impl AsyncFileReader for RangeReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        self.store
            .get_range(&self.path, range)
            .map_err(|error| ParquetError::External(Box::new(error)))
            .boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        async move {
            let bytes = self.store.get_ranges(&self.path, &ranges).await;
            bytes.map_err(|error| ParquetError::External(Box::new(error)))
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        async move {
            let size = self.size;
            let reader = ParquetMetaDataReader::new().with_arrow_reader_options(options);
            Ok(Arc::new(reader.load_and_finish(self, size).await?))
        }
        .boxed()
    }
}
