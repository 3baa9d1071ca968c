use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

use super::*;

/// Folds the whole text at once, as the definition says.
fn defined_fold(text: &str) -> String {
    let mut text = text.to_owned();
    loop {
        let next: String = text
            .chars()
            .filter(|&c| !is_default_ignorable(c))
            .nfkc()
            .flat_map(|c| if c == 'ς' { 'σ' } else { c }.to_lowercase())
            .collect();
        if next == text {
            return text;
        }
        text = next;
    }
}

fn span_of(text: &str, term: &str) -> (usize, usize) {
    let folded = Folded::new(text);
    let start = folded.text().find(term).expect("the term is in the text");
    folded.original_span(start, start + term.len())
}

/// What stands in `text` where its normal form has `term`.
fn found<'a>(text: &'a str, term: &str) -> &'a str {
    let (start, end) = span_of(text, term);
    &text[start..end]
}

#[test]
fn examples() {
    for (text, expected) in [
        ("", ""),
        ("plain text", "plain text"),
        ("Mixed CASE", "mixed case"),
        ("ＦＵＣＫ　１２", "fuck 12"),
        ("中文，标点。", "中文,标点。"),
        ("a\u{200B}b\u{AD}c\u{FEFF}", "abc"),
        ("ΟΔΟΣ ὀδός", "οδοσ ὀδόσ"),
        ("①Ⅷﬃ㎏", "1viiiffikg"),
        ("𝓕𝓾𝓬𝓴", "fuck"),
        ("Ⓕⓤⓒⓚ", "fuck"),
        ("cafe\u{301}", "café"),
        ("H\u{331}", "\u{1E96}"),
        ("e\u{200D}\u{301}", "é"),
        ("ｶﾞ", "ガ"),
        ("\u{1100}\u{1161}\u{11A8}", "각"),
        ("İ", "i\u{307}"),
        ("\u{301}a", "\u{301}a"),
        ("❤\u{FE0F}", "❤"),
        ("\u{E0041}\u{E0100}", ""),
    ] {
        assert_eq!(fold(text), expected, "{text:?}");
        assert_eq!(Folded::new(text).text(), expected, "{text:?}");
    }
}

#[test]
fn texts_in_normal_form_are_borrowed() {
    for text in [
        "",
        "lower case ascii, with digits 0123456789 and more than one chunk of it",
        "中文没有变化。",
        "café ภาษาไทยที่นี่ हिन्दी",
        "\u{301}",
    ] {
        assert!(matches!(fold(text), Cow::Borrowed(_)), "{text:?}");
        assert!(Folded::new(text).is_unchanged());
    }
    for text in ["A", "，", "a\u{200B}", "e\u{301}", "中A"] {
        assert!(matches!(fold(text), Cow::Owned(_)), "{text:?}");
        assert!(!Folded::new(text).is_unchanged());
    }
}

#[test]
fn the_way_back() {
    assert_eq!(found("说ＦＵＣＫ吗", "fuck"), "ＦＵＣＫ");
    assert_eq!(found("说ＦＵＣＫ吗", "uc"), "ＵＣ");
    assert_eq!(found("，，，他妈的，", "他妈的"), "他妈的");
    assert_eq!(
        found("f\u{200B}u\u{AD}c\u{200D}k", "fuck"),
        "f\u{200B}u\u{AD}c\u{200D}k"
    );
    assert_eq!(found("\u{200B}fu\u{200B}\u{200B}ck\u{200B}", "fu"), "fu");
    assert_eq!(found("x ﬃ y", "f"), "ﬃ");
    assert_eq!(found("x ﬃ y", "ffi y"), "ﬃ y");
    assert_eq!(found("㎏A", "ga"), "㎏A");
    assert_eq!(found("xe\u{301}y", "é"), "e\u{301}");
    assert_eq!(found("xe\u{200D}\u{301}y", "xé"), "xe\u{200D}\u{301}");
    assert_eq!(found("𝓕𝓾𝓬𝓴", "uc"), "𝓾𝓬");
    assert_eq!(found("İx", "i"), "İ");
    // Marks trade places: the smallest span is that of the letter alone, or all three.
    assert_eq!(found("x\u{302}\u{323}", "x"), "x");
    assert_eq!(found("x\u{302}\u{323}", "x\u{323}"), "x\u{302}\u{323}");
    assert_eq!(found("x\u{302}\u{323}", "\u{323}"), "\u{323}");
}

