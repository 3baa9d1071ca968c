//! From an asynchronous stream of bytes to a synchronous reader of rows, and back.
//!
//! The readers of text formats block. They run on a blocking thread between two short channels:
//! bytes go in as the store delivers them, rows come out as they are read.

use std::io::{self, Read};

use bytes::{Buf, Bytes};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use futures::StreamExt;
use futures::stream::BoxStream;
use sha2::{Digest, Sha256};
use tamis_resource::ResourceError;
use tokio::sync::mpsc;

use super::{Found, Problem};

/// Why reading a file ended early.
#[derive(Debug)]
pub(super) enum Stop {
    /// The store failed.
    Store(String),
    /// The content is wrong.
    Content(Problem),
    /// Whoever takes the rows refused one.
    Consumer(ResourceError),
}

/// Where a reader puts what it finds. `false`: nobody wants more.
pub(super) type Sink<'a> = &'a mut dyn FnMut(Found) -> bool;

/// Reads all of a file.
pub(super) type ReadAll = Box<dyn FnOnce(&mut dyn Read, Sink<'_>) -> Result<(), Problem> + Send>;

/// Chunks between the store and the reader, and batches between the reader and its consumer.
const IN_FLIGHT: usize = 4;

/// Runs `read` over a stream of stored bytes and gives their SHA-256.
pub(super) async fn pump(
    mut stored: BoxStream<'static, Result<Bytes, String>>,
    compression: FileCompressionType,
    read: ReadAll,
    consume: &mut (dyn FnMut(Found) -> Result<(), ResourceError> + Send),
) -> Result<String, Stop> {
    let (chunks_in, chunks_out) = mpsc::channel::<Bytes>(IN_FLIGHT);
    let (found_in, mut found_out) = mpsc::channel::<Found>(IN_FLIGHT);
    let reader = tokio::task::spawn_blocking(move || {
        let chunks = Chunks {
            chunks: chunks_out,
            current: Bytes::new(),
        };
        let mut input = compression
            .convert_read(chunks)
            .map_err(|error| Problem::new("begin of file", error.strip_backtrace()))?;
        let mut is_wanted = true;
        read(&mut input, &mut |found| {
            is_wanted = is_wanted && found_in.blocking_send(found).is_ok();
            is_wanted
        })?;
        if is_wanted {
            // The digest is of all bytes, also of those behind the last row.
            let rest = io::copy(&mut input, &mut io::sink());
            rest.map_err(|error| Problem::new("end of file", error.to_string()))?;
        }
        Ok(())
    });
    let feed = async move {
        let mut hasher = Sha256::new();
        while let Some(chunk) = stored.next().await {
            let chunk = chunk?;
            hasher.update(&chunk);
            if chunks_in.send(chunk).await.is_err() {
                break;
            }
        }
        Ok::<_, String>(hex::encode(hasher.finalize()))
    };
    let take = async move {
        while let Some(found) = found_out.recv().await {
            consume(found)?;
        }
        Ok::<_, ResourceError>(())
    };
    let (fed, taken) = tokio::join!(feed, take);
    // A store that fails looks to the reader like a file that ends early: its error comes first.
    let digest = fed.map_err(Stop::Store)?;
    taken.map_err(Stop::Consumer)?;
    match reader.await {
        Ok(Ok(())) => Ok(digest),
        Ok(Err(problem)) => Err(Stop::Content(problem)),
        Err(error) => Err(Stop::Store(format!("the reader failed: {error}"))),
    }
}

/// Chunks of a channel as one input.
struct Chunks {
    chunks: mpsc::Receiver<Bytes>,
    current: Bytes,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.chunks.blocking_recv() {
                Some(chunk) => self.current = chunk,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.current.len());
        self.current.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}
