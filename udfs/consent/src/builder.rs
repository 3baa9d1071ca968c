//! Takes the rows of a consent registry and checks each one.

use tamis_resource::{Identity, ResourceError, Result};

use crate::intake::{Intake, read_error};
use crate::mapping::Memory;
use crate::names::{Names, Purposes};
use crate::purpose_hierarchy::PurposeHierarchy;
use crate::registry::{ConsentRegistry, Content};
use crate::subject::SubjectKey;
use crate::subject_hash::SubjectHasher;

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

/// How a registry knows its subjects and orders its purposes.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConsentOptions<'a> {
    /// Makes the registry know its subjects by keyed references instead of plain hashes,
    /// so that it can be written as a snapshot and asked by subject reference.
    pub subject_key: Option<&'a SubjectKey>,
    /// Which purposes lie under which; `None`: [`PurposeHierarchy::builtin`].
    pub purposes: Option<&'a PurposeHierarchy>,
}

impl ConsentOptions<'_> {
    pub(crate) fn hasher(&self) -> SubjectHasher {
        match self.subject_key {
            Some(key) => SubjectHasher::Keyed(key.clone()),
            None => SubjectHasher::Plain,
        }
    }

    pub(crate) fn hierarchy(&self) -> PurposeHierarchy {
        match self.purposes {
            Some(purposes) => purposes.clone(),
            None => (*PurposeHierarchy::builtin()).clone(),
        }
    }
}

/// Takes the rows of a registry one by one and keeps it all in memory.
///
/// For a registry larger than memory write a snapshot with
/// [`crate::ConsentSnapshotWriter`] and open it with [`ConsentRegistry::open_snapshot`].
#[derive(Debug)]
pub struct ConsentRegistryBuilder {
    uri: String,
    hierarchy: PurposeHierarchy,
    intake: Intake,
}

impl ConsentRegistryBuilder {
    /// An empty registry; `uri` is the table the rows come from. Without a subject key and
    /// with the built-in purposes.
    pub fn new(uri: &str) -> Self {
        Self::with_options(uri, ConsentOptions::default())
    }

    /// An empty registry; `uri` is the table the rows come from.
    pub fn with_options(uri: &str, options: ConsentOptions<'_>) -> Self {
        Self {
            uri: uri.to_owned(),
            hierarchy: options.hierarchy(),
            intake: Intake::in_memory(options.hasher()),
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
        push(&mut self.intake, &self.uri, location, &row)
    }

    /// Sorts the records and closes the registry. `version` and `sha256` are those of the
    /// table the rows came from.
    ///
    /// # Errors
    /// [`ResourceError::Malformed`] when two records have one `record_id` and differ
    /// otherwise: nobody knows which of them holds, and the wrong one may be a yes. A record
    /// that is repeated as it is does no harm and counts once. The location counts the rows
    /// from 1 in the order of the pushes. [`crate::ConsentCheck`] lists them all.
    pub fn finish(mut self, version: &str, sha256: &str) -> Result<ConsentRegistry> {
        self.intake.refuse_contradictions(&self.uri)?;
        let dictionaries = Dictionaries::of(&self.intake, &self.hierarchy);
        let (purposes, age_bands) = dictionaries.numbers(&self.intake);
        let read = |error| read_error(&self.uri, &error);
        let mut memory = Memory::zeroed(self.intake.body_at_most() as usize).map_err(read)?;
        let mut length = 0;
        let (_, subjects) = self
            .intake
            .drain_body(&purposes, &age_bands, |piece| {
                memory.bytes_mut()[length..][..piece.len()].copy_from_slice(piece);
                length += piece.len();
                Ok(())
            })
            .map_err(read)?;
        let identity = Identity {
            uri: self.uri,
            version: version.to_owned(),
            sha256: sha256.to_owned(),
        };
        ConsentRegistry::in_memory(
            Content {
                identity,
                hasher: self.intake.hasher,
                dictionaries,
            },
            memory,
            length,
            subjects,
        )
    }
}

/// Takes a row or says where it stands and what is wrong with it.
pub(crate) fn push(
    intake: &mut Intake,
    uri: &str,
    location: impl FnOnce() -> String,
    row: &ConsentRow<'_>,
) -> Result<()> {
    intake
        .push(row)
        .map_err(|message| ResourceError::Malformed {
            uri: uri.to_owned(),
            location: location(),
            message,
        })
}

/// The names that the numbers in a body stand for.
#[derive(Debug)]
pub(crate) struct Dictionaries {
    pub(crate) purposes: Purposes,
    /// In the order of their bytes; the empty one, which states nothing, is first.
    pub(crate) age_bands: Names,
    /// Per age band: whether it may hold an age under 14.
    pub(crate) under_fourteen: Vec<Option<bool>>,
}

impl Dictionaries {
    /// What an intake used, in an order that the order of the rows plays no part in.
    pub(crate) fn of(intake: &Intake, hierarchy: &PurposeHierarchy) -> Self {
        let mut bands: Vec<(&str, Option<bool>)> = intake
            .age_bands
            .iter()
            .zip(intake.under_fourteen.iter().copied())
            .collect();
        bands.sort_unstable();
        let mut age_bands = Names::default();
        for (band, _) in &bands {
            age_bands.intern(band);
        }
        Self {
            purposes: Purposes::new(intake.purposes.iter(), hierarchy),
            age_bands,
            under_fourteen: bands.into_iter().map(|(_, read)| read).collect(),
        }
    }

    /// For the intake's purposes and age bands their numbers here.
    pub(crate) fn numbers(&self, intake: &Intake) -> (Vec<u32>, Vec<u32>) {
        (
            intake.purposes.numbers_in(&self.purposes.names),
            intake.age_bands.numbers_in(&self.age_bands),
        )
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
            2
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
