//! An expression built from the input's bytes: it is read, its reading is a fixed point, and its
//! verdict follows from those of its parts.
#![no_main]

use tamis_license::{LicensePolicy, Verdict, explain, license_conflicts, license_id, terms};

const TERMS: [&str; 16] = [
    "MIT",
    "apache license 2.0",
    "GPL-2.0+",
    "GPLv3",
    "CC BY-NC 4.0",
    "署名 4.0 国际",
    "木兰宽松许可证 第2版",
    "LicenseRef-x",
    "GPL-2.0 WITH Classpath-exception-2.0",
    "CC0",
    "llama3",
    "Vim",
    "BSD-3-Clause",
    "odc-by",
    "MPL-2.0+",
    "AGPL-3.0-only",
];

/// Reads an expression from the bytes in prefix form: its text and its verdict.
fn build(bytes: &mut std::slice::Iter<'_, u8>, depth: usize) -> (String, Verdict) {
    let byte = bytes.next().copied().unwrap_or(0);
    if depth == 0 || byte < 128 {
        let term = TERMS[usize::from(byte % 16)];
        return (term.to_owned(), verdict(term));
    }
    let (left, a) = build(bytes, depth - 1);
    let (right, b) = build(bytes, depth - 1);
    if byte % 2 == 0 {
        (format!("({left}) AND ({right})"), a.min(b))
    } else {
        (format!("({left}) or ({right})"), a.max(b))
    }
}

fn verdict(raw: &str) -> Verdict {
    LicensePolicy::builtin()
        .check(Some(raw), "train-commercial")
        .expect("a use of the policy")
        .verdict
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (raw, expected) = build(&mut bytes.iter(), 6);
    let Some(id) = license_id(&raw) else {
        // Only for its length.
        assert!(raw.len() > 2_000, "{raw}");
        return;
    };
    assert_eq!(license_id(&id).as_deref(), Some(id.as_str()));
    assert_eq!(explain(&raw).spdx.as_deref(), Some(id.as_str()));
    assert_eq!(verdict(&raw), expected, "{raw}");
    assert!(!terms(&id).is_empty());
    assert!(!license_conflicts(Some(&raw), &id));
});
