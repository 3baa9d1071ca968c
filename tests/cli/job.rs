//! `run`, `verify`, `trace`, `init`, `policy`.

use crate::support::{Corpus, files, path, query, quickstart, run, run_ok, same, strings};

#[test]
fn the_quickstart_gives_the_counts_its_readme_names() {
    let folder = tempfile::tempdir().unwrap();
    let summary = quickstart(folder.path());
    assert!(summary.contains("400 rows in 6 files"), "{summary}");
    for (name, rows) in [
        ("data", 308),
        ("review", 6),
        ("dropped", 86),
        ("quarantine", 0),
    ] {
        let found = query(&format!(
            "select count(*) from '{}/'",
            path(&folder.path().join(name))
        ));
        assert_eq!(found, rows.to_string(), "{name}");
    }
    let output = path(folder.path());
    let checks = run_ok(&["verify", output, "--inputs"], 0);
    assert!(
        checks.contains("400 rows in = 308 keep + 6 review + 86 drop + 0 quarantine"),
        "{checks}"
    );
    assert!(!checks.contains("not checked by this policy"), "{checks}");
    let reason = query(&format!(
        "select prov_reasons[1]['detail'] from '{output}/dropped/' where prov_source_id = 'message-board' limit 1"
    ));
    assert_eq!(reason, "\"6 of 60 rows harmful (10.0 %), limit 5.0 %\"");

    let again = quickstart(folder.path());
    assert!(again.contains("Nothing to do"), "{again}");
    let (code, _, error) = run(&[
        "run",
        "examples/quickstart/job.toml",
        "--output",
        output,
        "--set",
        "use=train-research",
    ]);
    assert_eq!(code, 2);
    assert!(
        error.contains("use: was \"train-commercial\", is \"train-research\""),
        "{error}"
    );
    run_ok(&["verify", output], 0);
}

#[test]
fn judging_again_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    quickstart(folder.path());
    let output = path(folder.path());
    let checks = run_ok(
        &[
            "verify",
            output,
            "--rejudge",
            "--set",
            "subject_key=examples/quickstart/subject.key",
        ],
        0,
    );
    assert!(checks.contains("400 rows judged again"), "{checks}");
}

#[test]
fn raw_subjects_and_the_key_are_in_no_output_byte() {
    let folder = tempfile::tempdir().unwrap();
    quickstart(folder.path());
    let subjects = run_ok(
        &[
            "sql",
            "--format",
            "csv",
            "select distinct author from 'examples/quickstart/corpus/' where author is not null",
        ],
        0,
    );
    let subjects: Vec<&str> = subjects.lines().skip(1).collect();
    assert!(subjects.len() > 5);
    let key =
        std::fs::read(crate::support::project().join("examples/quickstart/subject.key")).unwrap();
    let key = key.trim_ascii();
    for (name, bytes) in files(folder.path()) {
        let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        assert!(!holds(key), "{name} holds the subject key");
        // Parquet pages are compressed: what can be read raw is searched raw, the rest through SQL below.
        for subject in &subjects {
            assert!(!holds(subject.as_bytes()), "{name} holds {subject}");
        }
    }
    let list = subjects
        .iter()
        .map(|subject| format!("'{subject}'"))
        .collect::<Vec<_>>()
        .join(",");
    for part in [
        "data",
        "review",
        "dropped",
        "quarantine",
        "_tamis/evidence.parquet",
    ] {
        let place = folder.path().join(part);
        let place = if place.is_dir() {
            format!("{}/", path(&place))
        } else {
            path(&place).to_owned()
        };
        let columns = run_ok(
            &[
                "sql",
                "--format",
                "csv",
                &format!("describe select * from '{place}'"),
            ],
            0,
        );
        for line in columns.lines().skip(1) {
            let Some((column, _)) = line.split_once(",Utf8") else {
                continue;
            };
            let sql = format!("select count(*) from '{place}' where \"{column}\" in ({list})");
            assert_eq!(query(&sql), "0", "{part}.{column}");
        }
    }
}

