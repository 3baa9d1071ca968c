//! The header and the trailer of a snapshot.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use tamis_resource::{ResourceError, Result};

use crate::builder::Dictionaries;
use crate::field::{name_problem, shown};
use crate::intake::{read_age_band, read_error};
use crate::names::{Names, Purposes};
use crate::purpose_hierarchy::{ANY_NAME, PurposeHierarchy, folded};
use crate::record::{Reader, write_text, write_varint};

pub(super) const MAGIC: [u8; 8] = *b"TAMISCON";
const FORMAT: u32 = 1;

/// Magic, format, length of the rest.
pub(super) const START: usize = 16;

/// Three counts and a digest.
pub(super) const TRAILER: usize = 24 + DIGEST;
pub(super) const DIGEST: usize = 32;

/// A header has a few names; a length above this is damage.
const LONGEST: usize = 1 << 26;

/// What a snapshot says about itself. Only [`crate::ConsentRegistry::open_snapshot`] checks
/// that it is true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentSnapshotHeader {
    /// The id of the subject key it was written with ([`crate::SubjectKey::key_id`]).
    pub key_id: String,
    /// The version its writer gave it.
    pub version: String,
    /// The purposes of its records and of its hierarchy; `any` first.
    pub purposes: Vec<String>,
    /// Which purposes lie under which, as [`PurposeHierarchy::digest`]: 64 hex digits.
    pub purposes_sha256: String,
    /// The age bands of its records; the empty one first.
    pub age_bands: Vec<String>,
    /// How many records it holds.
    pub records: u64,
    /// How many subjects they are about.
    pub subjects: u64,
}

impl ConsentSnapshotHeader {
    /// Reads the header and the trailer of a file, not what lies between and without the
    /// subject key. `uri` names the file in errors.
    ///
    /// # Errors
    /// [`ResourceError::Read`] when the file cannot be read, [`ResourceError::Malformed`]
    /// when it is no snapshot or its header is damaged.
    pub fn read(uri: &str, path: &Path) -> Result<Self> {
        let (start, trailer) = read_ends(path).map_err(|error| read_error(uri, &error))?;
        let malformed = |message| ResourceError::Malformed {
            uri: uri.to_owned(),
            location: "header".into(),
            message,
        };
        let header = Header::read(uri, &start).map_err(malformed)?;
        let [records, subjects, _] = Trailer::counts(&trailer);
        Ok(Self {
            key_id: hex::encode(header.key_id),
            version: header.version,
            purposes: header
                .dictionaries
                .purposes
                .names
                .iter()
                .map(str::to_owned)
                .collect(),
            purposes_sha256: header.dictionaries.purposes.hierarchy.digest(),
            age_bands: header
                .dictionaries
                .age_bands
                .iter()
                .map(str::to_owned)
                .collect(),
            records,
            subjects,
        })
    }
}

