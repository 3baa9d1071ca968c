use crate::builder::{ConsentRegistryBuilder, ConsentRow};
use crate::decide::ConsentStatus;
use crate::registry::ConsentRegistry;

/// A general grant for model-training at 10 that never ends.
const GRANT: ConsentRow<'static> = ConsentRow {
    subject_id: "u",
    purpose: "model-training",
    kind: "general",
    status: "granted",
    granted_at: Some(10),
    expires_at: None,
    withdrawn_at: None,
    record_id: "grant",
    evidence_uri: None,
    subject_age_band: None,
};
const REFUSAL: ConsentRow<'static> = ConsentRow {
    status: "refused",
    record_id: "refusal",
    ..GRANT
};

fn registry(rows: &[ConsentRow<'_>]) -> ConsentRegistry {
    let mut builder = ConsentRegistryBuilder::new("consent.csv");
    for row in rows {
        builder
            .push(|| unreachable!("no error"), *row)
            .expect("a row");
    }
    builder.finish("v1", "00").expect("a registry")
}

/// Status and deciding record at an instant, the same for every order of the rows.
fn decided(rows: &[ConsentRow<'_>], at: i64) -> (&'static str, Option<String>) {
    let answer = |rows: &[ConsentRow<'_>]| {
        let registry = registry(rows);
        let decision = registry.decide(Some("u"), "model-training", at);
        let record_id = decision.record.map(|record| record.record_id.to_owned());
        (decision.status.as_str(), record_id)
    };
    let forward = answer(rows);
    let mut backward = rows.to_vec();
    backward.reverse();
    assert_eq!(answer(&backward), forward);
    forward
}

fn status(rows: &[ConsentRow<'_>], at: i64) -> &'static str {
    decided(rows, at).0
}

#[test]
fn kinds_give_their_status() {
    for (kind, expected) in [
        ("general", "granted"),
        ("separate", "separate"),
        ("written", "separate"),
        ("guardian", "guardian"),
    ] {
        assert_eq!(status(&[ConsentRow { kind, ..GRANT }], 10), expected);
    }
}

#[test]
fn a_grant_counts_from_its_instant_and_never_without_one() {
    assert_eq!(status(&[GRANT], 9), "missing");
    assert_eq!(status(&[GRANT], 10), "granted");
    let undated = ConsentRow {
        granted_at: None,
        ..GRANT
    };
    assert_eq!(status(&[undated], i64::MAX), "missing");
}

#[test]
fn a_grant_expires_at_its_instant() {
    let row = ConsentRow {
        expires_at: Some(20),
        ..GRANT
    };
    assert_eq!(status(&[row], 19), "granted");
    assert_eq!(decided(&[row], 20), ("expired", Some("grant".into())));
    let at_once = ConsentRow {
        expires_at: Some(10),
        ..GRANT
    };
    assert_eq!(status(&[at_once], 10), "expired");
}

#[test]
fn a_withdrawal_wins_from_its_instant() {
    let row = ConsentRow {
        withdrawn_at: Some(20),
        ..GRANT
    };
    assert_eq!(status(&[row], 19), "granted");
    assert_eq!(decided(&[row], 20), ("withdrawn", Some("grant".into())));
    let at_once = ConsentRow {
        withdrawn_at: Some(10),
        ..GRANT
    };
    assert_eq!(status(&[at_once], 10), "withdrawn");
}

#[test]
fn a_withdrawal_ends_other_grants_and_a_later_grant_counts_again() {
    let withdrawn = ConsentRow {
        withdrawn_at: Some(20),
        ..GRANT
    };
    let again = |granted_at| ConsentRow {
        granted_at: Some(granted_at),
        kind: "written",
        record_id: "again",
        ..GRANT
    };
    assert_eq!(status(&[withdrawn, again(15)], 20), "withdrawn");
    assert_eq!(status(&[withdrawn, again(20)], 20), "withdrawn");
    assert_eq!(
        decided(&[withdrawn, again(21)], 21),
        ("separate", Some("again".into()))
    );
    assert_eq!(status(&[withdrawn, again(21)], 20), "withdrawn");
}

#[test]
fn a_withdrawal_of_a_grant_without_an_instant_counts() {
    let row = ConsentRow {
        granted_at: None,
        withdrawn_at: Some(20),
        ..GRANT
    };
    assert_eq!(
        status(
            &[
                row,
                ConsentRow {
                    record_id: "other",
                    ..GRANT
                }
            ],
            20
        ),
        "withdrawn"
    );
}

#[test]
fn a_refusal_wins_from_its_instant_and_does_not_expire() {
    let refusal = ConsentRow {
        granted_at: Some(20),
        expires_at: Some(30),
        ..REFUSAL
    };
    assert_eq!(status(&[GRANT, refusal], 19), "granted");
    assert_eq!(
        decided(&[GRANT, refusal], 20),
        ("refused", Some("refusal".into()))
    );
    assert_eq!(status(&[GRANT, refusal], 40), "refused");
    let later = ConsentRow {
        granted_at: Some(41),
        record_id: "later",
        ..GRANT
    };
    assert_eq!(status(&[GRANT, refusal, later], 41), "granted");
    assert_eq!(status(&[GRANT, REFUSAL], 10), "refused");
}

#[test]
fn a_refusal_without_an_instant_beats_everything() {
    let undated = ConsentRow {
        granted_at: None,
        ..REFUSAL
    };
    let withdrawn = ConsentRow {
        withdrawn_at: Some(20),
        record_id: "w",
        ..GRANT
    };
    assert_eq!(
        decided(&[GRANT, undated, withdrawn], 30),
        ("refused", Some("refusal".into()))
    );
    assert_eq!(status(&[GRANT, undated], 0), "refused");
}

#[test]
fn at_one_instant_the_withdrawal_is_named_before_the_refusal() {
    let withdrawn = ConsentRow {
        withdrawn_at: Some(10),
        ..GRANT
    };
    assert_eq!(
        decided(&[withdrawn, REFUSAL], 10),
        ("withdrawn", Some("grant".into()))
    );
    let earlier = ConsentRow {
        granted_at: Some(9),
        ..REFUSAL
    };
    assert_eq!(status(&[withdrawn, earlier], 10), "withdrawn");
    let later = ConsentRow {
        granted_at: Some(11),
        ..REFUSAL
    };
    assert_eq!(status(&[withdrawn, later], 11), "refused");
}

#[test]
fn of_grants_in_force_the_latest_decides_then_the_strictest_then_the_id() {
    let row = |kind, granted_at, record_id| ConsentRow {
        kind,
        granted_at: Some(granted_at),
        record_id,
        ..GRANT
    };
    assert_eq!(
        status(&[row("written", 10, "a"), row("general", 11, "b")], 20),
        "granted"
    );
    assert_eq!(
        status(&[row("separate", 10, "a"), row("general", 10, "b")], 20),
        "separate"
    );
    let kinds = [row("separate", 10, "a"), row("written", 10, "b")];
    assert_eq!(decided(&kinds, 20), ("separate", Some("b".into())));
    let guardian = [row("written", 10, "a"), row("guardian", 10, "b")];
    assert_eq!(decided(&guardian, 20), ("guardian", Some("b".into())));
    let equal = [row("general", 10, "b"), row("general", 10, "a")];
    assert_eq!(decided(&equal, 20), ("granted", Some("a".into())));
}

#[test]
fn a_grant_that_ran_out_does_not_end_one_in_force() {
    let short = ConsentRow {
        kind: "written",
        granted_at: Some(15),
        expires_at: Some(20),
        record_id: "short",
        ..GRANT
    };
    assert_eq!(status(&[GRANT, short], 19), "separate");
    assert_eq!(
        decided(&[GRANT, short], 20),
        ("granted", Some("grant".into()))
    );
}

#[test]
fn after_a_withdrawal_a_grant_that_ran_out_is_expired() {
    let withdrawn = ConsentRow {
        withdrawn_at: Some(12),
        ..GRANT
    };
    let short = ConsentRow {
        granted_at: Some(15),
        expires_at: Some(20),
        record_id: "short",
        ..GRANT
    };
    assert_eq!(
        decided(&[withdrawn, short], 20),
        ("expired", Some("short".into()))
    );
}

#[test]
fn under_fourteen_only_a_guardian_can_agree() {
    let child = |kind| ConsentRow {
        kind,
        subject_age_band: Some("<14"),
        ..GRANT
    };
    for kind in ["general", "separate", "written"] {
        assert_eq!(decided(&[child(kind)], 10), ("missing", None));
    }
    assert_eq!(status(&[child("guardian")], 10), "guardian");
    let refused = ConsentRow {
        subject_age_band: Some("<14"),
        ..REFUSAL
    };
    assert_eq!(status(&[refused], 10), "refused");
    let withdrawn = ConsentRow {
        withdrawn_at: Some(20),
        ..child("general")
    };
    assert_eq!(status(&[withdrawn], 20), "withdrawn");
}

#[test]
fn a_grant_without_an_age_takes_it_from_the_subjects_other_records() {
    let child = ConsentRow {
        kind: "guardian",
        purpose: "support",
        subject_age_band: Some("0-13"),
        record_id: "child",
        ..GRANT
    };
    assert_eq!(status(&[GRANT, child], 20), "missing");
    let grown = ConsentRow {
        subject_age_band: Some("14-17"),
        ..GRANT
    };
    assert_eq!(status(&[grown, child], 20), "granted");
    let stranger = ConsentRow {
        subject_id: "v",
        ..child
    };
    assert_eq!(status(&[GRANT, stranger], 20), "granted");
}

#[test]
fn other_purposes_do_not_speak() {
    let other = ConsentRow {
        purpose: "support",
        ..REFUSAL
    };
    assert_eq!(status(&[GRANT, other], 20), "granted");
    let any = ConsentRow {
        purpose: "*",
        granted_at: Some(20),
        ..REFUSAL
    };
    assert_eq!(status(&[GRANT, any], 20), "refused");
}

#[test]
fn extreme_instants() {
    let ends = ConsentRow {
        granted_at: Some(i64::MIN),
        expires_at: Some(i64::MAX),
        ..GRANT
    };
    assert_eq!(status(&[ends], i64::MIN), "granted");
    assert_eq!(status(&[ends], i64::MAX), "expired");
}

#[test]
fn statuses_are_found_by_their_names() {
    for status in ConsentStatus::ALL {
        assert_eq!(ConsentStatus::from_name(status.as_str()), Some(status));
    }
    for name in ["", "Granted", "written"] {
        assert_eq!(ConsentStatus::from_name(name), None, "{name}");
    }
}
