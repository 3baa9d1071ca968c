mod encoder;
mod graph;
mod malformed;

use std::sync::Arc;

use proptest::prelude::*;

use super::super::{Model, ModelMetadata, ModelOptions, Segmentation};
use super::{Activation, OnnxPacking, pack_onnx};
use crate::taxonomy::Taxonomy;
use crate::{Judge, Lexicon, Thresholds};
use graph::{BIASES, DIMENSIONS, EMBEDDINGS, Graph, LABELS, WEIGHTS, WORDS, node, tokenizer};

fn packing() -> OnnxPacking {
    OnnxPacking {
        tokenizer: tokenizer(),
        labels: LABELS.map(str::to_owned).to_vec(),
        max_tokens: 8,
        activation: Activation::Softmax,
        metadata: ModelMetadata::default(),
    }
}

fn packed(graph: &Graph, packing: &OnnxPacking) -> Vec<u8> {
    pack_onnx("m.onnx", &graph.file(), packing).expect("an ONNX file")
}

fn read(bytes: &[u8]) -> tamis_resource::Result<Model> {
    Model::from_bytes(
        "m.onnx",
        bytes,
        &Taxonomy::builtin(),
        &ModelOptions::default(),
    )
}

fn model(packing: &OnnxPacking) -> Model {
    read(&packed(&Graph::mean_of_embeddings(), packing)).expect("a classifier")
}

fn probabilities(model: &Model, text: &str) -> Vec<f64> {
    let mut found = Vec::new();
    model
        .probabilities(&[text], &mut |_, probabilities| {
            found = probabilities.to_vec()
        })
        .expect("an answer");
    found
}

/// The outputs of the network for the words of one part of a text, in 64 bits.
fn outputs(words: &[&str]) -> [f64; 3] {
    let ids: Vec<usize> = std::iter::once("[CLS]")
        .chain(words.iter().copied())
        .chain(["[SEP]"])
        .map(|word| WORDS.iter().position(|known| *known == word).unwrap_or(1))
        .collect();
    let mut outputs = BIASES.map(f64::from);
    for dimension in 0..DIMENSIONS {
        let sum: f64 = ids
            .iter()
            .map(|id| f64::from(EMBEDDINGS[*id][dimension]))
            .sum();
        for (output, weight) in outputs.iter_mut().zip(WEIGHTS[dimension]) {
            *output += sum / ids.len() as f64 * f64::from(weight);
        }
    }
    outputs
}

/// The probabilities of A2d and A4a, in the order of the taxonomy.
fn softmax(outputs: [f64; 3]) -> [f64; 2] {
    let powers = outputs.map(f64::exp);
    let sum: f64 = powers.iter().sum();
    [powers[2] / sum, powers[1] / sum]
}

fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < 2e-6,
            "{what}: {found} for {expected}"
        );
    }
}

#[test]
fn probabilities_are_those_computed_by_hand() {
    let model = model(&packing());
    let ids: Vec<&str> = model
        .risks()
        .iter()
        .map(|risk| Taxonomy::builtin().risks()[*risk].id.clone().leak() as &str)
        .collect();
    assert_eq!(ids, ["A2d", "A4a"]);
    for text in [
        "hit them",
        "Nice WEATHER",
        "",
        "unheard of",
        "hit hit hit nice them weather",
    ] {
        let lower = text.to_lowercase();
        let words: Vec<&str> = lower.split_whitespace().collect();
        assert_close(
            &probabilities(&model, text),
            &softmax(outputs(&words)),
            text,
        );
    }
    let class = &model.classify(&["hit them"]).expect("an answer")[0];
    assert_eq!(class.risk, model.risks()[1]);
    assert!(class.probability > 0.9);
}

#[test]
fn padding_changes_no_answer() {
    // Padding has embeddings that would drown all others.
    let texts = ["hit", "hit them", "nice weather hit them nice", ""];
    let short = model(&packing());
    for max_tokens in [9, 32, 33, 300, 512] {
        let other = model(&OnnxPacking {
            max_tokens,
            ..packing()
        });
        for text in texts {
            assert_close(
                &probabilities(&other, text),
                &probabilities(&short, text),
                text,
            );
        }
    }
    let mut fixed = Graph::mean_of_embeddings();
    fixed.length = 20;
    let fixed = read(&packed(&fixed, &packing())).expect("a classifier");
    for text in texts {
        assert_close(
            &probabilities(&fixed, text),
            &probabilities(&short, text),
            text,
        );
    }
}

