//! Any text: spans are sound and in order, and the redacted text holds nothing to find.
#![no_main]

use tamis_pii::Detector;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let detector = Detector::builtin();
    let mut end = 0;
    for finding in detector.find(text) {
        assert!(finding.start >= end && finding.start < finding.end);
        assert!(text.get(finding.start..finding.end).is_some());
        end = finding.end;
    }
    let redacted = detector.redact(text, None);
    assert!(detector.find(&redacted).is_empty());
    assert_eq!(end == 0, redacted == text);
});
