//! Takes the rows of a consent registry and checks each one.

use std::hash::{BuildHasher, RandomState};

use tamis_resource::{Identity, ResourceError, Result};

use crate::age_band;
use crate::field::{name_problem, shown};
use crate::record::{Grant, Record, RecordKind};
use crate::registry::{ANY, ConsentRegistry, Directory, Entry, Names, SubjectHash};

/// The directory counts records in 32 bits.
const MOST_RECORDS: usize = u32::MAX as usize;

/// One row of a consent registry as its table gives it. Times are microseconds UTC.
///
/// Empty optional texts count as null.
#[derive(Debug, Clone, Copy)]
pub struct ConsentRow<'a> {
    /// Whose consent. Required.
    pub subject_id: &'a str,
    /// What for; `any` or `*` stand for every purpose. Required, compared in any ASCII case.
    pub purpose: &'a str,
    /// `general`, `separate`, `written` or `guardian`. Required.
    pub kind: &'a str,
    /// `granted` or `refused`. Required.
    pub status: &'a str,
    /// When the answer was given. A grant without it never counts, a refusal without it
    /// always does.
    pub granted_at: Option<i64>,
    /// The first instant at which a grant is no longer in force; null: never. A refusal
    /// does not expire.
    pub expires_at: Option<i64>,
    /// The first instant at which the consent is withdrawn; null: it is not.
    pub withdrawn_at: Option<i64>,
    /// The registry's own id of the record. Required.
    pub record_id: &'a str,
    /// Where the proof lies.
    pub evidence_uri: Option<&'a str>,
    /// How old the subject was, as a band or age: `14-17`, `<14`, `child`, `18+` ...
    pub subject_age_band: Option<&'a str>,
}

/// Takes the rows of a registry one by one.
#[derive(Debug)]
pub struct ConsentRegistryBuilder {
    uri: String,
    purposes: Names,
    age_bands: Names,
    /// Per interned band: whether it may hold an age under 14.
    under_fourteen: Vec<Option<bool>>,
    entries: Vec<Entry>,
    arena: Vec<u8>,
}

impl ConsentRegistryBuilder {
    /// An empty registry; `uri` is the table the rows come from.
    pub fn new(uri: &str) -> Self {
        let mut purposes = Names::default();
        purposes.intern("any");
        let mut age_bands = Names::default();
        age_bands.intern("");
        Self {
            uri: uri.to_owned(),
            purposes,
            age_bands,
            under_fourteen: vec![None],
            entries: Vec::new(),
            arena: Vec::new(),
        }
    }

    /// Adds a row. `location` says where it stands (`line 3`, `row 12`) and is called only
    /// for an error.
    ///
    /// # Errors
    /// [`ResourceError::Malformed`] for an empty or padded `subject_id`, `purpose` or
    /// `record_id`, an unknown `kind` or `status`, an `expires_at` before `granted_at`, the
    /// `withdrawn_at` of a grant before its `granted_at`, an age band that cannot be read.
    /// The message never repeats a subject id.
    pub fn push(&mut self, location: impl FnOnce() -> String, row: ConsentRow<'_>) -> Result<()> {
        match self.add(row) {
            Ok(()) => Ok(()),
            Err(message) => Err(ResourceError::Malformed {
                uri: self.uri.clone(),
                location: location(),
                message,
            }),
        }
    }

