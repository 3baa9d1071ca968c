//! Writing one Parquet file: streamed in parts, hashed on the way, the same bytes for the same rows.

use std::io::Write;
use std::sync::{Arc, Mutex};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use object_store::buffered::BufWriter;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::error::{JobError, Result};
use super::output::Output;
use super::receipt::{ChunkDigest, OutputFile};
use super::spec::Layout;

/// Bytes of one upload part.
const PART: usize = 8 << 20;

/// Where the bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// To the output.
    Output,
    /// Nowhere: only the digests are wanted (`verify --rejudge`).
    Nowhere,
}

#[derive(Debug, Clone, Default)]
struct Pending(Arc<Mutex<Vec<u8>>>);

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .map_err(|_| std::io::Error::other("poisoned"))?
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A Parquet file in the making. Nothing is visible at its name before [`DataWriter::finish`].
pub struct DataWriter {
    path: String,
    uri: String,
    schema: SchemaRef,
    writer: ArrowWriter<Pending>,
    pending: Pending,
    sink: Option<BufWriter>,
    digest: Sha256,
    written: u64,
    hashed_row_groups: usize,
    chunks: Vec<ChunkDigest>,
    rows: u64,
    layout: Layout,
}

impl DataWriter {
    /// Opens a file. `metadata` goes into the footer.
    pub fn new(
        output: &Output,
        path: String,
        schema: &SchemaRef,
        metadata: &[(&str, &str)],
        layout: &Layout,
        destination: Destination,
    ) -> Result<Self> {
        let metadata = metadata
            .iter()
            .map(|(key, value)| KeyValue::new((*key).to_owned(), (*value).to_owned()))
            .collect();
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
            .set_max_row_group_row_count(None)
            .set_created_by(format!("tamis {}", env!("CARGO_PKG_VERSION")))
            .set_key_value_metadata(Some(metadata))
            .build();
        let pending = Pending::default();
        let writer = ArrowWriter::try_new(pending.clone(), Arc::clone(schema), Some(properties))?;
        let sink = (destination == Destination::Output).then(|| {
            BufWriter::with_capacity(Arc::clone(output.store()), output.path(&path), PART)
                .with_max_concurrency(2)
        });
        Ok(Self {
            uri: output.uri(&path),
            path,
            schema: Arc::clone(schema),
            writer,
            pending,
            sink,
            digest: Sha256::new(),
            written: 0,
            hashed_row_groups: 0,
            chunks: Vec::new(),
            rows: 0,
            layout: layout.clone(),
        })
    }

    /// Appends rows whose columns are those of the schema, nullability apart.
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), batch.columns().to_vec())
            .map_err(|error| JobError::failed(format!("{}: {error}", self.uri)))?;
        self.writer.write(&batch)?;
        self.rows += batch.num_rows() as u64;
        let full = self.writer.in_progress_size() as u64 >= self.layout.row_group_bytes
            || self.writer.in_progress_rows() as u64 >= self.layout.row_group_rows;
        if full {
            self.writer.flush()?;
            self.drain().await?;
        }
        Ok(())
    }

    /// Hashes and sends what the encoder has given so far.
    async fn drain(&mut self) -> Result<()> {
        // The encoder buffers small writes; a finished row group must be here whole.
        self.writer
            .sync()
            .map_err(|error| io_failed(&self.uri, error))?;
        let bytes = match self.pending.0.lock() {
            Ok(mut pending) => std::mem::take(&mut *pending),
            Err(_) => {
                return Err(JobError::failed(format!(
                    "{}: the writer panicked",
                    self.uri
                )));
            }
        };
        let base = self.written;
        let groups = self.writer.flushed_row_groups();
        for (index, group) in groups.iter().enumerate().skip(self.hashed_row_groups) {
            for column in group.columns() {
                let (offset, length) = column.byte_range();
                let start = usize::try_from(offset - base).unwrap_or(usize::MAX);
                let chunk = bytes
                    .get(start..start + usize::try_from(length).unwrap_or(0))
                    .ok_or_else(|| {
                        JobError::failed(format!(
                            "{}: column chunk outside its row group",
                            self.uri
                        ))
                    })?;
                self.chunks.push(ChunkDigest {
                    row_group: index,
                    column: column.column_path().string(),
                    offset,
                    bytes: length,
                    sha256: hex::encode(Sha256::digest(chunk)),
                });
            }
        }
        self.hashed_row_groups = groups.len();
        self.digest.update(&bytes);
        self.written += bytes.len() as u64;
        if let Some(sink) = &mut self.sink {
            sink.write_all(&bytes)
                .await
                .map_err(|error| io_failed(&self.uri, error))?;
        }
        Ok(())
    }

    /// Closes the file and makes it visible.
    pub async fn finish(mut self) -> Result<(OutputFile, Vec<ChunkDigest>)> {
        self.writer.flush()?;
        self.drain().await?;
        self.writer.finish()?;
        self.drain().await?;
        if let Some(sink) = &mut self.sink {
            sink.shutdown()
                .await
                .map_err(|error| io_failed(&self.uri, error))?;
        }
        let file = OutputFile {
            path: self.path,
            rows: Some(self.rows),
            bytes: self.written,
            sha256: hex::encode(self.digest.finalize()),
        };
        Ok((file, self.chunks))
    }

    /// Gives the file up; parts already sent are withdrawn.
    pub async fn abort(mut self) {
        if let Some(sink) = &mut self.sink {
            // Best effort: what cannot be withdrawn is removed by the next run or the bucket's lifecycle rule.
            let _ = sink.abort().await;
        }
    }
}

fn io_failed(uri: &str, error: std::io::Error) -> JobError {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<object_store::Error>());
    match inner {
        Some(error) => JobError::store(error, uri),
        None => JobError::failed(format!("{uri}: {error}")),
    }
}
