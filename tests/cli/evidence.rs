//! Sources and their evidence, licences and opt-out signals, as their commands show them.

use crate::support::{Corpus, path, project, query, quickstart, run, run_ok, same, strings};

/// A copy of the quickstart's sources whose evidence lies in a folder of its own.
fn sources_with_evidence() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let quickstart = project().join("examples/quickstart");
    for entry in std::fs::read_dir(quickstart.join("evidence")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    std::fs::copy(
        quickstart.join("opt_out.csv"),
        folder.path().join("opt_out.csv"),
    )
    .unwrap();
    let sources = std::fs::read_to_string(quickstart.join("sources.csv"))
        .unwrap()
        .replace("examples/quickstart/evidence", path(folder.path()))
        .replace("examples/quickstart", path(folder.path()));
    std::fs::write(folder.path().join("sources.csv"), sources).unwrap();
    folder
}

#[test]
fn every_quickstart_source_and_its_evidence_is_proven() {
    let text = run_ok(
        &[
            "sources",
            "check",
            "examples/quickstart/sources.csv",
            "--at",
            "2026-11-01",
            "--fetch-evidence",
            "--format",
            "csv",
        ],
        0,
    );
    assert_eq!(text.lines().count(), 7, "{text}");
    assert!(
        text.contains("licensed-encyclopedia,allow,commercial,cn,[],[],3,[]"),
        "{text}"
    );
}

