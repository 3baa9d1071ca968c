//! An object of any store as a [`std::io::Read`], for readers that are not asynchronous.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, sync_channel};

use bytes::{Buf, Bytes};
use futures::TryStreamExt;
use object_store::ObjectStoreExt;

use super::stores::Location;

/// Parts that may wait for a slow reader.
const WAITING_PARTS: usize = 8;

/// Bytes as they arrive. Reading waits: not for a thread that has other tasks to run.
pub struct ObjectReader {
    parts: Receiver<io::Result<Bytes>>,
    part: Bytes,
}

impl ObjectReader {
    /// Opens an object; a task fetches it while it is read.
    ///
    /// # Errors
    /// When there is no such object or the store does not answer.
    pub async fn open(location: &Location) -> object_store::Result<Self> {
        let got = location.store.get(&location.path).await?;
        let (sender, parts) = sync_channel(WAITING_PARTS);
        tokio::spawn(async move {
            let mut stream = got.into_stream();
            loop {
                let part = match stream.try_next().await {
                    Ok(None) => return,
                    Ok(Some(part)) => Ok(part),
                    Err(error) => Err(io::Error::other(error)),
                };
                let failed = part.is_err();
                let sender = sender.clone();
                // Full: the reader is busy, and this must not keep a runtime thread.
                let sent = tokio::task::spawn_blocking(move || sender.send(part)).await;
                if failed || !matches!(sent, Ok(Ok(()))) {
                    return;
                }
            }
        });
        Ok(Self {
            parts,
            part: Bytes::new(),
        })
    }
}

impl Read for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.part.is_empty() {
            match self.parts.recv() {
                Ok(part) => self.part = part?,
                // The task is done and everything was read.
                Err(_) => return Ok(0),
            }
        }
        let length = self.part.len().min(buffer.len());
        self.part.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::stores::{StoreOptions, Stores};

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_read_is_what_is_stored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bytes");
        let bytes: Vec<u8> = (0..1_000_000_u32)
            .map(|index| (index % 251) as u8)
            .collect();
        std::fs::write(&path, &bytes).unwrap();
        let stores = Stores::new(StoreOptions::default());
        let location = stores.locate(path.to_str().unwrap()).unwrap();
        let mut reader = ObjectReader::open(&location).await.unwrap();
        let read = tokio::task::spawn_blocking(move || {
            let mut read = Vec::new();
            reader.read_to_end(&mut read).map(|_| read)
        });
        assert_eq!(read.await.unwrap().unwrap(), bytes);
        let missing = stores.locate(folder.path().join("no").to_str().unwrap());
        assert!(ObjectReader::open(&missing.unwrap()).await.is_err());
    }
}
