//! Random histories: the registry against a model that replays events one by one, and
//! against itself with the rows in another order.

use std::cmp::Reverse;

use proptest::prelude::*;
use tamis_consent::{
    ConsentOptions, ConsentRegistry, ConsentRegistryBuilder, ConsentRow, ConsentSnapshotWriter,
    PurposeHierarchy, SnapshotOptions, SubjectHash, SubjectKey,
};

const SUBJECTS: [&str; 3] = ["a", "b", "c"];
const PURPOSES: [&str; 5] = ["model-training", "support", "fine-tuning", "any", "*"];
const KINDS: [&str; 4] = ["general", "separate", "written", "guardian"];
const BANDS: [Option<&str>; 4] = [None, Some("<14"), Some("18+"), Some("unknown")];

#[derive(Debug, Clone)]
struct Row {
    subject: usize,
    purpose: usize,
    kind: usize,
    refused: bool,
    granted_at: Option<i64>,
    expires_at: Option<i64>,
    withdrawn_at: Option<i64>,
    record_id: String,
    band: usize,
}

impl Row {
    fn is_about(&self, purpose: &str) -> bool {
        let above = match purpose {
            "fine-tuning" | "pre-training" => "model-training",
            _ => "any",
        };
        PURPOSES[self.purpose] == purpose || PURPOSES[self.purpose] == above || self.purpose >= 3
    }

    fn as_consent_row(&self) -> ConsentRow<'_> {
        ConsentRow {
            subject_id: SUBJECTS[self.subject],
            purpose: PURPOSES[self.purpose],
            kind: KINDS[self.kind],
            status: if self.refused { "refused" } else { "granted" },
            granted_at: self.granted_at,
            expires_at: self.expires_at,
            withdrawn_at: self.withdrawn_at,
            record_id: &self.record_id,
            evidence_uri: None,
            subject_age_band: BANDS[self.band],
        }
    }
}

/// Rows without order in their record ids, few instants so that many fall together.
fn histories() -> impl Strategy<Value = Vec<Row>> {
    let instant = || prop::option::weighted(0.8, 0i64..8);
    let rare = || prop::option::weighted(0.3, 0i64..8);
    let who = (
        0usize..3,
        0usize..5,
        0usize..4,
        prop::bool::weighted(0.2),
        0usize..4,
    );
    let row = (who, instant(), rare(), rare(), any::<u16>());
    prop::collection::vec(row, 0..14).prop_map(|rows| {
        let mut number = 0;
        rows.into_iter()
            .map(
                |((subject, purpose, kind, refused, band), granted_at, expires, withdrawn, id)| {
                    number += 1;
                    let not_before =
                        |time: Option<i64>| time.map(|t| t.max(granted_at.unwrap_or(t)));
                    Row {
                        subject,
                        purpose,
                        kind,
                        refused,
                        granted_at,
                        expires_at: not_before(expires),
                        withdrawn_at: if refused {
                            withdrawn
                        } else {
                            not_before(withdrawn)
                        },
                        record_id: format!("{id:05}-{number}"),
                        band,
                    }
                },
            )
            .collect()
    })
}

/// The purposes asked for.
const ASKED: [&str; 5] = [
    "model-training",
    "support",
    "fine-tuning",
    "pre-training",
    "advertising",
];

fn key() -> SubjectKey {
    SubjectKey::from_bytes(b"0123456789abcdef").expect("a key")
}

fn registry(rows: &[Row], key: Option<&SubjectKey>) -> ConsentRegistry {
    let options = ConsentOptions {
        subject_key: key,
        purposes: None,
    };
    let mut builder = ConsentRegistryBuilder::with_options("histories", options);
    for row in rows {
        builder
            .push(|| row.record_id.clone(), row.as_consent_row())
            .expect("a sound row");
    }
    builder.finish("1", "00").expect("a registry")
}

