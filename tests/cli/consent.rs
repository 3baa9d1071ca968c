//! `tamis consent`, and jobs that take a snapshot.

use std::path::Path;

use tokio_postgres::NoTls;

use crate::support::{path, query, quickstart, run, run_ok, skipped, tamis};

const TABLE: &str = "examples/quickstart/consent.csv";
const KEY: &str = "subject_key=examples/quickstart/subject.key";

/// Makes a snapshot and gives its path and its digest.
#[track_caller]
fn snapshot(from: &str, to: &Path, more: &[&str]) -> (String, String) {
    let mut arguments = vec!["consent", "snapshot", "--from", from, "--to", path(to)];
    arguments.extend(["--set", KEY, "--format", "csv"]);
    arguments.extend(more);
    let text = run_ok(&arguments, 0);
    let values: Vec<&str> = text.lines().nth(1).unwrap().split(',').collect();
    (values[0].to_owned(), values[1].to_owned())
}

#[test]
fn a_snapshot_answers_as_the_table_and_a_job_takes_it() {
    let folder = tempfile::tempdir().unwrap();
    let (made, digest) = snapshot(TABLE, folder.path(), &[]);
    assert!(
        made.ends_with(&format!("consent-{digest}.snapshot")),
        "{made}"
    );
    let (again, _) = snapshot(TABLE, folder.path(), &[]);
    assert_eq!(made, again, "the same records are the same file");

    let statuses = |registry: &str| {
        let sql = format!(
            "select subject_id, purpose, consent_record(subject_id, purpose, '2026-11-01') from '{TABLE}' order by 1, 2"
        );
        let registry = format!("consent={registry}");
        run_ok(
            &[
                "sql", "--format", "csv", "--set", KEY, "--set", &registry, &sql,
            ],
            0,
        )
    };
    let from_table = statuses(TABLE);
    assert!(from_table.contains("withdrawn"), "{from_table}");
    assert_eq!(statuses(&made), from_table);

    let out = folder.path().join("out");
    let by_table = folder.path().join("by-table");
    quickstart(&by_table);
    let set = format!("resources.consent={made}");
    let job = "examples/quickstart/job.toml";
    run_ok(&["run", job, "--output", path(&out), "--set", &set], 0);
    let kept = |output: &Path| {
        query(&format!(
            "select count(*), sum(length(prov_consent_status)), min(prov_consent_record) from '{}/data/'",
            path(output)
        ))
    };
    assert_eq!(kept(&out), kept(&by_table));
    run_ok(&["verify", path(&out)], 0);
    let rejudged = run_ok(&["verify", path(&out), "--rejudge", "--set", KEY], 0);
    assert!(!rejudged.is_empty());
}

#[test]
fn a_snapshot_needs_its_key_and_its_purposes_and_may_not_change() {
    let folder = tempfile::tempdir().unwrap();
    let (made, _) = snapshot(TABLE, folder.path(), &[]);
    let consent = format!("consent={made}");
    let ask = |more: &[&str]| {
        let mut arguments = vec!["sql", "--set", &consent];
        arguments.extend(more);
        arguments.push("select consent_status('user-001')");
        run(&arguments)
    };
    let (code, _, stderr) = ask(&[]);
    assert_ne!(code, 0);
    assert!(stderr.contains("tamis.subject_key"), "{stderr}");

    let other = folder.path().join("other.key");
    std::fs::write(&other, "another key of enough bytes").unwrap();
    let (code, _, stderr) = ask(&["--set", &format!("subject_key={}", path(&other))]);
    assert_ne!(code, 0);
    assert!(
        stderr.contains("was written with the subject key"),
        "{stderr}"
    );

    let purposes = folder.path().join("purposes.toml");
    std::fs::write(&purposes, "[under]\nmodel-training = \"any\"\n").unwrap();
    let purposes = format!("purposes={}", path(&purposes));
    let (code, _, stderr) = ask(&["--set", KEY, "--set", &purposes]);
    assert_ne!(code, 0);
    assert!(stderr.contains("made with other purposes"), "{stderr}");

    // A copy that somebody could write to is read as it is; one whose bytes changed is refused.
    let mut bytes = std::fs::read(&made).unwrap();
    let copy = folder.path().join("copy.snapshot");
    std::fs::write(&copy, &bytes).unwrap();
    let of_copy = format!("consent={}", path(&copy));
    let sql = "select consent_status('user-001', 'model-training', '2026-01-01')";
    let text = run_ok(
        &[
            "sql", "--format", "csv", "--set", &of_copy, "--set", KEY, sql,
        ],
        0,
    );
    assert!(text.contains("granted"), "{text}");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&copy, &bytes).unwrap();
    let (code, _, stderr) = run(&["sql", "--set", &of_copy, "--set", KEY, sql]);
    assert_ne!(code, 0);
    assert!(stderr.contains("copy.snapshot"), "{stderr}");

    let (code, _, stderr) = run(&[
        "consent",
        "snapshot",
        "--from",
        TABLE,
        "--to",
        path(folder.path()),
    ]);
    assert_eq!(code, 2);
    assert!(stderr.contains("needs the subject key"), "{stderr}");
    let (code, _, stderr) = run(&["consent", "check", "--from", &made]);
    assert_eq!(code, 2);
    assert!(stderr.contains("is a snapshot already"), "{stderr}");
}

