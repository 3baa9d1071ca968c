//! One consent record as bytes.
//!
//! ```text
//! head      1 byte: bits 0-1 kind, 2 refused, 3 granted_at, 4 expires_at, 5 withdrawn_at,
//!           6 evidence_uri, 7 every time is a whole second
//! purpose   varint, index into the registry's purposes
//! age band  varint, index into the registry's bands
//! lengths   varint length of record_id, varint length of evidence_uri if bit 6
//! times     the ones the head names, in its order, signed and little endian: 5 bytes of
//!           seconds with bit 7, otherwise 8 bytes of microseconds
//! texts     record_id, evidence_uri
//! ```
//!
//! A null time costs nothing and a time in whole seconds five bytes, so that a record with
//! two times and a 40-byte evidence uri stays near 70 bytes. What decides stands in front:
//! most records are looked at for their status alone, and the texts are another cache line.

const MICROSECONDS: i64 = 1_000_000;

/// The seconds that five bytes hold.
const SECONDS: std::ops::Range<i64> = -(1 << 39)..1 << 39;

const REFUSED: u8 = 1 << 2;
const GRANTED_AT: u8 = 1 << 3;
const EXPIRES_AT: u8 = 1 << 4;
const WITHDRAWN_AT: u8 = 1 << 5;
const EVIDENCE: u8 = 1 << 6;
const WHOLE_SECONDS: u8 = 1 << 7;

/// How a consent was given. The order is the order of strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// `general`: one consent for the whole.
    General,
    /// `separate`: for this purpose alone (PIPL Art. 29).
    Separate,
    /// `written`: separate, and in writing.
    Written,
    /// `guardian`: given by a parent or guardian (PIPL Art. 31).
    Guardian,
}

impl RecordKind {
    const ALL: [Self; 4] = [Self::General, Self::Separate, Self::Written, Self::Guardian];

    /// The name in registries and results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Separate => "separate",
            Self::Written => "written",
            Self::Guardian => "guardian",
        }
    }

    /// Reads a name, in any ASCII case; `None` when it is not one of the four.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(text))
    }
}

/// What a record says: yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Grant {
    /// `granted`
    Granted,
    /// `refused`
    Refused,
}

impl Grant {
    /// The name in registries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Refused => "refused",
        }
    }

    /// Reads a name, in any ASCII case; `None` when it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Granted, Self::Refused]
            .into_iter()
            .find(|grant| grant.as_str().eq_ignore_ascii_case(text))
    }
}

/// A record with its texts still where it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) kind: RecordKind,
    pub(crate) grant: Grant,
    pub(crate) purpose: u32,
    pub(crate) age_band: u32,
    pub(crate) granted_at: Option<i64>,
    pub(crate) expires_at: Option<i64>,
    pub(crate) withdrawn_at: Option<i64>,
    pub(crate) record_id: &'a [u8],
    pub(crate) evidence_uri: Option<&'a [u8]>,
}

impl<'a> Record<'a> {
    /// Appends the record to `arena`.
    pub(crate) fn write(&self, arena: &mut Vec<u8>) {
        let times = [self.granted_at, self.expires_at, self.withdrawn_at];
        let is_whole =
            |time: &i64| time % MICROSECONDS == 0 && SECONDS.contains(&(time / MICROSECONDS));
        let whole = times.iter().flatten().all(is_whole);
        let mut head = self.kind as u8;
        for (bit, set) in [
            (REFUSED, self.grant == Grant::Refused),
            (GRANTED_AT, self.granted_at.is_some()),
            (EXPIRES_AT, self.expires_at.is_some()),
            (WITHDRAWN_AT, self.withdrawn_at.is_some()),
            (EVIDENCE, self.evidence_uri.is_some()),
            (WHOLE_SECONDS, whole),
        ] {
            if set {
                head |= bit;
            }
        }
        arena.push(head);
        write_varint(arena, u64::from(self.purpose));
        write_varint(arena, u64::from(self.age_band));
        let texts = [Some(self.record_id), self.evidence_uri];
        for text in texts.into_iter().flatten() {
            write_varint(arena, text.len() as u64);
        }
        for time in times.into_iter().flatten() {
            if whole {
                arena.extend_from_slice(&(time / MICROSECONDS).to_le_bytes()[..5]);
            } else {
                arena.extend_from_slice(&time.to_le_bytes());
            }
        }
        for text in texts.into_iter().flatten() {
            arena.extend_from_slice(text);
        }
    }