type Answer = (&'static str, Option<String>);

fn answer(registry: &ConsentRegistry, subject: &str, purpose: &str, at: i64) -> Answer {
    let decision = registry.decide(Some(subject), purpose, at);
    let record_id = decision.record.map(|record| record.record_id.to_owned());
    (decision.status.as_str(), record_id)
}

enum Event<'a> {
    Grant(&'a Row),
    Refusal(&'a Row),
    Withdrawal(&'a Row),
}

/// Plays the events up to `at` in order and keeps the grants alive and the last objection.
fn replay(rows: &[Row], subject: usize, purpose: &str, at: i64) -> Answer {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.subject == subject).collect();
    let somewhere_a_child = rows.iter().any(|row| BANDS[row.band] == Some("<14"));
    let may_agree = |row: &Row| match BANDS[row.band] {
        _ if KINDS[row.kind] == "guardian" => true,
        Some("<14") => false,
        Some("18+") => true,
        _ => !somewhere_a_child,
    };
    let mut events = Vec::new();
    let mut always_refused: Vec<&Row> = Vec::new();
    for row in rows.into_iter().filter(|row| row.is_about(purpose)) {
        match (row.refused, row.granted_at) {
            (true, None) => always_refused.push(row),
            (true, Some(instant)) => events.push((instant, 1, Event::Refusal(row))),
            (false, Some(instant)) if may_agree(row) => {
                events.push((instant, 0, Event::Grant(row)))
            }
            (false, _) => {}
        }
        if let Some(instant) = row.withdrawn_at {
            events.push((instant, 2, Event::Withdrawal(row)));
        }
    }
    if let Some(row) = always_refused.iter().min_by_key(|row| &row.record_id) {
        return ("refused", Some(row.record_id.clone()));
    }
    events.retain(|(instant, ..)| *instant <= at);
    // At one instant: grants, then refusals, then withdrawals, the smallest id last.
    events.sort_by_key(|(instant, order, event)| {
        let (Event::Grant(row) | Event::Refusal(row) | Event::Withdrawal(row)) = event;
        (*instant, *order, Reverse(row.record_id.clone()))
    });
    let mut alive: Vec<&Row> = Vec::new();
    let mut objection: Option<Answer> = None;
    for (_, _, event) in events {
        match event {
            Event::Grant(row) => alive.push(row),
            Event::Refusal(row) => {
                alive.clear();
                objection = Some(("refused", Some(row.record_id.clone())));
            }
            Event::Withdrawal(row) => {
                alive.clear();
                objection = Some(("withdrawn", Some(row.record_id.clone())));
            }
        }
    }
    alive.sort_by_key(|row| (row.granted_at, row.kind, Reverse(row.record_id.clone())));
    let in_force = |row: &&&Row| row.expires_at.is_none_or(|expires_at| expires_at > at);
    if let Some(row) = alive.iter().rev().find(in_force) {
        let status = ["granted", "separate", "separate", "guardian"][row.kind];
        (status, Some(row.record_id.clone()))
    } else if let Some(row) = alive.last() {
        ("expired", Some(row.record_id.clone()))
    } else {
        objection.unwrap_or(("missing", None))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_registry_answers_as_the_model_does(rows in histories()) {
        let registry = registry(&rows, None);
        prop_assert_eq!(registry.len(), rows.len());
        for (index, subject) in SUBJECTS.into_iter().enumerate() {
            for purpose in ASKED {
                for at in -1..9 {
                    prop_assert_eq!(
                        answer(&registry, subject, purpose, at),
                        replay(&rows, index, purpose, at),
                        "{} for {} at {}", subject, purpose, at
                    );
                }
            }
        }
    }

    #[test]
    fn the_order_of_the_rows_plays_no_part(
        (rows, shuffled) in histories().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
    ) {
        let (first, second) = (registry(&rows, None), registry(&shuffled, None));
        for subject in SUBJECTS {
            for at in -1..9 {
                prop_assert_eq!(
                    answer(&first, subject, "model-training", at),
                    answer(&second, subject, "model-training", at)
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The same decisions, record for record, from memory, from a mapped snapshot, without a
    /// key, one by one and in batches.
    #[test]
    fn every_backing_and_every_way_to_ask_agree(rows in histories()) {
        let folder = tempfile::tempdir().expect("a folder");
        let (key, hierarchy) = (key(), PurposeHierarchy::builtin());
        let mut writer = ConsentSnapshotWriter::new("histories", &key, &hierarchy, folder.path())
            .expect("a writer");
        for row in &rows {
            writer
                .push(|| row.record_id.clone(), row.as_consent_row())
                .expect("a sound row");
        }
        let snapshot = writer.finish("1", folder.path()).expect("a snapshot");
        let mapped = ConsentRegistry::open_snapshot("histories", &snapshot.path, &key)
            .expect("a registry");
        let (plain, keyed) = (registry(&rows, None), registry(&rows, Some(&key)));
        let rewritten = keyed.write_snapshot(folder.path()).expect("a snapshot");
        prop_assert_eq!(&rewritten, &snapshot);
        prop_assert_eq!(mapped.len(), rows.len());
        // Strangers among them, and more subjects than one batch takes at a time.
        let subjects: Vec<String> = (0..150)
            .map(|number| match SUBJECTS.get(number % 5) {
                Some(subject) => (*subject).to_owned(),
                None => format!("stranger-{number}"),
            })
            .collect();
        for asked in ASKED.into_iter().chain(["any", " "]) {
            for at in [-1, 0, 3, 4, 8] {
                for registry in [&plain, &keyed, &mapped] {
                    let purpose = registry.purpose(asked);
                    let hashes: Vec<SubjectHash> = subjects
                        .iter()
                        .map(|subject| registry.subject_hash(subject))
                        .collect();
                    let mut decisions = Vec::new();
                    registry.decide_batch(&hashes, purpose, at, &mut decisions);
                    let mut statuses = Vec::new();
                    registry.status_batch(&hashes, purpose, at, &mut statuses);
                    prop_assert_eq!((decisions.len(), statuses.len()), (150, 150));
                    for (index, subject) in subjects.iter().enumerate() {
                        let expected = plain.decide(Some(subject), asked, at);
                        prop_assert_eq!(registry.decide(Some(subject), asked, at), expected);
                        prop_assert_eq!(decisions[index], expected);
                        prop_assert_eq!(statuses[index], expected.status);
                    }
                }
            }
        }
    }
}

/// Histories of up to 6000 subjects: some kilobytes to some large pages of records.
fn many_histories() -> impl Strategy<Value = Vec<Vec<Row>>> {
    prop::collection::vec(histories(), 0..2_000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// An entry for each subject, for each KiB and for each 64 KiB of records: the same
    /// decisions, one by one, in batches of any size, in any order and asked twice. The dense
    /// index looks small batches up side by side and large ones part by part.
    #[test]
    fn dense_and_sparse_indexes_give_the_same_decisions(
        groups in many_histories(),
        order in any::<u64>(),
        batch in 1usize..9_000,
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let (key, hierarchy) = (key(), PurposeHierarchy::builtin());
        let mut writer = ConsentSnapshotWriter::new("histories", &key, &hierarchy, folder.path())
            .expect("a writer");
        for (number, row) in groups.iter().enumerate().flat_map(|(number, rows)| {
            rows.iter().map(move |row| (number, row))
        }) {
            let subject = format!("{}-{number}", SUBJECTS[row.subject]);
            let record_id = format!("{number}-{}", row.record_id);
            let row = ConsentRow {
                subject_id: &subject,
                record_id: &record_id,
                ..row.as_consent_row()
            };
            writer.push(|| "a row".into(), row).expect("a sound row");
        }
        let snapshot = writer.finish("1", folder.path()).expect("a snapshot");
        let open = |index_limit| {
            let options = SnapshotOptions { index_limit };
            ConsentRegistry::open_snapshot_with("histories", &snapshot.path, &key, options)
                .expect("a registry")
        };
        let dense = open(u64::MAX);
        let bytes = std::fs::read(&snapshot.path).expect("a file");
        let options = SnapshotOptions { index_limit: 63 };
        let copy = ConsentRegistry::open_snapshot_copy_with(
            "histories", bytes.as_slice(), folder.path(), &key, options,
        ).expect("a registry");
        // The smallest index that is not dense, and the coarsest one.
        let sparse = [open(dense.index_bytes().min(1 << 10) as u64 / 2), open(0), copy];
        prop_assert!(!dense.has_sparse_index());
        prop_assert!(sparse.iter().all(ConsentRegistry::has_sparse_index));

        let mut subjects: Vec<SubjectHash> = (0..groups.len() + 40)
            .flat_map(|number| SUBJECTS.map(|subject| dense.subject_hash(&format!("{subject}-{number}"))))
            .collect();
        subjects.extend_from_within(..subjects.len() / 2);
        // Half of the shuffles are none: as sorted as they came.
        if order % 2 == 0 {
            subjects.sort_unstable_by_key(|subject| {
                let mut hasher = std::hash::DefaultHasher::new();
                std::hash::Hash::hash(&(subject, order), &mut hasher);
                std::hash::Hasher::finish(&hasher)
            });
        }
        for (asked, at) in [("model-training", 4), ("fine-tuning", 8), ("support", 0), (" ", 4)] {
            let purpose = dense.purpose(asked);
            let expected: Vec<_> = subjects
                .iter()
                .map(|subject| dense.decide_for(*subject, purpose, at))
                .collect();
            for registry in sparse.iter().chain([&dense]) {
                prop_assert_eq!(registry.len(), dense.len());
                let purpose = registry.purpose(asked);
                let (mut decisions, mut statuses) = (Vec::new(), Vec::new());
                for batch in subjects.chunks(batch) {
                    registry.decide_batch(batch, purpose, at, &mut decisions);
                    registry.status_batch(batch, purpose, at, &mut statuses);
                }
                let singly: Vec<_> = subjects
                    .iter()
                    .map(|subject| registry.decide_for(*subject, purpose, at))
                    .collect();
                prop_assert!(decisions == expected && singly == expected);
                prop_assert!(statuses.iter().eq(expected.iter().map(|decision| &decision.status)));
            }
        }
    }
}
