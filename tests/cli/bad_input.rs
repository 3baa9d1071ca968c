//! What a user sees when the input, a registry, a setting or the output is not as it should be.

use std::os::unix::fs::FileExt;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int32Array, Int64Array, LargeStringArray};

use crate::support::{Corpus, path, query, quickstart, run, same, strings};

#[track_caller]
fn refused(corpus: &Corpus, more: &str, arguments: &[&str], code: i32, message: &str) {
    let (found, stdout, error) = corpus.run(more, arguments);
    assert_eq!(found, code, "{stdout}\n{error}");
    assert!(error.contains(message), "wanted: {message}\ngot: {error}");
}

#[test]
fn a_missing_column_names_the_nearest() {
    let corpus = Corpus::new();
    corpus.clean("a.parquet", 3, 10);
    let set = ["--set", "corpus.columns.text=bdoy"];
    refused(
        &corpus,
        "",
        &set,
        2,
        "corpus.columns.text: the corpus has no column `bdoy`. Did you mean `body`?",
    );
}

#[test]
fn a_wrong_type_is_named() {
    let corpus = Corpus::new();
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    corpus.parquet(
        "a.parquet",
        vec![
            ("body", numbers),
            ("source", same("books", 2)),
            ("license", same("MIT", 2)),
        ],
        10,
    );
    refused(
        &corpus,
        "",
        &[],
        2,
        "corpus.columns.text: column `body` is Int64, it must be a string",
    );
}

#[test]
fn a_truncated_file_is_quarantined_and_the_rest_finishes() {
    let corpus = Corpus::new();
    for file in 0..10 {
        corpus.clean(&format!("{file}.parquet"), 20, 10);
    }
    let broken = corpus.at("corpus/4.parquet");
    let bytes = std::fs::read(&broken).unwrap();
    std::fs::write(&broken, &bytes[..bytes.len() / 2]).unwrap();
    let (code, stdout, error) = corpus.run("", &[]);
    assert_eq!(code, 3, "{error}");
    assert!(stdout.contains("quarantined file 4.parquet"), "{stdout}");
    assert!(error.contains("1 files are quarantined"), "{error}");
    assert_eq!(corpus.count("data"), 180);
    let (code, stdout, _) = run(&["verify", path(&corpus.at("out"))]);
    assert_eq!(code, 0, "{stdout}");
}

#[test]
fn a_corrupt_row_group_is_quarantined_by_index() {
    let corpus = Corpus::new();
    for file in 0..10 {
        corpus.clean(&format!("{file}.parquet"), 4000, 2000);
    }
    // Zeros over the first pages of the second row group's text.
    let broken = corpus.at("corpus/4.parquet");
    let file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&broken)
        .unwrap();
    let reader = parquet::file::serialized_reader::SerializedFileReader::new(
        std::fs::File::open(&broken).unwrap(),
    )
    .unwrap();
    use parquet::file::reader::FileReader;
    let (start, _) = reader.metadata().row_group(1).column(0).byte_range();
    file.write_all_at(&[0u8; 400], start).unwrap();
    let (code, stdout, error) = corpus.run("", &[]);
    assert_eq!(code, 3, "{stdout}{error}");
    assert!(
        stdout.contains("quarantined row group 1 of 4.parquet"),
        "{stdout}"
    );
    // Its source is still readable in its own column: the gate is undecided, the rest goes to review.
    assert_eq!(corpus.count("quarantine"), 2000);
    assert_eq!(corpus.count("review"), 38_000);
    let out = path(&corpus.at("out")).to_owned();
    assert_eq!(
        query(&format!(
            "select min(prov_input_row) from '{out}/quarantine/'"
        )),
        "2000"
    );
    assert_eq!(
        query(&format!(
            "select distinct prov_reasons[1]['rule'] from '{out}/review/'"
        )),
        "source_unreadable_units"
    );
    let (code, stdout, _) = run(&["verify", &out]);
    assert_eq!(code, 0, "{stdout}");
}