    /// Reads the record at the start of the reader; `None` when the bytes are none.
    #[inline]
    pub(crate) fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let head = reader.byte()?;
        let purpose = reader.index()?;
        let age_band = reader.index()?;
        let record_id = reader.varint()?.try_into().ok()?;
        let evidence_uri = match head & EVIDENCE {
            0 => None,
            _ => Some(reader.varint()?.try_into().ok()?),
        };
        let mut time = |bit| match head & bit {
            0 => Some(None),
            _ if head & WHOLE_SECONDS != 0 => reader.seconds().map(Some),
            _ => reader.array().map(|time| Some(i64::from_le_bytes(time))),
        };
        let (granted_at, expires_at, withdrawn_at) =
            (time(GRANTED_AT)?, time(EXPIRES_AT)?, time(WITHDRAWN_AT)?);
        let record_id = reader.take(record_id)?;
        let evidence_uri = match evidence_uri {
            None => None,
            Some(length) => Some(reader.take(length)?),
        };
        Some(Self {
            kind: RecordKind::ALL[usize::from(head & 0b11)],
            grant: if head & REFUSED != 0 {
                Grant::Refused
            } else {
                Grant::Granted
            },
            purpose,
            age_band,
            granted_at,
            expires_at,
            withdrawn_at,
            record_id,
            evidence_uri,
        })
    }

    /// Moves the reader behind the record at its start; `None` exactly when [`Record::read`] is.
    #[inline]
    pub(crate) fn skip(reader: &mut Reader<'a>) -> Option<()> {
        let head = reader.byte()?;
        reader.index()?;
        reader.index()?;
        let mut length = usize::try_from(reader.varint()?).ok()?;
        if head & EVIDENCE != 0 {
            length = length.checked_add(reader.varint()?.try_into().ok()?)?;
        }
        let times = (head & (GRANTED_AT | EXPIRES_AT | WITHDRAWN_AT)).count_ones() as usize;
        let time = if head & WHOLE_SECONDS != 0 { 5 } else { 8 };
        reader.take(length.checked_add(times * time)?)?;
        Some(())
    }

    /// Copies a written record to `out` with other indexes for its purpose and age band.
    pub(crate) fn renumber(
        record: &[u8],
        purposes: &[u32],
        age_bands: &[u32],
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let mut reader = Reader::new(record);
        out.push(reader.byte()?);
        for numbers in [purposes, age_bands] {
            let number = *numbers.get(reader.index()? as usize)?;
            write_varint(out, u64::from(number));
        }
        out.extend_from_slice(reader.rest());
        Some(())
    }
}

pub(crate) fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    write_varint(out, text.len() as u64);
    out.extend_from_slice(text);
}

