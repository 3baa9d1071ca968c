//! Arrow and Parquet.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;

use super::{OutputError, ResultWriter, Sink, Written};

/// Bytes a row group may hold in memory before it is written.
const ROW_GROUP_BYTES: usize = 128 << 20;

/// An Arrow IPC stream.
pub(crate) struct ArrowStreamWriter {
    writer: StreamWriter<Sink>,
    rows: usize,
}

impl ArrowStreamWriter {
    pub(crate) fn new(schema: &SchemaRef, sink: Sink) -> Result<Self, OutputError> {
        Ok(Self {
            writer: StreamWriter::try_new(sink, schema)?,
            rows: 0,
        })
    }
}

impl ResultWriter for ArrowStreamWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        self.rows += batch.num_rows();
        Ok(self.writer.write(batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<Written, OutputError> {
        self.writer.finish()?;
        self.writer.get_mut().flush()?;
        Ok(Written {
            rows: self.rows,
            cut: false,
        })
    }
}

/// A Parquet file, zstd.
pub(crate) struct ParquetFileWriter {
    writer: ArrowWriter<Sink>,
    rows: usize,
}

impl ParquetFileWriter {
    pub(crate) fn new(schema: &SchemaRef, sink: Sink) -> Result<Self, OutputError> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
            .set_created_by(concat!("tamis ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer = ArrowWriter::try_new(sink, Arc::clone(schema), Some(properties))?;
        Ok(Self { writer, rows: 0 })
    }
}

impl ResultWriter for ParquetFileWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        self.rows += batch.num_rows();
        self.writer.write(batch)?;
        if self.writer.in_progress_size() >= ROW_GROUP_BYTES {
            self.writer.flush()?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Written, OutputError> {
        let mut sink = self.writer.into_inner()?;
        sink.flush()?;
        Ok(Written {
            rows: self.rows,
            cut: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::ipc::reader::StreamReader;
    use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReader;

    use super::super::Format;
    use super::super::testing::{FOR_NOBODY, sample, written};

    #[test]
    fn arrow_and_parquet_read_back_the_same() {
        let batch = sample();
        let halves = [batch.slice(0, 3), batch.slice(3, 1)];
        let (arrow, report) = written(Format::Arrow, &halves, FOR_NOBODY);
        assert_eq!(report.rows, 4);
        let back: Vec<_> = StreamReader::try_new(&arrow[..], None)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(back.len(), 2);
        assert_eq!(back[0].num_rows() + back[1].num_rows(), 4);
        assert_eq!(back[0].column(2), halves[0].column(2));

        let (parquet, _) = written(Format::Parquet, &halves, FOR_NOBODY);
        let back: Vec<_> = ParquetRecordBatchReader::try_new(bytes::Bytes::from(parquet), 1024)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(back[0].schema(), batch.schema());
        assert_eq!(back[0].column(0), batch.column(0));
        assert_eq!(back[0].column(3), batch.column(3));
    }

    #[test]
    fn a_result_without_rows_is_a_readable_file() {
        let (parquet, _) = written(Format::Parquet, &[sample().slice(0, 0)], FOR_NOBODY);
        let mut reader =
            ParquetRecordBatchReader::try_new(bytes::Bytes::from(parquet), 1024).unwrap();
        assert!(reader.next().is_none());
    }
}
