//! The table of licence strings: each gives its expression and its verdict.

use std::collections::HashSet;

use tamis_license::{LicensePolicy, license_id};

#[test]
fn every_string_gives_its_expression_and_verdict() {
    let policy = LicensePolicy::builtin();
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_path(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/strings.csv"))
        .expect("the table");
    let mut wrong = Vec::new();
    let mut seen = HashSet::new();
    let mut chinese = 0;
    for row in reader.records() {
        let row = row.expect("a row");
        let (raw, spdx, verdict) = (&row[0], &row[1], &row[2]);
        assert!(
            seen.insert(raw.to_owned()),
            "{raw} stands in the table twice"
        );
        chinese += usize::from(raw.chars().any(|c| ('\u{4E00}'..='\u{9FFF}').contains(&c)));
        let check = policy.check(Some(raw), "train-commercial").expect("a use");
        let found = license_id(raw);
        assert_eq!(found, check.spdx, "{raw}: one string, two readings");
        if found.as_deref().unwrap_or("") != spdx || check.verdict.as_str() != verdict {
            wrong.push(format!("{raw}: {found:?} {check:?}"));
        }
        // A family is not guessed: a person decides, and reads which family it is.
        if spdx.is_empty() && verdict == "review" {
            let names_family = check.reason.starts_with("raw names the ")
                && check.reason.ends_with(" family but no version");
            assert!(names_family, "{raw}: {}", check.reason);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen.len() >= 450, "{} strings", seen.len());
    assert!(chinese >= 80, "{chinese} Chinese strings");
}
