//! `purge`: rows leave, everything else stays and still adds up.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::support::{files, path, project, query, quickstart, run, run_ok, tamis};

const KEY: &str = "subject_key=examples/quickstart/subject.key";
const AT: &str = "as_of=2026-11-20";

/// A quickstart output beside a place for tables.
struct Purged {
    folder: tempfile::TempDir,
    output: String,
}

impl Purged {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("out");
        quickstart(&output);
        Self {
            output: path(&output).to_owned(),
            folder,
        }
    }

    fn write(&self, name: &str, text: &str) -> String {
        let place = self.folder.path().join(name);
        std::fs::write(&place, text).unwrap();
        path(&place).to_owned()
    }

    fn tickets(&self, lines: &[String]) -> String {
        let header = "kind,value,ticket,received_at,closed_at,reason\n".to_owned();
        self.write("tickets.csv", &(header + &lines.join("\n") + "\n"))
    }

    /// A value of the first row of a folder that has it.
    fn first(&self, column: &str, rest: &str) -> String {
        query(&rest_sql(&self.output, column, rest))
    }

    fn count(&self, folder: &str, condition: &str) -> u64 {
        query(&format!(
            "select count(*) from '{}/{folder}/' where {condition}",
            self.output
        ))
        .parse()
        .unwrap()
    }

    fn manifest(&self, number: u32) -> Value {
        let name = format!("_tamis/manifests/{number:06}.json");
        let bytes = std::fs::read(Path::new(&self.output).join(name)).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }
}

fn rest_sql(output: &str, column: &str, rest: &str) -> String {
    let (folder, condition) = rest.split_once(' ').unwrap();
    format!(
        "select {column} from '{output}/{folder}/' where {condition} order by prov_row_id limit 1"
    )
}

fn subject_ref(id: &str) -> String {
    let sql = format!("select subject_ref('{id}')");
    let text = run_ok(&["sql", "--format", "csv", "--set", KEY, &sql], 0);
    text.lines().nth(1).unwrap().to_owned()
}

