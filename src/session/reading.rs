//! An object of any store as a [`std::io::Read`], for readers that are not asynchronous.

use std::io::{self, Read};

use bytes::{Buf, Bytes};
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use tokio::sync::mpsc::{Receiver, channel};

use super::stores::Location;

/// Parts that may wait for a slow reader.
const WAITING_PARTS: usize = 8;

/// Bytes as they arrive. Reading waits, so it panics on a thread that runs asynchronous tasks: it is
/// for [`tokio::task::spawn_blocking`].
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
        let (sender, parts) = channel(WAITING_PARTS);
        tokio::spawn(async move {
            let mut parts = got.into_stream().map_err(io::Error::other);
            while let Some(part) = parts.try_next().await.transpose() {
                let failed = part.is_err();
                // Nobody reads any more, or there is nothing further to read.
                if sender.send(part).await.is_err() || failed {
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
            match self.parts.blocking_recv() {
                Some(part) => self.part = part?,
                // The task is done and everything was read.
                None => return Ok(0),
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
