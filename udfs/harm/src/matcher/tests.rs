use proptest::prelude::*;

use super::*;

/// As many cases as PROPTEST_CASES says, which an emulator is given, else `usual`.
pub(super) fn cases(usual: u32) -> ProptestConfig {
    let given = std::env::var("PROPTEST_CASES").ok();
    let cases = given.and_then(|cases| cases.parse().ok()).unwrap_or(usual);
    ProptestConfig::with_cases(cases)
}

/// The oracle: looks for every pattern at every place.
#[derive(Debug)]
pub(crate) struct NaiveMatcher(pub(crate) Vec<String>);

impl Matcher for NaiveMatcher {
    fn find_all(&self, documents: &[&str], on_match: &mut dyn FnMut(Match)) {
        for (document, text) in documents.iter().enumerate() {
            for (start, _) in text.char_indices() {
                for (pattern, term) in self.0.iter().enumerate() {
                    if text[start..].starts_with(term.as_str()) {
                        on_match(Match {
                            document,
                            pattern,
                            start,
                            end: start + term.len(),
                        });
                    }
                }
            }
        }
    }

    fn find_any(&self, documents: &[&str], found: &mut [bool]) {
        found.fill(false);
        self.find_all(documents, &mut |m| found[m.document] = true);
    }
}

fn all_matches(matcher: &dyn Matcher, documents: &[&str]) -> Vec<Match> {
    let mut matches = Vec::new();
    let mut last = 0;
    matcher.find_all(documents, &mut |m| {
        assert!(m.document >= last, "documents ascend");
        last = m.document;
        matches.push(m);
    });
    matches.sort();
    matches
}

#[test]
fn overlapping_patterns_are_all_found() {
    let matcher = DaachorseMatcher::new(&["aa", "a", "中文", "文中", "文"]).expect("builds");
    let matches = all_matches(&matcher, &["aaa", "", "中文中"]);
    let spans: Vec<_> = matches
        .iter()
        .map(|m| (m.document, m.pattern, m.start, m.end))
        .collect();
    assert_eq!(
        spans,
        [
            (0, 0, 0, 2),
            (0, 0, 1, 3),
            (0, 1, 0, 1),
            (0, 1, 1, 2),
            (0, 1, 2, 3),
            (2, 2, 0, 6),
            (2, 3, 3, 9),
            (2, 4, 3, 6),
        ]
    );
}

#[test]
fn documents_are_not_joined() {
    let matcher = DaachorseMatcher::new(&["ab", "文字"]).expect("builds");
    let documents = ["a", "b", "文", "字", "", "ab"];
    assert_eq!(all_matches(&matcher, &documents).len(), 1);
    let mut found = [true; 6];
    matcher.find_any(&documents, &mut found);
    assert_eq!(found, [false, false, false, false, false, true]);
}

#[test]
fn no_patterns_find_nothing() {
    let matcher = DaachorseMatcher::new(&[]).expect("builds");
    assert!(all_matches(&matcher, &["a", ""]).is_empty());
    let mut found = [true, true];
    matcher.find_any(&["a", ""], &mut found);
    assert_eq!(found, [false, false]);
}

#[test]
fn wrong_patterns_are_refused() {
    assert!(DaachorseMatcher::new(&[""]).is_err());
    assert!(DaachorseMatcher::new(&["a", "a"]).is_err());
}

proptest! {
    #![proptest_config(cases(1500))]
    #[test]
    fn agrees_with_looking_everywhere(
        patterns in proptest::collection::btree_set("[ab中文😀]{1,4}", 1..12),
        documents in proptest::collection::vec("[ab中文😀é]{0,20}", 0..5),
    ) {
        let patterns: Vec<String> = patterns.into_iter().collect();
        let borrowed: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
        let matcher = DaachorseMatcher::new(&borrowed).expect("builds");
        let naive = NaiveMatcher(patterns.clone());
        let matches = all_matches(&matcher, &documents);
        prop_assert_eq!(&matches, &all_matches(&naive, &documents));
        let mut found = vec![false; documents.len()];
        matcher.find_any(&documents, &mut found);
        for (document, found) in found.iter().enumerate() {
            prop_assert_eq!(*found, matches.iter().any(|m| m.document == document));
        }
    }
}

/// Documents and patterns that meet the borders of what kernels read at once.
mod pair_gram {
    use std::collections::BTreeSet;

    use super::*;
    use crate::matcher::{GramFrequencies, Kernel, PairGramMatcher};

    fn any_matches(matcher: &dyn Matcher, documents: &[&str]) -> Vec<bool> {
        // What stood there before must not matter.
        let mut found = vec![true; documents.len()];
        matcher.find_any(documents, &mut found);
        found
    }

