use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

const ROBOTS: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nUser-agent: *\nDisallow: /\n";
const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nX-Robots-Tag: noai\r\n\
                    Link: </style.css>; rel=preload\r\nTDM-Reservation: 1\r\n\r\n\
                    <html><head><meta name=\"robots\" content=\"noai\"></head><body>text</body></html>";

fn record(kind: &str, target: &str, block: &[u8]) -> Vec<u8> {
    let head = format!(
        "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {target}\r\n\
         WARC-Date: 1970-01-01T00:00:01Z\r\nWARC-Record-ID: <urn:x:{target}>\r\n\
         Content-Type: application/http; msgtype=response\r\nContent-Length: {}\r\n\r\n",
        block.len()
    );
    [head.as_bytes(), block, b"\r\n\r\n"].concat()
}

fn response(target: &str, block: &str) -> Vec<u8> {
    record("response", target, block.as_bytes())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("written");
    encoder.finish().expect("written")
}

struct Imported {
    snapshots: Vec<Snapshot>,
    errors: Vec<WarcError>,
    statistics: WarcStatistics,
}

fn import(bytes: &[u8]) -> Imported {
    let mut import = WarcImport::new(bytes);
    let (mut snapshots, mut errors) = (Vec::new(), Vec::new());
    for result in &mut import {
        match result {
            Ok(snapshot) => snapshots.push(snapshot),
            Err(error) => errors.push(error),
        }
    }
    let statistics = import.statistics();
    assert_eq!(statistics.snapshots, snapshots.len() as u64);
    assert_eq!(statistics.errors, errors.len() as u64);
    Imported {
        snapshots,
        errors,
        statistics,
    }
}

/// Kind, status and body of each snapshot.
fn rows(imported: &Imported) -> Vec<(&str, Option<u16>, String)> {
    let row = |snapshot: &'_ Snapshot| {
        let body = String::from_utf8_lossy(&snapshot.body).into_owned();
        (snapshot.kind.as_str(), snapshot.status, body)
    };
    imported.snapshots.iter().map(row).collect()
}

fn one(target: &str, block: &str) -> Vec<(&'static str, Option<u16>, String)> {
    let imported = import(&response(target, block));
    assert!(imported.errors.is_empty(), "{:?}", imported.errors);
    let rows = rows(&imported).into_iter();
    rows.map(|(kind, status, body)| {
        let kind = SnapshotKind::parse(kind).expect("a kind");
        (kind.as_str(), status, body)
    })
    .collect()
}

#[test]
fn plain_and_compressed_files_give_the_same() {
    let records = [
        record("warcinfo", "", b"software: x"),
        response("http://a.example/robots.txt", ROBOTS),
        record(
            "request",
            "http://a.example/page",
            b"GET /page HTTP/1.1\r\n\r\n",
        ),
        response("http://a.example/page", PAGE),
    ];
    let plain = import(&records.concat());
    let members: Vec<Vec<u8>> = records.iter().map(|record| gzip(record)).collect();
    let compressed = import(&members.concat());
    let one_member = import(&gzip(&records.concat()));
    let two_members =
        import(&[gzip(&records[..2].concat()), gzip(&records[2..].concat())].concat());
    let expected = [
        (
            "robots.txt",
            Some(200),
            "User-agent: *\nDisallow: /\n".to_owned(),
        ),
        (
            "headers",
            Some(200),
            "X-Robots-Tag: noai\r\nTDM-Reservation: 1\r\n".to_owned(),
        ),
        (
            "html",
            Some(200),
            "<meta name=\"robots\" content=\"noai\">\n".to_owned(),
        ),
    ];
    for imported in [&plain, &compressed, &one_member, &two_members] {
        assert!(imported.errors.is_empty(), "{:?}", imported.errors);
        assert_eq!(rows(imported), expected);
        let statistics = imported.statistics;
        assert_eq!(
            (statistics.records, statistics.responses, statistics.others),
            (4, 2, 2)
        );
        assert_eq!(imported.snapshots[0].url, "http://a.example/robots.txt");
        assert_eq!(imported.snapshots[0].fetched_at, 1_000_000);
    }
    assert!(import(b"").snapshots.is_empty());
    assert_eq!(import(b"").statistics, WarcStatistics::default());
}