/// Reads bytes that may be anything; every method is `None` when they end too early.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    #[inline]
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(taken)
    }

    #[inline]
    pub(crate) fn array<const LENGTH: usize>(&mut self) -> Option<[u8; LENGTH]> {
        let (taken, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(*taken)
    }

    #[inline]
    pub(crate) fn varint(&mut self) -> Option<u64> {
        let byte = self.byte()?;
        if byte < 0x80 {
            return Some(u64::from(byte));
        }
        self.long_varint(byte)
    }

    /// Nearly every number takes one byte: this is the other way.
    #[cold]
    fn long_varint(&mut self, first: u8) -> Option<u64> {
        let mut value = u64::from(first & 0x7f);
        for shift in (7..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                // The tenth byte has room for one bit alone.
                return (shift < 63 || byte < 2).then_some(value);
            }
        }
        None
    }

    /// A varint that is an index into a dictionary.
    #[inline]
    pub(crate) fn index(&mut self) -> Option<u32> {
        self.varint()?.try_into().ok()
    }

    /// Five bytes of seconds as microseconds.
    #[inline]
    fn seconds(&mut self) -> Option<i64> {
        let mut bytes = [0; 8];
        bytes[3..].copy_from_slice(&self.array::<5>()?);
        Some((i64::from_le_bytes(bytes) >> 24) * MICROSECONDS)
    }

    /// A varint length and as many bytes.
    #[inline]
    pub(crate) fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.varint()?.try_into().ok()?;
        self.take(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record<'a>(times: [Option<i64>; 3], id: &'a str, evidence: Option<&'a str>) -> Record<'a> {
        Record {
            kind: RecordKind::Written,
            grant: Grant::Granted,
            purpose: 3,
            age_band: 0,
            granted_at: times[0],
            expires_at: times[1],
            withdrawn_at: times[2],
            record_id: id.as_bytes(),
            evidence_uri: evidence.map(str::as_bytes),
        }
    }

    #[test]
    fn names_are_read_in_any_case() {
        for kind in RecordKind::ALL {
            assert_eq!(RecordKind::parse(&kind.as_str().to_uppercase()), Some(kind));
        }
        assert_eq!(RecordKind::parse("oral"), None);
        assert_eq!(Grant::parse("Refused"), Some(Grant::Refused));
        assert_eq!(Grant::parse("withdrawn"), None);
    }

    #[test]
    fn a_varint_holds_64_bits_and_no_more() {
        for value in [0, 127, 128, u64::MAX >> 1, u64::MAX] {
            let mut bytes = Vec::new();
            write_varint(&mut bytes, value);
            assert_eq!(Reader::new(&bytes).varint(), Some(value));
            assert_eq!(Reader::new(&bytes[..bytes.len() - 1]).varint(), None);
        }
        let mut too_large = [0xff; 10];
        too_large[9] = 2;
        assert_eq!(Reader::new(&too_large).varint(), None);
    }

    #[test]
    fn a_record_is_renumbered() {
        let mut bytes = Vec::new();
        record([Some(7), None, None], "r", Some("e")).write(&mut bytes);
        let mut out = Vec::new();
        Record::renumber(&bytes, &[0, 0, 0, 300], &[5], &mut out).expect("known indexes");
        let read = Record::read(&mut Reader::new(&out)).expect("a record");
        let expected = Record {
            purpose: 300,
            age_band: 5,
            ..record([Some(7), None, None], "r", Some("e"))
        };
        assert_eq!(read, expected);
        assert_eq!(Record::renumber(&bytes, &[0], &[5], &mut out), None);
    }

    #[test]
    fn whole_seconds_are_short() {
        let start = 1_700_000_000 * MICROSECONDS;
        let mut short = Vec::new();
        record([Some(start), Some(start + MICROSECONDS), None], "r", None).write(&mut short);
        let mut long = Vec::new();
        record([Some(start), Some(start + 1), None], "r", None).write(&mut long);
        assert_eq!((short.len(), long.len()), (15, 21));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            rows in prop::collection::vec((
                (0usize..4, any::<bool>(), any::<u32>(), 0u32..300),
                prop::array::uniform3(prop::option::of(prop_oneof![
                    any::<i64>(),
                    Just((1 << 39) * MICROSECONDS),
                    Just(-(1 << 39) * MICROSECONDS),
                    (i64::MIN / MICROSECONDS..=i64::MAX / MICROSECONDS).prop_map(|s| s * MICROSECONDS),
                ])),
                "\\PC{0,200}",
                prop::option::of("\\PC{0,40}"),
            ), 1..8)
        ) {
            let records: Vec<Record<'_>> = rows
                .iter()
                .map(|((kind, refused, purpose, age_band), times, id, evidence)| Record {
                    kind: RecordKind::ALL[*kind],
                    grant: if *refused { Grant::Refused } else { Grant::Granted },
                    purpose: *purpose,
                    age_band: *age_band,
                    ..record(*times, id, evidence.as_deref())
                })
                .collect();
            let mut arena = Vec::new();
            for record in &records {
                record.write(&mut arena);
            }
            let mut reader = Reader::new(&arena);
            let mut skipping = reader;
            for record in &records {
                prop_assert_eq!(Record::read(&mut reader), Some(*record));
                prop_assert_eq!(Record::skip(&mut skipping), Some(()));
                prop_assert_eq!(skipping.rest(), reader.rest());
            }
            prop_assert_eq!(reader.rest(), b"");
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let mut reader = Reader::new(&bytes);
            let mut skipping = reader;
            let skipped = Record::skip(&mut skipping).map(|()| skipping.rest());
            let read = Record::read(&mut reader);
            prop_assert_eq!(skipped, read.map(|_| reader.rest()));
            if let Some(record) = read {
                let mut again = Vec::new();
                record.write(&mut again);
                prop_assert_eq!(Record::read(&mut Reader::new(&again)), Some(record));
            }
        }
    }
}
