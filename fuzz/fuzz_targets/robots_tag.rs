//! Any text as X-Robots-Tag: nothing permits, and a line of its own always forbids.
#![no_main]

use tamis_consent::signals::{TaggedContent, robots_tag, robots_tag_allowed};

libfuzzer_sys::fuzz_target!(|input: (&str, &str)| {
    let (agent, value) = input;
    let text = robots_tag_allowed(value, agent);
    assert_ne!(text, Some(true));
    if text == Some(false) {
        assert_eq!(robots_tag(value, agent, TaggedContent::Image), text);
    }
    assert_eq!(
        robots_tag_allowed(&format!("{value}\nnoai"), agent),
        Some(false)
    );
});
