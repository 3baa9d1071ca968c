//! Bytes set apart by a first byte, in memory or in a temporary file.
//!
//! Sorting within 256 buckets instead of over everything keeps each sort in the caches, and
//! lets each bucket be freed once it is used. The keys are hashes, so the buckets are of
//! about one size: a 256th of the whole is in memory at a time.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

pub(crate) const BUCKETS: usize = 256;

/// What a bucket holds in memory before it goes to the file.
const PAGE: usize = 256 * 1024;

#[derive(Debug)]
pub(crate) struct Buckets {
    parts: Vec<Vec<u8>>,
    file: Option<Spill>,
    bytes: u64,
}

#[derive(Debug)]
struct Spill {
    file: File,
    end: u64,
    /// Per bucket: where its pages stand, offset and length.
    pages: Vec<Vec<(u64, usize)>>,
}

impl Buckets {
    pub(crate) fn in_memory() -> Self {
        Self {
            parts: vec![Vec::new(); BUCKETS],
            file: None,
            bytes: 0,
        }
    }

    /// Keeps the bytes in an unnamed file in `directory`, which the system removes.
    pub(crate) fn in_file(directory: &Path) -> io::Result<Self> {
        Ok(Self {
            file: Some(Spill {
                file: tempfile::tempfile_in(directory)?,
                end: 0,
                pages: vec![Vec::new(); BUCKETS],
            }),
            ..Self::in_memory()
        })
    }

    /// Lets `write` append to a bucket.
    pub(crate) fn append(
        &mut self,
        bucket: u8,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> io::Result<()> {
        let part = &mut self.parts[usize::from(bucket)];
        let before = part.len();
        write(part);
        self.bytes += (part.len() - before) as u64;
        if part.len() >= PAGE
            && let Some(spill) = &mut self.file
        {
            spill.file.write_all(part)?;
            spill.pages[usize::from(bucket)].push((spill.end, part.len()));
            spill.end += part.len() as u64;
            part.clear();
        }
        Ok(())
    }

    /// How many bytes all buckets hold.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The bytes of a bucket in the order they came.
    pub(crate) fn read(&mut self, bucket: u8) -> io::Result<Cow<'_, [u8]>> {
        let bucket = usize::from(bucket);
        let part = &self.parts[bucket];
        let Some(spill) = &mut self.file else {
            return Ok(Cow::Borrowed(part));
        };
        let spilled: usize = spill.pages[bucket].iter().map(|(_, length)| length).sum();
        let mut bytes = vec![0; spilled];
        let mut rest = bytes.as_mut_slice();
        for (offset, length) in &spill.pages[bucket] {
            let (page, after) = rest.split_at_mut(*length);
            spill.file.seek(SeekFrom::Start(*offset))?;
            spill.file.read_exact(page)?;
            rest = after;
        }
        spill.file.seek(SeekFrom::Start(spill.end))?;
        bytes.extend_from_slice(part);
        Ok(Cow::Owned(bytes))
    }

    /// [`Buckets::read`], and the bucket is empty afterwards.
    pub(crate) fn take(&mut self, bucket: u8) -> io::Result<Vec<u8>> {
        if self.file.is_none() {
            return Ok(std::mem::take(&mut self.parts[usize::from(bucket)]));
        }
        let bytes = self.read(bucket)?.into_owned();
        self.parts[usize::from(bucket)] = Vec::new();
        if let Some(spill) = &mut self.file {
            spill.pages[usize::from(bucket)] = Vec::new();
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_give_back_what_was_appended() {
        let directory = tempfile::tempdir().expect("a directory");
        let spilled = Buckets::in_file(directory.path()).expect("a file");
        for mut buckets in [Buckets::in_memory(), spilled] {
            let mut expected = vec![Vec::new(); BUCKETS];
            for number in 0..200_000u32 {
                let bucket = [3, 0, 255][number as usize % 3];
                let bytes = [number.to_le_bytes(); 4].concat();
                buckets
                    .append(bucket, |part| part.extend_from_slice(&bytes))
                    .expect("room");
                expected[usize::from(bucket)].extend_from_slice(&bytes);
            }
            assert_eq!(buckets.bytes(), 200_000 * 16);
            for (bucket, expected) in (0..=255).zip(expected) {
                assert!(buckets.read(bucket).expect("read") == expected, "{bucket}");
                assert!(buckets.take(bucket).expect("read") == expected, "{bucket}");
                assert!(buckets.take(bucket).expect("read").is_empty(), "{bucket}");
            }
        }
    }
}
