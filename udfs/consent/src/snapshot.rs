//! Consent snapshots: a registry as one immutable, sorted file named by its digest.
//!
//! `docs/consent-snapshot.md` describes the format for readers outside this crate.
//!
//! ```text
//! header   8 bytes "TAMISCON", u32 format (1), u32 length of the rest of the header,
//!          8 bytes key id, 32 bytes SHA-256 of the purpose hierarchy, text version,
//!          varint number of purposes, each: text name, varint place in the hierarchy
//!            (0: not in it, otherwise 1 + number of the purpose above),
//!          varint number of age bands, each: text
//! body     see the module `body`; the records' numbers count the header's lists from 0
//! trailer  u64 records, u64 subjects, u64 length of the body,
//!          32 bytes SHA-256 of everything before it
//! ```
//!
//! Integers are little endian, a text is a varint length and UTF-8 bytes. The same records,
//! key, hierarchy and version give the same bytes, whatever the order of the rows.
//!
//! Subjects stand as keyed references ([`SubjectKey::subject_ref`]), never as plain hashes:
//! ids are phone numbers or mail addresses, few enough to try them all. They are the very
//! references that outputs carry, because a key of their own would protect nothing (outputs
//! and snapshot already share the record ids) and would make it impossible to ask again for
//! rows whose subject id is gone.

mod header;
mod open;
mod write;

use std::path::PathBuf;

pub use header::ConsentSnapshotHeader;
pub use open::SnapshotOptions;
pub use write::ConsentSnapshotWriter;

#[cfg(doc)]
use crate::SubjectKey;

/// A snapshot that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentSnapshot {
    /// The file: `consent-<sha256>.snapshot`, readable by its owner alone and writable by
    /// nobody.
    pub path: PathBuf,
    /// SHA-256 of the file's bytes, 64 lower-case hex digits.
    pub sha256: String,
    /// How many records it holds.
    pub records: u64,
    /// How many subjects they are about.
    pub subjects: u64,
    /// How many bytes it has.
    pub bytes: u64,
}

const PREFIX: &str = "consent-";
const SUFFIX: &str = ".snapshot";

/// The name of the snapshot with this digest.
fn file_name(sha256: &str) -> String {
    format!("{PREFIX}{sha256}{SUFFIX}")
}

/// The digest that a file name states, when it is a snapshot's.
fn stated_digest(file_name: &str) -> Option<&str> {
    let digest = file_name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let is_hex = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then_some(digest)
}
