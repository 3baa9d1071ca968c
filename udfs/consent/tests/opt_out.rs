//! The opt-out registry: tables of what counts when, and random histories against a model
//! that looks at every snapshot anew.

use std::sync::Arc;

use proptest::prelude::*;
use tamis_consent::opt_out::{
    OptOutAnswers, OptOutCheck, OptOutQuestion, OptOutRegistry, OptOutRegistryBuilder, OptOutRules,
    SnapshotRow,
};
use tamis_consent::signals::{AgentList, Robots};
use tamis_resource::{Result, sha256_hex};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3600 * SECOND;
const DAY: i64 = 24 * HOUR;
const OPEN: &str = "User-agent: *\nAllow: /\n";
const CLOSED: &str = "User-agent: *\nDisallow: /\n";

fn row<'a>(kind: &'a str, url: &'a str, fetched_at: i64, body: &'a str) -> SnapshotRow<'a> {
    SnapshotRow {
        url,
        fetched_at,
        kind,
        status: Some(200),
        body: body.as_bytes(),
        sha256: None,
    }
}

fn build(rows: &[SnapshotRow<'_>]) -> Result<OptOutRegistry> {
    let mut builder = OptOutRegistryBuilder::new("snapshots.csv");
    for (index, row) in rows.iter().enumerate() {
        builder.push(|| format!("line {}", index + 2), *row)?;
    }
    builder.finish("v1", "00")
}

fn rules() -> OptOutRules {
    OptOutRules::new(Arc::new(AgentList::builtin().clone()))
}

fn check(rows: &[SnapshotRow<'_>], url: &str, at: i64) -> OptOutCheck {
    // The most restrictive comes first; these tables are in the order of the evidence.
    let mut found = {
        build(rows)
            .expect("a registry")
            .check(Some(url), at, &rules())
    };
    found
        .signals
        .sort_by_key(|signal| (signal.fetched_at, signal.signal != "robots.txt"));
    found
}

/// The verdict, and every signal with its value.
fn told(check: &OptOutCheck) -> (&'static str, Vec<(&'static str, &str)>) {
    let signals = check.signals.iter();
    let signals = signals.map(|signal| (signal.signal, &*signal.value));
    (check.verdict, signals.collect())
}

#[test]
fn each_signal_with_an_open_robots_txt() {
    let page = "https://a.example/page";
    let rsl = |terms: &str| {
        format!(
            "<rsl xmlns=\"https://rslstandard.org/rsl\"><content url=\"/\"><license>{terms}</license></content></rsl>"
        )
    };
    let prohibited = rsl("<prohibits type=\"usage\">ai-train</prohibits>");
    let paid = rsl("<permits type=\"usage\">ai-train</permits><payment type=\"subscription\"/>");
    let free = rsl("<permits type=\"usage\">ai-train</permits><payment type=\"free\"/>");
    let c2pa = |choice: &str| {
        format!(
            "{{\"label\":\"cawg.training-mining\",\"data\":{{\"entries\":{{\"cawg.ai_generative_training\":{{\"use\":\"{choice}\"}}}}}}}}"
        )
    };
    let (c2pa_no, c2pa_yes) = (c2pa("notAllowed"), c2pa("allowed"));
    let inline = format!("<script type=\"application/rsl+xml\">{prohibited}</script>");
    for (kind, url, body, verdict, signal, value) in [
        (
            "tdmrep.json",
            "a.example",
            "[{\"location\":\"/\",\"tdm-reservation\":1}]",
            "disallowed",
            "tdmrep",
            "tdm-reservation=1; via=well_known",
        ),
        (
            "tdmrep.json",
            "a.example",
            "[{\"location\":\"/\",\"tdm-reservation\":1,\"tdm-policy\":\"https://a.example/p\"}]",
            "conditional",
            "tdmrep",
            "tdm-reservation=1; via=well_known; policy=https://a.example/p",
        ),
        (
            "tdmrep.json",
            "a.example",
            "[{\"location\":\"/\",\"tdm-reservation\":0}]",
            "allowed",
            "tdmrep",
            "tdm-reservation=0; via=well_known",
        ),
        (
            "tdmrep.json",
            "a.example",
            "{",
            "disallowed",
            "tdmrep",
            "tdm-reservation=1; via=well_known",
        ),
        (
            "ai.txt",
            "https://a.example/ai.txt",
            "User-Agent: *\nDisallow: /\n",
            "disallowed",
            "ai.txt",
            "disallow",
        ),
        (
            "ai.txt",
            "https://a.example/.well-known/ai.txt",
            "Training: allow\n",
            "allowed",
            "ai.txt",
            "allow",
        ),
        (
            "rsl",
            "https://a.example/license.xml",
            &prohibited,
            "disallowed",
            "rsl",
            "ai-train=disallowed",
        ),
        (
            "rsl",
            "https://a.example/license.xml",
            &paid,
            "conditional",
            "rsl",
            "ai-train=conditional",
        ),
        (
            "rsl",
            "https://a.example/license.xml",
            &free,
            "allowed",
            "rsl",
            "ai-train=allowed",
        ),
        (
            "headers",
            page,
            "X-Robots-Tag: noai, noindex\r\n",
            "disallowed",
            "x-robots-tag",
            "noai, noindex",
        ),
        (
            "headers",
            page,
            "TDM-Reservation: 1\r\n",
            "disallowed",
            "tdmrep",
            "tdm-reservation=1; via=header",
        ),
        (
            "headers",
            page,
            "Content-Usage: train-ai=n\r\n",
            "disallowed",
            "content-usage",
            "train-ai=n",
        ),
        (
            "headers",
            page,
            "Content-Usage: train-ai=y\r\n",
            "allowed",
            "content-usage",
            "train-ai=y",
        ),
        (
            "headers",
            page,
            "Content-Signal: ai-train=no\r\n",
            "disallowed",
            "content-signal",
            "ai-train=no",
        ),
        (
            "headers",
            page,
            "Link: </l>; rel=license; type=\"application/rsl+xml\"\r\n",
            "unknown",
            "rsl",
            "not fetched: /l",
        ),
        (
            "html",
            page,
            "<meta name=robots content=noai>",
            "disallowed",
            "meta-robots",
            "noai",
        ),
        (
            "html",
            page,
            "<meta name=GPTBot content=noai>",
            "disallowed",
            "meta-robots",
            "noai",
        ),
        (
            "html",
            page,
            "<meta name=tdm-reservation content=1>",
            "disallowed",
            "tdmrep",
            "tdm-reservation=1; via=html",
        ),
        (
            "html",
            page,
            &inline,
            "disallowed",
            "rsl",
            "ai-train=disallowed",
        ),
        ("c2pa", page, &c2pa_no, "disallowed", "c2pa", "disallowed"),
        ("c2pa", page, &c2pa_yes, "allowed", "c2pa", "allowed"),
    ] {
        let found = check(
            &[
                row("robots.txt", "a.example", 5, OPEN),
                row(kind, url, 6, body),
            ],
            page,
            6,
        );
        assert_eq!(
            told(&found),
            (verdict, vec![("robots.txt", "allow"), (signal, value)]),
            "{kind} {body}"
        );
        assert_eq!(found.signals[1].fetched_at, 6);
        assert_eq!(*found.signals[1].sha256, *sha256_hex(body.as_bytes()));
        let is_of_page = url == page;
        let other = check(
            &[
                row("robots.txt", "a.example", 5, OPEN),
                row(kind, url, 6, body),
            ],
            "https://a.example/other",
            6,
        );
        assert_eq!(
            other.signals.len(),
            if is_of_page { 1 } else { 2 },
            "{kind} on another page"
        );
        // Nothing but a robots.txt makes a page allowed.
        let alone = check(&[row(kind, url, 6, body)], page, 6).verdict;
        assert_eq!(
            alone,
            if verdict == "allowed" {
                "unknown"
            } else {
                verdict
            },
            "{kind} alone"
        );
    }
}

#[test]
fn signals_inside_robots_txt() {
    let page = "https://a.example/page";
    for (body, verdict, signals) in [
        ("", "allowed", vec![("robots.txt", "allow")]),
        (CLOSED, "disallowed", vec![("robots.txt", "disallow: ")]),
        (
            "User-agent: GPTBot\nDisallow: /\n",
            "disallowed",
            vec![("robots.txt", "disallow: GPTBot")],
        ),
        (
            "User-agent: NoSuchBot\nDisallow: /\n",
            "allowed",
            vec![("robots.txt", "allow")],
        ),
        (
            "User-agent: *\nContent-Usage: train-ai=n\nAllow: /\n",
            "disallowed",
            vec![("robots.txt", "allow"), ("content-usage", "train-ai=n")],
        ),
        (
            "User-agent: *\nContent-Signal: ai-train=no\nAllow: /\n",
            "disallowed",
            vec![("robots.txt", "allow"), ("content-signal", "ai-train=no")],
        ),
        (
            "User-agent: *\nContent-Signal: search=no\nAllow: /\n",
            "allowed",
            vec![("robots.txt", "allow")],
        ),
        (
            "License: https://l.example/l.xml\nUser-agent: *\nAllow: /\n",
            "unknown",
            vec![
                ("robots.txt", "allow"),
                ("rsl", "not fetched: https://l.example/l.xml"),
            ],
        ),
    ] {
        let found = check(&[row("robots.txt", "a.example", 5, body)], page, 5);
        let (found_verdict, found_signals) = told(&found);
        assert_eq!(found_verdict, verdict, "{body}");
        assert_eq!(found_signals.len(), signals.len(), "{body}");
        for (found, expected) in found_signals.iter().zip(&signals) {
            assert_eq!(found.0, expected.0, "{body}");
            assert!(found.1.starts_with(expected.1), "{found:?} {body}");
        }
    }
}

#[test]
fn linked_rsl_documents_count_for_the_linking_page() {
    let rsl = "<rsl xmlns=\"https://rslstandard.org/rsl\"><content url=\"/\"><license>\
               <prohibits type=\"usage\">all</prohibits></license></content></rsl>";
    let robots = "License: https://l.example/l.xml\nUser-agent: *\nAllow: /\n";
    let rows = [
        row("robots.txt", "a.example", 5, robots),
        row("rsl", "http://l.example/l.xml", 6, rsl),
    ];
    let page = "https://a.example/page";
    assert_eq!(check(&rows, page, 5).verdict, "unknown");
    let found = check(&rows, page, 6);
    let expected = vec![("robots.txt", "allow"), ("rsl", "ai-train=disallowed")];
    assert_eq!(told(&found), ("disallowed", expected));
    // Two documents of a site stand side by side, the later does not replace the earlier.
    let open =
        "<rsl xmlns=\"https://rslstandard.org/rsl\"><content url=\"/\"><license/></content></rsl>";
    let both = [
        row("robots.txt", "a.example", 5, OPEN),
        row("rsl", "https://a.example/1.xml", 6, rsl),
        row("rsl", "https://a.example/2.xml", 7, open),
    ];
    assert_eq!(check(&both, page, 7).verdict, "disallowed");
    let same = [
        both[0],
        both[1],
        row("rsl", "https://a.example/1.xml", 7, open),
    ];
    assert_eq!(check(&same, page, 7).verdict, "allowed");
}

#[test]
fn the_status_of_a_file_counts() {
    let page = "https://a.example/page";
    let verdict = |kind, status| {
        let odd = SnapshotRow {
            status,
            ..row(kind, "a.example", 6, "")
        };
        let rows = [row("robots.txt", "a.example", 5, OPEN), odd];
        check(&rows, page, 6).verdict
    };
    for (kind, status, expected) in [
        ("robots.txt", Some(200), "allowed"),
        ("robots.txt", Some(404), "allowed"),
        ("robots.txt", Some(403), "allowed"),
        ("robots.txt", Some(301), "unknown"),
        ("robots.txt", Some(503), "disallowed"),
        ("robots.txt", None, "disallowed"),
        ("tdmrep.json", Some(404), "allowed"),
        ("tdmrep.json", Some(302), "unknown"),
        ("tdmrep.json", Some(500), "unknown"),
        ("tdmrep.json", None, "disallowed"),
        ("ai.txt", Some(200), "allowed"),
        ("ai.txt", Some(500), "unknown"),
    ] {
        assert_eq!(verdict(kind, status), expected, "{kind} {status:?}");
    }
    // No rule forbids anything where the server failed: the evidence names what happened.
    for (status, value) in [(Some(503), "status 503"), (None, "no answer")] {
        let row = SnapshotRow {
            status,
            ..row("robots.txt", "a.example", 5, CLOSED)
        };
        let expected = ("disallowed", vec![("robots.txt", value)]);
        assert_eq!(told(&check(&[row], page, 5)), expected);
    }
}

#[test]
fn tdmrep_places_have_precedence_unless_too_old_to_allow() {
    let page = "https://a.example/page";
    let verdict = |page_at, at| {
        let rows = [
            row("robots.txt", "a.example", at, OPEN),
            row(
                "tdmrep.json",
                "a.example",
                at,
                "[{\"location\":\"/\",\"tdm-reservation\":1}]",
            ),
            row("headers", page, page_at, "TDM-Reservation: 0\r\n"),
        ];
        check(&rows, page, at).verdict
    };
    assert_eq!(verdict(0, 30 * DAY), "allowed");
    assert_eq!(verdict(0, 30 * DAY + 1), "disallowed");
    let rows = [
        row("robots.txt", "a.example", 5, OPEN),
        row("headers", page, 5, "TDM-Reservation: 1\r\n"),
        row("html", page, 5, "<meta name=tdm-reservation content=0>"),
    ];
    assert_eq!(check(&rows, page, 5).verdict, "allowed");
}

#[test]
fn snapshots_count_from_their_instant_and_allow_for_thirty_days() {
    let rows = [
        row("robots.txt", "a.example", 0, OPEN),
        row("robots.txt", "a.example", 100 * DAY, CLOSED),
        row("robots.txt", "a.example", 200 * DAY, OPEN),
    ];
    let registry = build(&rows).expect("a registry");
    let verdict = |at, also_at| {
        let rules = OptOutRules { also_at, ..rules() };
        registry
            .check(Some("http://a.example/x"), at, &rules)
            .verdict
    };
    for (at, also_at, expected) in [
        (-1, None, "unknown"),
        (0, None, "allowed"),
        (30 * DAY, None, "allowed"),
        (30 * DAY + 1, None, "unknown"),
        (100 * DAY, None, "disallowed"),
        // A reservation does not age.
        (199 * DAY, None, "disallowed"),
        (200 * DAY, None, "allowed"),
        (i64::MAX, None, "unknown"),
        (i64::MIN, None, "unknown"),
        // What was reserved later restricts as well, what was allowed later does not allow.
        (0, Some(150 * DAY), "disallowed"),
        (0, Some(300 * DAY), "allowed"),
        (-1, Some(0), "unknown"),
        (-1, Some(100 * DAY), "disallowed"),
        (100 * DAY, Some(200 * DAY), "disallowed"),
    ] {
        assert_eq!(verdict(at, also_at), expected, "{at} {also_at:?}");
    }
    let old = registry.check(Some("http://a.example/x"), 31 * DAY, &rules());
    assert_eq!(old.signals[0].value, "allow (too old to allow)");
}

/// 2026-10-10T00:00Z.
const TENTH: i64 = 20_736 * DAY;

#[test]
fn a_whole_second_may_be_a_cut_one() {
    let page = "https://a.example/page";
    let second = TENTH + 8 * HOUR;
    let noai = "X-Robots-Tag: noai\r\n";
    let rows = [
        row("robots.txt", "a.example", TENTH, OPEN),
        row("headers", page, second + SECOND / 2, noai),
    ];
    let verdict = |at| check(&rows, page, at).verdict;
    assert_eq!(verdict(second - 1), "allowed");
    assert_eq!(verdict(second), "disallowed");
    assert_eq!(verdict(second + 1), "allowed");
    assert_eq!(verdict(second + SECOND / 2), "disallowed");
    // So may the second instant.
    let registry = build(&rows).expect("a registry");
    for (also_at, expected) in [(second, "disallowed"), (second + 1, "allowed")] {
        let rules = OptOutRules {
            also_at: Some(also_at),
            ..rules()
        };
        let found = registry.check(Some(page), TENTH + 1, &rules);
        assert_eq!(found.verdict, expected, "{also_at}");
    }
}

#[test]
fn what_restricts_at_any_time_of_a_day_counts_for_its_date() {
    let page = "https://a.example/page";
    let link = "License: https://l.example/l.xml\nUser-agent: *\nAllow: /\n";
    let rsl = |terms: &str| {
        format!(
            "<rsl xmlns=\"https://rslstandard.org/rsl\"><content url=\"/\"><license>{terms}</license></content></rsl>"
        )
    };
    let free = rsl("<permits type=\"usage\">ai-train</permits><payment type=\"free\"/>");
    let paid = rsl("<permits type=\"usage\">ai-train</permits><payment type=\"subscription\"/>");
    let before = TENTH - 9 * DAY;
    let open = row("robots.txt", "a.example", before, OPEN);
    let robots = |hour: i64, body| row("robots.txt", "a.example", TENTH + hour * HOUR, body);
    let moved = SnapshotRow {
        status: Some(302),
        ..robots(8, "")
    };
    let linked = |hour: i64, body| row("rsl", "https://l.example/l.xml", TENTH + hour * HOUR, body);
    let tdm = |kind, hour: i64, body| row(kind, page, TENTH + hour * HOUR, body);
    for (rows, expected, why) in [
        (vec![open], "allowed", "allowed all day"),
        (vec![open, robots(8, CLOSED)], "disallowed", "closed at 8"),
        (
            vec![open, robots(8, CLOSED), robots(9, OPEN)],
            "disallowed",
            "closed from 8 to 9",
        ),
        (vec![open, robots(24, CLOSED)], "allowed", "closed next day"),
        (vec![robots(8, OPEN)], "unknown", "first seen at 8"),
        (
            vec![
                row("robots.txt", "a.example", before, CLOSED),
                robots(8, OPEN),
            ],
            "disallowed",
            "open only from 8",
        ),
        (vec![open, moved], "unknown", "not readable from 8"),
        (
            vec![
                row("robots.txt", "a.example", before, link),
                linked(-1, &free),
            ],
            "allowed",
            "links a free licence",
        ),
        (
            vec![
                row("robots.txt", "a.example", before, link),
                linked(-1, &free),
                linked(8, &paid),
                linked(9, &free),
            ],
            "conditional",
            "the linked licence had a price from 8 to 9",
        ),
        (
            vec![
                open,
                robots(8, link),
                linked(-2, &paid),
                linked(-1, &free),
                linked(9, &paid),
            ],
            "conditional",
            "a link from 8, a price from 9",
        ),
        (
            vec![
                open,
                tdm("headers", -2, "TDM-Reservation: 1\r\n"),
                tdm("html", -1, "<meta name=tdm-reservation content=0>"),
                tdm("html", 8, "no signal"),
                tdm("html", 9, "<meta name=tdm-reservation content=0>"),
            ],
            "disallowed",
            "from 8 to 9 the page did not override its header",
        ),
    ] {
        let registry = build(&rows).expect("a registry");
        let found = registry.check_span(Some(page), TENTH, TENTH + DAY - 1, &rules());
        assert_eq!(found.verdict, expected, "{why}: {:?}", found.signals);
        // The end is not before the beginning.
        let found = registry.check_span(Some(page), TENTH, TENTH - DAY, &rules());
        assert_eq!(found, registry.check(Some(page), TENTH, &rules()), "{why}");
    }
}

#[test]
fn an_organisation_can_bring_its_own_crawler() {
    let list = "agent,operator,purpose,note\nOurBot,we,training,\n";
    let list = Arc::new(AgentList::from_csv("agents.csv", list).expect("a list"));
    let ours = OptOutRules::new(list);
    let rows = [row(
        "robots.txt",
        "a.example",
        5,
        "User-agent: GPTBot\nDisallow: /\n",
    )];
    let registry = build(&rows).expect("a registry");
    // The first list that asks is remembered; another one is judged all the same.
    for _ in 0..2 {
        let verdict = |rules| registry.check(Some("https://a.example/"), 5, rules).verdict;
        assert_eq!(verdict(&ours), "allowed");
        assert_eq!(verdict(&rules()), "disallowed");
    }
}

#[test]
fn hosts_ports_and_schemes() {
    let registry = build(&[
        row("robots.txt", "Bücher.Example.", 5, OPEN),
        row("robots.txt", "http://a.example:8080/robots.txt", 5, OPEN),
        row("robots.txt", "[2001:DB8::1]", 5, OPEN),
        row("robots.txt", "localhost", 5, OPEN),
    ])
    .expect("a registry");
    assert_eq!(
        (registry.len(), registry.sites(), registry.bodies()),
        (4, 4, 1)
    );
    assert!(registry.memory_bytes() > 0 && !registry.is_empty());
    for (url, expected) in [
        (Some("http://xn--bcher-kva.example/a"), "allowed"),
        (Some("https://user@BÜCHER.example.:443/a#x"), "allowed"),
        (Some("https://www.bücher.example/"), "unknown"),
        (Some("https://a.example:8080/"), "allowed"),
        (Some("https://a.example/"), "unknown"),
        (Some("https://[2001:db8:0:0::1]/x"), "allowed"),
        (Some("http://localhost/"), "allowed"),
        (Some("ftp://xn--bcher-kva.example/a"), "unknown"),
        (Some("no url"), "unknown"),
        (Some(""), "unknown"),
        (None, "unknown"),
    ] {
        assert_eq!(
            registry.check(url, 5, &rules()).verdict,
            expected,
            "{url:?}"
        );
    }
}

#[test]
fn bad_rows_are_malformed() {
    let good = row("robots.txt", "https://a.example/robots.txt", 5, OPEN);
    let digest = sha256_hex(OPEN.as_bytes());
    let upper = digest.to_ascii_uppercase();
    build(&[SnapshotRow {
        sha256: Some(&upper),
        ..good
    }])
    .expect("the right digest");
    let other = "00".repeat(32);
    for (bad, problem) in [
        (SnapshotRow { url: "", ..good }, "url is empty".to_owned()),
        (
            SnapshotRow {
                url: "no url",
                ..good
            },
            "url \"no url\" is not an http or https URL".into(),
        ),
        (
            SnapshotRow {
                url: "ftp://a.example/robots.txt",
                ..good
            },
            "url \"ftp://a.example/robots.txt\" is not an http or https URL".into(),
        ),
        (
            SnapshotRow {
                url: "https://a.example/x/robots.txt",
                ..good
            },
            "url \"https://a.example/x/robots.txt\" is not where robots.txt stands (/robots.txt)"
                .into(),
        ),
        (
            SnapshotRow {
                kind: "robots",
                ..good
            },
            "unknown kind \"robots\" (robots.txt, tdmrep.json, ai.txt, rsl, headers, html, c2pa)"
                .into(),
        ),
        (
            SnapshotRow {
                sha256: Some("00"),
                ..good
            },
            "sha256 is not 64 hex digits".into(),
        ),
        (
            SnapshotRow {
                sha256: Some(&other),
                ..good
            },
            format!(
                "sha256 of robots.txt \"https://a.example/robots.txt\" is {other}, the body's is {digest}"
            ),
        ),
    ] {
        let error = build(&[good, bad]).expect_err("malformed").to_string();
        assert_eq!(error, format!("snapshots.csv, line 3: {problem}"));
    }
}

const HOSTS: [&str; 3] = ["a.example", "b.example", "c.example:8080"];

/// Kind, place and body of snapshots that say something of everything.
const KINDS: [(&str, &str, &str); 12] = [
    ("robots.txt", "/robots.txt", OPEN),
    (
        "robots.txt",
        "/robots.txt",
        "User-agent: GPTBot\nDisallow: /p\n",
    ),
    (
        "robots.txt",
        "/robots.txt",
        "License: https://b.example/l.xml\n",
    ),
    (
        "robots.txt",
        "/robots.txt",
        "User-agent: *\nDisallow: /*x$\nContent-Usage: /p train-ai=n\nContent-Signal: ai-train=yes\n",
    ),
    (
        "tdmrep.json",
        "/.well-known/tdmrep.json",
        "[{\"location\":\"/p\",\"tdm-reservation\":1}]",
    ),
    (
        "ai.txt",
        "/ai.txt",
        "User-Agent: *\nDisallow: *.html\nAllow: /p\n",
    ),
    (
        "ai.txt",
        "/.well-known/ai.txt",
        "Training: conditional\nTraining-Allow: /p*\n",
    ),
    (
        "rsl",
        "/l.xml",
        "<rsl xmlns=\"https://rslstandard.org/rsl\"><content url=\"/p\"><license>\
         <payment type=\"subscription\"/></license></content></rsl>",
    ),
    ("headers", "/page", "X-Robots-Tag: ccbot: noai\r\n"),
    (
        "headers",
        "/page",
        "Link: </l.xml>; rel=license; type=\"application/rsl+xml\"\r\n",
    ),
    ("html", "/page", "<meta name=tdm-reservation content=0>"),
    ("c2pa", "/page", "{"),
];

const ASKED: [Option<&str>; 9] = [
    Some("https://a.example/page"),
    Some("http://a.example/x"),
    Some("https://A.example./%70age#f"),
    Some("https://b.example/"),
    Some("https://b.example/page"),
    Some("https://c.example:8080/page"),
    Some("https://c.example/page"),
    Some("no url"),
    None,
];

#[derive(Debug, Clone)]
struct History {
    site: usize,
    at: i64,
    status: Option<u16>,
    body: usize,
}

const BODIES: [&str; 4] = [OPEN, CLOSED, "User-agent: GPTBot\nDisallow: /p\n", ""];
const SITES: [&str; 2] = ["a.example", "b.example"];

fn histories() -> impl Strategy<Value = Vec<History>> {
    let status = prop::sample::select(vec![
        Some(200),
        Some(200),
        Some(404),
        Some(503),
        Some(302),
        None,
    ]);
    let row = (0usize..2, 0i64..10, status, 0usize..4);
    let row = row.prop_map(|(site, at, status, body)| History {
        site,
        at,
        status,
        body,
    });
    prop::collection::vec(row, 0..10)
}

/// The least of the levels 0 (allowed), 1 (unknown), 3 (disallowed) that robots.txt gives.
fn model(rows: &[History], site: usize, path: &str, at: i64, max_age: i64) -> u8 {
    let past = || rows.iter().filter(|row| row.site == site && row.at <= at);
    let Some(latest) = past().map(|row| row.at).max() else {
        return 1;
    };
    let levels = past().filter(|row| row.at == latest).map(|row| {
        if matches!(row.status, Some(300..=399)) {
            return 1;
        }
        let robots = Robots::of_status(row.status, BODIES[row.body].as_bytes());
        let list = AgentList::builtin();
        let is_open = list
            .training()
            .all(|agent| robots.allowed(path, &agent.agent));
        match (is_open, at - latest <= max_age) {
            (false, _) => 3,
            (true, true) => 0,
            (true, false) => 1,
        }
    });
    levels.max().unwrap_or(1)
}

proptest! {
    #[test]
    fn robots_histories_agree_with_the_model(
        rows in histories(),
        site in 0usize..2,
        path in prop::sample::select(vec!["/", "/page", "/q?x=1"]),
        at in -1i64..12,
        length in 0i64..6,
        also_at in prop::option::of(-1i64..12),
        max_age in 0i64..6,
    ) {
        let table: Vec<SnapshotRow<'_>> = rows
            .iter()
            .map(|history| SnapshotRow {
                status: history.status,
                ..row("robots.txt", SITES[history.site], history.at, BODIES[history.body])
            })
            .collect();
        let registry = build(&table).expect("a registry");
        let rules = OptOutRules { max_age, also_at, ..rules() };
        let url = format!("https://{}{path}", SITES[site]);
        let found = registry.check_span(Some(&url), at, at + length, &rules);
        // Times end at 12: 0, a whole second, lasts to the end of all.
        let end = |at: i64| if at == 0 { 12 } else { at };
        let most = |from: i64, until: i64| {
            let levels = (from..=until).map(|at| model(&rows, site, path, at, i64::MAX));
            levels.max().unwrap_or(0)
        };
        let now = model(&rows, site, path, at, max_age);
        let span = most(at + 1, end(at + length).max(end(at)));
        let later = also_at.map_or(0, |later| most(later, end(later)));
        let expected = now.max(span).max(if later >= 2 { later } else { 0 });
        let name = ["allowed", "unknown", "conditional", "disallowed"][expected as usize];
        prop_assert_eq!(found.verdict, name, "{:?}", found.signals);
        // The order of the rows makes no difference.
        let reversed: Vec<SnapshotRow<'_>> = table.iter().rev().copied().collect();
        let again = build(&reversed).expect("a registry");
        let again = again.check_span(Some(&url), at, at + length, &rules);
        prop_assert_eq!(again.verdict, name);
    }

    #[test]
    fn a_batch_answers_as_single_questions_do(
        rows in prop::collection::vec((0usize..KINDS.len(), 0usize..3, 0i64..10), 0..24),
        asked in prop::collection::vec((0usize..ASKED.len(), -1i64..12, 0i64..4), 0..200),
        also_at in prop::option::of(-1i64..12),
        max_age in 0i64..6,
    ) {
        let urls: Vec<String> = rows
            .iter()
            .map(|(kind, site, _)| format!("https://{}{}", HOSTS[*site], KINDS[*kind].1))
            .collect();
        let table: Vec<SnapshotRow<'_>> = rows
            .iter()
            .zip(&urls)
            .map(|((kind, _, at), url)| row(KINDS[*kind].0, url, *at, KINDS[*kind].2))
            .collect();
        let registry = build(&table).expect("a registry");
        let rules = OptOutRules { max_age, also_at, ..rules() };
        let questions: Vec<OptOutQuestion<'_>> = asked
            .iter()
            .map(|&(url, from, length)| OptOutQuestion {
                url: ASKED[url],
                from,
                until: from + length,
            })
            .collect();
        // What is there already stays.
        let mut answers = OptOutAnswers::default();
        registry.answer_batch(&questions[..questions.len() / 3], &rules, &mut answers);
        registry.answer_batch(&questions[questions.len() / 3..], &rules, &mut answers);
        prop_assert_eq!(answers.len(), questions.len());
        prop_assert_eq!(answers.is_empty(), questions.is_empty());
        for ((verdict, signals), asked) in answers.iter().zip(&questions) {
            let single = registry.check_span(asked.url, asked.from, asked.until, &rules);
            prop_assert_eq!(verdict, single.verdict, "{:?}", asked);
            prop_assert_eq!(signals, &single.signals[..], "{:?}", asked);
        }
        answers.clear();
        prop_assert_eq!(answers.iter().count(), 0);
        // Instants are spans without a length.
        let instants: Vec<(Option<&str>, i64)> =
            questions.iter().map(|asked| (asked.url, asked.from)).collect();
        let mut checks = vec![registry.check(None, 0, &rules)];
        registry.check_batch(&instants, &rules, &mut checks);
        prop_assert_eq!(checks.len(), questions.len() + 1);
        for (check, (url, at)) in checks[1..].iter().zip(&instants) {
            prop_assert_eq!(check, &registry.check(*url, *at, &rules), "{:?}", url);
        }
    }

    #[test]
    fn a_signal_more_never_makes_a_verdict_milder(
        robots in 0usize..4,
        extra in prop::sample::select(vec![
            ("headers", "X-Robots-Tag: noai\r\n"),
            ("headers", "Content-Usage: train-ai=y\r\n"),
            ("html", "<meta name=robots content=noai>"),
            ("c2pa", "{}"),
            ("c2pa", "{"),
        ]),
        at in 0i64..4,
    ) {
        let page = "https://a.example/page";
        let base = [row("robots.txt", "a.example", 2, BODIES[robots])];
        let more = [base[0], row(extra.0, page, 2, extra.1)];
        let rank = |verdict: &str| {
            let order = ["allowed", "unknown", "conditional", "disallowed"];
            order.iter().position(|known| *known == verdict)
        };
        let (less, more) = (check(&base, page, at), check(&more, page, at));
        prop_assert!(rank(more.verdict) >= rank(less.verdict));
        prop_assert!(more.signals.len() >= less.signals.len());
    }
}
