//! Writing snapshots.

#[cfg(unix)]
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use tamis_resource::{ResourceError, Result};

use super::header::{self, Trailer};
use super::{ConsentSnapshot, file_name};
use crate::builder::{ConsentRow, Dictionaries, push};
use crate::intake::{Intake, read_error};
use crate::large_writes::LargeWrites;
use crate::purpose_hierarchy::PurposeHierarchy;
use crate::registry::ConsentRegistry;
use crate::subject::SubjectKey;
use crate::subject_hash::SubjectHasher;

/// Writes a snapshot from the rows of a table, in bounded memory.
///
/// The rows go to unnamed temporary files in 256 parts by the first byte of the subject
/// hash; [`ConsentSnapshotWriter::finish`] sorts part by part. Memory: about 130 MiB, a 256th
/// of the records and a small part of their ids. Disk: twice the records and 16 bytes a row.
#[derive(Debug)]
pub struct ConsentSnapshotWriter {
    uri: String,
    key: SubjectKey,
    hierarchy: PurposeHierarchy,
    intake: Intake,
}

impl ConsentSnapshotWriter {
    /// An empty snapshot. `uri` names the table in errors; `purposes` are stored in the
    /// snapshot and decide with it; the temporary files lie in `directory`.
    ///
    /// # Errors
    /// [`ResourceError::Read`] when no file can be made in `directory`.
    pub fn new(
        uri: &str,
        key: &SubjectKey,
        purposes: &PurposeHierarchy,
        directory: &Path,
    ) -> Result<Self> {
        let intake = Intake::in_files(SubjectHasher::Keyed(key.clone()), directory)
            .map_err(|error| read_error(&directory.display().to_string(), &error))?;
        Ok(Self {
            uri: uri.to_owned(),
            key: key.clone(),
            hierarchy: purposes.clone(),
            intake,
        })
    }

    /// Adds a row, exactly as [`crate::ConsentRegistryBuilder::push`].
    ///
    /// # Errors
    /// Those of [`crate::ConsentRegistryBuilder::push`], and when the row cannot be kept.
    pub fn push(&mut self, location: impl FnOnce() -> String, row: ConsentRow<'_>) -> Result<()> {
        push(&mut self.intake, &self.uri, location, &row)
    }

    /// Writes the snapshot into `directory` under its digest. `version` is what the
    /// registry calls itself, it may be empty. Another snapshot is never changed.
    ///
    /// # Errors
    /// [`ResourceError::Malformed`] as [`crate::ConsentRegistryBuilder::finish`],
    /// [`ResourceError::Read`] when a temporary file or `directory` fails.
    pub fn finish(mut self, version: &str, directory: &Path) -> Result<ConsentSnapshot> {
        self.intake.refuse_contradictions(&self.uri)?;
        let dictionaries = Dictionaries::of(&self.intake, &self.hierarchy);
        let (purposes, age_bands) = dictionaries.numbers(&self.intake);
        let header = header::write(self.key.key_id_bytes(), version, &dictionaries);
        write(directory, &header, |out| {
            self.intake
                .drain_body(&purposes, &age_bands, |piece| out.write_all(piece))
        })
        .map_err(|error| read_error(&directory.display().to_string(), &error))
    }
}

impl ConsentRegistry {
    /// Writes the registry as a snapshot into `directory` under its digest, with the version
    /// of its identity. The same rows give the same file as with a
    /// [`ConsentSnapshotWriter`].
    ///
    /// # Errors
    /// [`ResourceError::NotSet`] when the registry was built without a subject key: plain
    /// hashes on a disk give the ids away. [`ResourceError::Read`] when `directory` fails.
    pub fn write_snapshot(&self, directory: &Path) -> Result<ConsentSnapshot> {
        let content = self.content();
        let key = content.hasher.key().ok_or_else(|| ResourceError::NotSet {
            setting: "subject_key",
            function: "a consent snapshot".into(),
        })?;
        let version = &self.identity().version;
        let header = header::write(key.key_id_bytes(), version, &content.dictionaries);
        write(directory, &header, |out| {
            out.write_all(self.body())?;
            Ok((self.len() as u64, self.subjects() as u64))
        })
        .map_err(|error| read_error(&directory.display().to_string(), &error))
    }
}

/// A file and the digest of what went into it.
struct Hashed<'a> {
    file: LargeWrites<'a>,
    hasher: Sha256,
    bytes: u64,
}

impl Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// `body` writes the body and returns how many records and subjects it holds.
fn write(
    directory: &Path,
    header: &[u8],
    body: impl FnOnce(&mut Hashed<'_>) -> io::Result<(u64, u64)>,
) -> io::Result<ConsentSnapshot> {
    let mut file = tempfile::Builder::new()
        .prefix(".consent-")
        .tempfile_in(directory)?;
    let mut out = Hashed {
        file: LargeWrites::new(file.as_file_mut()),
        hasher: Sha256::new(),
        bytes: 0,
    };
    out.write_all(header)?;
    let (records, subjects) = body(&mut out)?;
    let trailer = Trailer {
        records,
        subjects,
        body: out.bytes - header.len() as u64,
    };
    out.write_all(&trailer.to_bytes())?;
    let digest = out.hasher.clone().finalize();
    out.write_all(&digest)?;
    let sha256 = hex::encode(out.hasher.finalize());
    let bytes = out.bytes;
    out.file.finish()?;

    let mut permissions = file.as_file().metadata()?.permissions();
    permissions.set_readonly(true);
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    let path = directory.join(file_name(&sha256));
    file.persist(&path).map_err(|error| error.error)?;
    #[cfg(unix)]
    File::open(directory)?.sync_all()?;
    Ok(ConsentSnapshot {
        path,
        sha256,
        records,
        subjects,
        bytes,
    })
}
