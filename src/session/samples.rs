//! The columns of text files, read off their beginning.
//!
//! DataFusion's own look at CSV cuts its pieces inside quoted line ends, and its look at JSON
//! lines fetches the whole object first. These read only a beginning, cut at the end of a record.

use std::io::BufReader;

use datafusion::arrow::csv::reader::Format;
use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::reader::infer_json_schema;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::error::{DataFusionError, Result};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use std::sync::Arc;

/// Bytes (unpacked) that the types of columns are guessed from.
const SAMPLE: usize = 4 << 20;
/// Bytes that the first record may take.
const LONGEST_RECORD: usize = 256 << 20;

/// The beginning of a file, unpacked, up to the end of a record.
struct Sample {
    bytes: Vec<u8>,
}

/// How records end.
#[derive(Clone, Copy)]
enum Records {
    /// At line ends outside of double quotes; fields end at this delimiter.
    Quoted(u8),
    /// At every line end.
    Lines,
}

/// The columns of a delimited file with a header line.
pub(crate) async fn csv_columns(
    store: &Arc<dyn ObjectStore>,
    path: &Path,
    compression: FileCompressionType,
    delimiter: u8,
) -> Result<Schema> {
    let sample = Sample::read(store, path, compression, Records::Quoted(delimiter)).await?;
    if sample.bytes.is_empty() {
        return Err(DataFusionError::Plan(
            "the file is empty; it needs a header line".to_owned(),
        ));
    }
    let format = Format::default()
        .with_header(true)
        .with_delimiter(delimiter);
    let (schema, _) = format
        .infer_schema(&sample.bytes[..], None)
        .map_err(plain)?;
    Ok(schema)
}

/// The columns of a file with one JSON object a line.
pub(crate) async fn json_columns(
    store: &Arc<dyn ObjectStore>,
    path: &Path,
    compression: FileCompressionType,
) -> Result<Schema> {
    let sample = Sample::read(store, path, compression, Records::Lines).await?;
    let (schema, _) = infer_json_schema(BufReader::new(&sample.bytes[..]), None).map_err(plain)?;
    Ok(schema)
}

/// The message without the kind in front of it.
fn plain(error: ArrowError) -> DataFusionError {
    DataFusionError::Plan(match error {
        ArrowError::CsvError(message) | ArrowError::JsonError(message) => message,
        other => other.to_string(),
    })
}

impl Sample {
    async fn read(
        store: &Arc<dyn ObjectStore>,
        path: &Path,
        compression: FileCompressionType,
        records: Records,
    ) -> Result<Self> {
        let stored = store
            .get(path)
            .await?
            .into_stream()
            .map_err(DataFusionError::from)
            .boxed();
        let mut stream = compression.convert_stream(stored)?;
        let mut bytes = Vec::new();
        let mut enough = SAMPLE;
        loop {
            while bytes.len() < enough {
                match stream.next().await {
                    Some(piece) => bytes.extend_from_slice(&piece?),
                    None => return Ok(Self { bytes }),
                }
            }
            if let Some(end) = last_record_end(&bytes, records) {
                bytes.truncate(end);
                return Ok(Self { bytes });
            }
            if enough >= LONGEST_RECORD {
                return Err(DataFusionError::Plan(format!(
                    "the first record does not end within {} MiB: an open quote?",
                    LONGEST_RECORD >> 20
                )));
            }
            enough *= 4;
        }
    }
}

/// Where the last whole record ends.
fn last_record_end(bytes: &[u8], records: Records) -> Option<usize> {
    match records {
        Records::Lines => bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map(|at| at + 1),
        Records::Quoted(delimiter) => {
            let (mut quoted, mut field_begins, mut end) = (false, true, None);
            for (at, &byte) in bytes.iter().enumerate() {
                match byte {
                    // A doubled quote leaves and enters again, and what follows is no new field.
                    b'"' if quoted || field_begins || bytes[at - 1] == b'"' => quoted = !quoted,
                    b'\n' if !quoted => end = Some(at + 1),
                    _ => {}
                }
                field_begins = !quoted && (byte == delimiter || byte == b'\n');
            }
            end
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_ends_outside_of_quotes() {
        let quoted = |text: &str| last_record_end(text.as_bytes(), Records::Quoted(b','));
        assert_eq!(quoted("a,b\n1,\"x\ny"), Some(4));
        assert_eq!(quoted("a,b\n1,\"x\n\"\"y\"\n2"), Some(14));
        // A quote inside a bare field is a character like any other.
        assert_eq!(quoted("a\"b,c\n1,2\n3"), Some(10));
        assert_eq!(quoted("\"\",1\n\"x\n"), Some(5));
        assert_eq!(quoted("\"a\n"), None);
        assert_eq!(last_record_end(b"{}\n{", Records::Lines), Some(3));
    }
}