#[test]
fn tickets_take_rows_out_of_every_folder_and_the_rest_adds_up() {
    let purged = Purged::new();
    let output = purged.output.as_str();
    let before = files(Path::new(output));
    let row = purged.first("prov_row_id", "data prov_subject_ref is null");
    let url = purged.first(
        "prov_url",
        "data prov_subject_ref is null and prov_url is not null",
    );
    let digest = purged.first("prov_text_sha256", "review prov_text_sha256 is not null");
    let subject = "user-001";
    let reference = subject_ref(subject);
    let of_subject = format!("prov_subject_ref = '{reference}'");
    let condition = format!(
        "prov_row_id = '{row}' or prov_url = '{url}' or prov_text_sha256 = '{digest}' or {of_subject}"
    );
    let folders = ["data", "review", "dropped", "quarantine"];
    let expected: u64 = folders
        .iter()
        .map(|folder| purged.count(folder, &condition))
        .sum();
    let by_subject: u64 = folders
        .iter()
        .map(|folder| purged.count(folder, &of_subject))
        .sum();
    assert!(by_subject > 0 && expected >= by_subject + 3, "{expected}");
    let tickets = purged.tickets(&[
        format!("row,{row},T-1,2026-11-18,,court order"),
        format!("url,{url},T-2,2026-11-18,2026-11-20,owner asked"),
        format!(
            "sha256,{},T-2,2026-11-18,2026-11-20,owner asked",
            digest.to_uppercase()
        ),
        format!("subject,{subject},T-3,2026-11-19T08:00:00Z,,erasure"),
        "url,https://nobody.example/,T-4,2026-11-19,,owner asked".to_owned(),
    ]);
    let purge = [
        "purge",
        output,
        "--takedown",
        &tickets,
        "--set",
        KEY,
        "--set",
        AT,
    ];

    let dry = run_ok(&[&purge[..], &["--dry-run"]].concat(), 0);
    assert!(dry.contains("Nothing was written"), "{dry}");
    assert!(
        dry.contains("data/") && dry.contains("takedown T-1: 1"),
        "{dry}"
    );
    assert!(dry.contains("no row found for T-4"), "{dry}");
    assert!(
        files(Path::new(output)) == before,
        "a dry run wrote something"
    );

    let json = run_ok(&[&purge[..], &["--json"]].concat(), 0);
    let outcome: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(outcome["purge"]["rows"], expected);
    for folder in folders {
        assert_eq!(purged.count(folder, &condition), 0, "{folder}");
    }
    let checks = run_ok(&["verify", output, "--inputs"], 0);
    assert!(checks.contains(&format!("+ {expected} purged")), "{checks}");
    assert!(
        checks.contains("manifest _tamis/manifests/000002.json"),
        "{checks}"
    );

    let manifest = purged.manifest(2);
    assert_eq!(manifest["purged"], expected);
    assert_eq!(manifest["previous"]["path"], "_tamis/manifests/000001.json");
    let withdrawals = manifest["purge"]["withdrawals"].as_array().unwrap();
    let ticket = |name: &str, kind: &str| {
        withdrawals
            .iter()
            .find(|withdrawal| withdrawal["ticket"] == name && withdrawal["kind"] == kind)
            .unwrap()
    };
    assert_eq!(ticket("T-1", "row")["rows"], serde_json::json!([row]));
    assert_eq!(ticket("T-1", "row")["received_at"], "2026-11-18T00:00:00Z");
    assert_eq!(ticket("T-2", "url")["closed_at"], "2026-11-20T00:00:00Z");
    assert_eq!(
        ticket("T-3", "subject")["rows"].as_array().unwrap().len() as u64,
        by_subject
    );
    assert_eq!(ticket("T-4", "url")["rows"].as_array().unwrap().len(), 0);

    // Only what holds a row that left was touched; nothing names the subject, not even the list's path.
    let after = files(Path::new(output));
    let replaced = |name: &str| !after.contains_key(name);
    for file in outcome["files"].as_array().unwrap() {
        assert!(replaced(file["path"].as_str().unwrap()), "{file}");
    }
    let superseded = manifest["purge"]["superseded"].as_array().unwrap().len();
    assert_eq!(
        before.keys().filter(|name| replaced(name)).count(),
        superseded
    );
    for (name, bytes) in &after {
        if let Some(old) = before.get(name).filter(|_| *name != "_SUCCESS") {
            assert!(old == bytes, "{name} changed");
        }
        for secret in [
            subject.as_bytes(),
            url.as_bytes(),
            digest.as_bytes(),
            reference.as_bytes(),
        ] {
            let is_new = !before.contains_key(name);
            let holds = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!(is_new && holds), "{name} holds what left");
        }
    }

    let left = run_ok(&["trace", output, "--row", &row], 0);
    for part in [
        "left with a purge",
        "T-1",
        "court order",
        "2026-11-20",
        "000002.json",
    ] {
        assert!(left.contains(part), "{part}: {left}");
    }
    let there = purged.first("prov_row_id", "data true");
    assert!(run_ok(&["trace", output, "--row", &there], 0).contains(&there));

    let again = run_ok(&purge, 0);
    assert!(again.contains("Nothing to do"), "{again}");
    assert!(files(Path::new(output)) == after);
    let rerun = quickstart(Path::new(output));
    assert!(rerun.contains("Nothing to do"), "{rerun}");
    assert!(
        rerun.contains(&format!("{expected} of these rows have left")),
        "{rerun}"
    );
    assert!(files(Path::new(output)) == after);
}