    /// Fails unless every kernel finds what `expected` holds.
    fn assert_all_agree(patterns: &[&str], documents: &[&str], expected: &[Match]) {
        let hit: Vec<bool> = (0..documents.len())
            .map(|document| expected.iter().any(|m| m.document == document))
            .collect();
        for kernel in Kernel::available() {
            let adapting = PairGramMatcher::new(patterns).expect("builds");
            let sampled = PairGramMatcher::with_sample(patterns, documents).expect("builds");
            let builtin = PairGramMatcher::new(patterns).expect("builds");
            for matcher in [
                adapting.with_new_anchors_after(1),
                sampled,
                builtin.with_these_anchors(),
            ] {
                let matcher = matcher.with_kernel(kernel);
                assert_eq!(all_matches(&matcher, documents), expected, "{kernel:?}");
                assert_eq!(any_matches(&matcher, documents), hit, "{kernel:?}");
            }
        }
    }

    fn oracle(patterns: &[&str], documents: &[&str]) -> Vec<Match> {
        all_matches(&DaachorseMatcher::new(patterns).expect("builds"), documents)
    }

    fn assert_as_the_oracle(patterns: &[&str], documents: &[&str]) {
        assert_all_agree(patterns, documents, &oracle(patterns, documents));
    }

    #[test]
    fn kernels_run_where_the_processor_has_them() {
        let names: Vec<&str> = Kernel::available().iter().map(|k| k.name()).collect();
        // Looked for by tests/emulated/run.sh.
        println!("kernels: {}", names.join(", "));
        assert_eq!(names, ["scalar", "avx2", "avx512"][..names.len()]);
        assert_eq!(Some(&Kernel::fastest()), Kernel::available().last());
    }

    #[test]
    fn a_pattern_is_found_at_every_place_of_every_length() {
        for pattern in [
            "quiz",
            "罂粟",
            "我们罂粟",
            "x罂粟",
            "罂x粟y",
            "éé",
            "😀é",
            "😀😀",
            "罂",
            "x",
            "é",
            "xyz",
            "罂xy",
        ] {
            for filling in ["", "a", "的", "é", "😀", "a的", "的a的的", "aé😀的"] {
                for repeats in [0, 1, 7, 8, 15, 16, 31, 33, 64, 65] {
                    let before = filling.repeat(repeats);
                    let texts = [
                        format!("{before}{pattern}"),
                        format!("{pattern}{before}"),
                        format!("{before}{pattern}{before}"),
                        format!(
                            "{before}{}",
                            &pattern[..pattern.char_indices().last().map_or(0, |(at, _)| at)]
                        ),
                    ];
                    let documents: Vec<&str> = texts.iter().map(String::as_str).collect();
                    assert_as_the_oracle(&[pattern], &documents);
                }
            }
        }
    }

    #[test]
    fn chunks_and_long_documents_are_joined_without_loss() {
        let mut text = String::new();
        let mut state = 1u64;
        while text.len() < 70_000 {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            text.push_str(
                ["a", "b", "的", "中文", "é", "😀", "cd", "罂粟"][(state >> 61) as usize],
            );
        }
        let patterns = [
            "abab",
            "的的",
            "的ab",
            "é😀",
            "a",
            "中",
            "罂粟罂粟",
            "cdcd中",
            "b的😀",
        ];
        let middle = text.floor_char_boundary(20_000);
        let first = text.ceil_char_boundary(1);
        let documents = [&text, &text[..first], "", &text[..middle], &text[middle..]];
        assert_as_the_oracle(&patterns, &documents);
    }

    #[test]
    fn slices_of_one_text_are_documents_of_their_own() {
        let text = "买罂粟quiz中文罂粟quiz".repeat(200);
        let patterns = ["罂粟", "quiz", "粟quiz中", "文罂"];
        for size in [1, 2, 3, 5, 100, 1023, 1024, 1025, 3000] {
            let mut documents = Vec::new();
            let mut start = 0;
            while start < text.len() {
                let end = text.ceil_char_boundary(start + size);
                documents.push(&text[start..end]);
                start = end;
            }
            assert_as_the_oracle(&patterns, &documents);
        }
    }