#[test]
fn every_part_of_a_long_text_is_judged() {
    let model = model(&packing());
    let nice = "nice weather ".repeat(2_000);
    let long = format!("{nice}hit them hit them hit them");
    // Six words beside the two tokens put around them.
    let words: Vec<&str> = long.split_whitespace().collect();
    let mut expected = [0.0_f64; 2];
    for part in words.chunks(6) {
        for (highest, found) in expected.iter_mut().zip(softmax(outputs(part))) {
            *highest = highest.max(found);
        }
    }
    // 16,384 characters are cut behind a word, so parts begin anew there and elsewhere alike.
    let found = probabilities(&model, &long);
    assert!(found[1] > 0.9, "{found:?}");
    let short = &long[nice.len() - 13 * 100..];
    let words: Vec<&str> = short.split_whitespace().collect();
    let mut expected = [0.0_f64; 2];
    for part in words.chunks(6) {
        for (highest, found) in expected.iter_mut().zip(softmax(outputs(part))) {
            *highest = highest.max(found);
        }
    }
    assert_close(
        &probabilities(&model, short),
        &expected,
        "exactly the parts",
    );
    // Text put behind changes the last part alone.
    let start = "hit them hit them hit them";
    let longer = format!("{start} {nice}");
    assert!(probabilities(&model, &longer)[1] >= probabilities(&model, start)[1]);
    let windows = ModelOptions {
        window: Some(9),
        ..ModelOptions::default()
    };
    let bytes = packed(&Graph::mean_of_embeddings(), &packing());
    let cut = Model::from_bytes("m.onnx", &bytes, &Taxonomy::builtin(), &windows).expect("valid");
    assert_close(
        &probabilities(&cut, "hit them nice nice nice nice"),
        &probabilities(&model, "hit them"),
        "windows of nine characters",
    );
}

#[test]
fn threads_share_a_model_and_get_the_same_answers() {
    let model = model(&OnnxPacking {
        max_tokens: 200,
        ..packing()
    });
    let texts = [
        "hit",
        "them ".repeat(40).leak(),
        "nice weather ".repeat(60).leak(),
    ];
    let answers = || texts.map(|text| probabilities(&model, text));
    let alone = answers();
    std::thread::scope(|scope| {
        let others: Vec<_> = (0..4).map(|_| scope.spawn(answers)).collect();
        for other in others {
            assert_eq!(other.join().expect("no panic"), alone);
        }
    });
}

#[test]
fn labels_and_activations_mean_what_the_file_says() {
    let words = ["hit", "them"];
    let raw = outputs(&words);
    let logistic = |output: f64| 1.0 / (1.0 + (-output).exp());
    let sigmoid = model(&OnnxPacking {
        activation: Activation::Sigmoid,
        ..packing()
    });
    assert_close(
        &probabilities(&sigmoid, "hit them"),
        &[logistic(raw[2]), logistic(raw[1])],
        "sigmoid",
    );
    // Labels for one risk add up when they exclude each other.
    let mut named = packing();
    named.labels = ["fine", "insult", "threat"].map(str::to_owned).to_vec();
    let stands_for = [("fine", "clean"), ("insult", "A4a"), ("threat", "A4a")];
    named.metadata.labels = stands_for
        .map(|(label, risk)| (label.to_owned(), risk.to_owned()))
        .into();
    named.metadata.version = "7".to_owned();
    named.metadata.operating_points = [("A4a".to_owned(), 0.25)].into();
    let together = model(&named);
    let apart = softmax(raw);
    assert_close(
        &probabilities(&together, "hit them"),
        &[apart[0] + apart[1]],
        "added up",
    );
    let shown = together.to_string();
    assert!(
        shown.contains("ONNX, 9 operators, softmax, 8 tokens at a time"),
        "{shown}"
    );
    assert!(
        shown.contains("label      insult: A4a, meant from 0.2500 on"),
        "{shown}"
    );
    assert_eq!(together.identity().version, "7");
    // A network whose last operator makes the probabilities.
    let mut graph = Graph::mean_of_embeddings();
    graph.nodes.push(node(
        "Softmax",
        &["logits"],
        "probabilities",
        &[("axis", 1)],
    ));
    graph.outputs = vec!["probabilities"];
    let none = OnnxPacking {
        activation: Activation::None,
        ..packing()
    };
    let none = read(&packed(&graph, &none)).expect("a classifier");
    assert_close(&probabilities(&none, "hit them"), &apart, "none");
    // Of several outputs the one called logits counts.
    graph.outputs = vec!["probabilities", "logits"];
    let two = read(&packed(&graph, &packing())).expect("a classifier");
    assert_close(&probabilities(&two, "hit them"), &apart, "two outputs");
}

