//! `tamis model` and `tamis harm calibrate`.

use crate::support::{Corpus, path, project, query, run, run_ok, same, strings};

const LABELLED: &str = "tests/sqllogictests/data/labelled.csv";
const MODEL: &str = "tests/sqllogictests/data/model.bin";

#[test]
fn a_model_is_trained_shown_measured_and_judges() {
    let corpus = Corpus::new();
    let model = corpus.at("insults.model");
    let train = |more: &[&str]| {
        let arguments = ["model", "train", "--data", LABELLED, "--least-texts", "1"];
        let written = ["--version", "demo", "-o", path(&model)];
        run(&[&arguments[..], &written, more].concat())
    };
    let (code, stdout, stderr) = train(&[]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("24 used"), "{stdout}");
    let bytes = std::fs::read(&model).unwrap();
    assert!(
        bytes == std::fs::read(project().join(MODEL)).unwrap(),
        "the same texts give the same bytes; after a change of training make {MODEL} anew"
    );
    let info = run_ok(&["model", "info", path(&model)], 0);
    assert!(info.contains("label      A4a: A4a, meant from"), "{info}");

    // What is held out is not learnt from: nothing is left.
    let (code, stdout, _) = train(&["--hold-out", LABELLED]);
    assert_eq!(code, 2, "{stdout}");
    std::fs::write(&model, &bytes).unwrap();

    let eval = [
        "model",
        "eval",
        path(&model),
        "--data",
        LABELLED,
        "--format",
        "csv",
    ];
    let table = run_ok(&eval, 0);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("risk,positives,operating_point,precision,recall,f1"));
    assert!(lines[1].starts_with("A4a,12,"), "{table}");
    assert!(lines[2].starts_with("any,12,,"), "{table}");
    let curve = run_ok(&[&eval[..], &["--curve", "4"]].concat(), 0);
    assert!(
        curve.starts_with("risk,threshold,precision,recall"),
        "{curve}"
    );

    let set = format!("model={}", path(&model));
    let sql = "select harm_score('rotten worthless fool') > 0.5, harm('x')['model'] is not null, \
               harm_class('the meeting starts at noon')['probability'] < 0.1";
    let text = run_ok(&["sql", "--format", "csv", "--set", &set, sql], 0);
    assert_eq!(text.lines().nth(1), Some("true,true,true"), "{text}");
    let (code, _, stderr) = run(&["sql", "select harm_class('x')"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("tamis.model"), "{stderr}");
}

#[test]
fn a_job_with_a_model_pins_it() {
    let corpus = Corpus::new();
    corpus.parquet(
        "a.parquet",
        vec![
            (
                "body",
                strings(vec![
                    "you rotten worthless fool",
                    "the meeting starts at noon",
                ]),
            ),
            ("source", same("books", 2)),
            ("license", same("MIT", 2)),
        ],
        2,
    );
    let model = project().join(MODEL);
    let set = format!("resources.model={}", path(&model));
    let (_, _, stderr) = corpus.run("", &["--set", &set]);
    let spec = std::fs::read_to_string(corpus.at("out/_tamis/spec.json")).expect(&stderr);
    let spec: serde_json::Value = serde_json::from_str(&spec).unwrap();
    let digest = spec["resources"]["model"]["sha256"].as_str();
    assert_eq!(digest.map(str::len), Some(64));
    let out = path(&corpus.at("out")).to_owned();
    // One of two rows is harmful by the classifier alone: the source is refused.
    assert_eq!(
        query(&format!(
            "select count(*), count(*) filter (where prov_harm_score >= 0.5) from '{out}/dropped/'"
        )),
        "2,1"
    );
    run_ok(&["verify", &out, "--rejudge"], 0);
}

