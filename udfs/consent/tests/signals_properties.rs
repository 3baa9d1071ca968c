//! Opt-out signals of documents under arbitrary, hostile and huge input.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use tamis_consent::signals::{
    HTML_LIMIT, Permission, TdmRules, c2pa_training, header_values, html_signals, rsl_permission,
    tdm, tdm_reserved,
};

const URL: &str = "https://a.example/a/b?c=d";

/// Documents that are nearly right: pieces of each format in any order.
fn pieces(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => proptest::sample::select(pieces).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn html() -> impl Strategy<Value = String> {
    pieces(&[
        "<",
        ">",
        "</",
        "/>",
        "<!--",
        "-->",
        "--!>",
        "<!",
        "<?",
        "=",
        "\"",
        "'",
        " ",
        "&",
        "&#",
        "&#x31;",
        "&quot",
        ";",
        "<meta ",
        "<META\n",
        "<link ",
        "<script>",
        "</script>",
        "<script ",
        "<title>",
        "</title>",
        "<style>",
        "</style",
        "<body",
        "<head>",
        "</head>",
        "<p>",
        "name=",
        "content=",
        "http-equiv=",
        "rel=license ",
        "type=application/rsl+xml ",
        "href=/l",
        "robots",
        "noai",
        "tdm-reservation",
        "1",
        "0",
    ])
}

fn xml() -> impl Strategy<Value = String> {
    pieces(&[
        "<rsl>",
        "<rsl xmlns=\"https://rslstandard.org/rsl\">",
        "</rsl>",
        "<content url=\"/\">",
        "<content url=\"/a*$\">",
        "</content>",
        "<license>",
        "</license>",
        "<license/>",
        "<permits type=\"usage\">",
        "<permits type=\"user\">",
        "</permits>",
        "<prohibits type=\"usage\">",
        "</prohibits>",
        "<payment type=\"free\"/>",
        "<payment type=\"crawl\">",
        "</payment>",
        "all",
        "ai-train",
        " ",
        "search",
        "&amp;",
        "&lt",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<!DOCTYPE rsl>",
        "<!DOCTYPE r [",
        "]>",
        "<?x ?>",
    ])
}

fn json() -> impl Strategy<Value = String> {
    pieces(&[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"label\"",
        "\"data\"",
        "\"entries\"",
        "\"assertions\"",
        "\"cawg.training-mining\"",
        "\"cawg.ai_generative_training\"",
        "\"use\"",
        "\"allowed\"",
        "\"notAllowed\"",
        "\"location\"",
        "\"/\"",
        "\"tdm-reservation\"",
        "1",
        "0",
        "null",
        "\"tdm-policy\"",
        "{\"use\":\"allowed\"}",
        "[{\"location\":\"/a\",\"tdm-reservation\":0}]",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_input_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        let signals = html_signals(&bytes);
        prop_assert!(!signals.truncated);
        let rules = TdmRules::parse(&bytes);
        prop_assert_eq!(rules.reserved(&text), tdm(None, None, Some(&text), &text));
        c2pa_training(&text);
        rsl_permission(&text, &text, &text);
        tdm(Some(&text), Some(&text), Some(&text), &text);
    }

    #[test]
    fn a_page_that_reserves_stays_reserved(rest in html(), headers in any::<String>()) {
        let page = format!("<meta name=tdm-reservation content=1>{rest}");
        prop_assert_eq!(tdm_reserved(Some(&headers), Some(&page), None, URL), Some(true));
    }

    #[test]
    fn a_page_says_the_same_in_utf_16(page in html()) {
        let mut wide = vec![0xFF, 0xFE];
        wide.extend(page.encode_utf16().flat_map(u16::to_le_bytes));
        prop_assert_eq!(html_signals(&wide), html_signals(page.as_bytes()));
    }

    #[test]
    fn after_the_body_nothing_counts(head in html(), body in html()) {
        let whole = html_signals(format!("{head}<body>{body}").as_bytes());
        // Where the head's last piece leaves a tag, a quote or a comment open, the body is in it.
        let open = html_signals(format!("{head}<meta name=robots content=noai>").as_bytes());
        let closed = html_signals(head.as_bytes());
        // An open `<meta ` takes in the attributes of a meta, an open `<link ` those of a link.
        let link = "<link rel=license type=application/rsl+xml href=/marker>";
        let linked = html_signals(format!("{head}{link}").as_bytes());
        if open.robots.len() == closed.robots.len() + 1
            && linked.rsl_links.len() == closed.rsl_links.len() + 1
        {
            prop_assert_eq!(whole, closed);
        }
    }

    #[test]
    fn text_that_is_not_a_document_allows_nothing(text in xml()) {
        if !text.contains("<rsl") {
            let found = rsl_permission(&text, URL, "ai-train");
            prop_assert_eq!(found, Some(Permission::Disallowed));
        }
    }

    #[test]
    fn a_prohibition_is_never_undone(rest in xml()) {
        let document = format!(
            "<rsl><content url=\"/a/b\"><license><prohibits type=\"usage\">ai-train</prohibits>\
             </license>{rest}</content></rsl>"
        );
        if !rest.contains("</content>") {
            let found = rsl_permission(&document, URL, "ai-train");
            prop_assert_eq!(found, Some(Permission::Disallowed));
        }
    }

    #[test]
    fn more_uses_are_never_permitted_more(text in xml()) {
        let document = format!("<rsl><content url=\"/\"><license>{text}</license></content></rsl>");
        let permission = |usage| rsl_permission(&document, URL, usage);
        for part in ["ai-train", "ai-input", "ai-index"] {
            prop_assert!(permission(part) <= permission("ai-all"));
        }
        let all = permission("ai-all").max(permission("search"));
        prop_assert_eq!(all, permission("all"));
    }

    #[test]
    fn an_assertion_that_disallows_is_never_undone(other in json()) {
        let no = r#"{"label":"cawg.training-mining","data":{"entries":{"cawg.data_mining":{"use":"notAllowed"}}}}"#;
        for document in [
            format!("[{no},{other}]"),
            format!("{{\"assertions\":[{no}],\"assertion_store\":{other}}}"),
            format!("{{\"manifests\":{{\"a\":{{\"assertions\":[{no}]}},\"b\":{other}}}}}"),
        ] {
            prop_assert_eq!(c2pa_training(&document), Some(Permission::Disallowed));
        }
    }

    #[test]
    fn rules_of_a_file_come_in_sequence(file in json(), reservation in 0..=1) {
        let first = format!("{{\"location\":\"/a\",\"tdm-reservation\":{reservation}}}");
        let rules = TdmRules::parse(format!("[{first},{file}]").as_bytes());
        let found = rules.reserved(URL).map(|found| found.reserved);
        prop_assert_eq!(found, Some(rules.is_malformed() || reservation == 1));
    }

    #[test]
    fn headers_are_found_among_others(before in "[a-z]{1,5}: [a-z ]{0,9}", value in "[a-z0-9]{1,9}") {
        let block = format!("{before}\r\nWanted:\t{value} \r\n{before}\n");
        prop_assert_eq!(header_values(&block, "wanted").collect::<Vec<_>>(), [value.as_str()]);
    }
}

/// Unoptimised dependencies included: a bound against quadratic time, not a measure.
fn within_bounds(what: &str, run: impl FnOnce()) {
    let start = Instant::now();
    run();
    let took = start.elapsed();
    assert!(took < Duration::from_secs(30), "{what} took {took:?}");
}

const HUGE: usize = 50 << 20;

#[test]
fn huge_pages_are_read_to_their_limit() {
    for piece in [
        "<",
        "<a ",
        "<meta a",
        "<!--",
        "<script><!--<script>",
        "<p =",
        "&",
        "<a b='",
        "</",
    ] {
        let page = piece.repeat(HUGE / piece.len());
        within_bounds(piece, || {
            html_signals(page.as_bytes());
            tdm(Some(&page), Some(&page), None, URL);
        });
    }
    let page = format!(
        "<head>{}<meta name=robots content=noai>",
        " ".repeat(HTML_LIMIT)
    );
    let signals = html_signals(page.as_bytes());
    assert!(signals.truncated && signals.robots.is_empty());
    let page = format!("</head>{page}");
    assert!(!html_signals(page.as_bytes()).truncated);
}

#[test]
fn a_reservation_late_in_a_long_head_counts() {
    let style = format!("<head><style>{}</style>", " ".repeat(2 * HTML_LIMIT));
    let page = format!("{style}<meta name=tdm-reservation content=1>");
    assert_eq!(tdm_reserved(None, Some(&page), None, URL), Some(true));
    assert_eq!(tdm_reserved(None, Some(&style), None, URL), None);
    let endless = format!("<head>{}", " ".repeat(17 << 20));
    assert_eq!(tdm_reserved(None, Some(&endless), None, URL), Some(true));
}

#[test]
fn huge_and_deep_json_is_the_most_restrictive_reading() {
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    let deep_objects = "{\"a\":".repeat(10_000) + "1" + &"}".repeat(10_000);
    let huge = format!("[{}1]", "1,".repeat(HUGE / 2));
    for document in [deep, deep_objects, huge, "\0".into(), "[\0]".into()] {
        within_bounds(&document[..document.len().min(9)], || {
            assert_eq!(c2pa_training(&document), Some(Permission::Disallowed));
            assert_eq!(tdm_reserved(None, None, Some(&document), URL), Some(true));
        });
    }
    // The most that is read: two million rules.
    let rule = "{\"location\":\"/*a*b*c$\",\"tdm-reservation\":1},";
    let file = format!(
        "[{}]",
        rule.repeat((7 << 20) / rule.len()).trim_end_matches(',')
    );
    within_bounds("rules", || {
        let rules = TdmRules::parse(file.as_bytes());
        assert!(!rules.is_malformed());
        let url = format!("https://a.example/{}", "ab".repeat(50));
        assert_eq!(rules.reserved(&url), None);
    });
}

#[test]
fn hostile_xml_is_refused() {
    let refused = |document: &str| {
        within_bounds(&document[..document.len().min(40)], || {
            let found = rsl_permission(document, URL, "ai-train");
            assert_eq!(found, Some(Permission::Disallowed));
        });
    };
    let licence =
        "<content url=\"/\"><license><permits type=\"usage\">&i;</permits></license></content>";
    let mut laughs = "<!DOCTYPE rsl [<!ENTITY a \"ai-train \">".to_owned();
    for (entity, inner) in "bcdefghi".chars().zip("abcdefgh".chars()) {
        let references = format!("&{inner};").repeat(10);
        laughs.push_str(&format!("<!ENTITY {entity} \"{references}\">"));
    }
    refused(&format!("{laughs}]><rsl>{licence}</rsl>"));
    refused(&format!(
        "<!DOCTYPE rsl [<!ENTITY i SYSTEM \"file:///etc/hostname\">]><rsl>{licence}</rsl>"
    ));
    refused(&"<a>".repeat(HUGE / 3));
    refused(&"<a>".repeat(10_000));
    refused(&format!("<rsl {}/>", "a=\"\" ".repeat(1 << 20)));
    refused("<rsl a=\"1\" a=\"2\"><content url=\"/\"><license/></content></rsl>");
    refused("<rsl><content url=\"/\"><license/></content>\0</rsl>");
    refused("<rsl><content url=\"/\"><license/></content></rsl> text");
    // A document type without declarations is only a name.
    let plain = "<!DOCTYPE rsl><rsl><content url=\"/\"><license/></content></rsl>";
    assert_eq!(
        rsl_permission(plain, URL, "ai-train"),
        Some(Permission::Allowed)
    );
}

#[test]
fn a_long_licence_is_read_in_time() {
    let prefixes: String = (0..50).map(|n| format!(" xmlns:p{n}=\"x\"")).collect();
    let content = "<content url=\"/*a*b*c$\"><license/></content><p0:x/>";
    let document = format!(
        "<rsl{prefixes}>{}</rsl>",
        content.repeat((7 << 20) / content.len())
    );
    within_bounds("licence", || {
        assert_eq!(rsl_permission(&document, URL, "ai-train"), None);
    });
}
