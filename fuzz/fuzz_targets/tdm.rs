//! Headers, a page and a file of any shape: precedence holds, and a file read once says the same.
#![no_main]

use tamis_consent::signals::{TdmRules, TdmVia, tdm};

libfuzzer_sys::fuzz_target!(|input: (&str, &str, &str, &str)| {
    let (headers, html, file, url) = input;
    let all = tdm(Some(headers), Some(html), Some(file), url);
    let alone = |via| match via {
        TdmVia::Html => tdm(None, Some(html), None, url),
        TdmVia::Header => tdm(Some(headers), None, None, url),
        TdmVia::WellKnown => tdm(None, None, Some(file), url),
    };
    let places = [TdmVia::Html, TdmVia::Header, TdmVia::WellKnown];
    let first = places.into_iter().find_map(alone);
    assert_eq!(
        all.map(|all| (all.reserved, all.via)),
        first.map(|first| (first.reserved, first.via))
    );
    let rules = TdmRules::parse(file.as_bytes());
    assert_eq!(rules.reserved(url), alone(TdmVia::WellKnown));
});