#[test]
fn verify_names_a_flipped_byte_a_missing_file_and_a_stray() {
    let folder = tempfile::tempdir().unwrap();
    quickstart(folder.path());
    let output = path(folder.path());
    let all = files(folder.path());
    assert!(all.len() > 30);
    // Every kind of object, not every unit of it: each costs a process.
    let unit = all
        .keys()
        .find_map(|name| name.strip_prefix("data/"))
        .unwrap()[..6]
        .to_owned();
    let sample = |name: &str| {
        !name.contains("/0") || name.contains(&format!("/{unit}")) || name.contains("manifests")
    };
    for (name, bytes) in all.iter().filter(|(name, _)| sample(name)) {
        let place = folder.path().join(name);
        let mut broken = bytes.clone();
        let middle = broken.len() / 2;
        broken[middle] ^= 1;
        std::fs::write(&place, &broken).unwrap();
        let (code, stdout, _) = run(&["verify", output]);
        assert_eq!(code, 3, "{name} flipped: {stdout}");
        let stem = name.rsplit('/').next().unwrap();
        let manifest = name == "_SUCCESS" || name.starts_with("_tamis/manifests");
        assert!(
            stdout.contains(if manifest { "_tamis/manifests" } else { stem })
                || stdout.contains("_SUCCESS"),
            "{name}: {stdout}"
        );
        std::fs::write(&place, bytes).unwrap();
    }
    for name in all
        .keys()
        .filter(|name| sample(name) && (name.ends_with(".parquet") || name.ends_with("_SUCCESS")))
    {
        std::fs::remove_file(folder.path().join(name)).unwrap();
        let (code, stdout, _) = run(&["verify", output]);
        assert_eq!(code, 3, "{name} deleted");
        assert!(
            stdout.contains(&format!("{name}: is missing")),
            "{name}: {stdout}"
        );
        std::fs::write(folder.path().join(name), &all[name]).unwrap();
    }
    for stray in [
        "data/more.parquet",
        "notes.txt",
        "_tamis/receipts/x.json",
        "data/.hidden",
        "data/a.parquet#1",
    ] {
        std::fs::write(folder.path().join(stray), b"x").unwrap();
        let (code, stdout, _) = run(&["verify", output]);
        assert_eq!(code, 3, "{stray}");
        assert!(
            stdout.contains(&format!("{stray}: not in the manifest")),
            "{stdout}"
        );
        std::fs::remove_file(folder.path().join(stray)).unwrap();
    }
    run_ok(&["verify", output], 0);
}

#[test]
fn trace_walks_back_to_file_source_and_consent() {
    let folder = tempfile::tempdir().unwrap();
    quickstart(folder.path());
    let output = path(folder.path());
    let row = query(&format!(
        "select prov_row_id from '{output}/data/' where prov_consent_status = 'granted' and prov_source_id = 'forum-answers' limit 1"
    ));
    let text = run_ok(&["trace", output, "--row", &row, "--json"], 0);
    let trace: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(trace["source"]["acquisition_mode"], "user_input");
    assert_eq!(trace["consent"]["status"], "granted");
    assert_eq!(trace["gate"]["verdict"], "accept");
    let (code, _, error) = run(&["trace", output, "--row", &"0".repeat(32)]);
    assert_eq!(code, 2);
    assert!(error.contains("no row with prov_row_id"), "{error}");
    let (_, _, error) = run(&["trace", output, "--row", "xyz"]);
    assert!(error.contains("32 hexadecimal digits"), "{error}");
}

