//! Takes rows, checks each one and gives them back subject by subject.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::Path;

use tamis_resource::ResourceError;

use crate::age_band;
use crate::body;
use crate::buckets::Buckets;
use crate::builder::ConsentRow;
use crate::field::{name_problem, shown};
use crate::names::Names;
use crate::purpose_hierarchy::{ANY_NAME, folded};
use crate::record::{Grant, Reader, Record, RecordKind, write_varint};
use crate::subject_hash::{SubjectHash, SubjectHasher};

/// The rows of a registry on their way to a sorted body.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) hasher: SubjectHasher,
    /// In the order of their first record.
    pub(crate) purposes: Names,
    pub(crate) age_bands: Names,
    /// Per age band: whether it may hold an age under 14.
    pub(crate) under_fourteen: Vec<Option<bool>>,
    pub(crate) count: u64,
    /// By the first byte of the subject hash: subject hash, varint number, record.
    rows: Buckets,
    /// By the first byte of the record id's hash: that hash, the hash of the whole row.
    ids: Buckets,
    id_hasher: RandomState,
    scratch: Vec<u8>,
}

/// A row as it was taken. Rows are numbered from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Taken<'a> {
    pub(crate) number: u64,
    pub(crate) bytes: &'a [u8],
}

impl<'a> Taken<'a> {
    pub(crate) fn record(&self) -> Record<'a> {
        Record::read(&mut Reader::new(self.bytes)).expect("a record as it was written")
    }
}

/// Number, subject and record of a row.
type OwnedRow = (u64, SubjectHash, Vec<u8>);

/// Rows that have one record id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SharedId {
    pub(crate) record_id: Vec<u8>,
    /// The numbers of the rows, the first one first, and whether each is the same as it.
    pub(crate) rows: Vec<(u64, bool)>,
}

impl SharedId {
    pub(crate) fn first(&self) -> u64 {
        self.rows[0].0
    }

    /// The first row that says something else.
    pub(crate) fn differing(&self) -> Option<u64> {
        self.rows.iter().find(|(_, same)| !same).map(|row| row.0)
    }
}

impl Intake {
    pub(crate) fn in_memory(hasher: SubjectHasher) -> Self {
        Self::new(hasher, Buckets::in_memory(), Buckets::in_memory())
    }

    /// Keeps the rows in unnamed files in `directory`.
    pub(crate) fn in_files(hasher: SubjectHasher, directory: &Path) -> io::Result<Self> {
        let (rows, ids) = (Buckets::in_file(directory)?, Buckets::in_file(directory)?);
        Ok(Self::new(hasher, rows, ids))
    }

    fn new(hasher: SubjectHasher, rows: Buckets, ids: Buckets) -> Self {
        let mut purposes = Names::default();
        purposes.intern(ANY_NAME);
        let mut age_bands = Names::default();
        age_bands.intern("");
        Self {
            hasher,
            purposes,
            age_bands,
            under_fourteen: vec![None],
            count: 0,
            rows,
            ids,
            id_hasher: RandomState::new(),
            scratch: Vec::new(),
        }
    }

    /// Takes a row or says what is wrong with it.
    pub(crate) fn push(&mut self, row: &ConsentRow<'_>) -> Result<(), String> {
        let (kind, grant) = checked(row)?;
        let age_band = self.age_band(row.subject_age_band.unwrap_or_default())?;
        let record = Record {
            kind,
            grant,
            purpose: self.purpose(row.purpose),
            age_band,
            granted_at: row.granted_at,
            expires_at: row.expires_at,
            withdrawn_at: row.withdrawn_at,
            record_id: row.record_id.as_bytes(),
            evidence_uri: row
                .evidence_uri
                .filter(|uri| !uri.is_empty())
                .map(str::as_bytes),
        };
        let subject = self.hasher.hash(row.subject_id).to_bytes();
        self.scratch.clear();
        record.write(&mut self.scratch);
        let record = &self.scratch;
        let id_hash = self.id_hasher.hash_one(row.record_id);
        let row_hash = self.id_hasher.hash_one((subject, record));
        self.count += 1;
        let number = self.count;
        self.rows
            .append(subject[0], |part| {
                part.extend_from_slice(&subject);
                write_varint(part, number);
                write_varint(part, record.len() as u64);
                part.extend_from_slice(record);
            })
            .and_then(|()| {
                self.ids.append((id_hash >> 56) as u8, |part| {
                    part.extend_from_slice(&id_hash.to_be_bytes());
                    part.extend_from_slice(&row_hash.to_be_bytes());
                })
            })
            .map_err(|error| format!("cannot keep the row in a temporary file: {error}"))
    }