#[test]
fn registries_that_are_missing_or_malformed_are_named_with_their_line() {
    let corpus = Corpus::new();
    corpus.clean("a.parquet", 3, 10);
    let nowhere = corpus.at("nowhere.csv");
    refused(
        &corpus,
        "",
        &["--set", &format!("sources={}", path(&nowhere))],
        1,
        "nowhere.csv",
    );
    corpus.write("bad.csv", "source_id,acquisition_mode,origin_region,is_link_list\nbooks,open_source,cn,false\nmore,borrowed,cn,false\n");
    let bad = format!("sources={}", path(&corpus.at("bad.csv")));
    refused(&corpus, "", &["--set", &bad], 2, "line 3");
    corpus.write("bad.csv", "id,acquisition_mode\nbooks,open_source\n");
    refused(&corpus, "", &["--set", &bad], 2, "source_id");
    assert!(!corpus.at("out").exists());
}

#[test]
fn unknown_settings_name_the_nearest() {
    let corpus = Corpus::new();
    corpus.clean("a.parquet", 3, 10);
    refused(
        &corpus,
        "",
        &["--set", "lexcion=x.csv"],
        2,
        "Did you mean `resources.lexicon`?",
    );
    refused(
        &corpus,
        "drop = \"ids\"\n",
        &[],
        2,
        "unknown setting `output.drop`",
    );
    refused(
        &corpus,
        "dropped = \"idz\"\n",
        &[],
        2,
        "it may be ids or rows",
    );
    refused(
        &corpus,
        "",
        &["--set", "use=train-comercial"],
        2,
        "train-commercial",
    );
}

#[test]
fn drifting_schemas_are_unified_or_refused_by_name() {
    let corpus = Corpus::new();
    let small: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
    let big: ArrayRef = Arc::new(Int64Array::from(vec![1 << 40, 2]));
    let large: ArrayRef = Arc::new(LargeStringArray::from(vec!["One text.", "Two texts."]));
    let rest = |body: ArrayRef, count: Option<ArrayRef>| {
        let mut columns = vec![
            ("body", body),
            ("source", same("books", 2)),
            ("license", same("MIT", 2)),
        ];
        columns.extend(count.map(|count| ("count", count)));
        columns
    };
    corpus.parquet(
        "a.parquet",
        rest(strings(vec!["a plain text", "b"]), Some(small)),
        10,
    );
    corpus.parquet("b.parquet", rest(large, Some(big)), 10);
    corpus.parquet("c.parquet", rest(strings(vec!["c", "d"]), None), 10);
    let (code, _, error) = corpus.run("", &[]);
    assert_eq!(code, 0, "{error}");
    let out = path(&corpus.at("out")).to_owned();
    assert_eq!(
        query(&format!("select max(\"count\") from '{out}/data/'")),
        "1099511627776"
    );
    assert_eq!(
        query(&format!(
            "select count(*) from '{out}/data/' where \"count\" is null"
        )),
        "2"
    );

    corpus.parquet(
        "d.parquet",
        rest(strings(vec!["c", "d"]), Some(strings(vec!["1", "2"]))),
        10,
    );
    std::fs::remove_dir_all(corpus.at("out")).unwrap();
    refused(&corpus, "", &[], 1, "column `count` is Int64 in");
}

#[test]
fn reserved_columns_name_the_rename_setting() {
    let corpus = Corpus::new();
    let columns = || {
        vec![
            ("body", strings(vec!["a"])),
            ("source", same("books", 1)),
            ("license", same("MIT", 1)),
            ("prov_url", same("x", 1)),
        ]
    };
    corpus.parquet("a.parquet", columns(), 10);
    refused(
        &corpus,
        "",
        &[],
        2,
        "[corpus] rename = { prov_url = \"input_prov_url\" }",
    );
    let (code, _, error) = corpus.run("[corpus.rename]\nprov_url = \"their_url\"\n", &[]);
    assert_eq!(code, 0, "{error}");
    assert_eq!(
        query(&format!(
            "select their_url from '{}/data/'",
            path(&corpus.at("out"))
        )),
        "x"
    );
}

