//! A file as bytes without reading it into memory; the one module with unsafe code.
//!
//! Rust takes the bytes of a slice for unchanging. Those of a mapped file change when
//! somebody writes to the file, and reading behind its end after somebody cut it ends the
//! process (SIGBUS). No check of ours can rule that out, the way the file is used does:
//!
//! - A snapshot is never written in place. It comes to be under another name, becomes
//!   read-only and is renamed; a new one has a new digest and so a new name. Deleting or
//!   renaming a file over it leaves a mapping as it was.
//! - [`crate::ConsentRegistry::open_snapshot_copy`] maps a private copy that never had a
//!   name: no other process can open it by a path. Use it for files that others may write.
//! - Length and digest are checked on the mapped bytes themselves, and every later read is
//!   checked for bounds and text, so bytes that changed all the same give a wrong answer or
//!   `missing`, not a read out of bounds.

#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::ops::Range;

#[cfg(unix)]
use memmap2::{Advice, UncheckedAdvice};
use memmap2::{Mmap, MmapMut, MmapOptions};

/// Larger files are read in small pages unless they are in memory already, in bytes.
#[cfg(target_os = "linux")]
const LARGEST_IN_LARGE_PAGES: usize = 4 << 30;

/// A file mapped for reading.
#[derive(Debug)]
pub(crate) struct Mapping {
    map: Mmap,
}

impl Mapping {
    /// Maps a plain file from end to end.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("is no plain file"));
        }
        let length = usize::try_from(metadata.len())
            .map_err(|_| io::Error::other("is larger than the address space"))?;
        if length == 0 {
            return Err(io::Error::other("is empty"));
        }
        // SAFETY: the mapping is only read. That nobody else writes to the file is the
        // condition the head of this module explains.
        let map = unsafe { MmapOptions::new().len(length).map(file)? };
        Ok(Self { map })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// The bytes will be read from the start to the end. Only advice: errors do not matter.
    pub(crate) fn advise_in_order(&self) {
        #[cfg(unix)]
        let _ = self.map.advise(Advice::Sequential);
        // A file that is not in memory yet comes in large pages. Of one that may never be in
        // memory as a whole a large page for each look would be too much.
        #[cfg(target_os = "linux")]
        if self.map.len() <= LARGEST_IN_LARGE_PAGES {
            let _ = self.map.advise(Advice::HugePage);
        }
    }

    /// The bytes will be read here and there.
    pub(crate) fn advise_at_random(&self) {
        #[cfg(unix)]
        let _ = self.map.advise(Advice::Random);
    }

    /// A range will be read soon: the system may fetch it from the disk meanwhile. Only advice.
    pub(crate) fn advise_soon(&self, range: Range<usize>) {
        #[cfg(unix)]
        {
            let range = self.within(range);
            let _ = self
                .map
                .advise_range(Advice::WillNeed, range.start, range.len());
        }
        #[cfg(not(unix))]
        let _ = range;
    }

    /// Advice about bytes behind the end would reach the memory of others.
    #[cfg(unix)]
    fn within(&self, range: Range<usize>) -> Range<usize> {
        let end = range.end.min(self.map.len());
        range.start.min(end)..end
    }

    /// Lets go of the memory behind a range; a later read brings the file's bytes back.
    /// Whole pages go, those at both ends of the range too.
    pub(crate) fn release(&self, range: Range<usize>) {
        #[cfg(unix)]
        {
            let range = self.within(range);
            // SAFETY: the range lies in the mapping, and for a file mapped without
            // write access DontNeed drops no data; the pages are read from the file again.
            let _ = unsafe {
                self.map
                    .unchecked_advise_range(UncheckedAdvice::DontNeed, range.start, range.len())
            };
        }
        #[cfg(not(unix))]
        let _ = range;
    }
}

/// Zeroed memory that grows only by being used, in large pages where the system has them: a
/// random look at a small page costs a second one at the page table.
#[derive(Debug)]
pub(crate) struct Memory {
    /// `None` for no bytes at all, which cannot be mapped.
    map: Option<MmapMut>,
}

impl Memory {
    pub(crate) fn zeroed(length: usize) -> io::Result<Self> {
        if length == 0 {
            return Ok(Self { map: None });
        }
        let map = MmapOptions::new().len(length).map_anon()?;
        #[cfg(target_os = "linux")]
        let _ = map.advise(Advice::HugePage);
        Ok(Self { map: Some(map) })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.map.as_deref().unwrap_or_default()
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        self.map.as_deref_mut().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_is_mapped_and_stays_readable_after_release() {
        let mut file = tempfile::tempfile().expect("a file");
        let bytes: Vec<u8> = (0..100_000u32).map(|number| number as u8).collect();
        file.write_all(&bytes).expect("room");
        let mapping = Mapping::of(&file).expect("mapped");
        mapping.advise_in_order();
        assert!(mapping.bytes() == bytes);
        mapping.release(0..65_536);
        mapping.advise_soon(5_000..9_000);
        mapping.release(5_000..9_000);
        mapping.advise_soon(99_000..usize::MAX);
        mapping.release(99_000..usize::MAX);
        mapping.release(usize::MAX - 1..usize::MAX);
        mapping.advise_at_random();
        assert!(mapping.bytes() == bytes);
    }

    #[test]
    fn memory_is_zeroed_and_can_be_written() {
        let mut memory = Memory::zeroed(5_000_000).expect("room");
        assert!(memory.bytes().iter().all(|byte| *byte == 0));
        memory.bytes_mut()[4_999_999] = 7;
        assert_eq!(memory.bytes().last(), Some(&7));
        let mut none = Memory::zeroed(0).expect("no room needed");
        assert!(none.bytes().is_empty() && none.bytes_mut().is_empty());
    }

    #[test]
    fn what_is_no_plain_file_with_bytes_is_an_error() {
        let empty = tempfile::tempfile().expect("a file");
        assert_eq!(
            Mapping::of(&empty).expect_err("empty").to_string(),
            "is empty"
        );
        let directory = tempfile::tempdir().expect("a directory");
        if let Ok(file) = File::open(directory.path()) {
            Mapping::of(&file).expect_err("a directory");
        }
    }
}