    fn purpose(&mut self, purpose: &str) -> u32 {
        if purpose == "*" || purpose.bytes().any(|byte| byte.is_ascii_uppercase()) {
            self.purposes.intern(&folded(purpose))
        } else {
            self.purposes.intern(purpose)
        }
    }

    fn age_band(&mut self, band: &str) -> Result<u32, String> {
        if let Some(index) = self.age_bands.get(band) {
            return Ok(index);
        }
        self.under_fourteen.push(read_age_band(band)?);
        Ok(self.age_bands.intern(band))
    }

    /// No more bytes than this will the body have.
    pub(crate) fn body_at_most(&self) -> u64 {
        self.rows.bytes()
    }

    /// Gives every subject with its rows, in the order of the subject hashes, and frees them.
    /// The rows of a subject come in the order of their numbers.
    pub(crate) fn drain_subjects(
        &mut self,
        mut each: impl FnMut(SubjectHash, &[Taken<'_>]) -> io::Result<()>,
    ) -> io::Result<()> {
        for bucket in 0..=u8::MAX {
            let bytes = self.rows.take(bucket)?;
            let mut rows = rows_of(&bytes);
            rows.sort_unstable();
            let mut group = Vec::new();
            for of_subject in rows.chunk_by(|a, b| a.0 == b.0) {
                group.clear();
                group.extend(of_subject.iter().map(|(_, row)| *row));
                each(of_subject[0].0, &group)?;
            }
        }
        Ok(())
    }

    /// Gives the body piece by piece: the groups of [`body`] with the numbers of the given
    /// dictionaries in place of the intake's own.
    /// Returns how many records and subjects there are.
    pub(crate) fn drain_body(
        &mut self,
        purposes: &[u32],
        age_bands: &[u32],
        mut each: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<(u64, u64)> {
        const PIECE: usize = 1 << 20;
        let (mut records, mut subjects) = (0, 0);
        let mut piece = Vec::with_capacity(PIECE + PIECE / 16);
        let mut renumbered = Vec::new();
        let mut ends = Vec::new();
        self.drain_subjects(|subject, rows| {
            renumbered.clear();
            ends.clear();
            for row in rows {
                Record::renumber(row.bytes, purposes, age_bands, &mut renumbered)
                    .expect("a record as it was written");
                ends.push(renumbered.len());
            }
            let mut start = 0;
            let mut of_subject = Vec::with_capacity(ends.len());
            for end in &ends {
                of_subject.push(&renumbered[start..*end]);
                start = *end;
            }
            records += body::write_group(&mut piece, subject, &mut of_subject);
            subjects += 1;
            if piece.len() >= PIECE {
                each(&piece)?;
                piece.clear();
            }
            Ok(())
        })?;
        each(&piece)?;
        Ok((records, subjects))
    }

    /// Every record id that several rows have, or only those whose rows differ.
    pub(crate) fn shared_ids(&mut self, only_differing: bool) -> io::Result<Vec<SharedId>> {
        let mut hashes = Vec::new();
        for bucket in 0..=u8::MAX {
            let bytes = self.ids.take(bucket)?;
            let (pairs, _) = bytes.as_chunks::<16>();
            let mut pairs: Vec<u128> = pairs
                .iter()
                .map(|pair| u128::from_be_bytes(*pair))
                .collect();
            pairs.sort_unstable();
            for same in pairs.chunk_by(|a, b| a >> 64 == b >> 64) {
                let wanted = match only_differing {
                    true => same[0] != same[same.len() - 1],
                    false => same.len() > 1,
                };
                if wanted {
                    hashes.push((same[0] >> 64) as u64);
                }
            }
        }
        if hashes.is_empty() {
            return Ok(Vec::new());
        }
        // Different ids may have one hash: the ids themselves decide.
        let mut found: BTreeMap<Vec<u8>, Vec<OwnedRow>> = BTreeMap::new();
        for bucket in 0..=u8::MAX {
            let bytes = self.rows.read(bucket)?;
            for (subject, row) in rows_of(&bytes) {
                let record_id = row.record().record_id;
                let text = std::str::from_utf8(record_id).expect("pushed as text");
                if hashes.binary_search(&self.id_hasher.hash_one(text)).is_ok() {
                    let rows = found.entry(record_id.to_vec()).or_default();
                    rows.push((row.number, subject, row.bytes.to_vec()));
                }
            }
        }
        let shared = found.into_iter().filter(|(_, rows)| rows.len() > 1);
        let shared = shared.map(|(record_id, mut rows)| {
            rows.sort_unstable();
            let same =
                |row: &(u64, SubjectHash, Vec<u8>)| (row.1, &row.2) == (rows[0].1, &rows[0].2);
            SharedId {
                record_id,
                rows: rows.iter().map(|row| (row.0, same(row))).collect(),
            }
        });
        Ok(shared
            .filter(|id| !only_differing || id.differing().is_some())
            .collect())
    }

    /// An error when two records have one id and differ: which of them holds is not known.
    pub(crate) fn refuse_contradictions(&mut self, uri: &str) -> Result<(), ResourceError> {
        let shared = self
            .shared_ids(true)
            .map_err(|error| read_error(uri, &error))?;
        let first = shared
            .iter()
            .filter_map(|id| Some((id.differing()?, id)))
            .min_by_key(|(differing, _)| *differing);
        match first {
            None => Ok(()),
            Some((differing, id)) => Err(ResourceError::Malformed {
                uri: uri.to_owned(),
                location: format!("record {differing}"),
                message: format!(
                    "record_id {} stands in record {} with other values",
                    shown(&String::from_utf8_lossy(&id.record_id)),
                    id.first()
                ),
            }),
        }
    }
}

fn rows_of(bucket: &[u8]) -> Vec<(SubjectHash, Taken<'_>)> {
    let mut rows = Vec::new();
    let mut reader = Reader::new(bucket);
    while !reader.rest().is_empty() {
        let row = row(&mut reader).expect("a row as it was appended");
        rows.push(row);
    }
    rows
}

fn row<'a>(reader: &mut Reader<'a>) -> Option<(SubjectHash, Taken<'a>)> {
    let subject = SubjectHash::from_bytes(reader.array()?);
    let number = reader.varint()?;
    let bytes = reader.text()?;
    Some((subject, Taken { number, bytes }))
}

/// The part of a row's checks that needs no dictionary.
fn checked(row: &ConsentRow<'_>) -> Result<(RecordKind, Grant), String> {
    for (column, value) in [
        ("subject_id", row.subject_id),
        ("purpose", row.purpose),
        ("record_id", row.record_id),
    ] {
        if let Some(problem) = name_problem(column, value) {
            return Err(problem);
        }
    }
    let kind = RecordKind::parse(row.kind).ok_or_else(|| {
        let kind = shown(row.kind);
        format!("unknown kind {kind} (general, separate, written, guardian)")
    })?;
    let grant = Grant::parse(row.status).ok_or_else(|| {
        let status = shown(row.status);
        format!("unknown status {status} (granted, refused)")
    })?;
    if let Some(granted_at) = row.granted_at {
        if row
            .expires_at
            .is_some_and(|expires_at| expires_at < granted_at)
        {
            return Err("expires_at is before granted_at".into());
        }
        let withdrawn_before = row.withdrawn_at.is_some_and(|at| at < granted_at);
        if grant == Grant::Granted && withdrawn_before {
            return Err("withdrawn_at is before granted_at".into());
        }
    }
    Ok((kind, grant))
}

/// Whether a band may hold an age under 14; an error for one that cannot be read.
pub(crate) fn read_age_band(band: &str) -> Result<Option<bool>, String> {
    age_band::may_be_under_fourteen(band).map_err(|()| {
        let accepted = age_band::ACCEPTED;
        format!(
            "cannot read subject_age_band {} (accepted: {accepted})",
            shown(band)
        )
    })
}

pub(crate) fn read_error(uri: &str, error: &io::Error) -> ResourceError {
    read_error_of("tamis.consent", uri, error)
}

/// `uri`, which `setting` names, could not be read or taken into memory.
pub(crate) fn read_error_of(setting: &str, uri: &str, error: &io::Error) -> ResourceError {
    ResourceError::Read {
        setting: setting.to_owned(),
        uri: uri.to_owned(),
        message: error.to_string(),
    }
}
