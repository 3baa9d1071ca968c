//! The opt-out signals against tables of what their specifications say, and against time.
//!
//! The tables are `tests/signals/*.csv`, the pages of `docs/opt-out` show their rows. With
//! `TAMIS_REWRITE_DOCS=1` the pages are written anew.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tamis_consent::signals::{
    AgentList, Robots, Rule, TaggedContent, ai_txt_allowed, content_signal, content_usage,
    robots_allowed, robots_tag, robots_tag_allowed,
};

/// What follows this line of a page is written from the table.
const ROWS_BELOW: &str = "<!-- rows of the table -->";

struct Row {
    section: String,
    shown: String,
    input: Vec<u8>,
    url: String,
    /// The agent or the category.
    subject: String,
    expected: String,
    note: String,
}

impl Row {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.input).expect("UTF-8")
    }
}

fn table(name: &str) -> Vec<Row> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/signals/{name}.csv"));
    let mut reader = csv::Reader::from_path(path).expect("the table");
    let rows = reader.records().map(|row| {
        let row = row.expect("a row");
        let field = |column: usize| row[column].to_owned();
        Row {
            section: field(0),
            shown: field(1),
            input: unescape(&row[1]),
            url: field(2),
            subject: field(3),
            expected: field(4),
            note: field(5),
        }
    });
    rows.collect()
}

