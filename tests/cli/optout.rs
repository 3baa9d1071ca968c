//! `tamis optout` and `tamis license`.

use crate::support::{Corpus, path, query, run, run_ok};

/// A WARC record with an HTTP answer.
fn record(url: &str, date: &str, answer: &str) -> String {
    format!(
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:test:{length}-{url}>\r\nWARC-Date: {date}\r\n\
         WARC-Target-URI: {url}\r\nContent-Type: application/http; msgtype=response\r\nContent-Length: {length}\r\n\r\n{answer}\r\n\r\n",
        length = answer.len()
    )
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

#[test]
fn a_crawl_becomes_snapshots_that_answer() {
    let corpus = Corpus::new();
    let crawl = [
        record(
            "https://a.example.org/robots.txt",
            "2026-03-01T00:00:00Z",
            &answer("200 OK", "", "User-agent: *\nDisallow: /closed/\n"),
        ),
        record(
            "https://b.example.org/robots.txt",
            "2026-03-01T00:00:00Z",
            &answer("404 Not Found", "", "nothing here"),
        ),
        record(
            "https://b.example.org/page",
            "2026-03-01T00:00:01Z",
            &answer(
                "200 OK",
                "Content-Type: text/html\r\nX-Robots-Tag: noai\r\n",
                "<html><head><title>t</title></head><body>text</body></html>",
            ),
        ),
    ]
    .concat();
    corpus.write("crawl.warc", &crawl);
    let table = corpus.at("opt_out.parquet");
    let (code, _, stderr) = run(&[
        "optout",
        "import",
        path(&corpus.at("crawl.warc")),
        "-o",
        path(&table),
    ]);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stderr.contains("3 records, 3 answers, 3 snapshots"),
        "{stderr}"
    );
    assert_eq!(
        query(&format!(
            "select status from '{}' where kind = 'robots.txt' and url like '%b.example%'",
            path(&table)
        )),
        "404"
    );

    let set = format!("opt_out={}", path(&table));
    let verdicts = |at: &str| -> Vec<String> {
        let text = run_ok(
            &[
                "optout",
                "check",
                "https://a.example.org/open",
                "a.example.org/closed/1",
                "https://b.example.org/other",
                "https://b.example.org/page",
                "https://c.example.org/",
                "--set",
                &set,
                "--at",
                at,
                "--format",
                "json",
            ],
            0,
        );
        let rows: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        let mut seen = Vec::new();
        for row in &rows {
            if !seen.contains(&row["url"]) {
                seen.push(row["url"].clone());
            }
        }
        seen.iter()
            .map(|url| {
                let row = rows.iter().find(|row| row["url"] == *url).unwrap();
                row["verdict"].as_str().unwrap().to_owned()
            })
            .collect()
    };
    assert_eq!(
        verdicts("2026-03-02"),
        ["allowed", "disallowed", "allowed", "disallowed", "unknown"]
    );
    assert_eq!(
        verdicts("2026-02-01"),
        ["unknown", "unknown", "unknown", "unknown", "unknown"]
    );
}

#[test]
fn a_broken_record_is_named_and_the_rest_is_imported() {
    let corpus = Corpus::new();
    let good = |host: &str| {
        record(
            &format!("https://{host}.example.org/robots.txt"),
            "2026-03-01T00:00:00Z",
            &answer("200 OK", "", "User-agent: *\nDisallow: /\n"),
        )
    };
    let broken = good("broken").replace("Content-Length: ", "Content-Length: x");
    corpus.write("crawl.warc", &[good("a"), broken, good("b")].concat());
    let table = corpus.at("opt_out.csv");
    let (code, _, stderr) = run(&[
        "optout",
        "import",
        path(&corpus.at("crawl.warc")),
        "-o",
        path(&table),
    ]);
    assert_eq!(code, 3, "{stderr}");
    assert!(
        stderr.contains("crawl.warc: record 2 at offset"),
        "{stderr}"
    );
    assert!(stderr.contains("1 records are broken"), "{stderr}");
    assert_eq!(
        query(&format!("select count(*) from '{}'", path(&table))),
        "2"
    );
}

#[test]
fn a_directory_of_fetched_files_is_imported_with_its_well_known_files() {
    let corpus = Corpus::new();
    let fetched = corpus.at("fetched");
    for (name, text) in [
        ("a.example.org/robots.txt", "User-agent: *\nAllow: /\n"),
        (
            "a.example.org/.well-known/tdmrep.json",
            "[{\"location\": \"/texts/*\", \"tdm-reservation\": 1}]",
        ),
        ("a.example.org/index.html", "<html></html>"),
    ] {
        let file = fetched.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let table = corpus.at("opt_out.ndjson");
    run_ok(
        &[
            "optout",
            "import",
            path(&fetched),
            "--fetched-at",
            "2026-03-01",
            "-o",
            path(&table),
        ],
        0,
    );
    let set = format!("opt_out={}", path(&table));
    let text = run_ok(
        &[
            "optout",
            "check",
            "https://a.example.org/texts/1",
            "https://a.example.org/other",
            "--set",
            &set,
            "--at",
            "2026-03-02",
            "--format",
            "csv",
        ],
        0,
    );
    assert!(
        text.contains("https://a.example.org/texts/1,disallowed,tdmrep"),
        "{text}"
    );
    assert!(
        text.contains("https://a.example.org/other,allowed,robots.txt"),
        "{text}"
    );

    corpus.clean("a.parquet", 1, 1);
    let (code, _, stderr) = run(&["optout", "import", path(&corpus.at("corpus"))]);
    assert_eq!(code, 2);
    assert!(stderr.contains("holds neither WARC files"), "{stderr}");
    let missing = corpus.at("fetchd/robots.warc");
    let (code, _, stderr) = run(&["optout", "import", path(&missing)]);
    assert_eq!(code, 2);
    assert!(stderr.contains("no such file or directory"), "{stderr}");
    let (code, _, stderr) = run(&["optout", "check", "https://a.example.org/"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("--set opt_out=FILE"), "{stderr}");
}

#[test]
fn licences_are_checked_explained_and_listed() {
    let (code, stdout, _) = run(&[
        "license",
        "check",
        "MIT",
        "CC BY-NC 4.0",
        "who knows",
        "--format",
        "csv",
    ]);
    assert_eq!(code, 3);
    assert!(stdout.contains("MIT,MIT,allow,"), "{stdout}");
    assert!(
        stdout.contains("CC BY-NC 4.0,CC-BY-NC-4.0,deny,"),
        "{stdout}"
    );
    assert!(stdout.contains("who knows,,missing,"), "{stdout}");
    run_ok(&["license", "check", "MIT"], 0);

    let text = run_ok(
        &["license", "explain", "GPL-2.0+", "CC BY", "--format", "csv"],
        0,
    );
    assert!(
        text.contains("GPL-2.0+,deprecated id,GPL-2.0-or-later"),
        "{text}"
    );
    assert!(text.contains("CC BY,") && text.contains("CC-BY"), "{text}");

    let text = run_ok(&["license", "export", "--format", "csv"], 0);
    assert!(text.lines().count() > 700, "{}", text.lines().count());
    let line = |id: &str| {
        text.lines()
            .find(|line| line.starts_with(&format!("{id},")))
            .unwrap_or_default()
            .to_owned()
    };
    assert!(line("MIT").contains("allow"), "{}", line("MIT"));
    assert!(
        line("CC-BY-NC-4.0").contains("deny"),
        "{}",
        line("CC-BY-NC-4.0")
    );
}
