//! Writes a file in pieces of one large page.
//!
//! Linux caches a file in pages as large as the writes that made it, where the file system
//! can, and maps those as they are. A random look into 4 KiB pages waits for the page table
//! as long as for the bytes: large pages double the lookups a second.

use std::fs::File;
use std::io::{self, Write};

/// The large page of most processors, in bytes.
const PAGE: usize = 2 << 20;

/// Collects bytes for a file at its start. Call [`LargeWrites::finish`] at the end.
pub(crate) struct LargeWrites<'a> {
    file: &'a mut File,
    page: Vec<u8>,
}

impl<'a> LargeWrites<'a> {
    pub(crate) fn new(file: &'a mut File) -> Self {
        Self {
            file,
            page: Vec::with_capacity(PAGE),
        }
    }

    /// Writes what is left.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.file.write_all(&self.page)
    }
}

impl Write for LargeWrites<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let fits = bytes.len().min(PAGE - self.page.len());
        self.page.extend_from_slice(&bytes[..fits]);
        if self.page.len() == PAGE {
            self.file.write_all(&self.page)?;
            self.page.clear();
        }
        Ok(fits)
    }

    /// Does nothing: a short write would move all later ones off the pages.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};

    use super::*;

    #[test]
    fn every_byte_arrives() {
        let bytes: Vec<u8> = (0..2 * PAGE + 12_345).map(|n| (n % 251) as u8).collect();
        let mut file = tempfile::tempfile().expect("a file");
        let mut out = LargeWrites::new(&mut file);
        for piece in bytes.chunks(999_999) {
            out.write_all(piece).expect("room");
            out.flush().expect("nothing to do");
        }
        out.finish().expect("room");
        let mut read = Vec::new();
        file.rewind().expect("a plain file");
        file.read_to_end(&mut read).expect("read");
        assert!(read == bytes);
    }
}