#[test]
fn a_newer_registry_takes_out_what_is_no_longer_consented_to() {
    let purged = Purged::new();
    let output = purged.output.as_str();
    let registry = std::fs::read_to_string("examples/quickstart/consent.csv").unwrap();
    // user-001 withdraws, user-002 is gone from the registry, user-003 has expired, user-004 stays.
    let newer: String = registry
        .lines()
        .filter(|line| !line.starts_with("user-002,"))
        .map(|line| {
            let mut columns: Vec<&str> = line.split(',').collect();
            match columns[0] {
                "user-001" => columns[6] = "2026-11-10T00:00:00Z",
                "user-003" => columns[5] = "2026-11-12T00:00:00Z",
                _ => {}
            }
            columns.join(",") + "\n"
        })
        .collect();
    let newer = purged.write("consent.csv", &newer);
    let refs = ["user-001", "user-002", "user-003", "user-004"].map(subject_ref);
    let granted = |reference: &str| {
        format!(
            "prov_subject_ref = '{reference}' and prov_consent_status in ('granted', 'separate', 'guardian')"
        )
    };
    let rows = |reference: &str| -> u64 {
        ["data", "review", "quarantine"]
            .iter()
            .map(|folder| purged.count(folder, &granted(reference)))
            .sum()
    };
    let counts = refs.each_ref().map(|reference| rows(reference));
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");

    // The registry the job was judged with takes nothing out.
    let same = [
        "purge",
        output,
        "--consent",
        "examples/quickstart/consent.csv",
        "--set",
        KEY,
    ];
    let text = run_ok(&[&same[..], &["--set", "as_of=2026-11-01"]].concat(), 0);
    assert!(text.contains("Nothing to do"), "{text}");

    let purge = [
        "purge",
        output,
        "--consent",
        &newer,
        "--set",
        KEY,
        "--set",
        AT,
    ];
    let text = run_ok(&[&purge[..], &["--keep-old"]].concat(), 0);
    assert!(text.contains("consent_withdrawn"), "{text}");
    assert_eq!(
        refs.each_ref().map(|reference| rows(reference)),
        [0, 0, 0, counts[3]]
    );
    let manifest = purged.manifest(2);
    let withdrawals = manifest["purge"]["withdrawals"].as_array().unwrap();
    let rules: Vec<(&str, &str, usize)> = withdrawals
        .iter()
        .map(|withdrawal| {
            (
                withdrawal["rule"].as_str().unwrap(),
                withdrawal["clause"].as_str().unwrap(),
                withdrawal["rows"].as_array().unwrap().len(),
            )
        })
        .collect();
    let rows = |count: u64| usize::try_from(count).unwrap();
    assert_eq!(
        rules,
        [
            ("consent_withdrawn", "PIPL Art. 15", rows(counts[0])),
            (
                "consent_expired",
                "TC260-003-2024 5.2 c) 1)",
                rows(counts[2])
            ),
            (
                "consent_missing",
                "TC260-003-2024 5.2 c) 1)",
                rows(counts[1])
            ),
        ]
    );
    let asked = &manifest["purge"]["asked_by"]["consent"]["sha256"];
    assert_eq!(asked.as_str().unwrap().len(), 64);
    // What was judged first is still what the job would judge, byte for byte.
    run_ok(&["verify", output, "--rejudge", "--set", KEY], 0);
    let kept = Path::new(output).join("_tamis/superseded/000002/data");
    assert!(kept.read_dir().unwrap().count() > 0);

    // Directory readers see what is left and nothing else.
    let there: u64 = manifest["verdicts"]["keep"].as_u64().unwrap();
    assert_eq!(purged.count("data", "true"), there);
    let dropped = run_ok(&["purge", output, "--drop-old"], 0);
    assert!(dropped.contains("is removed"), "{dropped}");
    assert!(
        !files(Path::new(output))
            .keys()
            .any(|name| name.contains("superseded"))
    );
    run_ok(&["verify", output], 0);
}

#[test]
fn newer_signals_take_out_what_is_off_limits_now_but_not_what_is_contracted() {
    let purged = Purged::new();
    let output = purged.output.as_str();
    let town = "prov_url like 'https://town.example.org/%'";
    let (there, all) = (purged.count("data", town), purged.count("data", "true"));
    assert!(there > 0);
    let signals = |body: &str| {
        purged.write(
            "signals.csv",
            &format!("url,fetched_at,kind,status,body\nhttps://town.example.org/robots.txt,2026-11-10T00:00:00Z,robots.txt,200,\"{body}\"\n"),
        )
    };
    let open = signals("User-agent: *\nAllow: /\n");
    let text = run_ok(&["purge", output, "--opt-out", &open, "--set", AT], 0);
    assert!(text.contains("Nothing to do"), "{text}");

    // Before the refusal was fetched it is not in force.
    let closed = signals("User-agent: *\nDisallow: /\n");
    let early = [
        "purge",
        output,
        "--opt-out",
        &closed,
        "--set",
        "as_of=2026-11-09",
    ];
    let text = run_ok(&early, 0);
    assert!(text.contains("Nothing to do"), "{text}");
    let text = run_ok(&["purge", output, "--opt-out", &closed, "--set", AT], 0);
    assert!(text.contains("opt_out_disallowed"), "{text}");
    assert_eq!(purged.count("data", town), 0);
    assert_eq!(purged.count("data", "true"), all - there);
    let purge = &purged.manifest(2)["purge"];
    let withdrawal = &purge["withdrawals"][0];
    assert_eq!(withdrawal["clause"], "TC260-003-2024 5.1 c) 2) note 3");
    assert_eq!(withdrawal["kind"], "url");
    assert!(purge["asked_by"]["opt_out"]["sha256"].is_string());
    run_ok(&["verify", output], 0);
}

