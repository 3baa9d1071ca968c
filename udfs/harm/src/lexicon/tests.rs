use super::*;

fn entry(term: &str, risk: &str, weight: f64) -> Entry {
    Entry {
        term: term.into(),
        risk: risk.into(),
        weight,
        match_kind: MatchKind::Auto,
        lang: String::new(),
        variants: String::new(),
        note: String::new(),
    }
}

fn lexicon(entries: Vec<Entry>) -> Result<Lexicon> {
    let located = (2..)
        .zip(entries)
        .map(|(line, entry)| (format!("line {line}"), entry))
        .collect();
    let identity = Identity::of_bytes("words.csv", "", b"");
    Lexicon::new(identity, located, &Taxonomy::builtin())
}

fn error(entries: Vec<Entry>) -> String {
    lexicon(entries).unwrap_err().to_string()
}

#[test]
fn terms_are_folded_and_shared() {
    let lexicon = lexicon(vec![
        entry(" ＦＵＣＫ ", "A1f", 0.5),
        entry("fuck", "A4a", 0.5),
        entry("傻逼", "A4c", 1.0),
        entry("Fuck", ALLOW, 1.0),
    ])
    .expect("valid");
    let patterns: Vec<_> = lexicon
        .patterns()
        .iter()
        .map(|pattern| (&*pattern.text, &*pattern.entries))
        .collect();
    assert_eq!(patterns, [("fuck", &[0, 1, 3][..]), ("傻逼", &[2][..])]);
    assert_eq!(lexicon.entries()[0].term, "ＦＵＣＫ");
    assert_eq!(lexicon.rules()[3].risk, None);
    assert_eq!(lexicon.rules()[0].risk, Taxonomy::builtin().index("A1f"));
}

#[test]
fn wrong_entries_are_named_by_line() {
    let good = || entry("a", "A1a", 1.0);
    for (wrong, message) in [
        (entry("", "A1a", 1.0), "the term is empty"),
        (entry(" \t\u{3000}", "A1a", 1.0), "the term is empty"),
        (
            entry("\u{200B}\u{AD}", "A1a", 1.0),
            "the term '\\u{200b}\\u{ad}' holds only characters that fold to nothing",
        ),
        (entry("b", "A1a", 0.0), "a weight lies in (0, 1], not 0"),
        (entry("b", "A1a", -0.5), "a weight lies in (0, 1], not -0.5"),
        (entry("b", "A1a", 1.01), "a weight lies in (0, 1], not 1.01"),
        (
            entry("b", "A1a", f64::NAN),
            "a weight lies in (0, 1], not NaN",
        ),
        (
            entry("b", "A1z", 1.0),
            "unknown risk 'A1z' (did you mean 'A1a'?)",
        ),
        (
            entry("b", "gambling", 1.0),
            "unknown risk 'gambling'; the 31 risks are A1a to A5b",
        ),
        (
            entry("Ａ", "A1a", 0.3),
            "the term 'Ａ' is given twice for A1a: first at line 2",
        ),
        (
            Entry {
                variants: "case|wide".into(),
                ..entry("b", "A1a", 1.0)
            },
            "unknown form 'wide' in variants; known: none, all, exact, homophone, pinyin, split, \
             leet, number, homoglyph, separator, repeat, traditional, zero_width, math, \
             enclosed, width, combining, case",
        ),
    ] {
        assert_eq!(
            error(vec![good(), wrong]),
            format!("words.csv, line 3: {message}")
        );
    }
}

#[test]
fn a_lexicon_must_name_some_harm() {
    assert!(error(vec![]).starts_with("words.csv, line 1: no entry names a risk"));
    assert!(
        error(vec![entry("a", ALLOW, 1.0)]).starts_with("words.csv, line 2: no entry names a risk")
    );
}