    fn add(&mut self, row: ConsentRow<'_>) -> Result<(), String> {
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
        if self.entries.len() == MOST_RECORDS {
            return Err(format!("a registry holds at most {MOST_RECORDS} records"));
        }
        let age_band = self.age_band(row.subject_age_band.unwrap_or_default())?;
        let purpose = self.purpose(row.purpose);
        self.entries.push(Entry {
            subject: SubjectHash::of(row.subject_id),
            offset: self.arena.len() as u64,
        });
        let record = Record {
            kind,
            grant,
            purpose,
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
        record.write(&mut self.arena);
        Ok(())
    }

    fn purpose(&mut self, purpose: &str) -> u32 {
        if purpose == "*" {
            ANY
        } else if purpose.bytes().any(|byte| byte.is_ascii_uppercase()) {
            self.purposes.intern(&purpose.to_ascii_lowercase())
        } else {
            self.purposes.intern(purpose)
        }
    }

    fn age_band(&mut self, band: &str) -> Result<u32, String> {
        if let Some(index) = self.age_bands.get(band) {
            return Ok(index);
        }
        let read = age_band::may_be_under_fourteen(band).map_err(|()| {
            let accepted = age_band::ACCEPTED;
            format!(
                "cannot read subject_age_band {} (accepted: {accepted})",
                shown(band)
            )
        })?;
        self.under_fourteen.push(read);
        Ok(self.age_bands.intern(band))
    }

    /// Sorts the records and closes the registry. `version` and `sha256` are those of the
    /// table the rows came from.
    ///
    /// # Errors
    /// [`ResourceError::Malformed`] when two records have one `record_id` and differ
    /// otherwise; a record that is repeated as it is does no harm. The location counts the
    /// records from 1 in the order of the pushes.
    pub fn finish(mut self, version: &str, sha256: &str) -> Result<ConsentRegistry> {
        self.arena.shrink_to_fit();
        self.entries.shrink_to_fit();
        if let Some((first, second)) = self.contradiction() {
            let (record, _) = Record::read(&self.arena, self.entries[second].offset as usize);
            let record_id = String::from_utf8_lossy(record.record_id);
            return Err(ResourceError::Malformed {
                uri: self.uri,
                location: format!("record {}", second + 1),
                message: format!(
                    "record_id {} stands in record {} with other values",
                    shown(&record_id),
                    first + 1
                ),
            });
        }
        self.entries.sort_unstable();
        let directory = Directory::new(&self.entries);
        Ok(ConsentRegistry {
            identity: Identity {
                uri: self.uri,
                version: version.to_owned(),
                sha256: sha256.to_owned(),
            },
            purposes: self.purposes,
            under_fourteen: self.under_fourteen,
            entries: self.entries,
            directory,
            arena: self.arena,
        })
    }

    /// The first record, in the order of the pushes, that has the id of an earlier one and
    /// differs from it: (earlier, later). The entries must not be sorted yet.
    fn contradiction(&self) -> Option<(usize, usize)> {
        let hasher = RandomState::new();
        let record_at =
            |index: usize| Record::read(&self.arena, self.entries[index].offset as usize).0;
        let mut hashes: Vec<(u64, usize)> = (0..self.entries.len())
            .map(|index| (hasher.hash_one(record_at(index).record_id), index))
            .collect();
        hashes.sort_unstable();
        let mut found: Option<(usize, usize)> = None;
        for group in hashes
            .chunk_by(|a, b| a.0 == b.0)
            .filter(|group| group.len() > 1)
        {
            // Different ids may share a hash: within a group the ids themselves decide.
            let mut group: Vec<usize> = group.iter().map(|(_, index)| *index).collect();
            group.sort_by_key(|index| (record_at(*index).record_id, *index));
            for same in group.chunk_by(|a, b| record_at(*a).record_id == record_at(*b).record_id) {
                let differs = |index: &&usize| {
                    self.entries[**index].subject != self.entries[same[0]].subject
                        || record_at(**index) != record_at(same[0])
                };
                if let Some(second) = same.iter().find(differs)
                    && found.is_none_or(|(_, earliest)| *second < earliest)
                {
                    found = Some((same[0], *second));
                }
            }
        }
        found
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::ConsentStatus;

    pub(crate) const ROW: ConsentRow<'static> = ConsentRow {
        subject_id: "user-1",
        purpose: "model-training",
        kind: "general",
        status: "granted",
        granted_at: Some(10),
        expires_at: None,
        withdrawn_at: None,
        record_id: "r1",
        evidence_uri: None,
        subject_age_band: None,
    };

    pub(crate) fn build(rows: &[ConsentRow<'_>]) -> Result<ConsentRegistry> {
        let mut builder = ConsentRegistryBuilder::new("consent.csv");
        for (index, row) in rows.iter().enumerate() {
            builder.push(|| format!("line {}", index + 2), *row)?;
        }
        builder.finish("v1", "00")
    }

    fn problem(row: ConsentRow<'_>) -> String {
        match build(&[row]) {
            Err(ResourceError::Malformed {
                uri,
                location,
                message,
            }) => {
                assert_eq!((uri.as_str(), location.as_str()), ("consent.csv", "line 2"));
                message
            }
            other => panic!("expected a malformed row, got {other:?}"),
        }
    }

    #[test]
    fn bad_rows_are_malformed() {
        assert_eq!(
            problem(ConsentRow {
                subject_id: "",
                ..ROW
            }),
            "subject_id is empty"
        );
        assert_eq!(
            problem(ConsentRow {
                subject_id: "user-1\t",
                ..ROW
            }),
            "subject_id has white space around it"
        );
        assert_eq!(
            problem(ConsentRow {
                purpose: " ",
                ..ROW
            }),
            "purpose is empty"
        );
        assert_eq!(
            problem(ConsentRow {
                purpose: "model-training ",
                ..ROW
            }),
            "purpose has white space around it"
        );
        assert_eq!(
            problem(ConsentRow {
                record_id: "",
                ..ROW
            }),
            "record_id is empty"
        );
        assert_eq!(
            problem(ConsentRow {
                kind: "oral",
                ..ROW
            }),
            "unknown kind \"oral\" (general, separate, written, guardian)"
        );
        assert_eq!(
            problem(ConsentRow {
                status: "withdrawn",
                ..ROW
            }),
            "unknown status \"withdrawn\" (granted, refused)"
        );
        assert_eq!(
            problem(ConsentRow {
                expires_at: Some(9),
                ..ROW
            }),
            "expires_at is before granted_at"
        );
        assert_eq!(
            problem(ConsentRow {
                withdrawn_at: Some(9),
                ..ROW
            }),
            "withdrawn_at is before granted_at"
        );
        let band = problem(ConsentRow {
            subject_age_band: Some("group B"),
            ..ROW
        });
        assert!(
            band.starts_with("cannot read subject_age_band \"group B\" (accepted: 14-17"),
            "{band}"
        );
    }

    #[test]
    fn an_unreadable_age_band_is_refused_every_time() {
        let mut builder = ConsentRegistryBuilder::new("consent.csv");
        let row = ConsentRow {
            subject_age_band: Some("group B"),
            ..ROW
        };
        for _ in 0..2 {
            builder
                .push(|| "line 2".into(), row)
                .expect_err("unreadable");
        }
        let adult = ConsentRow {
            subject_age_band: Some("18+"),
            ..ROW
        };
        builder.push(|| "line 3".into(), adult).expect("a row");
        let registry = builder.finish("v1", "00").expect("a registry");
        assert_eq!(registry.len(), 1);
        let status = registry.decide(Some("user-1"), "model-training", 10).status;
        assert_eq!(status, ConsentStatus::Granted);
    }

    #[test]
    fn a_record_id_stands_for_one_record() {
        let other = ConsentRow {
            record_id: "r2",
            ..ROW
        };
        assert_eq!(
            build(&[ROW, other, ROW]).expect("repeated as it is").len(),
            3
        );
        for differing in [
            ConsentRow {
                subject_id: "user-2",
                ..ROW
            },
            ConsentRow {
                purpose: "any",
                ..ROW
            },
            ConsentRow {
                kind: "written",
                ..ROW
            },
            ConsentRow {
                status: "refused",
                ..ROW
            },
            ConsentRow {
                granted_at: Some(11),
                ..ROW
            },
            ConsentRow {
                expires_at: Some(20),
                ..ROW
            },
            ConsentRow {
                withdrawn_at: Some(20),
                ..ROW
            },
            ConsentRow {
                evidence_uri: Some("e"),
                ..ROW
            },
            ConsentRow {
                subject_age_band: Some("18+"),
                ..ROW
            },
        ] {
            let error =
                build(&[other, ROW, ROW, differing, differing]).expect_err("a contradiction");
            assert_eq!(
                error.to_string(),
                "consent.csv, record 4: record_id \"r1\" stands in record 2 with other values"
            );
        }
    }
}
