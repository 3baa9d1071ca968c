//! Any rows of a block list: each is taken or refused with its place, and what is taken is found
//! while it is in force.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tamis_consent::{BlockListBuilder, BlockRow};

/// One row per line, fields between tabs; a time is a number, anything else is null.
fn row(line: &str) -> BlockRow<'_> {
    let mut fields = line.split('\t');
    let mut field = || fields.next().unwrap_or_default();
    BlockRow {
        kind: match field() {
            "d" => "domain",
            "h" => "host",
            "u" => "url",
            "s" => "sha256",
            kind => kind,
        },
        entry: match field() {
            "=" => "aBababababababababababababababababababababababababababababababab",
            entry => entry,
        },
        listed_at: field().parse().ok(),
        removed_at: field().parse().ok(),
        reason_code: Some(field()),
        source: Some(field()),
    }
}

fuzz_target!(|input: &str| {
    let mut builder = BlockListBuilder::new("any.csv");
    let mut taken = Vec::new();
    for (number, line) in input.lines().enumerate() {
        let row = row(line);
        match builder.push(|| format!("line {number}"), row) {
            Ok(()) => taken.push(row),
            Err(error) => {
                let place = format!("any.csv, line {number}: ");
                assert!(error.to_string().starts_with(&place), "{error}");
            }
        }
    }
    let list = builder.finish("", "").expect("a list");
    assert_eq!(list.len(), taken.len());
    assert_eq!(list.is_empty(), list.memory_bytes() == 0);
    for row in &taken {
        let at = row.listed_at.unwrap_or(i64::MIN);
        let is_in_force = row.removed_at.is_none_or(|removed_at| at < removed_at);
        let kind = row.kind.to_ascii_lowercase();
        let address = match kind.as_str() {
            "sha256" => None,
            "url" => Some(row.entry.strip_suffix('*').unwrap_or(row.entry).to_owned()),
            _ => Some(format!("https://{}", row.entry)),
        };
        let digest = (kind == "sha256").then_some(row.entry);
        let check = list.check(address.as_deref(), digest, at);
        if is_in_force {
            assert_eq!(check.verdict, "listed", "{row:?}");
        }
        assert_ne!(check.verdict, "missing", "{row:?}");
        if let Some(index) = check.entry_index {
            assert_eq!(check.entry, Some(taken[index].entry));
        }
    }
    assert_eq!(list.check(None, None, 0).verdict, "missing");
});