    #[test]
    fn many_patterns_behind_one_anchor_go_to_the_automaton() {
        // Every gram of these is shared by most of them.
        let patterns: Vec<String> = (0..4000u32)
            .map(|number| {
                format!("{:012b}", number)
                    .replace('0', "a")
                    .replace('1', "b")
            })
            .chain(["罂".to_owned(), "a".to_owned(), "ab".to_owned()])
            .collect();
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let mut state = 7u64;
        let texts: Vec<String> = [30_000usize, 500, 500, 2000, 0, 90, 40_000]
            .iter()
            .map(|&length| {
                let mut text = String::new();
                while text.len() < length {
                    state = state
                        .wrapping_mul(6364136223846793005)
                        .wrapping_add(1442695040888963407);
                    text.push_str(["a", "b", "a", "罂"][(state >> 62) as usize]);
                }
                text
            })
            .collect();
        let documents: Vec<&str> = texts.iter().map(String::as_str).collect();
        assert_as_the_oracle(&patterns, &documents);
        let plain = "b".repeat(50_000);
        assert_as_the_oracle(&patterns[..3000], &[&plain, "", &plain]);
    }

    #[test]
    fn long_patterns_in_repetitive_text_go_to_the_automaton() {
        // Compared at each of 300,000 places these would be 6 billion bytes.
        let (long, other) = ("a".repeat(20_000), "罂粟".repeat(3000));
        let almost = format!("{}b", "a".repeat(20_000));
        let patterns = [long.as_str(), &other, &almost];
        let text = format!("{}{}", "a".repeat(300_000), "罂粟".repeat(20_000));
        let documents = [text.as_str(), &text[..25_000]];
        let expected = oracle(&patterns, &documents);
        let found = expected.len();
        assert_eq!(found, 280_001 + 17_001 + 5_001);
        for kernel in Kernel::available() {
            let matcher = PairGramMatcher::new(&patterns)
                .expect("builds")
                .with_kernel(kernel);
            assert_eq!(all_matches(&matcher, &documents), expected);
            assert!(matcher.reads_by_automaton());
            let any = PairGramMatcher::new(&[&almost]).expect("builds");
            assert_eq!(any_matches(&any, &documents), [false, false]);
            assert!(any.reads_by_automaton());
        }
    }

    #[test]
    fn long_patterns_that_differ_early_are_compared() {
        let long = format!("quiz{}", "a".repeat(20_000));
        let matcher = PairGramMatcher::new(&[&long]).expect("builds");
        let text = "the quizmaster asked ".repeat(2000);
        assert!(all_matches(&matcher, &[&text]).is_empty());
        assert!(!matcher.reads_by_automaton());
    }

    #[test]
    fn spellings_are_reported_as_their_pattern() {
        let spellings = [
            ("gram", 7),
            ("GRAM", 7),
            ("克", 7),
            ("克", 7),
            ("克", 2),
            ("gram", 3),
            ("gram", 7),
        ];
        let matcher = PairGramMatcher::with_spellings(&spellings, &GramFrequencies::builtin())
            .expect("builds");
        let spans: Vec<_> = all_matches(&matcher, &["a gram", "GRAMgram 克"])
            .iter()
            .map(|m| (m.document, m.pattern, m.start, m.end))
            .collect();
        assert_eq!(
            spans,
            [
                (0, 3, 2, 6),
                (0, 7, 2, 6),
                (1, 2, 9, 12),
                (1, 3, 4, 8),
                (1, 7, 0, 4),
                (1, 7, 4, 8),
                (1, 7, 9, 12)
            ]
        );
    }

    #[test]
    fn anchor_spellings_and_a_comparison_of_the_caller_find_other_forms() {
        // Case is the map here: "abrakadabra" in any case, by the spellings of its rarest gram.
        let pattern = "abrakadabra";
        let gram = GramFrequencies::builtin()
            .rarest_gram(pattern)
            .expect("long");
        let mut spellings = vec![String::new()];
        for letter in pattern[gram.clone()].chars() {
            spellings = spellings
                .iter()
                .flat_map(|spelling| {
                    [letter, letter.to_ascii_uppercase()].map(|c| format!("{spelling}{c}"))
                })
                .collect();
        }
        let spellings: Vec<(&str, usize)> = spellings.iter().map(|s| (s.as_str(), 0)).collect();
        let matcher = PairGramMatcher::with_spellings(&spellings, &GramFrequencies::builtin())
            .expect("builds");
        let documents = ["AbraKadabra", "kada abrakadabrA", "abra kadabra"];
        let mut found = Vec::new();
        matcher.find_all(&documents, &mut |m| {
            let text = documents[m.document];
            let Some(start) = m.start.checked_sub(gram.start) else {
                return;
            };
            if text
                .get(start..start + pattern.len())
                .is_some_and(|t| t.eq_ignore_ascii_case(pattern))
            {
                found.push((m.document, start));
            }
        });
        assert_eq!(found, [(0, 0), (1, 5)]);
    }

