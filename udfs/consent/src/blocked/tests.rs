use proptest::prelude::*;

use super::*;

const DIGEST: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn row<'a>(kind: &'a str, entry: &'a str) -> BlockRow<'a> {
    BlockRow {
        entry,
        kind,
        listed_at: Some(10),
        removed_at: None,
        reason_code: None,
        source: None,
    }
}

fn build(rows: &[BlockRow<'_>]) -> Result<BlockList> {
    let mut builder = BlockListBuilder::new("blocked.csv");
    for (index, row) in rows.iter().enumerate() {
        builder.push(|| format!("line {}", index + 2), *row)?;
    }
    builder.finish("v1", "00")
}

fn is_listed(kind: &str, entry: &str, url: &str) -> bool {
    let list = build(&[row(kind, entry)]).expect("a list");
    list.check(Some(url), None, 10).verdict == "listed"
}

#[test]
fn what_each_kind_covers() {
    for (kind, entry, url, expected) in [
        ("domain", "example.com", "https://example.com/a", true),
        (
            "domain",
            "example.com",
            "https://www.a.Example.com:8080/",
            true,
        ),
        ("domain", "Example.COM.", "http://example.com", true),
        ("domain", "example.com", "https://notexample.com/", false),
        ("domain", "example.com", "https://example.com.cn/", false),
        ("domain", "www.example.com", "https://example.com/", false),
        (
            "domain",
            "例子.中国",
            "https://a.xn--fsqu00a.xn--fiqs8s/",
            true,
        ),
        ("domain", "example.com", "ftp://example.com/x", true),
        ("domain", "example.com", "example.com/x", true),
        ("domain", "github.io", "https://someone.github.io/", true),
        ("host", "example.com", "https://example.com:8080/", true),
        ("host", "example.com", "https://www.example.com/", false),
        (
            "host",
            "example.com:8080",
            "https://example.com:8080/",
            true,
        ),
        ("host", "example.com:8080", "https://example.com/", false),
        ("host", "127.0.0.1", "http://127.1/", true),
        ("host", "[::1]", "http://[0:0::1]/a", true),
        ("host", "localhost", "http://localhost/a", true),
        (
            "url",
            "https://example.com/a",
            "http://user@EXAMPLE.com/a#x",
            true,
        ),
        (
            "url",
            "https://example.com/a",
            "https://example.com/a?b",
            false,
        ),
        (
            "url",
            "https://example.com/a",
            "https://example.com/a/",
            false,
        ),
        (
            "url",
            "https://example.com/%7ea",
            "https://example.com/~a",
            true,
        ),
        (
            "url",
            "https://example.com/a*",
            "https://example.com/ab?c",
            true,
        ),
        (
            "url",
            "https://example.com/a/*",
            "https://example.com/a",
            false,
        ),
        ("url", "https://example.com/*", "https://example.com", true),
        (
            "url",
            "https://example.com/*",
            "https://example.com:81/",
            false,
        ),
        (
            "url",
            "https://example.com/路*",
            "https://example.com/%E8%B7%AF/x",
            true,
        ),
    ] {
        assert_eq!(
            is_listed(kind, entry, url),
            expected,
            "{kind} {entry} {url}"
        );
    }
}

#[test]
fn an_empty_list_takes_no_memory() {
    let list = build(&[]).expect("a list");
    assert!(list.is_empty());
    assert_eq!(list.memory_bytes(), 0);
    assert_eq!(
        list.check(Some("http://example.com"), Some(DIGEST), 10)
            .verdict,
        "not_listed"
    );
}

#[test]
fn entries_are_in_force_between_their_dates() {
    let list = build(&[
        BlockRow {
            removed_at: Some(20),
            reason_code: Some("R1"),
            ..row("domain", "example.com")
        },
        BlockRow {
            listed_at: None,
            removed_at: Some(5),
            ..row("domain", "example.com")
        },
        BlockRow {
            listed_at: Some(30),
            ..row("domain", "example.com")
        },
    ])
    .expect("a list");
    let within = |first, last| {
        let check = list.check_span(Some("http://example.com"), None, (first, last));
        check.entry_index
    };
    // An entry in force at any instant of a span counts.
    assert_eq!(within(5, 9), None);
    assert_eq!(within(5, 10), Some(0));
    assert_eq!(within(4, 9), Some(1));
    assert_eq!(within(19, 29), Some(0));
    assert_eq!(within(20, 29), None);
    let entry = |at| list.check(Some("http://example.com"), None, at).entry_index;
    let expected = [
        (4, Some(1)),
        (5, None),
        (9, None),
        (10, Some(0)),
        (19, Some(0)),
    ];
    for (at, index) in expected
        .into_iter()
        .chain([(20, None), (29, None), (30, Some(2))])
    {
        assert_eq!(entry(at), index, "at {at}");
    }
    let check = list.check(Some("http://a.example.com"), None, 10);
    assert_eq!(check.kind, Some(BlockKind::Domain));
    assert_eq!(
        (check.entry, check.listed_at),
        (Some("example.com"), Some(10))
    );
    assert_eq!((check.reason_code, check.source), (Some("R1"), None));
}

#[test]
fn nothing_to_look_up_is_missing() {
    let list = build(&[row("sha256", DIGEST), row("host", "blocked.example")]).expect("a list");
    let verdict = |url, digest| list.check(url, digest, 10).verdict;
    let upper = DIGEST.to_ascii_uppercase();
    let other = "00".repeat(32);
    assert_eq!(verdict(None, None), "missing");
    assert_eq!(verdict(Some("no url"), None), "missing");
    assert_eq!(verdict(Some("no url"), Some(&other)), "missing");
    assert_eq!(verdict(Some("https://a.example"), Some("00")), "missing");
    assert_eq!(verdict(Some("https://a.example"), None), "not_listed");
    assert_eq!(verdict(None, Some(&other)), "not_listed");
    assert_eq!(verdict(Some("no url"), Some(&upper)), "listed");
    assert_eq!(
        verdict(Some("https://blocked.example"), Some("00")),
        "listed"
    );
    let both = list.check(Some("https://blocked.example"), Some(DIGEST), 10);
    assert_eq!(both.kind, Some(BlockKind::Sha256));
}

#[test]
fn the_most_specific_entry_decides() {
    let list = build(&[
        row("domain", "example.com"),
        row("domain", "a.example.com"),
        row("host", "a.example.com"),
        row("url", "https://a.example.com/x*"),
        row("url", "https://a.example.com/xy*"),
        row("url", "https://a.example.com/xyz"),
    ])
    .expect("a list");
    for (url, index) in [
        ("https://b.example.com", 0),
        ("https://b.a.example.com", 1),
        ("https://a.example.com", 2),
        ("https://a.example.com/x", 3),
        ("https://a.example.com/xyzz", 4),
        ("https://a.example.com/xyz", 5),
    ] {
        assert_eq!(
            list.check(Some(url), None, 10).entry_index,
            Some(index),
            "{url}"
        );
    }
    assert_eq!((list.len(), list.is_empty()), (6, false));
    assert!(list.memory_bytes() > 6 * size_of::<Entry>());
}

#[test]
fn bad_rows_are_malformed() {
    for (kind, entry, problem) in [
        ("domain", "", "entry is empty"),
        ("domain", "example.com ", "entry has white space around it"),
        (
            "site",
            "example.com",
            "unknown kind \"site\" (domain, host, url, sha256)",
        ),
        (
            "domain",
            "https://example.com",
            "entry \"https://example.com\" is not a domain",
        ),
        (
            "domain",
            "example.com:80",
            "entry \"example.com:80\" is not a domain",
        ),
        (
            "domain",
            "*.example.com",
            "entry \"*.example.com\" is not a domain",
        ),
        (
            "domain",
            "10.0.0.1",
            "entry \"10.0.0.1\" is an IP address: use kind host",
        ),
        ("host", "a.example/x", "entry \"a.example/x\" is not a host"),
        ("host", "a..example", "entry \"a..example\" is not a host"),
        ("url", "not a url", "entry \"not a url\" is not a URL"),
        (
            "url",
            "https://example.co*",
            "entry \"https://example.co*\" ends in * but has no path",
        ),
        ("sha256", "abc", "entry \"abc\" is not 64 hex digits"),
    ] {
        let error = build(&[row(kind, entry)])
            .expect_err("malformed")
            .to_string();
        assert_eq!(error, format!("blocked.csv, line 2: {problem}"));
    }
    for suffix in [
        "cn",
        "com.cn",
        "CO.UK",
        "中国",
        "xn--fiqs8s",
        "localhost",
        "gov.cn.",
    ] {
        let error = build(&[row("domain", suffix)]).expect_err("a suffix");
        assert!(error.to_string().contains("is a public suffix"), "{error}");
    }
    let dates = BlockRow {
        removed_at: Some(9),
        ..row("domain", "example.com")
    };
    let error = build(&[dates]).expect_err("dates").to_string();
    assert!(error.ends_with("removed_at is before listed_at"), "{error}");
}

#[test]
fn registrable_domains() {
    for (url, expected) in [
        ("https://www.example.com.cn/a", Some("example.com.cn")),
        ("http://a.someone.github.io", Some("someone.github.io")),
        ("https://例子.中国", Some("xn--fsqu00a.xn--fiqs8s")),
        ("http://10.0.0.1:80/", Some("10.0.0.1")),
        ("http://localhost/", Some("localhost")),
        ("https://com.cn/", Some("com.cn")),
        ("no url", None),
    ] {
        assert_eq!(registrable_domain(url).as_deref(), expected, "{url}");
    }
}

/// What the list should say, by comparing strings.
fn naive(rows: &[(&str, String)], host: &str, path: &str) -> Option<usize> {
    let covers = |index: &usize| {
        let (kind, entry) = &rows[*index];
        match *kind {
            "host" => entry == host,
            "domain" => entry == host || host.ends_with(&format!(".{entry}")),
            _ => {
                let page = format!("https://{host}{path}");
                match entry.strip_suffix('*') {
                    Some(prefix) => page.starts_with(prefix),
                    None => *entry == page,
                }
            }
        }
    };
    let rank = |index: &usize| {
        let (kind, entry) = &rows[*index];
        let is_exact = *kind == "url" && !entry.ends_with('*');
        let kind = ["url", "host", "domain"]
            .iter()
            .position(|name| name == kind);
        (kind, !is_exact, usize::MAX - entry.len(), *index)
    };
    (0..rows.len()).filter(covers).min_by_key(rank)
}

proptest! {
    #[test]
    fn the_list_agrees_with_the_naive_model(
        rows in prop::collection::vec(
            prop_oneof![
                "([ab]\\.){0,2}[ab]\\.example".prop_map(|entry| ("domain", entry)),
                "([ab]\\.){0,2}[ab]\\.example".prop_map(|entry| ("host", entry)),
                "https://([ab]\\.){0,2}[ab]\\.example/[ab]{0,3}\\*?".prop_map(|entry| ("url", entry)),
            ],
            0..12,
        ),
        host in "([ab]\\.){0,3}[ab]\\.example",
        path in "/[ab]{0,4}",
    ) {
        let table: Vec<BlockRow<'_>> = rows.iter().map(|(kind, entry)| row(kind, entry)).collect();
        let list = build(&table).expect("a list");
        let check = list.check(Some(&format!("http://{host}{path}")), None, 10);
        prop_assert_eq!(check.entry_index, naive(&rows, &host, &path));
        let expected = if check.entry_index.is_some() { "listed" } else { "not_listed" };
        prop_assert_eq!(check.verdict, expected);
    }
}
