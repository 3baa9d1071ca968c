//! A page of any octets: a comment, a script and a title before it hide nothing of it.
#![no_main]

use tamis_consent::signals::html_signals;

libfuzzer_sys::fuzz_target!(|page: &[u8]| {
    let alone = html_signals(page);
    assert!(!alone.truncated);
    if !page.starts_with(&[0xFF, 0xFE]) && !page.starts_with(&[0xFE, 0xFF]) {
        let before =
            b"<!--<meta name=robots content=noai>--><script><body></script><title></head></title>";
        assert_eq!(html_signals(&[before, page].concat()), alone);
    }
});