#[test]
fn answers_without_a_file() {
    let robots = |head: &str| {
        one(
            "https://a.example/robots.txt",
            &format!("{head}\r\n\r\n<p>"),
        )
    };
    let empty = |status| vec![("robots.txt", Some(status), String::new())];
    assert_eq!(robots("HTTP/1.1 404 Not Found"), empty(404));
    assert_eq!(robots("HTTP/1.1 503 Unavailable"), empty(503));
    assert_eq!(
        robots("HTTP/1.1 301 Moved\r\nLocation: https://www.a.example/robots.txt"),
        empty(301)
    );
    assert_eq!(
        robots("HTTP/1.1 301 Moved\r\nLocation: http://a.example/robots.txt"),
        []
    );
    assert_eq!(robots("HTTP/1.1 302 Moved\r\nLocation: /r"), []);
    assert_eq!(robots("HTTP/1.1 304 Not Modified"), []);
    let html = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n <!doctype html>";
    for (path, kind) in [
        ("ai.txt", "ai.txt"),
        (".well-known/tdmrep.json", "tdmrep.json"),
    ] {
        let found = one(&format!("https://a.example/{path}"), html);
        assert_eq!(found, [(kind, Some(404), String::new())]);
    }
    let revisit = import(&record(
        "revisit",
        "https://a.example/robots.txt",
        ROBOTS.as_bytes(),
    ));
    assert_eq!(
        (revisit.snapshots.len(), revisit.statistics.revisits),
        (0, 1)
    );
    let revisit = import(&record("revisit", "https://a.example/p", PAGE.as_bytes()));
    assert_eq!(revisit.snapshots.len(), 1);
    assert_eq!(revisit.snapshots[0].kind, SnapshotKind::Headers);
}

#[test]
fn rsl_documents_are_found_by_type_by_root_and_by_link() {
    let rsl = "<rsl xmlns=\"https://rslstandard.org/rsl\"></rsl>";
    let answer =
        |media_type: &str| format!("HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\n\r\n{rsl}");
    let found = vec![("rsl", Some(200), rsl.to_owned())];
    assert_eq!(
        one("https://a.example/l", &answer("application/rsl+xml")),
        found
    );
    assert_eq!(one("https://a.example/l", &answer("text/xml")), found);
    assert_eq!(
        one("https://a.example/l", &answer("application/octet-stream")),
        []
    );
    let feed = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<rss></rss>";
    assert_eq!(one("https://a.example/l", feed), []);
    let linked = [
        response(
            "https://a.example/robots.txt",
            "HTTP/1.1 200 OK\r\n\r\nLicense: https://a.example/l\n",
        ),
        response("http://a.example/l", &answer("application/octet-stream")),
    ];
    assert_eq!(
        import(&linked.concat()).snapshots[1].kind,
        SnapshotKind::Rsl
    );
    let link = "HTTP/1.1 200 OK\r\nLink: <l>; rel=license; type=\"application/rsl+xml\"\r\n\r\n";
    let linked = [
        response("https://a.example/x/p", link),
        response("https://a.example/x/l", &answer("text/plain")),
    ];
    let imported = import(&linked.concat());
    assert_eq!(imported.snapshots[0].kind, SnapshotKind::Headers);
    assert_eq!(imported.snapshots[1].kind, SnapshotKind::Rsl);
}

#[test]
fn a_cut_file_keeps_what_came_before() {
    let first = response("http://a.example/robots.txt", ROBOTS);
    let second = response("http://b.example/robots.txt", ROBOTS);
    for cut in 1..second.len() - 4 {
        let imported = import(&[&first[..], &second[..cut]].concat());
        assert_eq!(imported.snapshots.len(), 1, "cut at {cut}");
        assert_eq!(imported.errors.len(), 1, "cut at {cut}");
        let error = &imported.errors[0];
        assert_eq!(
            (error.offset, error.record, error.is_fatal),
            (first.len() as u64, 2, false)
        );
    }
    let (first, second) = (gzip(&first), gzip(&second));
    for cut in 1..second.len() {
        let imported = import(&[&first[..], &second[..cut]].concat());
        let error = imported
            .errors
            .first()
            .map(|error| (error.offset, error.record));
        assert_eq!(error, Some((first.len() as u64, 2)), "cut at {cut}");
        assert_eq!(imported.errors.len(), 1, "cut at {cut}");
        assert_eq!(imported.snapshots.len(), 1, "cut at {cut}");
    }
}

