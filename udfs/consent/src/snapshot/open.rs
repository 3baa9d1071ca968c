//! Opening snapshots.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};
use tamis_resource::{Identity, ResourceError, Result};

use super::header::{DIGEST, Header, MAGIC, START, TRAILER, Trailer};
use super::stated_digest;
use crate::body::{SHORTEST_GROUP, Scan, Scanned};
use crate::intake::read_error;
use crate::large_writes::LargeWrites;
use crate::mapping::Mapping;
use crate::registry::{ConsentRegistry, Content};
use crate::subject::SubjectKey;
use crate::subject_hash::SubjectHasher;

/// So much of the file is hashed and then checked at a time: it fits the second cache.
const WINDOW: usize = 256 << 10;

/// So much of it is let go at a time.
const RELEASED: usize = 8 << 20;

/// How a snapshot is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotOptions {
    /// The most bytes that the index may take. A snapshot with more subjects than that allows
    /// (12.8 bytes each) gets the sparse index: 16 bytes for each KiB of records, for larger
    /// blocks when that is more than the limit, up to 64 KiB. Default: 2 GiB, 167 million
    /// subjects.
    pub index_limit: u64,
}

impl Default for SnapshotOptions {
    fn default() -> Self {
        Self {
            index_limit: 2 << 30,
        }
    }
}

impl ConsentRegistry {
    /// Opens a local snapshot by mapping it. `uri` names it in the identity and in errors.
    ///
    /// The whole file is read once to check its digest and every record, and to make the
    /// index; afterwards the records stay in the file. The identity's digest is the SHA-256
    /// of the file, its version the one given to the writer.
    ///
    /// Nobody may write to the file while the registry lives. Snapshots come read-only; for
    /// a file that others may change use [`ConsentRegistry::open_snapshot_copy`].
    ///
    /// # Errors
    /// [`ResourceError::Read`] when the file cannot be mapped. [`ResourceError::Malformed`]
    /// when it is no snapshot, was cut or changed, has another digest than its name
    /// (`consent-<sha256>.snapshot`) says, or was written with another subject key.
    pub fn open_snapshot(uri: &str, path: &Path, key: &SubjectKey) -> Result<Self> {
        Self::open_snapshot_with(uri, path, key, SnapshotOptions::default())
    }

    /// [`ConsentRegistry::open_snapshot`] with another limit of the index. The answers do
    /// not depend on it.
    ///
    /// # Errors
    /// Those of [`ConsentRegistry::open_snapshot`].
    pub fn open_snapshot_with(
        uri: &str,
        path: &Path,
        key: &SubjectKey,
        options: SnapshotOptions,
    ) -> Result<Self> {
        let mapping = File::open(path)
            .and_then(|file| Mapping::of(&file))
            .map_err(|error| read_error(uri, &error))?;
        let name = path.file_name().and_then(|name| name.to_str());
        open(uri, mapping, key, options, name.and_then(stated_digest))
    }

    /// [`ConsentRegistry::open_snapshot`] for bytes from anywhere: copies them first to a
    /// file in `directory` that has no name, so that no other process can reach it, and that
    /// the system removes with the registry.
    ///
    /// # Errors
    /// Those of [`ConsentRegistry::open_snapshot`], and [`ResourceError::Read`] when copying
    /// fails. The digest in a name is checked when `uri` ends with it.
    pub fn open_snapshot_copy(
        uri: &str,
        bytes: impl Read,
        directory: &Path,
        key: &SubjectKey,
    ) -> Result<Self> {
        Self::open_snapshot_copy_with(uri, bytes, directory, key, SnapshotOptions::default())
    }

    /// [`ConsentRegistry::open_snapshot_copy`] with another limit of the index. The answers
    /// do not depend on it.
    ///
    /// # Errors
    /// Those of [`ConsentRegistry::open_snapshot_copy`].
    pub fn open_snapshot_copy_with(
        uri: &str,
        mut bytes: impl Read,
        directory: &Path,
        key: &SubjectKey,
        options: SnapshotOptions,
    ) -> Result<Self> {
        let mapping = tempfile::tempfile_in(directory)
            .and_then(|mut file| {
                let mut out = LargeWrites::new(&mut file);
                io::copy(&mut bytes, &mut out)?;
                out.finish()?;
                Mapping::of(&file)
            })
            .map_err(|error| read_error(uri, &error))?;
        let name = uri.rsplit('/').next();
        open(uri, mapping, key, options, name.and_then(stated_digest))
    }
}