#[test]
fn csv_with_comments_quotes_and_extra_columns() {
    let text = "\u{FEFF}# our words\n\nterm,risk,weight,owner,match,note\r\n# zh\n\n\
                傻逼, A4c ,0.5,me,,\n\
                \"#x, \"\"y\"\"\",A1f,1,me,substring,\"two\nlines\"\n\
                # allow\n\
                class,allow,,me,word,fine";
    let entries = parse_lexicon_csv("w.csv", text.as_bytes(), b',').expect("valid");
    let places: Vec<&str> = entries.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, ["line 6", "line 7", "line 10"]);
    let [first, second, third] = [0, 1, 2].map(|index: usize| &entries[index].1);
    assert_eq!(
        (&*first.term, &*first.risk, first.weight, first.match_kind),
        ("傻逼", "A4c", 0.5, MatchKind::Auto)
    );
    assert_eq!(
        (&*second.term, second.match_kind, &*second.note),
        ("#x, \"y\"", MatchKind::Substring, "two\nlines")
    );
    assert_eq!(
        (&*third.risk, third.weight, third.match_kind),
        (ALLOW, 1.0, MatchKind::Word)
    );
    let tabs = parse_lexicon_csv("w.tsv", b"term\trisk\tweight\na,b\tA1a\t1\n", b'\t');
    assert_eq!(tabs.expect("valid")[0].1.term, "a,b");
}

#[test]
fn wrong_csv_is_named_by_line() {
    let error = |text: &[u8]| {
        parse_lexicon_csv("w.csv", text, b',')
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error(b""),
        "w.csv, line 1: empty; the first line names the columns: \
         term,risk,weight,match,lang,variants,note"
    );
    assert!(error(b"# only\n\n# comments\n").contains("empty; the first line"));
    assert_eq!(
        error(b"# c\nterm,weight\n"),
        "w.csv, line 2: the header has no column 'risk'; it names term, weight"
    );
    assert_eq!(
        error(b"term,risk,weight,risk\n"),
        "w.csv, line 1: the column 'risk' is named twice"
    );
    let body = |line: &str| error(format!("term,risk,weight,match\r\n#\r\n{line}\r\n").as_bytes());
    assert_eq!(
        body("a,A1a,much,"),
        "w.csv, line 3: the weight 'much' is not a number"
    );
    assert_eq!(
        body("a,A1a,,"),
        "w.csv, line 3: the weight '' is not a number"
    );
    assert_eq!(
        body("a,A1a,1,prefix"),
        "w.csv, line 3: unknown match 'prefix'; known: auto, word, substring"
    );
    assert_eq!(
        body("a,A1a,1"),
        "w.csv, line 3: 3 fields where the header names 4"
    );
    assert_eq!(
        error(b"term,risk,weight\na,A1a,1\n\xFF\xFE,A1a,1\n"),
        "w.csv, line 3: not UTF-8"
    );
}

#[test]
fn ndjson() {
    let text = "{\"term\":\"傻逼\",\"risk\":\"A4c\",\"weight\":0.5,\"owner\":1}\n\n\
                {\"term\":\"class\",\"risk\":\"allow\",\"match\":\"word\",\"lang\":null}\r\n";
    let entries = parse_lexicon_ndjson("w.ndjson", text.as_bytes()).expect("valid");
    assert_eq!(entries[0], ("line 1".into(), entry("傻逼", "A4c", 0.5)));
    assert_eq!(
        entries[1],
        (
            "line 3".into(),
            Entry {
                match_kind: MatchKind::Word,
                ..entry("class", ALLOW, 1.0)
            }
        )
    );
    let error = |text: &[u8]| {
        parse_lexicon_ndjson("w.ndjson", text)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error(b"\n{\"term\":\"a\",\"risk\":\"A1a\"}"),
        "w.ndjson, line 2: missing field `weight`"
    );
    assert!(error(b"{\"risk\":\"A1a\"}").starts_with("w.ndjson, line 1: missing field `term`"));
    assert!(error(b"\n\nnope").starts_with("w.ndjson, line 3: expected"));
    assert!(
        error(b"{\"term\":\"a\",\"risk\":\"A1a\",\"weight\":\"1\"}")
            .contains("invalid type: string")
    );
    assert!(
        error(b"{\"term\":\"a\",\"risk\":\"A1a\",\"weight\":1,\"match\":\"x\"}")
            .contains("unknown variant `x`")
    );
    assert_eq!(error(b"\xFF"), "w.ndjson, line 1: not UTF-8");
}
