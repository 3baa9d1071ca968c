//! An RSL document of any shape, and an address: what is asked in parts is asked as a whole.
#![no_main]

use tamis_consent::signals::rsl_permission;

libfuzzer_sys::fuzz_target!(|input: (&str, &str)| {
    let (document, url) = input;
    let permission = |usage| rsl_permission(document, url, usage);
    let parts = ["ai-train", "ai-input", "ai-index", "search"];
    assert_eq!(
        parts.map(permission).into_iter().max(),
        Some(permission("all"))
    );
    let inside = format!("<rsl><content url=\"/\"><license>{document}</license></content></rsl>");
    assert!(rsl_permission(&inside, url, "ai-train").is_some());
});