fn open(
    uri: &str,
    mapping: Mapping,
    key: &SubjectKey,
    options: SnapshotOptions,
    named: Option<&str>,
) -> Result<ConsentRegistry> {
    let malformed = |location: &str, message: String| ResourceError::Malformed {
        uri: uri.to_owned(),
        location: location.to_owned(),
        message,
    };
    let bytes = mapping.bytes();
    if !bytes.starts_with(&MAGIC[..MAGIC.len().min(bytes.len())]) {
        return Err(malformed("start", "is no consent snapshot".into()));
    }
    if bytes.len() < START + TRAILER {
        let length = bytes.len();
        return Err(malformed("end", format!("is cut to {length} bytes")));
    }
    let layout = Layout::read(uri, bytes);
    let (sha256, scanned) = verify(uri, &mapping, layout.as_ref().ok(), options)?;
    // Only of undamaged bytes does it make sense to say what else is wrong with them.
    let layout = layout.map_err(|(location, message)| malformed(location, message))?;
    let scanned = match scanned {
        None => return Err(malformed("body", "was not checked".into())),
        Some(Ok(scanned)) => scanned,
        Some(Err((offset, problem))) => {
            let offset = layout.header.end + offset;
            return Err(malformed(&format!("byte {offset}"), problem));
        }
    };
    if (scanned.records, scanned.subjects) != (layout.trailer.records, layout.trailer.subjects) {
        return Err(malformed(
            "end",
            "states other counts than the body has".into(),
        ));
    }
    if let Some(named) = named
        && !named.eq_ignore_ascii_case(&sha256)
    {
        let message = format!("has the digest {sha256}, not the one in its name");
        return Err(malformed("digest", message));
    }
    let header = layout.header;
    if header.key_id != key.key_id_bytes() {
        let message = format!(
            "was written with the subject key {}, the one given is {}",
            hex::encode(header.key_id),
            key.key_id()
        );
        return Err(malformed("header", message));
    }
    mapping.advise_at_random();
    let content = Content {
        identity: Identity {
            uri: uri.to_owned(),
            version: header.version,
            sha256,
        },
        hasher: SubjectHasher::Keyed(key.clone()),
        dictionaries: header.dictionaries,
    };
    let end = mapping.bytes().len() - TRAILER;
    Ok(ConsentRegistry::mapped(
        content, scanned, mapping, header.end, end,
    ))
}

/// What header and trailer say, and that they fit together.
struct Layout {
    header: Header,
    trailer: Trailer,
}

impl Layout {
    fn read(uri: &str, bytes: &[u8]) -> Result<Self, (&'static str, String)> {
        let header = Header::read(uri, bytes).map_err(|message| ("header", message))?;
        let trailer = Trailer::read(bytes).ok_or(("end", "is missing".to_owned()))?;
        let body = bytes.len().checked_sub(header.end + TRAILER);
        if body.map(|body| body as u64) != Some(trailer.body) {
            return Err(("end", "states another length than the body has".into()));
        }
        // The index is made as large as the trailer says.
        if trailer.subjects > trailer.body / SHORTEST_GROUP {
            return Err(("end", "states more subjects than the body can hold".into()));
        }
        Ok(Self { header, trailer })
    }
}

type Checked = Option<Result<Scanned, (usize, String)>>;

/// Hashes the file and, when its layout is known, checks the body in the same pass.
/// Returns the file's SHA-256 and what came of the body.
fn verify(
    uri: &str,
    mapping: &Mapping,
    layout: Option<&Layout>,
    options: SnapshotOptions,
) -> Result<(String, Checked)> {
    let bytes = mapping.bytes();
    let (hashed, stated) = bytes.split_at(bytes.len() - DIGEST);
    let mut scan = match layout {
        None => None,
        Some(Layout { header, trailer }) => {
            let scan = Scan::new(
                trailer.subjects,
                trailer.body,
                &header.dictionaries,
                options.index_limit,
            );
            let scan = scan.map_err(|error| read_error(uri, &error))?;
            Some((header.end, Ok(scan)))
        }
    };
    let mut hasher = Sha256::new();
    mapping.advise_in_order();
    let (mut kept, mut end) = (0, 0);
    for window in hashed.chunks(WINDOW) {
        end += window.len();
        hasher.update(window);
        if let Some((body, outcome)) = &mut scan
            && let Ok(scan) = outcome
        {
            let until = end.saturating_sub(*body);
            if let Err(problem) = scan.advance(&bytes[*body..bytes.len() - TRAILER], until) {
                *outcome = Err(problem);
            }
        }
        if end - kept >= RELEASED {
            mapping.release(kept..end);
            kept = end;
        }
    }
    mapping.release(kept..end);
    let digest = hasher.clone().finalize();
    if digest.as_slice() != stated {
        return Err(ResourceError::Malformed {
            uri: uri.to_owned(),
            location: "digest".into(),
            message: format!(
                "is damaged or was changed: its bytes have the SHA-256 {}, it states {}",
                hex::encode(digest),
                hex::encode(stated)
            ),
        });
    }
    hasher.update(stated);
    let checked = scan.map(|(_, outcome)| outcome.and_then(Scan::finish));
    Ok((hex::encode(hasher.finalize()), checked))
}
