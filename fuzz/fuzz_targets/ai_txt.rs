//! Any text as ai.txt: a denial for the site and all agents behind it always forbids.
#![no_main]

use tamis_consent::signals::ai_txt_allowed;

libfuzzer_sys::fuzz_target!(|input: (&str, &str)| {
    let (url, text) = input;
    ai_txt_allowed(text, url);
    let denied = format!("{text}\nTraining: deny\nAgent: *\n  Training: deny\n");
    assert_eq!(ai_txt_allowed(&denied, url), Some(false));
});
