use ConsentFindingKind::*;

use super::*;
use crate::builder::tests::ROW;

fn check(rows: &[ConsentRow<'_>], examples: usize) -> ConsentCheckReport {
    let directory = tempfile::tempdir().expect("a directory");
    let report = |directory: Option<&Path>| {
        let options = ConsentOptions::default();
        let mut check =
            ConsentCheck::new("consent.csv", options, 100, examples, directory).expect("room");
        for (index, row) in rows.iter().enumerate() {
            check.push(|| format!("line {}", index + 2), *row);
        }
        check.finish().expect("a report")
    };
    let in_memory = report(None);
    assert_eq!(report(Some(directory.path())), in_memory);
    in_memory
}

fn shown(report: &ConsentCheckReport) -> Vec<String> {
    report
        .findings
        .iter()
        .flat_map(|finding| {
            finding.examples.iter().map(|example| {
                let id = example.record_id.as_deref().unwrap_or("-");
                let kind = finding.kind.as_str();
                format!("{kind}: {} {id}: {}", example.location, example.detail)
            })
        })
        .collect()
}

#[test]
fn a_sound_registry_has_no_findings() {
    let report = check(&[ROW], 3);
    assert_eq!((report.rows, report.subjects), (1, 1));
    assert_eq!(report.findings.len(), 9);
    assert!(report.findings.iter().all(|finding| finding.count == 0));
    assert!(report.loads());
}

#[test]
fn every_kind_is_found_and_names_no_subject() {
    let secret = "zhang-san-110101";
    let row = |record_id, purpose| ConsentRow {
        subject_id: secret,
        record_id,
        purpose,
        ..ROW
    };
    let rows = [
        row("a", "model-training"),
        ConsentRow {
            kind: "oral",
            ..row("b", "any")
        },
        row("a", "model-training"),
        row("a", "evaluation"),
        ConsentRow {
            status: "refused",
            ..row("c", "any")
        },
        ConsentRow {
            granted_at: None,
            ..row("d", "suport")
        },
        ConsentRow {
            expires_at: Some(100),
            granted_at: Some(11),
            ..row("e", "any")
        },
        ConsentRow {
            expires_at: Some(20),
            withdrawn_at: Some(20),
            granted_at: Some(12),
            ..row("f", "any")
        },
        ConsentRow {
            subject_id: "v",
            subject_age_band: Some("<14"),
            ..row("g", "any")
        },
        ConsentRow {
            subject_id: "v",
            kind: "guardian",
            ..row("h", "any")
        },
    ];
    let report = check(&rows, 5);
    assert_eq!((report.rows, report.subjects), (10, 2));
    assert!(!report.loads());
    assert_eq!(
        shown(&report),
        [
            "malformed: line 3 -: unknown kind \"oral\" (general, separate, written, guardian)",
            "reused_record_id: record 4 a: stands in record 1 with other values",
            "contradictory: record 1 a: record 5 is a refusal at the same instant",
            "contradictory: record 4 a: record 5 is a refusal at the same instant",
            "undated: record 6 d: grant without granted_at",
            "minor_without_guardian: record 9 g: granted for somebody who may be under 14, not by a guardian",
            "unknown_purpose: record 6 d: the purpose is not in the hierarchy",
            "repeated: record 3 a: repeats record 1",
            "withdrawn: record 8 f: withdrawn",
            "expired: record 7 e: expired",
        ]
    );
    assert!(!format!("{report:?}").contains(secret));
}

#[test]
fn a_refusal_contradicts_grants_for_what_lies_under_it_alone() {
    let refusal = |purpose, granted_at| ConsentRow {
        status: "refused",
        record_id: "no",
        purpose,
        granted_at,
        ..ROW
    };
    for (purpose, granted_at, expected) in [
        ("model-training", Some(10), 1),
        ("*", Some(10), 1),
        ("*", None, 1),
        ("fine-tuning", Some(10), 0),
        ("support", None, 0),
        ("any", Some(11), 0),
    ] {
        let report = check(&[ROW, refusal(purpose, granted_at)], 1);
        assert_eq!(
            report.count(Contradictory),
            expected,
            "{purpose} {granted_at:?}"
        );
        assert!(report.loads());
    }
    let at_once = ConsentRow {
        withdrawn_at: Some(10),
        ..ROW
    };
    assert_eq!(check(&[at_once], 1).count(Contradictory), 1);
}

#[test]
fn the_first_rows_are_the_examples() {
    let ids: Vec<String> = (0..1_000).map(|number| format!("r{number}")).collect();
    let rows: Vec<ConsentRow<'_>> = ids
        .iter()
        .map(|id| ConsentRow {
            subject_id: id,
            record_id: id,
            granted_at: None,
            ..ROW
        })
        .collect();
    let report = check(&rows, 2);
    assert_eq!(report.count(Undated), 1_000);
    assert_eq!(
        shown(&report),
        [
            "undated: record 1 r0: grant without granted_at",
            "undated: record 2 r1: grant without granted_at"
        ]
    );
    assert!(shown(&check(&rows, 0)).is_empty());
}

#[test]
fn names_are_distinct() {
    let names: std::collections::BTreeSet<&str> = ConsentFindingKind::ALL
        .iter()
        .map(|kind| kind.as_str())
        .collect();
    assert_eq!(names.len(), ConsentFindingKind::ALL.len());
    assert!(Malformed.is_error() && !Expired.is_error());
}