#[test]
fn types_of_tokens_are_given_where_asked_for() {
    let mut graph = Graph::mean_of_embeddings();
    graph.inputs.push("token_type_ids");
    graph.nodes.insert(
        0,
        node("Add", &["attention_mask", "token_type_ids"], "both", &[]),
    );
    graph.nodes[2] = node("Cast", &["both"], "mask", &[("to", 1)]);
    let typed = read(&packed(&graph, &packing())).expect("a classifier");
    let plain = model(&packing());
    for text in ["hit them", ""] {
        assert_close(
            &probabilities(&typed, text),
            &probabilities(&plain, text),
            text,
        );
    }
}

#[test]
fn special_tokens_in_a_text_are_text() {
    let model = model(&packing());
    let expected = softmax(outputs(&["hit", "[UNK]", "[UNK]"]));
    // In lower case they are no words.
    assert_close(
        &probabilities(&model, "hit [SEP] [PAD]"),
        &expected,
        "special tokens",
    );
}

#[test]
fn a_tokenizer_is_what_cuts_the_text() {
    let mut cut = packing();
    cut.metadata.segmentation = Segmentation::Characters;
    let error = read(&packed(&Graph::mean_of_embeddings(), &cut)).expect_err("no such thing");
    assert!(
        error
            .to_string()
            .contains("segmentation: the tokenizer of an ONNX model cuts")
    );
}

fn judge(model: Model) -> Judge {
    let taxonomy = Taxonomy::builtin();
    Judge::new(taxonomy, Lexicon::builtin(), Thresholds::builtin())
        .and_then(|judge| judge.with_model(Arc::new(model)))
        .expect("one taxonomy")
}

#[test]
fn the_judge_counts_it_as_evidence() {
    let judge = judge(model(&packing()));
    let texts = ["hit them", "nice weather"];
    let scores = judge.scores(&texts).expect("answers");
    let expected = texts.map(|text| {
        let words: Vec<&str> = text.split_whitespace().collect();
        softmax(outputs(&words)).into_iter().fold(0.0, f64::max)
    });
    assert_close(&scores, &expected, "the operating point is 0.5");
    assert_eq!(judge.is_harmful(&texts, None), Ok(vec![true, false]));
    judge
        .assess(&texts, &mut |document, assessment| {
            assert_eq!(assessment.score, scores[document]);
            assert!(assessment.model.is_some());
        })
        .expect("answers");
}

#[test]
fn a_text_without_an_answer_is_an_error_and_never_clean() {
    // Sums beyond 32 bits: the weights are numbers, what they lead to is none.
    let judge = judge(model(&packing()));
    for texts in [&["huge huge"][..], &["nice weather", "huge huge", "nice"]] {
        let message = "m.onnx, answer: the network gives";
        let found = [
            judge.scores(texts).map(drop),
            judge.is_harmful(texts, None).map(drop),
            judge.is_harmful(texts, Some(0.9)).map(drop),
            judge.model().expect("given").classify(texts).map(drop),
        ];
        for outcome in found {
            let error = outcome.expect_err("no answer").to_string();
            assert!(error.starts_with(message), "{error}");
        }
        let mut seen = 0;
        let outcome = judge.assess(texts, &mut |_, _| seen += 1);
        assert!(outcome.is_err());
        assert_eq!(seen, texts.len() / 2, "those before it alone");
    }
    let none = OnnxPacking {
        activation: Activation::None,
        ..packing()
    };
    let outcome = model(&none).classify(&["hit them"]);
    assert!(
        outcome
            .expect_err("no probabilities")
            .to_string()
            .contains("for the label clean")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn damaged_files_are_errors_or_answer(
        cut in any::<Option<proptest::sample::Index>>(),
        flips in proptest::collection::vec(any::<(proptest::sample::Index, u8)>(), 0..4),
    ) {
        let mut bytes = packed(&Graph::mean_of_embeddings(), &packing());
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        for (at, bit) in flips {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << (bit % 8);
            }
        }
        if let Ok(model) = read(&bytes) {
            let outcome = model.probabilities(&["hit them", "", "nice"], &mut |_, found| {
                assert!(found.iter().all(|probability| (0.0..=1.0).contains(probability)));
            });
            if let Err(error) = outcome {
                assert!(error.to_string().contains("answer: "));
            }
        }
    }
}
