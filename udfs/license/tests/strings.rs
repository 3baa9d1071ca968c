//! The table of licence strings: each gives its expression and its verdict.

use tamis_license::{LicensePolicy, license_id};

#[test]
fn every_string_gives_its_expression_and_verdict() {
    let policy = LicensePolicy::builtin();
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_path(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/strings.csv"))
        .expect("the table");
    let mut wrong = Vec::new();
    let (mut rows, mut chinese) = (0, 0);
    for row in reader.records() {
        let row = row.expect("a row");
        let (raw, spdx, verdict) = (&row[0], &row[1], &row[2]);
        rows += 1;
        chinese += usize::from(raw.chars().any(|c| ('\u{4E00}'..='\u{9FFF}').contains(&c)));
        let check = policy.check(Some(raw), "train-commercial").expect("a use");
        let found = license_id(raw);
        assert_eq!(found, check.spdx, "{raw}: one string, two readings");
        if found.as_deref().unwrap_or("") != spdx || check.verdict.as_str() != verdict {
            wrong.push(format!("{raw}: {found:?} {check:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows >= 200, "{rows} strings");
    assert!(chinese >= 40, "{chinese} Chinese strings");
}
