use super::*;
use crate::ConsentStatus;
use crate::builder::ConsentRow;
use crate::builder::tests::{ROW, build};

#[test]
fn an_empty_registry_knows_nobody() {
    let registry = build(&[]).expect("a registry");
    assert!(registry.is_empty());
    assert_eq!(
        registry.decide(Some("user-1"), "model-training", 10),
        Decision::MISSING
    );
}

#[test]
fn the_record_comes_back_as_it_was_pushed() {
    let row = ConsentRow {
        kind: "Written",
        expires_at: Some(1_000_001),
        evidence_uri: Some("s3://evidence/证据/1.pdf"),
        subject_age_band: Some("18+"),
        ..ROW
    };
    let registry = build(&[row]).expect("a registry");
    assert_eq!(registry.identity().uri, "consent.csv");
    let decision = registry.decide(Some("user-1"), "model-training", 10);
    assert_eq!(decision.status, ConsentStatus::Separate);
    let record = decision.record.expect("a record");
    assert_eq!((record.record_id, record.kind), ("r1", "written"));
    assert_eq!(record.granted_at, Some(10));
    assert_eq!(record.expires_at, Some(1_000_001));
    assert_eq!(record.withdrawn_at, None);
    assert_eq!(record.evidence_uri, Some("s3://evidence/证据/1.pdf"));
}

#[test]
fn null_and_unknown_subjects_and_blank_purposes_are_missing() {
    let any = ConsentRow {
        purpose: "any",
        ..ROW
    };
    let registry = build(&[any]).expect("a registry");
    assert_eq!(
        registry.decide(Some("user-1"), "whatever", 10).status,
        ConsentStatus::Granted
    );
    assert_eq!(
        registry.decide(None, "model-training", 10),
        Decision::MISSING
    );
    for subject in ["", "user-2", "user-1 ", "USER-1"] {
        let decision = registry.decide(Some(subject), "model-training", 10);
        assert_eq!(decision, Decision::MISSING, "{subject:?}");
    }
    assert_eq!(registry.decide(Some("user-1"), " ", 10), Decision::MISSING);
}

#[test]
fn purposes_are_compared_in_any_case_and_wildcards_count() {
    for (purpose, asked, granted) in [
        ("Model-Training", "model-training", true),
        ("model-training", "MODEL-TRAINING", true),
        ("*", "model-training", true),
        ("Any", "model-training", true),
        ("any", "*", true),
        ("model-training", "any", false),
        ("model-training", "model", false),
    ] {
        let registry = build(&[ConsentRow { purpose, ..ROW }]).expect("a registry");
        let status = registry.decide(Some("user-1"), asked, 10).status;
        assert_eq!(
            status == ConsentStatus::Granted,
            granted,
            "{purpose} for {asked}"
        );
    }
}

#[test]
fn many_subjects_are_each_found() {
    let ids: Vec<String> = (0..5_000).map(|number| format!("user-{number}")).collect();
    let rows: Vec<ConsentRow<'_>> = ids
        .iter()
        .map(|id| ConsentRow {
            subject_id: id,
            record_id: id,
            ..ROW
        })
        .collect();
    let registry = build(&rows).expect("a registry");
    assert_eq!(registry.len(), 5_000);
    let purpose = registry.purpose("model-training");
    for id in &ids {
        let decision = registry.decide_for(SubjectHash::of(id), purpose, 10);
        assert_eq!(
            decision.record.map(|record| record.record_id),
            Some(id.as_str())
        );
    }
    assert_eq!(
        registry.decide(Some("user-5000"), "model-training", 10),
        Decision::MISSING
    );
    assert!(registry.memory_bytes() < 5_000 * 60);
}

/// Of a dense index, in memory and mapped: small snapshots never get there by themselves.
#[test]
fn a_batch_in_parts_gets_the_answers_of_single_questions() {
    let ids: Vec<String> = (0..6_000).map(|number| format!("user-{number}")).collect();
    let key = SubjectKey::from_bytes(b"0123456789abcdef").expect("a key");
    let options = crate::ConsentOptions {
        subject_key: Some(&key),
        purposes: None,
    };
    let mut builder = crate::ConsentRegistryBuilder::with_options("consent.csv", options);
    for (number, id) in ids.iter().enumerate().take(5_000) {
        let row = ConsentRow {
            subject_id: id,
            record_id: id,
            withdrawn_at: (number % 3 == 0).then_some(10),
            ..ROW
        };
        builder.push(|| id.clone(), row).expect("a sound row");
    }
    let memory = builder.finish("1", "00").expect("a registry");
    let folder = tempfile::tempdir().expect("a folder");
    let snapshot = memory.write_snapshot(folder.path()).expect("a snapshot");
    let mapped =
        ConsentRegistry::open_snapshot("snapshot", &snapshot.path, &key).expect("a registry");
    for registry in [&memory, &mapped] {
        assert!(!registry.has_sparse_index());
        let mut subjects: Vec<SubjectHash> =
            ids.iter().map(|id| registry.subject_hash(id)).collect();
        subjects.extend_from_within(1_000..3_000);
        let purpose = registry.purpose("model-training");
        let question = Question::new(registry, purpose, 10);
        let mut decisions = vec![Decision::MISSING];
        registry.judge_in_parts(
            &question,
            &subjects,
            &mut decisions,
            LONG_GLANCE,
            |judged| judged.decision(),
        );
        let expected = subjects
            .iter()
            .map(|subject| registry.decide_for(*subject, purpose, 10));
        assert!(decisions[1..].iter().copied().eq(expected));
        let known = decisions.iter().filter(|each| each.record.is_some());
        assert_eq!(known.count(), 7_000);
    }
}

#[test]
fn errors_and_debug_never_show_a_subject() {
    let secret = "zhang-san-110101";
    let row = ConsentRow {
        subject_id: secret,
        ..ROW
    };
    for bad in [
        ConsentRow { kind: "?", ..row },
        ConsentRow {
            expires_at: Some(0),
            ..row
        },
        ConsentRow {
            subject_id: "zhang-san-110101 ",
            ..row
        },
    ] {
        assert!(!build(&[bad]).expect_err("bad").to_string().contains(secret));
    }
    let contradiction = ConsentRow {
        purpose: "any",
        ..row
    };
    let error = build(&[row, contradiction]).expect_err("a contradiction");
    assert!(!error.to_string().contains(secret));
    let registry = build(&[row]).expect("a registry");
    assert!(!format!("{registry:?} {:?}", SubjectHash::of(secret)).contains(secret));
    let kept = registry
        .body()
        .windows(secret.len())
        .any(|bytes| bytes == secret.as_bytes());
    assert!(!kept);
}