#[test]
fn a_missing_item_is_named_with_its_clause() {
    let corpus = Corpus::new();
    corpus.write(
        "own.toml",
        "[[source]]\nsource_id = \"bought\"\nacquisition_mode = \"commercial\"\norigin_region = \"cn\"\n\
         is_link_list = false\ncontract_id = \"c-1\"\ncontract_valid_from = 2026-01-01T00:00:00Z\n\
         commitment_source = true\ncommitment_quality = false\naudit_status = \"passed\"\n",
    );
    let own = corpus.at("own.toml");
    let (code, stdout, stderr) = run(&[
        "sources",
        "check",
        path(&own),
        "--at",
        "2026-11-01",
        "--format",
        "json",
    ]);
    assert_eq!(code, 3, "{stderr}");
    let rows: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(rows[0]["verdict"], "deny");
    assert_eq!(
        rows[0]["missing"],
        serde_json::json!(["commitment_quality", "commitment_security", "audit_date"])
    );
    assert_eq!(
        rows[0]["clauses"],
        serde_json::json!(["TC260-003-2024 5.1 c) 3)"])
    );
    assert!(
        stderr.contains("1 of 1 sources are not allowed"),
        "{stderr}"
    );

    let (code, _, stderr) = run(&["sources", "check"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("no source registry"), "{stderr}");
}

#[test]
fn evidence_that_is_gone_or_changed_is_named_by_both_commands() {
    let evidence = sources_with_evidence();
    let sources = evidence.path().join("sources.csv");
    let output = tempfile::tempdir().unwrap();
    run_ok(
        &[
            "run",
            "examples/quickstart/job.toml",
            "--output",
            path(output.path()),
            "--set",
            &format!("sources={}", path(&sources)),
        ],
        0,
    );
    let check = || {
        run(&[
            "sources",
            "check",
            path(&sources),
            "--at",
            "2026-11-01",
            "--fetch-evidence",
        ])
    };
    let verify = || run(&["verify", path(output.path()), "--evidence"]);
    let (code, text, _) = verify();
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("ok      evidence: 9 documents behind the sources"),
        "{text}"
    );
    assert_eq!(check().0, 0);

    let licence = evidence.path().join("open-handbook-licence.txt");
    let mut bytes = std::fs::read(&licence).unwrap();
    bytes[3] ^= 1;
    std::fs::write(&licence, bytes).unwrap();
    std::fs::remove_file(evidence.path().join("town-pages-crawl.csv")).unwrap();

    let (code, _, stderr) = check();
    assert_eq!(code, 3);
    for expected in [
        "source open-handbook, license_evidence_uri",
        "open-handbook-licence.txt: its sha256 is",
        "source town-pages, crawl_record_uri",
        "town-pages-crawl.csv: is not there",
        "2 of 9 evidence objects are not proven",
    ] {
        assert!(stderr.contains(expected), "{expected}: {stderr}");
    }
    let (code, text, _) = verify();
    assert_eq!(code, 3);
    for expected in [
        "FAILED  evidence",
        "open-handbook-licence.txt: its sha256 is",
        "source town-pages, crawl_record_uri: ",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    // What the output holds is as sound as before.
    assert_eq!(run(&["verify", path(output.path())]).0, 0);
}

#[test]
fn trace_shows_the_licence_evidence_of_a_kept_row_and_the_clause_of_a_dropped_one() {
    let folder = tempfile::tempdir().unwrap();
    quickstart(folder.path());
    let output = path(folder.path());
    let row = query(&format!(
        "select prov_row_id from '{output}/data/' where prov_source_id = 'open-handbook' limit 1"
    ));
    let text = run_ok(&["trace", output, "--row", &row], 0);
    for expected in [
        "license_evidence_uri",
        "examples/quickstart/evidence/open-handbook-licence.txt",
        "43b63146c28e567e5771d92cdcd2ef5f710f4f3d3a62c6824f654da712f709d2",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }

    for (rule, clause, detail) in [
        (
            "opt_out_disallowed",
            "TC260-003-2024 5.1 c) 2) note 3",
            "forbids it, snapshot sha256",
        ),
        (
            "blocked",
            "TC260-003-2024 5.1 d)",
            "on the block list by its url",
        ),
        ("consent_withdrawn", "PIPL Art. 15", "consent withdrawn"),
    ] {
        let row = query(&format!(
            "select prov_row_id from '{output}/dropped/' where prov_reasons[1]['rule'] = '{rule}' limit 1"
        ));
        let text = run_ok(&["trace", output, "--row", &row, "--json"], 0);
        let trace: serde_json::Value = serde_json::from_str(&text).unwrap();
        let reasons = trace["row"]
            .as_array()
            .unwrap()
            .iter()
            .find(|column| column[0] == "prov_reasons")
            .unwrap()[1]
            .to_string();
        for expected in [rule, clause, detail] {
            assert!(reasons.contains(expected), "{expected}: {reasons}");
        }
    }
    assert_eq!(
        query(&format!(
            "select count(*) from '{output}/review/' where prov_reasons[1]['rule'] = 'license_conflict'"
        )),
        "1"
    );
    assert_eq!(
        query(&format!(
            "select count(*) from '{output}/data/' where prov_acquisition_mode = 'self_collected' and prov_opt_out <> 'allowed'"
        )),
        "0"
    );
}

#[test]
fn the_licence_of_the_source_counts_besides_that_of_the_row() {
    let corpus = Corpus::new();
    let evidence = format!("e.txt,{}", "0".repeat(64));
    let source = |id: &str, license: &str| {
        format!("{id},open_source,cn,{license},{evidence},,,,,,,,,,,false,,,\n")
    };
    let sources = std::fs::read_to_string(corpus.at("sources.csv")).unwrap()
        + &source("no-commerce", "CC-BY-NC-ND-4.0")
        + &source("unclear", "CC BY")
        + &source("unheard-of", "our own terms");
    corpus.write("sources.csv", &sources);
    let rows = [
        ("books", None),
        ("no-commerce", Some("MIT")),
        ("unclear", Some("MIT")),
        ("unheard-of", Some("MIT")),
    ];
    let license: datafusion::arrow::array::StringArray =
        rows.iter().map(|(_, license)| *license).collect();
    corpus.parquet(
        "a.parquet",
        vec![
            ("body", same("One plain sentence.", rows.len())),
            ("source", strings(rows.iter().map(|row| row.0).collect())),
            ("license", std::sync::Arc::new(license)),
        ],
        rows.len(),
    );
    let (code, _, stderr) = corpus.run("", &[]);
    assert_eq!(code, 3, "{stderr}");
    let out = path(&corpus.at("out")).to_owned();
    let told = |folder: &str| {
        query(&format!(
            "select prov_source_id, prov_license, prov_reasons[1]['rule'] as rule, \
             strpos(prov_reasons[1]['detail'], 'licence of the source: ') as place from '{out}/{folder}/'"
        ))
    };
    assert_eq!(told("data"), "books,MIT,,");
    assert_eq!(told("dropped"), "no-commerce,MIT,license_denied,1");
    assert_eq!(told("review"), "unclear,MIT,license_review,1");
    assert_eq!(told("quarantine"), "unheard-of,MIT,license_missing,1");
}

#[test]
fn a_row_collected_on_the_day_of_a_refusal_is_not_kept() {
    let corpus = Corpus::new();
    let sources = std::fs::read_to_string(corpus.at("sources.csv")).unwrap()
        + "crawl,self_collected,cn,,,,,,,,,,,,record.csv,,false,,,\n";
    corpus.write("sources.csv", &sources);
    corpus.write(
        "opt_out.csv",
        "url,fetched_at,kind,status,body\n\
         example.org,2026-10-01T00:00:00Z,robots.txt,200,\"User-agent: *\nAllow: /\n\"\n\
         example.org,2026-10-10T08:00:00Z,robots.txt,200,\"User-agent: *\nDisallow: /\n\"\n",
    );
    corpus.parquet(
        "a.parquet",
        vec![
            ("body", same("One plain sentence.", 4)),
            ("source", same("crawl", 4)),
            ("license", same("MIT", 4)),
            ("url", same("https://example.org/a", 4)),
            (
                "at",
                strings(vec![
                    "2026-10-09",
                    "2026-10-10",
                    "2026-10-10T07:59:58Z",
                    "2026-10-10T08:00:00Z",
                ]),
            ),
        ],
        4,
    );
    let mapped = [
        "--set",
        "corpus.columns.url=url",
        "--set",
        "corpus.columns.collected_at=at",
        "--set",
        &format!("resources.opt_out={}", path(&corpus.at("opt_out.csv"))),
    ];
    let (code, stdout, stderr) = corpus.run("", &mapped);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let out = path(&corpus.at("out")).to_owned();
    assert_eq!(
        query(&format!(
            "select string_agg(at, ' ' order by at) from '{out}/data/'"
        )),
        "2026-10-09 2026-10-10T07:59:58Z"
    );
    assert_eq!(corpus.count("dropped"), 2);
}

#[test]
fn a_contract_has_to_hold_at_a_time_of_collection_that_is_mapped() {
    let corpus = Corpus::new();
    let sources = std::fs::read_to_string(corpus.at("sources.csv")).unwrap()
        + "bought,commercial,cn,,,,c-1,2026-01-01,,true,true,true,passed,2026-02-01,,,false,,,\n";
    corpus.write("sources.csv", &sources);
    let at: datafusion::arrow::array::StringArray = [
        Some("2026-03-01"),
        Some("2020-01-01"),
        Some("not a time"),
        None,
    ]
    .into_iter()
    .collect();
    corpus.parquet(
        "a.parquet",
        vec![
            ("body", same("One plain sentence.", 4)),
            ("source", same("bought", 4)),
            ("license", same("MIT", 4)),
            ("at", std::sync::Arc::new(at)),
        ],
        4,
    );
    let mapped = ["--set", "corpus.columns.collected_at=at"];
    let (code, _, stderr) = corpus.run("", &mapped);
    assert_eq!(code, 3, "{stderr}");
    let counts = ["data", "dropped", "quarantine"].map(|folder| corpus.count(folder));
    assert_eq!(counts, [1, 1, 2]);
    let out = path(&corpus.at("out")).to_owned();
    assert_eq!(
        query(&format!(
            "select distinct prov_reasons[1]['detail'] from '{out}/quarantine/'"
        )),
        "\"missing: collected_at, at which the contract has to be in force\""
    );
    // No document is named for contract, commitments and audit.
    let registry = path(&corpus.at("sources.csv")).to_owned();
    let (code, _, stderr) = run(&["sources", "check", &registry, "--fetch-evidence"]);
    assert_eq!(code, 3);
    for column in [
        "contract_evidence_uri",
        "commitment_evidence_uri",
        "audit_report_uri",
    ] {
        let expected = format!("source bought, {column}: the registry names no such document");
        assert!(stderr.contains(&expected), "{expected}: {stderr}");
    }
}

#[test]
fn a_row_names_the_signals_it_was_let_in_by_and_trace_shows_reasons_whole() {
    let folder = tempfile::tempdir().unwrap();
    quickstart(folder.path());
    let output = path(folder.path());
    let kept = "from '{output}/data/' where prov_acquisition_mode = 'self_collected'";
    let kept = kept.replace("{output}", output);
    let sql = format!(
        "select count(*), count(prov_opt_out_signals), min(cardinality(prov_opt_out_signals)), \
         min(length(prov_opt_out_signals[1]['sha256'])) {kept}"
    );
    let values = query(&sql);
    let values: Vec<&str> = values.split(',').collect();
    assert_eq!(values[0], values[1]);
    assert_ne!(values[2], "0");
    assert_eq!(values[3], "64");
    let row = query(&format!("select prov_row_id {kept} limit 1"));
    let text = run_ok(&["trace", output, "--row", &row, "--json"], 0);
    assert!(text.contains("fetched_at: 2026-"), "{text}");

    let most = query(&format!(
        "select prov_row_id from '{output}/dropped/' order by cardinality(prov_reasons) desc limit 1"
    ));
    let text = run_ok(&["trace", output, "--row", &most, "--json"], 0);
    assert!(!text.contains("[...]\"]"), "{text}");
}

#[test]
fn self_collected_rows_without_a_snapshot_are_not_kept_and_say_what_is_missing() {
    let corpus = Corpus::new();
    let sources = std::fs::read_to_string(corpus.at("sources.csv")).unwrap()
        + "crawl,self_collected,cn,,,,,,,,,,,,record.csv,,false,,,\n";
    corpus.write("sources.csv", &sources);
    corpus.parquet(
        "a.parquet",
        vec![
            ("body", strings(vec!["One sentence.", "Another sentence."])),
            ("source", same("crawl", 2)),
            ("license", same("MIT", 2)),
            ("url", same("https://example.org/a", 2)),
            ("at", strings(vec!["2026-10-20", "not a time"])),
        ],
        2,
    );
    let snapshot =
        "url,fetched_at,kind,status,body\nexample.org,2026-10-10T00:00:00Z,robots.txt,404,\n";
    corpus.write("opt_out.csv", snapshot);
    let mapped = [
        "--set",
        "corpus.columns.url=url",
        "--set",
        "corpus.columns.collected_at=at",
    ];
    let (code, stdout, stderr) = corpus.run("", &mapped);
    assert_eq!(code, 3, "{stdout}{stderr}");
    assert_eq!(corpus.count("quarantine"), 2);

    let opt_out = format!("opt_out={}", path(&corpus.at("opt_out.csv")));
    let out = corpus.at("out2");
    let mut all = mapped.to_vec();
    all.extend(["--set", &opt_out, "--output", path(&out)]);
    let (code, _, stderr) = corpus.run("", &all);
    assert_eq!(code, 3, "{stderr}");
    let rows = |folder: &str| {
        query(&format!(
            "select count(*) from '{}/'",
            path(&out.join(folder))
        ))
    };
    assert_eq!(
        (rows("data").as_str(), rows("quarantine").as_str()),
        ("1", "1")
    );
    assert_eq!(
        query(&format!(
            "select prov_reasons[1]['detail'] from '{}/'",
            path(&out.join("quarantine"))
        )),
        "missing: collected_at"
    );
}

#[test]
fn the_mix_names_what_stands_alone() {
    let folder = tempfile::tempdir().unwrap();
    quickstart(folder.path());
    let (code, stdout, stderr) = run(&[
        "sources",
        "mix",
        path(folder.path()),
        "--language",
        "lang",
        "--format",
        "json",
    ]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let rows: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(rows[0]["language"], "*");
    assert_eq!(rows[0]["row_count"], 308);
    assert_eq!(rows[0]["rows_overseas"], 49);
    assert_eq!(rows.as_array().unwrap().len(), 3);

    let (code, _, stderr) = run(&["sources", "mix", path(folder.path()), "--language", "langs"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("Did you mean `lang`?"), "{stderr}");

    let corpus = Corpus::new();
    corpus.clean("a.parquet", 3, 10);
    corpus.run("", &[]);
    let (code, stdout, stderr) =
        run(&["sources", "mix", path(&corpus.at("out")), "--format", "csv"]);
    assert_eq!(code, 3, "{stderr}");
    assert!(
        stdout.contains("TC260-003-2024 5.1 b) 1)")
            && stdout.contains("1 source, at least 2 wanted"),
        "{stdout}"
    );
}

#[test]
fn personal_information_without_consent_is_not_in_the_text_that_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    quickstart(folder.path());
    let data = format!("'{}/'", path(&folder.path().join("data")));
    let kinds = run_ok(
        &[
            "sql",
            "--format",
            "csv",
            &format!(
                "select prov_pii_kinds, prov_pet_applied, prov_consent_status, prov_reasons[1]['rule'], \
                 cardinality(pii(body)) from {data} where cardinality(prov_pii_kinds) > 0 order by id"
            ),
        ],
        0,
    );
    let rows: Vec<&str> = kinds.lines().skip(1).collect();
    assert_eq!(
        rows,
        [
            r#""[""email""]","[""redact_pii""]",not_required,pii_without_consent,0"#,
            r#""[""phone""]","[""redact_pii""]",not_required,pii_without_consent,0"#,
        ]
    );
    assert_eq!(
        query(&format!(
            "select count(*) from {data} where body like '%[EMAIL]%' or body like '%[PHONE]%'"
        )),
        "2"
    );
    assert_eq!(
        query(&format!(
            "select count(*) from {data} where prov_pet_applied is null or prov_pii_kinds is null"
        )),
        "0"
    );

    // By another setting of the pack the row leaves instead.
    let corpus = Corpus::new();
    corpus.parquet(
        "a.parquet",
        vec![
            (
                "body",
                strings(vec!["Mail to jane@example.com.", "A plain sentence."]),
            ),
            ("source", same("books", 2)),
            ("license", same("MIT", 2)),
        ],
        2,
    );
    let pack = corpus.at("pack");
    run_ok(&["policy", "export", "gb45654", path(&pack)], 0);
    let toml = std::fs::read_to_string(pack.join("pack.toml")).unwrap();
    let toml = toml.replace(
        "pii_without_consent = \"redact\"",
        "pii_without_consent = \"drop\"",
    );
    std::fs::write(pack.join("pack.toml"), toml).unwrap();
    let (code, _, stderr) = corpus.run("", &["--set", &format!("pack={}", path(&pack))]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!((corpus.count("data"), corpus.count("dropped")), (1, 1));
}
