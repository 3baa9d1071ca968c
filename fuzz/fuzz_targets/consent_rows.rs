//! Any rows: the builder takes or refuses them, the check reports them, and both agree on
//! whether the registry loads.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tamis_consent::{
    ConsentCheck, ConsentOptions, ConsentRegistry, ConsentRegistryBuilder, ConsentRow,
};

/// Rows are lines of fields between tabs; a time is a number, anything else is null.
fn rows(text: &str) -> Vec<ConsentRow<'_>> {
    text.lines()
        .map(|line| {
            let mut fields = line.split('\t');
            let mut field = || fields.next().unwrap_or_default();
            ConsentRow {
                subject_id: field(),
                record_id: field(),
                // Short forms, so that sound rows are found soon.
                purpose: match field() {
                    "m" => "model-training",
                    purpose => purpose,
                },
                kind: match field() {
                    "" => "general",
                    "g" => "guardian",
                    kind => kind,
                },
                status: match field() {
                    "" => "granted",
                    "r" => "refused",
                    status => status,
                },
                granted_at: field().parse().ok(),
                expires_at: field().parse().ok(),
                withdrawn_at: field().parse().ok(),
                subject_age_band: Some(field()),
                evidence_uri: Some(field()),
            }
        })
        .collect()
}

fn build(rows: &[ConsentRow<'_>]) -> Option<ConsentRegistry> {
    let mut builder = ConsentRegistryBuilder::new("rows");
    for row in rows {
        builder.push(String::new, *row).ok()?;
    }
    builder.finish("", "").ok()
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let rows = rows(text);
    let mut check = ConsentCheck::new("rows", ConsentOptions::default(), 5, 2, None)
        .expect("nothing to read");
    for row in &rows {
        check.push(String::new, *row);
    }
    let report = check.finish().expect("nothing to read");
    assert_eq!(report.rows, rows.len() as u64);
    let registry = build(&rows);
    assert_eq!(registry.is_some(), report.loads());
    let Some(registry) = registry else { return };
    for row in &rows {
        for at in [i64::MIN, 0, i64::MAX] {
            let decision = registry.decide(Some(row.subject_id), row.purpose, at);
            // Only what the rows say can come out.
            if let Some(record) = decision.record {
                assert!(rows.iter().any(|row| row.record_id == record.record_id));
            }
            assert!(registry.decide(None, row.purpose, at).record.is_none());
        }
    }
});
