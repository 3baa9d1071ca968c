use proptest::prelude::*;

use super::*;

/// What stands in `text` where its normal form has `term`.
fn found<'a>(text: &'a str, term: &str) -> &'a str {
    let normal = Normal::new(text);
    let start = normal.text().find(term).expect("the term is in the text");
    let (start, end) = normal.original_span(start, start + term.len());
    &text[start..end]
}

#[test]
fn examples() {
    for (text, expected) in [
        ("", ""),
        ("plain 中文", "plain 中文"),
        ("ＦＵＣＫ", "fuck"),
        ("殺人 杀人", "杀人 杀人"),
        ("FUСK fuсk", "fuck fuck"),
        ("ΚΙLL SΗΙT", "kill shit"),
        ("ꜰᴜᴄᴋ", "fuck"),
        ("fück café", "fuck cafe"),
        ("f\u{336}u\u{336}c\u{336}k\u{336}", "fuck"),
        ("傻\u{336}逼\u{20DD}", "傻逼"),
        ("🅵🅄🅲🅺 ❾⓾", "fuck 910"),
        ("1\u{FE0F}\u{20E3}", "1"),
        ("жёсткий и жук", "жёсткий и жук"),
        ("ру́сский жу́к", "русский жук"),
        ("\u{301}a", "\u{301}a"),
        ("か\u{301}", "か\u{301}"),
    ] {
        assert_eq!(normal_form(text), expected, "{text:?}");
        assert_eq!(Normal::new(text).text(), expected, "{text:?}");
    }
}

#[test]
fn the_way_back() {
    assert_eq!(found("说殺人吗", "杀人"), "殺人");
    assert_eq!(found("说殺人吗", "人吗"), "人吗");
    assert_eq!(
        found("xf\u{336}u\u{336}ck\u{336}y", "fuck"),
        "f\u{336}u\u{336}ck\u{336}"
    );
    assert_eq!(found("x⓾y", "0y"), "⓾y");
    assert_eq!(found("x⓾y", "1"), "⓾");
    assert_eq!(found("ＦUСK", "uc"), "UС");
    assert_eq!(found("cafe\u{301}!", "cafe"), "cafe\u{301}");
    let normal = Normal::new("殺é");
    assert_eq!(normal.original_span(0, 0), (0, 0));
    assert_eq!(normal.original_span(3, 3), (3, 3));
    assert_eq!(normal.original_span(4, 4), (5, 5));
}

#[test]
fn every_character() {
    for c in (0..=0x10FFFF).filter_map(char::from_u32) {
        for text in [c.to_string(), format!("a{c}o"), format!("中{c}\u{301}")] {
            let normal = normal_form(&text);
            assert_eq!(normal_form(&normal), normal, "{c:?}");
            if text.starts_with('a') && is_normal(c) {
                assert_eq!(normal, text, "{c:?}");
            }
        }
    }
}

/// Found at random: the enclosing mark kept the two others apart.
#[test]
fn marks_behind_an_enclosing_mark_go_with_it() {
    for text in [
        "о\u{5B0}\u{20E3}\u{3099}",
        "o\u{5B0}\u{20E3}\u{3099}",
        "é\u{20E3}\u{5B0}x",
    ] {
        let normal = normal_form(text).into_owned();
        assert_eq!(normal_form(&normal), normal, "{text:?}");
    }
    assert_eq!(normal_form("o\u{20E3}\u{5B0}x"), "ox");
}

const MIXED: &str = "[aeoAEcсаржΗηоκ殺龍中的，Ｆ①❾🅵ɪøé\u{1100}\u{1161}か\u{3099}\u{5B0}ก็\u{200B}\u{FE0F}\u{301}\u{302}\u{323}\u{336}\u{20E3} _]{0,12}";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn normal_form_twice_is_once(text in prop_oneof![any::<String>(), MIXED.prop_map(String::from)]) {
        let normal = normal_form(&text).into_owned();
        prop_assert_eq!(&*normal_form(&normal), &*normal);
        prop_assert_eq!(matches!(normal_form(&text), Cow::Borrowed(_)), normal == text);
    }

    /// A character of the normal form leads to a span that has it as its normal form somewhere,
    /// and spans of parts lie inside the span of the whole.
    #[test]
    fn spans_hold_what_they_stand_for(text in MIXED) {
        let normal = Normal::new(&text);
        let whole = normal.original_span(0, normal.text().len());
        prop_assert!(whole.0 <= whole.1 && whole.1 <= text.len());
        let mut covered = 0;
        for (start, c) in normal.text().char_indices() {
            let (from, to) = normal.original_span(start, start + c.len_utf8());
            prop_assert!(text.is_char_boundary(from) && text.is_char_boundary(to));
            prop_assert!(whole.0 <= from && from < to && to <= whole.1);
            covered = covered.max(to);
        }
        prop_assert!(normal.text().is_empty() || covered == whole.1);
    }
}