#[test]
fn a_snapshot_judges_as_the_table_it_was_made_from() {
    let purged = Purged::new();
    let output = purged.output.as_str();
    let table = project().join("examples/quickstart/consent.csv");
    let table = std::fs::read_to_string(table).unwrap();
    let newer = table.replacen("Z,,rec-0001,", "Z,2026-11-10T00:00:00Z,rec-0001,", 1);
    assert_ne!(table, newer);
    let newer = purged.write("newer.csv", &newer);
    let to = purged.folder.path().join("snapshots");
    let made = run_ok(
        &[
            "consent",
            "snapshot",
            "--from",
            &newer,
            "--to",
            path(&to),
            "--set",
            KEY,
            "--format",
            "csv",
        ],
        0,
    );
    let made = made.lines().nth(1).unwrap().split(',').next().unwrap();
    let left = |registry: &str| {
        let text = run_ok(
            &[
                "purge",
                output,
                "--consent",
                registry,
                "--set",
                KEY,
                "--set",
                AT,
                "--dry-run",
                "--json",
            ],
            0,
        );
        let found: Value = serde_json::from_str(&text).unwrap();
        found["purge"]["withdrawals"].clone()
    };
    let by_table = left(&newer);
    assert_eq!(by_table.as_array().unwrap().len(), 1, "{by_table}");
    assert_eq!(left(made), by_table);
}

#[test]
fn rows_that_come_back_or_go_missing_are_found() {
    let purged = Purged::new();
    let output = Path::new(&purged.output);
    let before = files(output);
    let file = before
        .keys()
        .find(|name| name.starts_with("data/"))
        .unwrap();
    let row = query(&format!(
        "select prov_row_id from '{}/{file}' limit 1",
        purged.output
    ));
    let tickets = purged.tickets(&[format!("row,{row},T-1,2026-11-18,,x")]);
    run_ok(&["purge", &purged.output, "--takedown", &tickets], 0);
    let after = files(output);
    let verify = || {
        let (code, stdout, _) = run(&["verify", &purged.output]);
        assert_eq!(code, 3, "{stdout}");
        stdout
    };
    // The superseded file is put back.
    let old = before
        .keys()
        .find(|name| !after.contains_key(*name))
        .unwrap();
    std::fs::write(output.join(old), &before[old]).unwrap();
    assert!(verify().contains(&format!("{old}: not in the manifest")));
    std::fs::remove_file(output.join(old)).unwrap();
    // History is part of the proof.
    let first = output.join("_tamis/manifests/000001.json");
    let mut broken = before["_tamis/manifests/000001.json"].clone();
    broken.push(b' ');
    std::fs::write(&first, broken).unwrap();
    assert!(
        verify().contains("000001.json: its digest is not the one in _tamis/manifests/000002.json")
    );
    std::fs::remove_file(&first).unwrap();
    assert!(verify().contains("000001.json: is missing"));
    std::fs::write(&first, &before["_tamis/manifests/000001.json"]).unwrap();
    // `_SUCCESS` points back at the first manifest: the rows it names are not all there.
    std::fs::write(output.join("_SUCCESS"), &before["_SUCCESS"]).unwrap();
    assert!(verify().contains("is missing"));
    std::fs::write(output.join("_SUCCESS"), &after["_SUCCESS"]).unwrap();
    run_ok(&["verify", &purged.output], 0);
    // A lost `_SUCCESS` is written again for the newest manifest, never for an older one.
    std::fs::remove_file(output.join("_SUCCESS")).unwrap();
    quickstart(output);
    assert!(files(output) == after);
    // The same file can lose rows again.
    let file = after
        .keys()
        .find(|name| name.starts_with("data/") && name.contains(".000002."))
        .unwrap();
    let second = query(&format!(
        "select prov_row_id from '{}/{file}' limit 1",
        purged.output
    ));
    let tickets = purged.tickets(&[format!("row,{second},T-2,2026-11-19,,y")]);
    let text = run_ok(&["purge", &purged.output, "--takedown", &tickets], 0);
    assert!(text.contains(".000002.parquet"), "{text}");
    let checks = run_ok(&["verify", &purged.output], 0);
    assert!(checks.contains("2 rows left in 2 purges"), "{checks}");
    for (row, ticket) in [(&row, "T-1"), (&second, "T-2")] {
        let left = run_ok(&["trace", &purged.output, "--row", row], 0);
        assert!(left.contains(ticket), "{left}");
    }
}

