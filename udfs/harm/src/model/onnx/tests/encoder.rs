//! A transformer as exporters write it, against the answers of `onnxruntime`.

use super::super::pack::OnnxLabels;
use super::*;

const NETWORK: &[u8] = include_bytes!("../../../../tests/fixtures/onnx/encoder.onnx");
const TOKENIZER: &str = include_str!("../../../../tests/fixtures/onnx/tokenizer.json");
const CONFIG: &str = include_str!("../../../../tests/fixtures/onnx/config.json");
const ANSWERS: &str = include_str!("../../../../tests/fixtures/onnx/answers.tsv");

fn encoder() -> Model {
    let labels = OnnxLabels::from_json("config.json", CONFIG).expect("valid");
    let packing = OnnxPacking {
        tokenizer: TOKENIZER.to_owned(),
        max_tokens: labels.max_tokens_or_default(),
        activation: labels.activation_or_default(),
        labels: labels.labels,
        metadata: ModelMetadata {
            labels: [("insult".to_owned(), "A4a".to_owned())].into(),
            ..ModelMetadata::default()
        },
    };
    let bytes = pack_onnx("encoder.onnx", NETWORK, &packing).expect("an ONNX file");
    Model::from_bytes(
        "encoder.onnx",
        &bytes,
        &Taxonomy::builtin(),
        &ModelOptions::default(),
    )
    .expect("a classifier")
}

#[test]
fn a_transformer_gives_the_answers_of_another_runtime() {
    let model = encoder();
    let mut texts = 0;
    for line in ANSWERS.lines() {
        let [text, _, insult, discrimination]: [&str; 4] = line
            .split('\t')
            .collect::<Vec<_>>()
            .try_into()
            .expect("four columns");
        let expected =
            [discrimination, insult].map(|number| number.parse::<f64>().expect("a number"));
        let found = probabilities(&model, text);
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-5,
                "{text}: {found} for {expected}"
            );
        }
        texts += 1;
    }
    assert_eq!(texts, 11);
    let shown = model.to_string();
    assert!(
        shown.contains("operators, softmax, 24 tokens at a time"),
        "{shown}"
    );
}

#[test]
fn more_tokens_than_it_has_positions_are_noticed_when_it_is_read() {
    let labels = OnnxLabels::from_json("config.json", CONFIG)
        .expect("valid")
        .labels;
    let packing = OnnxPacking {
        tokenizer: TOKENIZER.to_owned(),
        max_tokens: 25,
        labels: labels
            .iter()
            .map(|label| label.replace("insult", "A4a"))
            .collect(),
        ..packing()
    };
    let bytes = pack_onnx("m.onnx", NETWORK, &packing).expect("an ONNX file");
    let error = read(&bytes).expect_err("24 positions").to_string();
    assert!(error.starts_with("m.onnx, graph: "), "{error}");
}
