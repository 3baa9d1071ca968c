//! Rows of a Parquet file, a batch at a time, of the wanted columns alone.

use futures::StreamExt;
use parquet::arrow::async_reader::{ParquetObjectReader, ParquetRecordBatchStreamBuilder};
use parquet::arrow::ProjectionMask;
use parquet::errors::ParquetError;
use tamis_resource::ResourceError;

use super::pump::Stop;
use super::{Found, Lines, Problem, Rows};

const BATCH: usize = 8192;

pub(super) async fn read(
    reader: ParquetObjectReader,
    wanted: &[&str],
    consume: &mut (dyn FnMut(Found) -> Result<(), ResourceError> + Send),
) -> Result<(), Stop> {
    let builder = ParquetRecordBatchStreamBuilder::new(reader)
        .await
        .map_err(|error| stop("footer", error))?;
    let names: Vec<String> =
        builder.schema().fields().iter().map(|field| field.name().clone()).collect();
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
            arrays: wanted.iter().map(|name| batch.column_by_name(name).cloned()).collect(),
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
