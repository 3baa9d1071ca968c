//! Any patterns in any documents: every kernel, with any choice of anchors, finds what an
//! automaton finds.
#![no_main]

use std::collections::BTreeSet;

use tamis_harm::{DaachorseMatcher, Kernel, Match, Matcher, PairGramMatcher};

fn all(matcher: &dyn Matcher, documents: &[&str]) -> Vec<Match> {
    let mut matches = Vec::new();
    matcher.find_all(documents, &mut |found| {
        assert!(
            matches
                .last()
                .is_none_or(|last: &Match| last.document <= found.document)
        );
        matches.push(found);
    });
    matches.sort_unstable();
    matches
}

// The first line holds the patterns, every other line is a document. The first byte says how
// often the documents are repeated, which takes them over what kernels read at once; the second
// how often the first pattern is, which makes comparing it dear in a text that repeats it too.
libfuzzer_sys::fuzz_target!(|input: (u8, u8, &str)| {
    let (copies, stretch, text) = input;
    let (patterns, documents) = text.split_once('\n').unwrap_or((text, ""));
    let mut patterns: BTreeSet<String> = patterns
        .split(' ')
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect();
    if let Some(first) = patterns.first() {
        patterns.insert(first.repeat(1 + usize::from(stretch)));
    }
    let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
    let copies = usize::from(copies) % 50;
    let mut documents: Vec<String> = documents.split('\n').map(str::to_owned).collect();
    documents.extend(documents.clone().iter().map(|text| text.repeat(copies)));
    documents.push(documents.concat());
    let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
    let expected = all(
        &DaachorseMatcher::new(&patterns).expect("distinct"),
        &documents,
    );
    for kernel in Kernel::available() {
        for matcher in [
            PairGramMatcher::new(&patterns),
            PairGramMatcher::with_sample(&patterns, &documents),
        ] {
            let matcher = matcher.expect("distinct").with_kernel(kernel);
            assert_eq!(all(&matcher, &documents), expected);
            let mut found = vec![true; documents.len()];
            matcher.find_any(&documents, &mut found);
            for (document, found) in found.iter().enumerate() {
                assert_eq!(*found, expected.iter().any(|m| m.document == document));
            }
        }
    }
});
