//! Any text as Content-Usage or Content-Signal: an added refusal always counts.
#![no_main]

use tamis_consent::signals::{content_signal, content_usage};

libfuzzer_sys::fuzz_target!(|input: (&str, &str, &str)| {
    let (url, category, text) = input;
    content_usage(text, url, category);
    content_signal(text, url, category);
    // A text with a User-agent line is a robots.txt, where the added line is no rule.
    if !text.to_ascii_lowercase().contains("user") {
        let usage = format!("{text}\ntrain-ai=n");
        assert_eq!(content_usage(&usage, url, "train-ai"), Some(false));
        let signal = format!("{text}\nai-train=no");
        assert_eq!(content_signal(&signal, url, "ai-train"), Some(false));
    }
});
