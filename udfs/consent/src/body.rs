//! The records of all subjects as bytes, in memory and in a snapshot alike.
//!
//! ```text
//! body    groups in the order of their subject hashes, one for each subject
//! group   subject hash, 16 bytes; varint number of records; the records
//! ```
//!
//! Within a group the records stand in the order of their bytes, each once.

use std::io;

use crate::builder::Dictionaries;
use crate::index::{Index, IndexBuilder, LONGEST_BODY};
use crate::record::{Reader, Record, write_varint};
use crate::subject_hash::SubjectHash;

const MORE_SUBJECTS: &str = "is about more subjects than stated";

/// The fewest bytes a subject takes: hash, number, head, purpose, age band, empty record id.
pub(crate) const SHORTEST_GROUP: u64 = 21;

/// Appends a group and returns how many records it holds. `records` are written records of
/// one subject in any order.
pub(crate) fn write_group(
    body: &mut Vec<u8>,
    subject: SubjectHash,
    records: &mut Vec<&[u8]>,
) -> u64 {
    if records.len() > 1 {
        records.sort_unstable();
        records.dedup();
    }
    body.extend_from_slice(&subject.to_bytes());
    write_varint(body, records.len() as u64);
    for record in &*records {
        body.extend_from_slice(record);
    }
    records.len() as u64
}

/// The records of one subject.
#[derive(Debug, Clone)]
pub(crate) struct Group<'a> {
    pub(crate) subject: SubjectHash,
    pub(crate) count: u64,
    reader: Reader<'a>,
}

impl<'a> Group<'a> {
    #[inline]
    pub(crate) fn read(body: &'a [u8], offset: usize) -> Option<Self> {
        let mut reader = Reader::new(body.get(offset..)?);
        let subject = SubjectHash::from_bytes(reader.array()?);
        let count = reader.varint()?;
        Some(Self {
            subject,
            count,
            reader,
        })
    }

    /// Where the group ends in the body it was read from; `None` when the bytes are none.
    #[inline]
    pub(crate) fn end(&self, body: &[u8]) -> Option<usize> {
        let mut reader = self.reader;
        for _ in 0..self.count {
            Record::skip(&mut reader)?;
        }
        Some(body.len() - reader.rest().len())
    }

    /// The records; `None` among them when the bytes are none.
    pub(crate) fn records(&self) -> Records<'a> {
        Records {
            left: self.count,
            reader: self.reader,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Records<'a> {
    left: u64,
    reader: Reader<'a>,
}

impl<'a> Iterator for Records<'a> {
    type Item = Option<Record<'a>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let record = Record::read(&mut self.reader);
        if record.is_none() {
            self.left = 0;
        }
        Some(record)
    }
}

/// Checks a body from end to end and makes its index.
pub(crate) struct Scan {
    index: IndexBuilder,
    position: usize,
    last: Option<SubjectHash>,
    purposes: usize,
    age_bands: usize,
    records: u64,
    subjects: u64,
}

/// What a sound body holds.
pub(crate) struct Scanned {
    pub(crate) index: Index,
    pub(crate) records: u64,
    pub(crate) subjects: u64,
}

impl Scan {
    /// For `body` bytes about at most `subjects` subjects, and records that use these
    /// dictionaries. The index takes at most `index_limit` bytes.
    pub(crate) fn new(
        subjects: u64,
        body: u64,
        dictionaries: &Dictionaries,
        index_limit: u64,
    ) -> io::Result<Self> {
        Ok(Self {
            index: IndexBuilder::new(subjects, body, index_limit)?,
            position: 0,
            last: None,
            purposes: dictionaries.purposes.names.len(),
            age_bands: dictionaries.age_bands.len(),
            records: 0,
            subjects: 0,
        })
    }

    /// Checks every group that begins before `until`. The error is the offset of the group
    /// at fault and what is wrong.
    pub(crate) fn advance(&mut self, body: &[u8], until: usize) -> Result<(), (usize, String)> {
        while self.position < until.min(body.len()) {
            self.position = self
                .group(body)
                .map_err(|problem| (self.position, problem.to_owned()))?;
        }
        Ok(())
    }

    fn group(&mut self, body: &[u8]) -> Result<usize, &'static str> {
        const CUT: &str = "is no group of records";
        let group = Group::read(body, self.position).ok_or(CUT)?;
        if self.last.is_some_and(|last| last >= group.subject) {
            return Err("stands out of order");
        }
        if group.count == 0 {
            return Err("has no record");
        }
        if self.position as u64 >= LONGEST_BODY {
            return Err("begins too far from the start");
        }
        let mut records = group.records();
        for record in &mut records {
            self.record(&record.ok_or(CUT)?)?;
        }
        self.index
            .insert(group.subject, self.position as u64)
            .ok_or(MORE_SUBJECTS)?;
        self.last = Some(group.subject);
        self.records += group.count;
        self.subjects += 1;
        Ok(body.len() - records.reader.rest().len())
    }

    fn record(&self, record: &Record<'_>) -> Result<(), &'static str> {
        if record.purpose as usize >= self.purposes || record.age_band as usize >= self.age_bands {
            return Err("names a purpose or an age band that is not in the header");
        }
        let texts = [Some(record.record_id), record.evidence_uri];
        // Nearly all texts are ASCII, which is seen faster.
        let is_text = |bytes: &[u8]| bytes.is_ascii() || std::str::from_utf8(bytes).is_ok();
        if texts.into_iter().flatten().all(is_text) {
            Ok(())
        } else {
            Err("holds a text that is not UTF-8")
        }
    }

    /// After [`Scan::advance`] to the end.
    pub(crate) fn finish(self) -> Result<Scanned, (usize, String)> {
        let index = self.index.finish();
        Ok(Scanned {
            index: index.ok_or_else(|| (self.position, MORE_SUBJECTS.to_owned()))?,
            records: self.records,
            subjects: self.subjects,
        })
    }
}