#[test]
fn empty_spans_stay_empty() {
    let folded = Folded::new("，A\u{200B}ﬃ");
    assert_eq!(folded.text(), ",affi");
    assert_eq!(folded.original_span(0, 0), (0, 0));
    assert_eq!(folded.original_span(1, 1), (3, 3));
    assert_eq!(folded.original_span(5, 5), (10, 10));
    assert_eq!(Folded::new("\u{200B}").original_span(0, 0), (0, 0));
    assert_eq!(Folded::new("").original_span(0, 0), (0, 0));
}

#[test]
#[should_panic(expected = "span 0..9 of a folded text of 1 bytes")]
fn spans_beyond_the_text_panic() {
    Folded::new("A").original_span(0, 9);
}

#[test]
fn every_character_alone_and_between_letters() {
    for c in (0..=0x10FFFF).filter_map(char::from_u32) {
        for text in [c.to_string(), format!("a{c}o")] {
            let folded = fold(&text);
            assert_eq!(folded, defined_fold(&text), "{c:?}");
            assert!(matches!(fold(&folded), Cow::Borrowed(_)), "{c:?}");
        }
    }
}

#[test]
fn long_runs_of_marks_take_linear_time() {
    let text = format!("e{}", "\u{301}\u{323}".repeat(200_000));
    let folded = Folded::new(&text);
    assert_eq!(folded.text().chars().count(), 400_000);
    assert_eq!(
        folded.original_span(0, folded.text().len()),
        (0, text.len())
    );
}

const MIXED: &str = "[aeikoxAEHİςΣ中的，。ＦｕＫｶﾞ１①㎏ﬃ𝓕Ⓕ豈ก่किé\u{200B}\u{200D}\u{AD}\u{FE0F}\u{301}\u{302}\u{323}\u{327}\u{331}\u{345}\u{FF9E}\u{1100}\u{1161}\u{11A8}\u{AC00}\u{FFC2}\u{314F}\u{F900}\u{3164}]{0,12}";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn folds_as_defined(text in prop_oneof![any::<String>(), MIXED.prop_map(String::from)]) {
        let folded = fold(&text);
        prop_assert_eq!(&*folded, defined_fold(&text));
        prop_assert_eq!(matches!(folded, Cow::Borrowed(_)), *folded == *text);
        prop_assert!(matches!(fold(&folded), Cow::Borrowed(_)));
    }

    #[test]
    fn spans_lead_back_to_what_produced_them(
        clusters in proptest::collection::vec(CLUSTER, 1..6),
        from in 0usize..40,
        length in 1usize..6,
    ) {
        let text = clusters.concat();
        let folded = Folded::new(&text);
        let borders: Vec<usize> = folded
            .text()
            .char_indices()
            .map(|(at, _)| at)
            .chain([folded.text().len()])
            .collect();
        let from = from % (borders.len() - 1);
        let to = (from + length).min(borders.len() - 1);
        let wanted = parts(&folded.text()[borders[from]..borders[to]]);
        let (start, end) = folded.original_span(borders[from], borders[to]);
        let found = &text[start..end];
        prop_assert!(holds(found, &wanted), "{found:?} {wanted:?}");
        // Neither end can be moved inwards.
        let first = found.chars().next().map_or(0, char::len_utf8);
        let last = found.chars().next_back().map_or(0, char::len_utf8);
        for smaller in [&found[first..], &found[..found.len() - last]] {
            prop_assert!(!holds(smaller, &wanted), "{found:?} {smaller:?}");
        }
    }
}

/// A letter, perhaps something ignorable, perhaps a mark: no two marks that could stand for each
/// other.
const CLUSTER: &str = "[aeikxAEHİΣ中，ＦＫｶ１①㎏ﬆ𝓕Ⓕ豈กé\u{1100}][\u{200B}\u{AD}\u{FE0F}]{0,2}[\u{323}\u{331}\u{FF9E}\u{1161}]?";

/// The characters a text is made of, fully decomposed.
fn parts(folded: &str) -> Vec<char> {
    folded.nfd().collect()
}

/// Whether `wanted` stands in the normal form of `text`, other characters between allowed.
fn holds(text: &str, wanted: &[char]) -> bool {
    let mut all = parts(&defined_fold(text)).into_iter();
    wanted.iter().all(|part| all.any(|c| c == *part))
}

/// Spans of a text that needs no folding cost nothing and are themselves.
#[test]
fn unchanged_texts_make_no_map() {
    let folded = Folded::new("中文 text");
    assert_eq!(folded.original_span(3, 8), (3, 8));
    assert!(folded.map.get().is_none());
    assert_eq!(span_of("x中", "中"), (1, 4));
}
