//! Measures lexicon and classifier on COLD (Deng et al. 2022), Chinese comments labelled as
//! offensive or not: `cargo run --release -p tamis-harm --example cold [FOLDER] [--search]`.
//!
//! The folder holds `train.csv` and `dev.csv`; without an argument it is `../shared/data/cold`.
//! The data is not part of this repository. Everything is learnt and chosen on `train` without the
//! texts that also stand in `dev`; `dev` is only measured.

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use tamis_harm::{
    Confusion, Curve, Judge, LabelledText, Lexicon, Model, ScoredText, Taxonomy, Thresholds,
    TrainOptions, Trained, train,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const TOPICS: [&str; 3] = ["gender", "race", "region"];

struct Comment {
    text: String,
    topic: String,
    offensive: bool,
}

fn read(path: &Path) -> Result<Vec<Comment>> {
    let bytes = std::fs::read(path)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let mut reader = csv::Reader::from_reader(bytes);
    let headers = reader.headers()?.clone();
    let column = |name: &str| {
        headers
            .iter()
            .position(|header| header == name)
            .ok_or_else(|| format!("{}: no column {name}", path.display()))
    };
    let (topic, label, text) = (column("topic")?, column("label")?, column("TEXT")?);
    let mut comments = Vec::new();
    for record in reader.records() {
        let record = record?;
        comments.push(Comment {
            text: record[text].to_owned(),
            topic: record[topic].to_owned(),
            offensive: &record[label] == "1",
        });
    }
    Ok(comments)
}

/// Which risk an offensive comment carries.
#[derive(Clone, Copy)]
enum Labels {
    /// The same for all topics: other discrimination.
    One,
    /// One for each topic: gender, ethnic, regional discrimination.
    ByTopic,
}

fn labelled<'a>(
    comments: impl Iterator<Item = &'a Comment>,
    labels: Labels,
) -> Result<Vec<LabelledText>> {
    let taxonomy = Taxonomy::builtin();
    comments
        .map(|comment| {
            let id = match (labels, comment.topic.as_str()) {
                (Labels::One, _) => "A2i",
                (Labels::ByTopic, "gender") => "A2e",
                (Labels::ByTopic, "race") => "A2a",
                (Labels::ByTopic, _) => "A2d",
            };
            let risk = taxonomy.index(id).ok_or("a risk of the taxonomy")?;
            Ok(LabelledText {
                text: comment.text.clone(),
                risks: if comment.offensive {
                    vec![risk]
                } else {
                    vec![]
                },
            })
        })
        .collect()
}

fn learn(texts: &[LabelledText], held_out: &[&str], options: &TrainOptions) -> Result<Trained> {
    let taxonomy = Taxonomy::builtin();
    let go_on = &mut |_| ControlFlow::Continue(());
    Ok(train(texts, held_out, &taxonomy, options, go_on)?)
}

fn judge(model: Option<Model>) -> Result<Judge> {
    let judge = Judge::new(
        Taxonomy::builtin(),
        Lexicon::builtin(),
        Thresholds::builtin(),
    )?;
    Ok(match model {
        Some(model) => judge.with_model(Arc::new(model))?,
        None => judge,
    })
}

/// One line of a table: what was measured, and how it went.
fn line(what: &str, counts: Confusion) {
    println!(
        "| {what} | {:.3} | {:.3} | {:.3} | {:.3} | {} |",
        counts.precision(),
        counts.recall(),
        counts.f1(),
        counts.false_positive_rate(),
        counts.total()
    );
}

fn counts<'a>(found: &[bool], comments: impl Iterator<Item = &'a Comment>) -> Confusion {
    Confusion::of(
        found
            .iter()
            .copied()
            .zip(comments.map(|comment| comment.offensive)),
    )
}

/// Counts for the comments of one topic.
fn topic_counts(found: &[bool], comments: &[Comment], topic: &str) -> Confusion {
    Confusion::of(
        found
            .iter()
            .zip(comments)
            .filter(|(_, comment)| comment.topic == topic)
            .map(|(found, comment)| (*found, comment.offensive)),
    )
}

/// Whether the model alone means some risk.
fn meant(model: &Model, texts: &[&str]) -> Result<Vec<bool>> {
    let mut all = Vec::new();
    model.probabilities(texts, &mut |_, probabilities| {
        let points = model.operating_points();
        all.push(
            probabilities
                .iter()
                .zip(points)
                .any(|(p, point)| p >= point),
        );
    })?;
    Ok(all)
}