const HEADER: &str = "subject_id,purpose,kind,status,granted_at,expires_at,withdrawn_at,record_id,evidence_uri,subject_age_band\n";

#[test]
fn check_names_contradictions_and_never_a_subject() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("consent.csv");
    let lines = [
        "anna@example.org,model-training,general,granted,2026-01-01,,,r1,,18+",
        "anna@example.org,model-training,general,refused,2026-01-01,,,r2,,18+",
        "bert@example.org,model-training,general,granted,2026-01-01,,,r3,,<14",
        "carl@example.org,model-training,general,perhaps,2026-01-01,,,r4,,18+",
        "dora@example.org,model-training,general,granted,2026-01-01,,,r1,,18+",
    ];
    std::fs::write(&table, HEADER.to_owned() + &lines.join("\n") + "\n").unwrap();
    let (code, stdout, stderr) = run(&[
        "consent",
        "check",
        "--from",
        path(&table),
        "--format",
        "csv",
    ]);
    assert_eq!(code, 3, "{stdout}{stderr}");
    for expected in [
        "malformed,1,no,\"line 5",
        "reused_record_id,1,no,",
        "contradictory,",
        "minor_without_guardian,1,yes,",
    ] {
        assert!(stdout.contains(expected), "{expected}: {stdout}");
    }
    assert!(stderr.contains("does not load"), "{stderr}");
    assert!(!(stdout + &stderr).contains("example.org"));

    let (code, _, stderr) = run(&[
        "consent",
        "snapshot",
        "--from",
        path(&table),
        "--to",
        path(folder.path()),
        "--set",
        KEY,
    ]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("line 5"), "{stderr}");

    std::fs::write(&table, HEADER.to_owned() + lines[2] + "\n").unwrap();
    run_ok(&["consent", "check", "--from", path(&table)], 0);
}

#[test]
fn the_quickstart_shows_a_withdrawal_a_minor_and_a_redacted_row() {
    let folder = tempfile::tempdir().unwrap();
    quickstart(folder.path());
    let output = path(folder.path());
    let traced = |from: &str, condition: &str| {
        let row = query(&format!(
            "select prov_row_id from '{output}/{from}/' where {condition} order by prov_row_id limit 1"
        ));
        assert_eq!(row.len(), 32, "{condition}");
        run_ok(&["trace", output, "--row", &row], 0)
    };
    let withdrawn = traced("dropped", "prov_consent_status = 'withdrawn'");
    assert!(withdrawn.contains("PIPL Art. 15"), "{withdrawn}");
    assert!(withdrawn.contains("withdrawn_at"), "{withdrawn}");
    let missing = traced("dropped", "prov_consent_status = 'missing'");
    assert!(
        missing.contains("consent_missing") && missing.contains("TC260-003-2024 5.2 c) 1)"),
        "{missing}"
    );
    assert!(missing.contains("no consent on record"), "{missing}");
    let minor = traced("data", "prov_consent_status = 'guardian'");
    assert!(minor.contains("guardian"), "{minor}");
    assert!(minor.contains("evidence_uri"), "{minor}");
    let redacted = traced("data", "array_length(prov_pet_applied) > 0");
    assert!(redacted.contains("redact_pii"), "{redacted}");
    // What is left of a redacted text has nothing more to redact.
    let again = "select count(*) from '{output}/data/' where array_length(prov_pet_applied) > 0 and array_length(pii_kinds(body)) > 0";
    assert_eq!(query(&again.replace("{output}", output)), "0");
}