    #[test]
    fn wrong_patterns_are_refused_and_none_find_nothing() {
        assert!(PairGramMatcher::new(&[""]).is_err());
        let twice = PairGramMatcher::new(&["quiz", "罂粟", "quiz"]).expect_err("twice");
        assert_eq!(twice, "the pattern 'quiz' is given twice");
        assert!(PairGramMatcher::new(&["a", "a"]).is_err());
        assert_all_agree(&[], &["a", "", "罂粟"], &[]);
        assert_all_agree(&["a"], &[], &[]);
    }

    /// English and Chinese prose of this project, and code.
    fn prose() -> [(&'static str, &'static str); 3] {
        [
            (
                "english",
                concat!(
                    include_str!("../../../../docs/performance.md"),
                    include_str!("../../../../docs/quality.md")
                ),
            ),
            ("chinese", include_str!("../../data/lexicon-allow.csv")),
            ("code", include_str!("tests.rs")),
        ]
    }

    #[test]
    fn a_first_mebibyte_in_one_language_does_not_hurt_the_others() {
        let lexicons = [
            include_str!("../../data/lexicon-en.csv"),
            include_str!("../../data/lexicon-zh.csv"),
        ];
        let patterns: BTreeSet<&str> = lexicons
            .iter()
            .flat_map(|lexicon| lexicon.lines().skip(1))
            .filter_map(|line| line.split(',').next())
            .filter(|term| term.len() >= 6)
            .collect();
        assert!(patterns.len() > 5000);
        let patterns: Vec<&str> = patterns.into_iter().collect();
        let rate = |matcher: &PairGramMatcher, text: &str| {
            matcher.candidates(text) as f64 / text.chars().count() as f64
        };
        let builtin = PairGramMatcher::new(&patterns)
            .expect("builds")
            .with_these_anchors();
        for (first, begins) in prose() {
            let mebibyte = begins.repeat((1 << 20) / begins.len() + 1);
            let adapted = PairGramMatcher::new(&patterns).expect("builds");
            adapted.find_any(&[&mebibyte], &mut [false]);
            assert!(adapted.candidates(begins) <= builtin.candidates(begins));
            for (other, text) in prose() {
                let (before, after) = (rate(&builtin, text), rate(&adapted, text));
                assert!(
                    after <= 1.2 * before + 0.001,
                    "{other} behind {first}: {before} before, {after} after"
                );
            }
        }
    }

    proptest! {
        #![proptest_config(cases(600))]

        #[test]
        fn agrees_on_few_letters(
            patterns in proptest::collection::btree_set("[ab中文😀é]{1,7}", 1..20),
            documents in proptest::collection::vec("[ab中文😀é]{0,90}", 0..6),
            copies in 1usize..40,
        ) {
            let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
            let repeated: Vec<String> = documents.iter().map(|text| text.repeat(copies)).collect();
            let documents: Vec<&str> =
                documents.iter().chain(&repeated).map(String::as_str).collect();
            assert_as_the_oracle(&patterns, &documents);
        }

        #[test]
        fn agrees_with_looking_everywhere(
            patterns in proptest::collection::btree_set("[ab中文😀é]{1,6}", 1..12),
            documents in proptest::collection::vec("[ab中文😀é]{0,60}", 0..6),
        ) {
            let borrowed: Vec<&str> = patterns.iter().map(String::as_str).collect();
            let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
            let naive = NaiveMatcher(patterns.iter().cloned().collect());
            assert_all_agree(&borrowed, &documents, &all_matches(&naive, &documents));
        }

        #[test]
        fn agrees_on_any_text(
            text in "\\PC{0,400}",
            cuts in proptest::collection::vec(0usize..400, 1..40),
            borders in proptest::collection::vec(0usize..400, 0..6),
        ) {
            // Patterns and documents are slices of one text.
            let boundary = |at: usize| text.ceil_char_boundary(at);
            let patterns: BTreeSet<&str> = cuts
                .iter()
                .map(|&cut| &text[boundary(cut)..boundary(cut + 1 + cut % 13)])
                .filter(|pattern| !pattern.is_empty())
                .collect();
            let patterns: Vec<&str> = patterns.into_iter().collect();
            let mut borders: Vec<usize> = borders.into_iter().map(boundary).collect();
            borders.extend([0, text.len()]);
            borders.sort_unstable();
            let documents: Vec<&str> = borders.windows(2).map(|w| &text[w[0]..w[1]]).collect();
            assert_as_the_oracle(&patterns, &documents);
        }
    }
}