#[test]
fn the_import_goes_on_behind_a_broken_record() {
    let good = |host: &str| response(&format!("http://{host}.example/robots.txt"), ROBOTS);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    let length = ROBOTS.len();
    let broken = [
        text(good("b")).replace("WARC/1.0", "WARC/9.0"),
        text(good("b")).replace(&format!("Content-Length: {length}"), "Content-Length: x"),
        text(good("b")).replace(&format!("Content-Length: {length}"), "Content-Length: 5"),
        text(good("b")).replace(
            &format!("Content-Length: {length}"),
            &format!("Content-Length: {}", length + 300),
        ),
        text(good("b")).replace("1970-01-01T00:00:01Z", "yesterday"),
        text(good("b")).replace("HTTP/1.1 200 OK", "HTTP/1.1 2x0 OK"),
        "garbage\r\n".to_owned(),
    ];
    for broken in broken {
        let broken = broken.into_bytes();
        let plain = [good("a"), broken.clone(), good("c"), good("d")].concat();
        let members = [
            gzip(&good("a")),
            gzip(&broken),
            gzip(&good("c")),
            gzip(&good("d")),
        ]
        .concat();
        for (bytes, offset) in [(plain, good("a").len()), (members, gzip(&good("a")).len())] {
            let imported = import(&bytes);
            let urls: Vec<&str> = imported
                .snapshots
                .iter()
                .map(|row| &row.url[7..8])
                .collect();
            let shown = String::from_utf8_lossy(&broken).into_owned();
            assert_eq!(urls, ["a", "c", "d"], "{shown}\n{:?}", imported.errors);
            assert_eq!(imported.errors.len(), 1, "{shown}\n{:?}", imported.errors);
            assert_eq!(imported.errors[0].offset, offset as u64);
            assert_eq!(imported.errors[0].record, 2);
            assert!(
                imported.errors[0]
                    .to_string()
                    .starts_with("record 2 at offset")
            );
        }
    }
}

#[test]
fn a_damaged_member_is_passed_over() {
    let members: Vec<Vec<u8>> = ["a", "b", "c"]
        .iter()
        .map(|host| {
            gzip(&response(
                &format!("http://{host}.example/robots.txt"),
                ROBOTS,
            ))
        })
        .collect();
    let start = members[0].len();
    for at in 0..members[1].len() {
        let mut bytes = members.concat();
        bytes[start + at] ^= 0xFF;
        let imported = import(&bytes);
        let urls: Vec<&str> = imported
            .snapshots
            .iter()
            .map(|row| &row.url[7..8])
            .collect();
        // The header of a member has bytes that change nothing, its time for one.
        assert!(
            urls.starts_with(&["a"]) && urls.ends_with(&["c"]),
            "byte {at}: {urls:?}"
        );
        assert!(
            urls == ["a", "b", "c"] || imported.statistics.errors > 0,
            "byte {at}"
        );
    }
}

#[test]
fn what_is_not_whole_is_no_evidence() {
    let truncated = |target: &str, block: &str| {
        let text = String::from_utf8(response(target, block)).expect("text");
        import(
            text.replace("WARC-Type", "WARC-Truncated: length\r\nWARC-Type")
                .as_bytes(),
        )
    };
    let robots = truncated("http://a.example/robots.txt", ROBOTS);
    assert_eq!(robots.errors[0].message, "the robots.txt is not whole");
    assert_eq!(
        robots.errors[0].record_id.as_deref(),
        Some("<urn:x:http://a.example/robots.txt>")
    );
    assert_eq!(truncated("http://a.example/p", PAGE).snapshots.len(), 2);
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<head><meta name=x>";
    assert_eq!(truncated("http://a.example/p", head).errors.len(), 1);
    let long = format!("HTTP/1.1 200 OK\r\n\r\n{}", "[".repeat(FILE_LIMIT + 1));
    let tdmrep = import(&response("http://a.example/.well-known/tdmrep.json", &long));
    assert_eq!(tdmrep.errors[0].message, "the tdmrep.json is not whole");
    let long = format!("HTTP/1.1 200 OK\r\n\r\n{}", "#\n".repeat(ROBOTS_LIMIT));
    let robots = import(&response("http://a.example/robots.txt", &long));
    assert_eq!(
        (robots.snapshots[0].body.len(), robots.statistics.cut),
        (ROBOTS_LIMIT, 1)
    );
    let brotli = "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n\u{1b}\u{0}";
    let brotli = import(&response("http://a.example/robots.txt", brotli));
    assert!(
        brotli.errors[0].message.contains("\"br\""),
        "{:?}",
        brotli.errors
    );
}

#[test]
fn a_reader_that_fails_ends_the_import() {
    struct Failing<'a>(&'a [u8]);
    impl Read for Failing<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            match self.0.read(into)? {
                0 => Err(io::Error::other("the disk is gone")),
                read => Ok(read),
            }
        }
    }
    let plain = response("http://a.example/robots.txt", ROBOTS);
    for bytes in [plain.clone(), gzip(&plain), Vec::new()] {
        let results: Vec<_> = WarcImport::new(Failing(&bytes)).collect();
        let error = results
            .last()
            .expect("a result")
            .as_ref()
            .expect_err("an error");
        assert!(
            error.is_fatal && error.message.contains("the disk is gone"),
            "{error}"
        );
    }
}