fn measure(folder: &Path, search: bool) -> Result<()> {
    let (train_set, dev) = (
        read(&folder.join("train.csv"))?,
        read(&folder.join("dev.csv"))?,
    );
    let dev_texts: Vec<&str> = dev.iter().map(|comment| comment.text.as_str()).collect();
    let options = TrainOptions::default();
    let one = labelled(train_set.iter(), Labels::One)?;

    if search {
        println!("Cross-validated on train:\n");
        for ngrams in [3, 4, 5] {
            for cost in [0.05, 0.1, 0.2, 0.4] {
                let options = TrainOptions {
                    cost,
                    ngrams,
                    ..options.clone()
                };
                let report = learn(&one, &dev_texts, &options)?.report;
                println!(
                    "1 to {ngrams} units, cost {cost}: {}",
                    report.risks[0].1.confusion
                );
            }
        }
    }

    let started = Instant::now();
    let trained = learn(&one, &dev_texts, &options)?;
    println!("{}", trained.report);
    println!(
        "trained in {:.1} s, {} bytes\n",
        started.elapsed().as_secs_f64(),
        trained.bytes.len()
    );

    println!("| on dev | precision | recall | F1 | false positives | texts |");
    println!("|---|---:|---:|---:|---:|---:|");
    let lexicon = judge(None)?;
    let any: Vec<bool> = lexicon
        .scores(&dev_texts)?
        .iter()
        .map(|score| *score > 0.0)
        .collect();
    line("lexicon, any hit", counts(&any, dev.iter()));
    let lexicon_found = lexicon.is_harmful(&dev_texts, None)?;
    line("lexicon", counts(&lexicon_found, dev.iter()));
    line(
        "classifier",
        counts(&meant(&trained.model, &dev_texts)?, dev.iter()),
    );
    let mut best = Vec::new();
    trained
        .model
        .probabilities(&dev_texts, &mut |document, probabilities| {
            best.push(ScoredText {
                score: probabilities[0],
                positive: dev[document].offensive,
            });
        })?;
    let best = Curve::new(&best).best_f1();
    let both = judge(Some(trained.model))?;
    let found = both.is_harmful(&dev_texts, None)?;
    line("lexicon + classifier", counts(&found, dev.iter()));
    for topic in TOPICS {
        line(&format!("… {topic}"), topic_counts(&found, &dev, topic));
    }
    let by_topic = learn(
        &labelled(train_set.iter(), Labels::ByTopic)?,
        &dev_texts,
        &options,
    )?;
    let found = judge(Some(by_topic.model))?.is_harmful(&dev_texts, None)?;
    line(
        "lexicon + classifier with a risk for each topic",
        counts(&found, dev.iter()),
    );
    for topic in TOPICS {
        let others = train_set.iter().filter(|comment| comment.topic != topic);
        let trained = learn(&labelled(others, Labels::One)?, &dev_texts, &options)?;
        let alone = meant(&trained.model, &dev_texts)?;
        line(
            &format!("classifier that never saw {topic}"),
            topic_counts(&alone, &dev, topic),
        );
        let found = judge(Some(trained.model))?.is_harmful(&dev_texts, None)?;
        line(
            &format!("… with the lexicon, {topic}"),
            topic_counts(&found, &dev, topic),
        );
    }
    println!(
        "\nFor comparison only, a threshold chosen on dev itself: {} at {:.4}",
        best.confusion, best.threshold
    );
    Ok(())
}

fn main() -> ExitCode {
    let (flags, folders): (Vec<String>, Vec<String>) = std::env::args()
        .skip(1)
        .partition(|argument| argument.starts_with("--"));
    let folder = folders
        .first()
        .map_or("../shared/data/cold", String::as_str);
    let folder = Path::new(folder);
    if !folder.join("train.csv").is_file() || !folder.join("dev.csv").is_file() {
        eprintln!(
            "NOTHING WAS MEASURED: {} does not hold train.csv and dev.csv of COLD; give the folder \
             that does",
            folder.display()
        );
        return ExitCode::FAILURE;
    }
    match measure(folder, flags.iter().any(|flag| flag == "--search")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