#[test]
fn limit_and_dry_run() {
    let corpus = Corpus::new();
    corpus.clean("a.parquet", 100, 30);
    corpus.clean("b.parquet", 100, 30);
    let (code, stdout, stderr) = corpus.run("", &["--dry-run"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stdout.contains("Would judge 200 rows of 2 files"),
        "{stdout}"
    );
    assert!(!corpus.at("out").exists());
    let (code, stdout, stderr) = corpus.run("", &["--limit", "110"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("110 rows in"), "{stdout}");
    assert_eq!(corpus.count("data"), 110);
    run_ok(&["verify", path(&corpus.at("out"))], 0);
}

#[test]
fn init_writes_a_job_file_that_runs() {
    let corpus = Corpus::new();
    corpus.clean("a.parquet", 3, 10);
    let file = corpus.at("made.toml");
    run_ok(&["init", path(&corpus.at("corpus")), "-o", path(&file)], 0);
    let out = corpus.at("out");
    run_ok(
        &[
            "run",
            path(&file),
            "--output",
            path(&out),
            "--set",
            &format!("sources={}", path(&corpus.at("sources.csv"))),
            "--set",
            "as_of=2026-11-01",
        ],
        0,
    );
    assert_eq!(corpus.count("data"), 3);
    let (code, _, error) = run(&["init", path(&corpus.at("corpus")), "-o", path(&file)]);
    assert_eq!(code, 2);
    assert!(error.contains("is there already"), "{error}");
}

#[test]
fn an_exported_policy_is_a_policy_and_a_bad_one_is_refused() {
    let corpus = Corpus::new();
    corpus.clean("a.parquet", 3, 10);
    let pack = corpus.at("pack");
    run_ok(&["policy", "export", "gb45654", path(&pack)], 0);
    let set = format!("pack={}", path(&pack));
    let (code, _, error) = corpus.run("", &["--set", &set]);
    assert_eq!(code, 0, "{error}");
    let clear = std::fs::read_to_string(pack.join("clear.sql")).unwrap();
    let out = corpus.at("out2");
    for (change, message) in [
        (
            format!("{clear} WHERE text IS NOT NULL"),
            "has the node `Filter",
        ),
        (format!("{clear} LIMIT 5"), "has the node `Limit"),
        (clear.replace("LEFT JOIN", "JOIN"), "has a Inner JOIN"),
        (
            clear.replace(
                "ON judged.source_id = gate.source_id",
                "ON judged.id = gate.verdict",
            ),
            "without its unique key `source_id`",
        ),
        (
            clear.replace("'no text'", "cast(random() as varchar)"),
            "calls `random`",
        ),
    ] {
        std::fs::write(pack.join("clear.sql"), change).unwrap();
        let (code, _, error) = corpus.run("", &["--set", &set, "--output", path(&out)]);
        assert_eq!(code, 2, "{message}: {error}");
        assert!(error.contains(message), "{message}: {error}");
        assert!(!out.exists());
    }
}

#[test]
fn the_gate_refuses_a_source_above_five_percent_whole() {
    let corpus = Corpus::new();
    std::fs::write(
        corpus.at("sources.csv"),
        std::fs::read_to_string(corpus.at("sources.csv")).unwrap()
            + "edge,open_source,cn,MIT,e,0000000000000000000000000000000000000000000000000000000000000000,,,,,,,,,,,false,,,\n",
    )
    .unwrap();
    // 51 of 1,000 in `books`, 50 of 1,000 in `edge`, over two files and many row groups.
    for file in 0..2 {
        let rows: Vec<(String, &str)> = (0..1000)
            .map(|row| {
                let source = if row % 2 == 0 { "books" } else { "edge" };
                let index = file * 500 + row / 2;
                let harmful = index < if source == "books" { 51 } else { 50 };
                let text = if harmful {
                    "no deposit casino bonus"
                } else {
                    "A plain sentence."
                };
                (text.to_owned(), source)
            })
            .collect();
        corpus.parquet(
            &format!("{file}.parquet"),
            vec![
                (
                    "body",
                    strings(rows.iter().map(|row| row.0.as_str()).collect()),
                ),
                ("source", strings(rows.iter().map(|row| row.1).collect())),
                ("license", same("MIT", 1000)),
            ],
            77,
        );
    }
    let (code, _, error) = corpus.run("", &[]);
    assert_eq!(code, 0, "{error}");
    let out = path(&corpus.at("out")).to_owned();
    let rows = |sql: &str| query(&sql.replace("OUT", &out));
    assert_eq!(
        rows("select count(*) from 'OUT/data/' where prov_source_id = 'books'"),
        "0"
    );
    assert_eq!(
        rows("select count(*) from 'OUT/data/' where prov_source_id = 'edge'"),
        "950"
    );
    assert_eq!(
        rows("select count(*) from 'OUT/dropped/' where prov_source_id = 'books'"),
        "1000"
    );
    assert_eq!(
        rows(
            "select distinct prov_reasons[1]['detail'] from 'OUT/dropped/' where prov_source_id = 'books'"
        ),
        "\"51 of 1000 rows harmful (5.1 %), limit 5.0 %\""
    );
}