/// Rows of the quickstart's registry as an `INSERT`.
fn insert(relation: &str) -> String {
    let text = std::fs::read_to_string(TABLE_FILE).unwrap();
    let rows: Vec<String> = text
        .lines()
        .skip(1)
        .map(|line| {
            let values: Vec<String> = line
                .split(',')
                .map(|value| match value {
                    "" => "NULL".to_owned(),
                    value => format!("'{value}'"),
                })
                .collect();
            format!("({})", values.join(", "))
        })
        .collect();
    format!("INSERT INTO {relation} VALUES {}", rows.join(",\n"))
}

const TABLE_FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/examples/quickstart/consent.csv"
);

#[test]
fn a_snapshot_of_postgres_is_that_of_the_table() {
    let Ok(server) = std::env::var("TAMIS_TEST_POSTGRES") else {
        return skipped(
            "cli::consent::a_snapshot_of_postgres_is_that_of_the_table",
            "no PostgreSQL server",
        );
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&server, NoTls).await.unwrap();
        tokio::spawn(connection);
        let columns = "subject_id text, purpose text, kind text, status text, granted_at timestamptz, \
             expires_at timestamp, withdrawn_at timestamptz, record_id varchar(40), evidence_uri text, subject_age_band text";
        let sql = format!(
            "CREATE SCHEMA \"Legal\"; CREATE TABLE \"Legal\".\"Consent\" ({columns}); {};
             CREATE TABLE short (subject text, purpose text);
             CREATE TABLE broken AS SELECT * FROM \"Legal\".\"Consent\"; UPDATE broken SET kind = 'perhaps' WHERE record_id = 'rec-0002'",
            insert("\"Legal\".\"Consent\"")
        );
        client.batch_execute(&sql).await.unwrap();
    });
    let folder = tempfile::tempdir().unwrap();
    let (_, of_table) = snapshot(TABLE, folder.path(), &["--version", "one"]);
    let relation = ["--version", "one", "--relation", "\"Legal\".\"Consent\""];
    let (_, of_server) = snapshot(&server, folder.path(), &relation);
    assert_eq!(of_server, of_table);

    // The password may also come from the environment; nothing repeats it.
    let (before, rest) = server.split_once("://tamis:").unwrap();
    let (password, rest) = rest.split_once('@').unwrap();
    let bare = format!("{before}://tamis@{rest}");
    let ask = |password: &str, relation: &str| {
        let mut command = tamis();
        command.args(["consent", "check", "--from", &bare, "--relation", relation]);
        let output = command.env("PGPASSWORD", password).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(!text.contains(password), "{text}");
        (output.status.code().unwrap(), text)
    };
    let (code, text) = ask(password, "\"Legal\".\"Consent\"");
    assert_eq!(code, 0, "{text}");
    let (code, text) = ask("not-the-password", "\"Legal\".\"Consent\"");
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("authentication failed"), "{text}");
    let (code, text) = ask(password, "short");
    assert_eq!(code, 2, "{text}");
    assert!(
        text.contains("columns are missing: subject_id (is it subject?)"),
        "{text}"
    );
    let (code, text) = ask(password, "nowhere");
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("no such table or view"), "{text}");
    let (code, text) = ask(password, "broken");
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("row "), "{text}");
    assert!(!text.contains("user-002"), "{text}");
}