#[test]
fn another_subject_key_is_another_job() {
    let folder = tempfile::tempdir().unwrap();
    quickstart(folder.path());
    let key = folder.path().with_extension("key");
    std::fs::write(&key, "another key of enough length").unwrap();
    let set = format!("subject_key={}", path(&key));
    let job = "examples/quickstart/job.toml";
    let (code, _, error) = run(&["run", job, "--output", path(folder.path()), "--set", &set]);
    assert_eq!(code, 2);
    assert!(error.contains("resources.subject_key"), "{error}");
    assert!(!error.contains("another key of enough length"), "{error}");
    std::fs::write(&key, "short").unwrap();
    let (code, _, error) = run(&["run", job, "--output", path(folder.path()), "--set", &set]);
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("at least 16"), "{error}");
    std::fs::remove_file(&key).unwrap();
}

#[test]
fn an_output_that_is_not_ours_is_left_alone() {
    let corpus = Corpus::new();
    corpus.clean("a.parquet", 3, 10);
    std::fs::create_dir(corpus.at("out")).unwrap();
    corpus.write("out/thesis.docx", "years of work");
    refused(&corpus, "", &[], 2, "is not empty and not a Tamis output");
    let inside = path(&corpus.at("corpus/out")).to_owned();
    refused(&corpus, "", &["--output", &inside], 2, "lie in each other");
    // A file in the way stands for every place that cannot be written: root ignores permissions.
    let below = path(&corpus.at("job.toml/out")).to_owned();
    refused(&corpus, "", &["--output", &below], 1, "job.toml");
}

#[test]
fn a_row_without_text_licence_or_known_source_is_never_kept() {
    let corpus = Corpus::new();
    let optional = |values: Vec<Option<&str>>| -> ArrayRef {
        Arc::new(
            values
                .into_iter()
                .collect::<datafusion::arrow::array::StringArray>(),
        )
    };
    corpus.parquet(
        "a.parquet",
        vec![
            (
                "body",
                optional(vec![
                    None,
                    Some("fine"),
                    Some("fine"),
                    Some("fine"),
                    Some("fine"),
                ]),
            ),
            (
                "source",
                optional(vec![
                    Some("books"),
                    None,
                    Some("nobody"),
                    Some("books"),
                    Some("books"),
                ]),
            ),
            (
                "license",
                optional(vec![
                    Some("MIT"),
                    Some("MIT"),
                    Some("MIT"),
                    Some("no such licence"),
                    None,
                ]),
            ),
        ],
        10,
    );
    let (code, _, error) = corpus.run("", &[]);
    assert_eq!(code, 3, "{error}");
    assert_eq!(corpus.count("data"), 0);
    let out = path(&corpus.at("out")).to_owned();
    // One of five is unscored: the source `books` is above its limit, so nothing of it passes either way.
    assert_eq!(
        query(&format!("select count(*) from '{out}/quarantine/'")),
        "4"
    );
    // The last has the licence of its source.
    assert_eq!(
        query(&format!(
            "select prov_license, prov_reasons[1]['rule'] from '{out}/dropped/'"
        )),
        "MIT,source_rate"
    );
}

#[test]
fn no_corpus_there() {
    let corpus = Corpus::new();
    refused(&corpus, "", &[], 2, "no Parquet file there");
    refused(
        &corpus,
        "",
        &["--set", "corpus.uri=/nowhere/at/all"],
        2,
        "does not exist",
    );
    let (code, _, error) = run(&["run", "/nowhere/job.toml"]);
    assert_eq!(code, 2);
    assert!(error.contains("`tamis init CORPUS` writes one"), "{error}");
}