#[test]
fn wrong_tables_keys_and_flags_change_nothing_and_repeat_no_value() {
    let purged = Purged::new();
    let output = purged.output.as_str();
    let before = files(Path::new(output));
    let other_key = purged.write("other.key", "another key, long enough");
    let fails = |arguments: &[&str], code: i32, message: &str| {
        let (found, stdout, error) = run(&[&["purge", output][..], arguments].concat());
        assert_eq!(found, code, "{arguments:?}: {stdout}{error}");
        assert!(error.contains(message), "{message}: {error}");
        assert!(!error.contains("zhang-san"), "{error}");
    };
    let tickets = |lines: &[&str]| {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        purged.tickets(&lines)
    };
    fails(&[], 2, "--takedown");
    fails(&["--takedown", "nowhere.csv"], 1, "nowhere.csv");
    for (line, message) in [
        ("row,zhang-san,T,2026-11-18,,x", "32 hexadecimal digits"),
        ("sha256,zhang-san,T,2026-11-18,,x", "64 hexadecimal digits"),
        (
            "person,zhang-san,T,2026-11-18,,x",
            "none of row, url, sha256, subject",
        ),
        ("subject,zhang-san,T,2026-11-18,,x", "needs the subject key"),
        ("url,zhang-san,,2026-11-18,,x", "ticket is empty"),
        ("url,zhang-san,T,,,x", "received_at is empty"),
        (
            "url,zhang-san,T,2026-11-18,2026-11-17,x",
            "before received_at",
        ),
        ("url,zhang-san,T,2026-11-18,,", "reason is empty"),
        ("url,,T,2026-11-18,,x", "value is empty"),
    ] {
        let list = tickets(&["url,https://fine.example/,T,2026-11-18,,x", line]);
        fails(&["--takedown", &list], 2, message);
        fails(&["--takedown", &list], 2, "line 3");
    }
    let list = purged.write("short.csv", "kind,value\nrow,zhang-san\n");
    fails(&["--takedown", &list], 2, "ticket");
    let list = tickets(&["subject,zhang-san,T,2026-11-18,,x"]);
    let key = format!("subject_key={other_key}");
    fails(
        &["--takedown", &list, "--set", &key],
        2,
        "no subject would be found",
    );
    let consent = "examples/quickstart/consent.csv";
    fails(&["--consent", consent], 2, "needs the subject key");
    fails(
        &["--consent", consent, "--set", "purpose=x"],
        2,
        "purge takes subject_key, opt_out_agents and as_of",
    );
    fails(
        &["--resume", "--consent", consent],
        2,
        "cannot be used with",
    );
    fails(
        &["--consent", consent, "--set", KEY, "--set", "as_of=soon"],
        2,
        "as_of",
    );
    assert!(files(Path::new(output)) == before);
    let resume = run_ok(&["purge", output, "--resume"], 0);
    assert!(resume.contains("no purge was interrupted"), "{resume}");
    let empty = tempfile::tempdir().unwrap();
    let (code, _, error) = run(&["purge", path(empty.path()), "--takedown", &list]);
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("no Tamis output there"), "{error}");
    std::fs::remove_file(Path::new(output).join("_SUCCESS")).unwrap();
    std::fs::remove_file(Path::new(output).join("_tamis/manifests/000001.json")).unwrap();
    let list = tickets(&["url,https://fine.example/,T,2026-11-18,,x"]);
    fails(&["--takedown", &list], 2, "the job is not finished");
}

#[test]
fn a_purge_killed_at_any_moment_completes() {
    let calm = Purged::new();
    let rows = query(&format!(
        "select string_agg(prov_row_id, ';') from '{}/data/'",
        calm.output
    ));
    let lines: Vec<String> = rows
        .trim_matches('"')
        .split(';')
        .step_by(3)
        .map(|row| format!("row,{row},T-1,2026-11-18,,x"))
        .collect();
    assert!(lines.len() > 50);
    let tickets = calm.tickets(&lines);
    let killed = Purged::new();
    let purge =
        |output: &str| ["purge", output, "--takedown", &tickets, "--set", AT].map(str::to_owned);
    let started = std::time::Instant::now();
    let all = purge(&calm.output);
    run_ok(&all.each_ref().map(String::as_str), 0);
    let whole = started.elapsed();
    for moment in [6u32, 2, 9, 4, 8, 5, 7, 3, 10] {
        let mut run = tamis()
            .args(purge(&killed.output))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep((whole * moment / 10).min(Duration::from_secs(20)));
        // SIGKILL; a purge that is already over is fine.
        let _ = run.kill();
        run.wait().unwrap();
    }
    let all = purge(&killed.output);
    run_ok(&all.each_ref().map(String::as_str), 0);
    run_ok(&["verify", &killed.output], 0);
    assert!(files(Path::new(&killed.output)) == files(Path::new(&calm.output)));
}