fn read_ends(path: &Path) -> io::Result<(Vec<u8>, [u8; 24])> {
    let mut file = File::open(path)?;
    let mut start = vec![0; START];
    file.read_exact(&mut start)?;
    // Of another file the first bytes are enough to say that it is no snapshot.
    if let Ok(rest) = rest_length(&start) {
        let read = file.by_ref().take(rest as u64).read_to_end(&mut start)?;
        if read < rest {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let mut counts = [0; 24];
    if rest_length(&start).is_ok() {
        let body = file.metadata()?.len().checked_sub(start.len() as u64);
        if body.is_none_or(|body| body < TRAILER as u64) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        file.seek(SeekFrom::End(-(TRAILER as i64)))?;
        file.read_exact(&mut counts)?;
    }
    Ok((start, counts))
}

/// How long the header is after its first bytes.
fn rest_length(bytes: &[u8]) -> Result<usize, String> {
    let mut reader = Reader::new(bytes);
    if reader.array() != Some(MAGIC) {
        return Err("is no consent snapshot".into());
    }
    let mut number = || reader.array().map(u32::from_le_bytes).ok_or(CUT);
    let format = number()?;
    if format != FORMAT {
        return Err(format!(
            "has format {format}; this program reads format {FORMAT}"
        ));
    }
    let rest = number()? as usize;
    if rest > LONGEST {
        return Err(format!("states a header of {rest} bytes"));
    }
    Ok(rest)
}

const CUT: &str = "ends too early";

pub(super) struct Header {
    pub(super) key_id: [u8; 8],
    pub(super) version: String,
    pub(super) dictionaries: Dictionaries,
    /// Where the body begins.
    pub(super) end: usize,
}

/// Writes a header.
pub(super) fn write(key_id: [u8; 8], version: &str, dictionaries: &Dictionaries) -> Vec<u8> {
    let mut rest = key_id.to_vec();
    let hierarchy = &dictionaries.purposes.hierarchy;
    rest.extend(hex::decode(hierarchy.digest()).expect("a digest in hex"));
    write_text(&mut rest, version.as_bytes());
    let names = &dictionaries.purposes.names;
    let above: BTreeMap<&str, &str> = hierarchy.rows().collect();
    write_varint(&mut rest, names.len() as u64);
    for name in names.iter() {
        write_text(&mut rest, name.as_bytes());
        let above = above.get(name).and_then(|above| names.get(above));
        write_varint(&mut rest, above.map_or(0, |above| 1 + u64::from(above)));
    }
    write_varint(&mut rest, dictionaries.age_bands.len() as u64);
    for band in dictionaries.age_bands.iter() {
        write_text(&mut rest, band.as_bytes());
    }
    let mut header = MAGIC.to_vec();
    header.extend_from_slice(&FORMAT.to_le_bytes());
    header.extend_from_slice(&(rest.len() as u32).to_le_bytes());
    header.extend_from_slice(&rest);
    header
}

impl Header {
    /// Reads the header at the start of `bytes`.
    pub(super) fn read(uri: &str, bytes: &[u8]) -> Result<Self, String> {
        let rest = rest_length(bytes)?;
        let mut reader = Reader::new(&bytes[START..]);
        let mut reader = Reader::new(reader.take(rest).ok_or(CUT)?);
        let key_id = reader.array().ok_or(CUT)?;
        let digest = hex::encode(reader.array::<32>().ok_or(CUT)?);
        let version = text(&mut reader)?.to_owned();
        let purposes = purposes(uri, &mut reader)?;
        if purposes.hierarchy.digest() != digest {
            return Err("the purpose hierarchy has another digest than stated".into());
        }
        let (age_bands, under_fourteen) = age_bands(&mut reader)?;
        if !reader.rest().is_empty() {
            return Err("is longer than what it holds".into());
        }
        Ok(Self {
            key_id,
            version,
            dictionaries: Dictionaries {
                purposes,
                age_bands,
                under_fourteen,
            },
            end: START + rest,
        })
    }
}

fn text<'a>(reader: &mut Reader<'a>) -> Result<&'a str, String> {
    let bytes = reader.text().ok_or(CUT)?;
    std::str::from_utf8(bytes).map_err(|_| "holds a text that is not UTF-8".into())
}

fn purposes(uri: &str, reader: &mut Reader<'_>) -> Result<Purposes, String> {
    let count = reader.varint().ok_or(CUT)?;
    let mut names = Vec::new();
    let mut places = Vec::new();
    for number in 0..count {
        let name = text(reader)?;
        let in_order = match number {
            0 => name == ANY_NAME,
            1 => name != ANY_NAME,
            _ => name != ANY_NAME && names.last().is_some_and(|last| *last < name),
        };
        if !in_order || folded(name) != name || name_problem("purpose", name).is_some() {
            return Err(format!("purpose {} is out of place", shown(name)));
        }
        names.push(name);
        places.push(reader.varint().ok_or(CUT)?);
    }
    let mut under = BTreeMap::new();
    for (name, place) in names.iter().zip(places) {
        if let Some(above) = place.checked_sub(1) {
            let above = usize::try_from(above)
                .ok()
                .and_then(|above| names.get(above));
            let above = above.ok_or("a purpose lies under one that is not listed")?;
            under.insert((*name).to_owned(), (*above).to_owned());
        }
    }
    if names.is_empty() {
        return Err("lists no purpose".into());
    }
    let hierarchy = PurposeHierarchy::from_snapshot(uri, under)
        .map_err(|(purpose, problem)| format!("purpose {} {problem}", shown(&purpose)))?;
    Ok(Purposes::new(names.into_iter(), &hierarchy))
}

fn age_bands(reader: &mut Reader<'_>) -> Result<(Names, Vec<Option<bool>>), String> {
    let count = reader.varint().ok_or(CUT)?;
    let mut names = Names::default();
    let mut read = Vec::new();
    let mut last = None;
    for number in 0..count {
        let band = text(reader)?;
        if last.is_some_and(|last| last >= band) || (number == 0) != band.is_empty() {
            return Err(format!("age band {} is out of place", shown(band)));
        }
        names.intern(band);
        read.push(read_age_band(band)?);
        last = Some(band);
    }
    Ok((names, read))
}

/// The end of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trailer {
    pub(super) records: u64,
    pub(super) subjects: u64,
    pub(super) body: u64,
}

impl Trailer {
    fn counts(bytes: &[u8; 24]) -> [u64; 3] {
        let (numbers, _) = bytes.as_chunks::<8>();
        [0, 1, 2].map(|index| u64::from_le_bytes(numbers[index]))
    }

    /// Reads the counts before the digest.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.len().checked_sub(DIGEST)?;
        let [records, subjects, body] = Self::counts(bytes[..end].last_chunk()?);
        Some(Self {
            records,
            subjects,
            body,
        })
    }

    /// The counts before the digest.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        [self.records, self.subjects, self.body]
            .map(u64::to_le_bytes)
            .concat()
    }
}
