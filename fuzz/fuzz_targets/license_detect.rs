//! A document of any kind: what is found reads as itself and does not contradict itself.
//! Each input is tried alone, as a comment, and behind the start of a header.
#![no_main]

use tamis_license::{license_conflicts, license_detect, license_id};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let commented: String = text.lines().map(|line| format!("# {line}\n")).collect();
    let led = format!("This file is licensed under the {text}");
    let tagged = format!("// SPDX-License-Identifier: {text}");
    for document in [text, &commented, &led, &tagged] {
        if let Some(found) = license_detect(document) {
            assert_eq!(license_id(&found.spdx).as_deref(), Some(found.spdx.as_str()));
            assert!(found.confidence > 0.0 && found.confidence <= 1.0);
            assert!(!license_conflicts(Some(&found.spdx), &found.spdx));
        }
    }
});