#[test]
fn thresholds_are_chosen_written_and_taken() {
    let corpus = Corpus::new();
    let (thresholds, plot) = (corpus.at("thresholds.toml"), corpus.at("plot.html"));
    let model = format!("model={MODEL}");
    let calibrate = |more: &[&str]| {
        let arguments = ["harm", "calibrate", "--labels", LABELLED, "--set", &model];
        let written = ["-o", path(&thresholds), "--plot", path(&plot)];
        run(&[&arguments[..], &written, more].concat())
    };
    let (code, stdout, stderr) = calibrate(&["--best-f1"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stdout.contains("A4a"), "{stdout}");
    let toml = std::fs::read_to_string(&thresholds).unwrap();
    assert!(toml.contains("\nA4a = "), "{toml}");
    let page = std::fs::read_to_string(&plot).unwrap();
    assert!(page.contains("<svg"), "{page}");
    // A plot without a size of its own is not seen in a figure that has none either.
    assert!(
        page.contains("figure { display: inline-block; width: "),
        "{page}"
    );
    assert!(!page.contains("src="), "a page fetches nothing");
    let set = format!("thresholds={}", path(&thresholds));
    let sql = "select harm_risks('you are a rotten worthless fool')";
    let text = run_ok(
        &[
            "sql", "--format", "csv", "--set", &set, "--set", &model, sql,
        ],
        0,
    );
    assert!(text.contains("A4a"), "{text}");

    assert_eq!(calibrate(&["--precision", "1.5"]).0, 2);
    assert_eq!(calibrate(&[]).0, 2);
    let (code, _, stderr) = calibrate(&["--best-f1", "--risk", "A9z"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("no such risk"), "{stderr}");
}

#[test]
fn a_label_that_is_no_risk_is_named_with_its_row() {
    let corpus = Corpus::new();
    corpus.write("labels.csv", "text,label\nfine,clean\nnot fine,spam\n");
    let (table, model) = (corpus.at("labels.csv"), corpus.at("m"));
    let (code, _, stderr) = run(&["model", "train", "--data", path(&table), "-o", path(&model)]);
    assert_eq!(code, 2);
    assert!(
        stderr.contains("row 2, column label: 'spam' is neither a risk id"),
        "{stderr}"
    );
    assert!(!model.exists());
}

#[test]
fn an_onnx_classifier_is_taken_over_where_the_build_reads_one() {
    let corpus = Corpus::new();
    let folder = project().join("udfs/harm/tests/fixtures/onnx");
    let at = |name: &str| path(&folder.join(name)).to_owned();
    let model = corpus.at("insults.onnx");
    let import = |more: &[&str]| {
        let (onnx, tokenizer, labels) =
            (at("encoder.onnx"), at("tokenizer.json"), at("config.json"));
        let given = [
            "--onnx",
            &onnx,
            "--tokenizer",
            &tokenizer,
            "--labels",
            &labels,
        ];
        let command = ["model", "import", "-o", path(&model)];
        run(&[&command[..], &given, more].concat())
    };
    let insult = ["--label-risk", "insult=A4a"];
    if !cfg!(feature = "onnx") {
        let (code, _, stderr) = import(&insult);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains("build with --features onnx"), "{stderr}");
        assert!(!model.exists());
        return;
    }
    let (code, _, stderr) = import(&[]);
    assert_eq!(code, 2);
    assert!(stderr.contains("unknown risk 'insult'"), "{stderr}");
    assert!(!model.exists());
    let (code, stdout, stderr) = import(&insult);
    assert_eq!(code, 0, "{stderr}");
    let info = run_ok(&["model", "info", path(&model)], 0);
    assert_eq!(info, stdout);
    assert!(info.contains("softmax, 24 tokens at a time"), "{info}");
    assert!(
        info.contains("label      insult: A4a, meant from"),
        "{info}"
    );
    let set = format!("model={}", path(&model));
    let sql = "select harm_class('Hit THEM')['risk'], harm_class('Hit THEM')['probability'] > 0.9, \
               harm_score('Hit THEM') > 0.9";
    let text = run_ok(&["sql", "--format", "csv", "--set", &set, sql], 0);
    assert_eq!(text.lines().nth(1), Some("A4a,true,true"), "{text}");
}
