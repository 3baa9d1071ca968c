//! `tamis lexicon`.

use crate::support::{Corpus, path, run, run_ok, strings};

const OURS: &str = "# updated: 2026-11-20\nterm,risk,weight,match\nglorp the bank,A1h,0.9,\n\
                    bank,A1g,0.2,\nglorp,A1h,0.3,substring\nblorp,allow,,\nblorp,A1a,0.5,\n";

#[test]
fn the_starter_lexicon_fails_its_own_check_for_size_alone() {
    let (code, stdout, stderr) = run(&["lexicon", "check", "--format", "csv"]);
    assert_eq!(code, 3, "{stdout}\n{stderr}");
    assert!(
        stdout.contains("10000 are asked for,TC260-003-2024 8.1"),
        "{stdout}"
    );
    assert!(stderr.contains("builtin:lexicon"), "{stderr}");
    for line in stdout.lines().filter(|line| line.starts_with("fails")) {
        let rule = line.split(',').nth(1);
        assert!(matches!(rule, Some("total" | "per_risk" | "age")), "{line}");
    }
}

#[test]
fn a_check_names_entries_and_clauses() {
    let corpus = Corpus::new();
    corpus.write("ours.csv", OURS);
    corpus.write("words.txt", "# innocent\nglorpen\n\n");
    corpus.parquet(
        "a.parquet",
        vec![(
            "body",
            strings(vec![
                "the bank is open",
                "a bank holiday",
                "glorpful days",
                "rain",
            ]),
        )],
        10,
    );
    let (ours, sample) = (corpus.at("ours.csv"), corpus.at("corpus/a.parquet"));
    let words = corpus.at("words.txt");
    let check = |at: &str, more: &[&str]| {
        let mut arguments = vec![
            "lexicon",
            "check",
            path(&ours),
            "--sample",
            path(&sample),
            "--text",
            "body",
            "--max-share",
            "0.3",
            "--at",
            at,
            "--format",
            "csv",
        ];
        arguments.extend_from_slice(more);
        run(&arguments)
    };
    let (code, stdout, stderr) = check("2026-12-24", &["--words", path(&words)]);
    assert_eq!(code, 3, "{stdout}\n{stderr}");
    for part in [
        "fails,age,,,last updated 34 days ago; at most 7 are allowed,TC260-003-2024 8.1",
        "fails,frequent,line 4,bank,",
        "hits 2 of 4 sample documents",
        "look,inside_word,line 5,glorp,",
        "fails,inside_word,line 5,glorp,hits in the innocent word 'glorpen'",
        "fails,unreachable,line 7,blorp,never counts: line 6 allows the same term",
        "fails,per_risk,A1a,",
    ] {
        assert!(stdout.contains(part), "wanted: {part}\ngot: {stdout}");
    }
    let (_, stdout, _) = check("2026-11-21", &[]);
    assert!(!stdout.contains("fails,age"), "{stdout}");

    let (code, _, stderr) = run(&["lexicon", "check", "--pack", "gb45655"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("Did you mean `gb45654`?"), "{stderr}");
    let (code, _, stderr) = run(&["lexicon", "check", "--updated", "soon"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("is not a date such as"), "{stderr}");
}

#[test]
fn a_pack_of_ones_own_can_ask_for_less() {
    let corpus = Corpus::new();
    corpus.write("ours.csv", "term,risk,weight\nglorp the bank,A1h,0.9\n");
    let pack = corpus.at("pack");
    run_ok(&["policy", "export", "gb45654", path(&pack)], 0);
    let file = pack.join("pack.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text
        .replace("min_total = 10000", "min_total = 1")
        .replace("\nA1 = 200\nA2 = 100\n", "\n");
    std::fs::write(&file, text).unwrap();
    let arguments = [
        "lexicon",
        "check",
        path(&corpus.at("ours.csv")),
        "--pack",
        path(&pack),
        "--at",
        "2026-11-24",
    ]
    .map(str::to_owned);
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (code, stdout, _) = run(&arguments);
    assert_eq!(code, 3, "its date is not known: {stdout}");
    arguments.extend(["--updated", "2026-11-20"]);
    run_ok(&arguments, 0);
}

#[test]
fn hits_are_explained_with_their_path() {
    let corpus = Corpus::new();
    corpus.write(
        "ours.csv",
        "term,risk,weight\nrob the bank,A1h,0.6\nnever rob the bank,allow,\n",
    );
    let ours = corpus.at("ours.csv");
    let text = "Never rob the bank. ＲＯＢ the bank!";
    let shown = run_ok(&["lexicon", "explain", text, "--lexicon", path(&ours)], 0);
    assert!(
        shown.contains("Never ‹rob the bank›. «ＲＯＢ the bank»!"),
        "{shown}"
    );
    assert!(shown.contains("score 0.6, risks A1h (from 0.5)"), "{shown}");
    assert!(
        shown.contains("20..32 'ＲＯＢ the bank' -> width -> 'rob the bank' -> A1h 0.6 (line 2)"),
        "{shown}"
    );
    assert!(
        shown.contains("masked by 'never rob the bank' (line 3)"),
        "{shown}"
    );
    let csv = run_ok(
        &[
            "lexicon",
            "explain",
            text,
            "--lexicon",
            path(&ours),
            "--format",
            "csv",
        ],
        0,
    );
    assert!(
        csv.contains("0,20,32,ＲＯＢ the bank,width,rob the bank,A1h,0.6,line 2,"),
        "{csv}"
    );
}

#[test]
fn lexicons_are_compared_and_their_effect_on_a_corpus_shown() {
    let corpus = Corpus::new();
    corpus.write("old.csv", "term,risk,weight\nrob,A1h,0.6\nkill,A1f,0.3\n");
    corpus.write("new.csv", "term,risk,weight\nrob,A1h,0.4\nburn,A1c,0.9\n");
    corpus.parquet(
        "a.parquet",
        vec![
            ("id", strings(vec!["a", "b", "c"])),
            ("body", strings(vec!["rain", "rob", "burn"])),
        ],
        2,
    );
    let (old, new) = (corpus.at("old.csv"), corpus.at("new.csv"));
    let diff = |more: &[&str]| {
        let mut arguments = vec!["lexicon", "diff", path(&old), path(&new), "--format", "csv"];
        arguments.extend_from_slice(more);
        run(&arguments)
    };
    let (code, stdout, stderr) = diff(&[]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("1 added, 1 removed, 1 changed"), "{stderr}");
    assert!(stdout.contains("added,burn,,A1c,,0.9,"), "{stdout}");
    assert!(stdout.contains("removed,kill,A1f,,0.3,,"), "{stdout}");
    assert!(stdout.contains("changed,rob,A1h,A1h,0.6,0.4,"), "{stdout}");

    let sample = corpus.at("corpus/a.parquet");
    let (code, stdout, stderr) = diff(&["--impact", path(&sample), "--text", "body", "--id", "id"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stderr.contains("3 rows with a text: 1 become harmful, 1 no longer are, 2 are listed"),
        "{stderr}"
    );
    assert!(
        stdout.contains("1,b,no longer harmful,0.6,0.4,"),
        "{stdout}"
    );
    assert!(stdout.contains("2,c,becomes harmful,0.0,0.9,"), "{stdout}");
    let (code, _, stderr) = diff(&["--impact", path(&sample), "--text", "boddy"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("boddy"), "{stderr}");
}

#[test]
fn word_lists_become_lexicons_that_judge() {
    let corpus = Corpus::new();
    corpus.write(
        "words.txt",
        "glorp the bank\nＧＬＯＲＰ the bank\n\nblorp,\n",
    );
    let (list, ours) = (corpus.at("words.txt"), corpus.at("ours.csv"));
    let import = [
        "lexicon",
        "import",
        path(&list),
        "--risk",
        "A1h",
        "--weight",
        "0.8",
        "--updated",
        "2026-11-20",
        "-o",
        path(&ours),
    ];
    let (code, _, stderr) = run(&import);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stderr.contains("2 entries; left out: 1 given before"),
        "{stderr}"
    );
    let text = std::fs::read_to_string(&ours).unwrap();
    assert_eq!(
        text,
        "# updated: 2026-11-20\nterm,risk,weight,match,lang,variants,note\n\
         glorp the bank,A1h,0.8,auto,,,\nblorp,A1h,0.8,auto,,,\n"
    );
    let (code, _, stderr) = run(&import);
    assert_eq!(code, 2, "an existing file is left alone");
    assert!(stderr.contains("is there already"), "{stderr}");
    let layered = format!("lexicon=builtin:lexicon|{}", path(&ours));
    let found = run_ok(
        &[
            "sql",
            "--set",
            &layered,
            "--format",
            "csv",
            "select harm_risks('glorp the bank'), harm_risks('stolen accounts for sale')",
        ],
        0,
    );
    assert_eq!(found.matches("A1h").count(), 2, "{found}");

    corpus.write("words.csv", "word,type\nglorp,drugs\nblorp,weather\n");
    let list = corpus.at("words.csv");
    let by_category = |maps: &[&str]| {
        let mut arguments = vec![
            "lexicon",
            "import",
            path(&list),
            "--term",
            "word",
            "--category",
            "type",
        ];
        for map in maps {
            arguments.extend(["--map", *map]);
        }
        run(&arguments)
    };
    let (code, stdout, stderr) = by_category(&["drugs=A1h", "*=skip"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("glorp,A1h,0.5,auto"), "{stdout}");
    assert!(!stdout.contains("blorp"), "{stdout}");
    let (code, _, stderr) = by_category(&["drugs=A1h"]);
    assert_eq!(code, 2);
    assert!(
        stderr.contains("no risk is given for 'weather' (1)"),
        "{stderr}"
    );
}