/// `\n`, `\r`, `\t`, `\0`, `\xNN` for an octet and `\u{N}` for a character.
fn unescape(written: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = written;
    while let Some(place) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..place]);
        let escape = &rest[place + 1..];
        let mut len = 1;
        match escape.as_bytes().first().expect("an escape") {
            b'n' => bytes.push(b'\n'),
            b'r' => bytes.push(b'\r'),
            b't' => bytes.push(b'\t'),
            b'0' => bytes.push(0),
            b'x' => {
                bytes.push(u8::from_str_radix(&escape[1..3], 16).expect("an octet"));
                len = 3;
            }
            b'u' => {
                len = escape.find('}').expect("a brace") + 1;
                let value = u32::from_str_radix(&escape[2..len - 1], 16).expect("a number");
                let character = char::from_u32(value).expect("a character");
                bytes.extend_from_slice(character.to_string().as_bytes());
            }
            other => panic!("unknown escape {}", char::from(*other)),
        }
        rest = &escape[len..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// Compares every row with what `answer` says of it, then the page with the table.
fn check(name: &str, at_least: usize, subject: &str, answer: impl Fn(&Row) -> &'static str) {
    let rows = table(name);
    assert!(rows.len() >= at_least, "{} rows", rows.len());
    let wrong: Vec<String> = rows
        .iter()
        .filter(|row| answer(row) != row.expected)
        .map(|row| {
            let Row {
                shown,
                url,
                subject,
                expected,
                note,
                ..
            } = row;
            format!("{note}: {shown:?} {url} {subject}: not {expected}")
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    check_page(name, subject, &rows);
}

fn check_page(name: &str, subject: &str, rows: &[Row]) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/opt-out")
        .join(format!("{}.md", name.replace('_', "-")));
    let page = std::fs::read_to_string(&path).expect("the page");
    let (head, _) = page.split_once(ROWS_BELOW).expect("the mark for the rows");
    let with_url = rows.iter().any(|row| !row.url.is_empty());
    let with_subject = rows.iter().any(|row| !row.subject.is_empty());
    let mut columns = vec!["section", "input"];
    columns.extend(with_url.then_some("URL"));
    columns.extend(with_subject.then_some(subject));
    columns.extend(["result", "why"]);
    let mut current = format!("{head}{ROWS_BELOW}\n\n| {} |\n", columns.join(" | "));
    writeln!(current, "|{}", "---|".repeat(columns.len())).expect("written");
    for row in rows {
        let mut cells = vec![cell(&row.section), code(&row.shown)];
        cells.extend(with_url.then(|| code(&row.url)));
        cells.extend(with_subject.then(|| code(&row.subject)));
        cells.extend([row.expected.clone(), cell(&row.note)]);
        writeln!(current, "| {} |", cells.join(" | ")).expect("written");
    }
    if std::env::var_os("TAMIS_REWRITE_DOCS").is_some() {
        std::fs::write(&path, current).expect("written");
    } else {
        assert!(
            page == current,
            "{} is not the table: run the tests with TAMIS_REWRITE_DOCS=1",
            path.display()
        );
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
        .replace('*', "\\*")
        .replace('<', "&lt;")
}

fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    assert!(!text.contains('`'), "a backtick in {text}");
    // A code span drops one space at each end where both have one.
    format!("`{}`", text.replace('|', "\\|"))
}

fn permission(answer: Option<bool>) -> &'static str {
    match answer {
        Some(true) => "true",
        Some(false) => "false",
        None => "none",
    }
}

#[test]
fn robots_rows() {
    check("robots", 80, "agent", |row| {
        let robots = Robots::parse(&row.input);
        let allowed = robots.allowed(&row.url, &row.subject);
        if let Ok(text) = std::str::from_utf8(&row.input) {
            assert_eq!(robots_allowed(text, &row.url, &row.subject), allowed);
        }
        if let Some(rule) = robots.deciding_rule(&row.url, &row.subject) {
            assert_eq!(rule.allow, allowed, "{}", row.note);
        }
        if allowed { "allow" } else { "disallow" }
    });
}

#[test]
fn robots_tag_rows() {
    check("robots_tag", 25, "agent", |row| {
        permission(robots_tag_allowed(row.text(), &row.subject))
    });
}

#[test]
fn content_usage_rows() {
    check("content_usage", 25, "category", |row| {
        permission(content_usage(row.text(), &row.url, &row.subject))
    });
}

#[test]
fn content_signal_rows() {
    check("content_signal", 25, "category", |row| {
        permission(content_signal(row.text(), &row.url, &row.subject))
    });
}

#[test]
fn ai_txt_rows() {
    check("ai_txt", 25, "category", |row| {
        permission(ai_txt_allowed(row.text(), &row.url))
    });
}

#[test]
fn images_are_asked_for_by_name() {
    let asked = |value| robots_tag(value, "FooBot", TaggedContent::Image);
    assert_eq!(asked("noimageai"), Some(false));
    assert_eq!(asked("NoAI"), Some(false));
    assert_eq!(asked("noindex"), None);
    assert_eq!(asked("otherbot: noimageai"), None);
}

#[test]
fn the_status_of_robots_txt_decides() {
    let body = b"User-agent: *\nDisallow: /private\nLicense: https://example.org/rsl.xml\n";
    for (status, public, private) in [
        (Some(200), true, false),
        (Some(204), true, false),
        // Unavailable, RFC 9309 2.3.1.3.
        (Some(400), true, true),
        (Some(401), true, true),
        (Some(403), true, true),
        (Some(404), true, true),
        (Some(410), true, true),
        (Some(429), true, true),
        (Some(451), true, true),
        // Unreachable, RFC 9309 2.3.1.4.
        (Some(500), false, false),
        (Some(503), false, false),
        (None, false, false),
        // A redirect that was not followed, RFC 9309 2.3.1.2; not a final answer; unknown.
        (Some(301), false, false),
        (Some(304), false, false),
        (Some(100), false, false),
        (Some(0), false, false),
        (Some(999), false, false),
    ] {
        let robots = Robots::of_status(status, body);
        let allowed = |url: &str| robots.allowed(url, "FooBot");
        assert_eq!(
            (allowed("/"), allowed("/private")),
            (public, private),
            "{status:?}"
        );
        assert!(allowed("/robots.txt"), "{status:?}");
        assert!(!allowed("no url"), "{status:?}");
        let rule = robots.deciding_rule("/private", "FooBot");
        assert_eq!(rule.is_some(), matches!(status, Some(200 | 204)));
    }
}

#[test]
fn the_deciding_rule_names_its_line() {
    let robots =
        Robots::parse("# c\r\nUser-agent: *\r\n\r\nDisallow: /ツ # x\nAllow: /*/b$".as_bytes());
    let rule = robots.deciding_rule("https://example.org/%e3%83%84/a", "FooBot");
    let expected = Rule {
        allow: false,
        path: "/%E3%83%84".into(),
        line: 4,
    };
    assert_eq!(rule, Some(expected));
    let rule = robots.deciding_rule("/a/b", "FooBot").expect("a rule");
    assert_eq!(
        (rule.allow, rule.path.as_str(), rule.line),
        (true, "/*/b$", 5)
    );
    assert_eq!(robots.deciding_rule("/c", "FooBot"), None);
    assert_eq!(robots.deciding_rule("c", "FooBot"), None);
    assert_eq!(robots.deciding_rule("/robots.txt", "FooBot"), None);
}

#[test]
fn signals_of_named_agents() {
    let robots = Robots::parse(
        b"User-Agent: *\nAllow: /\nContent-Usage: / train-ai=n\nContent-Signal: ai-train=no\n\n\
          User-Agent: ExampleBot\nAllow: /\nContent-Usage: / train-ai=y\n",
    );
    let usage = |agent| robots.content_usage("/a", agent, "train-ai");
    // draft-ietf-aipref-attach 3.4: ExampleBot uses the second group, all others the first.
    assert_eq!(usage("ExampleBot"), Some(true));
    assert_eq!(usage("OtherBot"), Some(false));
    assert_eq!(usage("not a token"), Some(false));
    let signal = |agent| robots.content_signal("/a", agent, "ai-train");
    assert_eq!(signal("ExampleBot"), None);
    assert_eq!(signal("OtherBot"), Some(false));
    assert_eq!(signal("not a token"), Some(false));
}

#[test]
fn licences_are_listed() {
    let text =
        "License: https://example.org/a.xml\nUser-agent: *\nlicense : /b.xml # c\nLicense:\n";
    let robots = Robots::parse(text.as_bytes());
    let urls: Vec<&str> = robots.license_urls().collect();
    assert_eq!(urls, ["https://example.org/a.xml", "/b.xml"]);
    assert_eq!(Robots::parse(b"").license_urls().next(), None);
}

#[test]
fn what_lies_beyond_the_limit_is_not_read() {
    let mut text = b"User-agent: *\nDisallow: /first\n".to_vec();
    while text.len() < Robots::MAX_BYTES - 8 {
        text.extend_from_slice(b"#\n");
    }
    // The limit falls inside this path: read in part it would allow more.
    text.extend_from_slice(b"Allow: /first/allowed\nDisallow: /last\n");
    let robots = Robots::parse(&text);
    assert!(robots.is_truncated());
    assert!(!robots.allowed("/first/x", "FooBot"));
    assert!(robots.allowed("/last", "FooBot"));
    // RFC 9309 2.5: at least 500 KiB are read.
    let mut text = vec![b'#'; 500 * 1024 - 40];
    text.extend_from_slice(b"\nUser-agent: *\nDisallow: /last\n");
    let robots = Robots::parse(&text);
    assert!(!robots.is_truncated() && !robots.allowed("/last", "FooBot"));
}

#[test]
fn hosts_are_small_in_memory() {
    let mut text =
        String::from("User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /\n\n");
    for agent in AgentList::builtin().training() {
        let agent = &agent.agent;
        writeln!(
            text,
            "User-agent: {agent}\nContent-Signal: search=yes, ai-train=no\nDisallow: /\n"
        )
        .expect("written");
    }
    let robots = Robots::parse(text.as_bytes());
    assert!(!robots.allowed("/", "GPTBot") && robots.allowed("/", "FooBot"));
    let bytes = robots.heap_bytes();
    assert!(bytes < text.len() * 5 / 4, "{bytes} of {}", text.len());
    let small =
        Robots::parse(b"User-agent: *\nDisallow: /wp-admin/\nAllow: /wp-admin/admin-ajax.php\n");
    assert!(small.heap_bytes() < 128, "{}", small.heap_bytes());
    assert!(size_of::<Robots>() <= 16, "{}", size_of::<Robots>());
}

/// Whether `work` ends within a time that only a runaway exceeds. On Linux the time of this
/// thread on a processor counts, so that a busy machine fails nothing.
fn in_time(what: &str, work: impl FnOnce()) {
    let start = Instant::now();
    let before = on_processor();
    work();
    let took = match (before, on_processor()) {
        (Some(before), Some(after)) => after - before,
        _ => start.elapsed(),
    };
    assert!(took < Duration::from_secs(10), "{what:?} took {took:?}");
}

fn on_processor() -> Option<Duration> {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = times.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

#[test]
fn hostile_input_is_read_in_time() {
    let url = format!("/{}", "a".repeat(200_000));
    let stars = format!("User-agent: *\nDisallow: /{}b$\n", "a*".repeat(100_000));
    in_time("many wildcards", || {
        assert!(robots_allowed(&stars, &url, "FooBot"));
    });
    let long = format!("User-agent: *\nDisallow: /*{}b\n", "a".repeat(100_000));
    in_time("a long part", || {
        assert!(robots_allowed(&long, &url, "FooBot"))
    });
    let mut many = String::from("User-agent: *\n");
    for number in 0..60_000 {
        writeln!(many, "Disallow: /*a*a*{number}$").expect("written");
    }
    in_time("many rules", || {
        assert!(robots_allowed(
            &many,
            "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaax",
            "FooBot"
        ));
    });
    let globs = format!(
        "Training: conditional\nTraining-Allow: /{}b\n",
        "*a".repeat(2_000)
    );
    in_time("globs", || {
        assert_eq!(ai_txt_allowed(&globs, &url[..20_000]), Some(false));
    });
    for line in [
        "User-agent: a\nAllow: /\n",
        "a",
        "\n",
        "a: b\n",
        "\0",
        "Content-Usage: a=n\n",
        "%,",
    ] {
        let huge = line.repeat(50_000_000 / line.len());
        in_time(line, || {
            Robots::of_status(Some(200), huge.as_bytes());
            content_usage(&huge, "/", "train-ai");
            content_signal(&huge, "/", "ai-train");
            robots_tag_allowed(&huge, "FooBot");
            ai_txt_allowed(&huge, "/");
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn any_bytes_are_a_robots_txt(body: Vec<u8>, url: String, agent: String) {
        let robots = Robots::parse(&body);
        robots.allowed(&url, &agent);
        robots.deciding_rule(&url, &agent);
    }

    #[test]
    fn likely_lines_never_panic(
        lines in prop::collection::vec(
            "(User-agent|Allow|Disallow|Content-Usage|Content-Signal|License|x)[: ]{1,2}\
             [/*$%a-c=,; ]{0,8}[\r\n]{0,2}",
            0..8,
        ),
        url in "/([a-c%*$?][a-c/%*$?]{0,6})?",
        agent in "[a-cA-C*]",
    ) {
        let text = lines.concat();
        let robots = Robots::parse(text.as_bytes());
        let allowed = robots.allowed(&url, &agent);
        match robots.deciding_rule(&url, &agent) {
            Some(rule) => prop_assert_eq!(rule.allow, allowed),
            None => prop_assert!(allowed),
        }
        // A refusal outside any group is not undone by what a group says.
        let refused = Robots::parse(format!("Content-Signal: a=no\n{text}").as_bytes());
        prop_assert_eq!(refused.content_signal(&url, &agent, "a"), Some(false));
    }

    #[test]
    fn any_text_is_a_value(value: String, url: String, subject: String) {
        content_usage(&value, &url, &subject);
        content_signal(&value, &url, &subject);
        prop_assert_ne!(robots_tag_allowed(&value, &subject), Some(true));
    }
}
