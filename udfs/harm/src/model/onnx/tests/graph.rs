//! ONNX files made by hand: fields of `onnx.proto`, put one behind the other.

use super::super::wire::{put_bytes, put_number};

pub(super) const WORDS: [&str; 9] = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "hit", "them", "nice", "weather", "huge",
];
pub(super) const LABELS: [&str; 3] = ["clean", "A4a", "A2d"];
pub(super) const DIMENSIONS: usize = 2;

/// One row for each word. The last word makes sums overflow.
pub(super) const EMBEDDINGS: [[f32; DIMENSIONS]; 9] = [
    [100.0, -100.0],
    [0.0, 0.1],
    [0.25, 0.0],
    [-0.25, 0.125],
    [4.0, 0.5],
    [2.0, 1.5],
    [-3.0, -0.75],
    [-2.0, 0.25],
    [3.0e38, 3.0e38],
];
pub(super) const WEIGHTS: [[f32; 3]; DIMENSIONS] = [[-1.5, 2.0, 0.25], [0.5, -0.75, 1.0]];
pub(super) const BIASES: [f32; 3] = [0.5, -0.25, -1.0];

fn message(build: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    build(&mut bytes);
    bytes
}

/// A tensor of 32-bit floats, stored as bytes.
pub(super) fn floats(name: &str, dimensions: &[u64], numbers: &[f32]) -> Vec<u8> {
    let raw: Vec<u8> = numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    tensor(name, dimensions, 1, &raw)
}

/// A tensor of 64-bit integers, stored as bytes.
pub(super) fn integers(name: &str, dimensions: &[u64], numbers: &[i64]) -> Vec<u8> {
    let raw: Vec<u8> = numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    tensor(name, dimensions, 7, &raw)
}

fn tensor(name: &str, dimensions: &[u64], kind: u64, raw: &[u8]) -> Vec<u8> {
    message(|bytes| {
        for dimension in dimensions {
            put_number(bytes, 1, *dimension);
        }
        put_number(bytes, 2, kind);
        put_bytes(bytes, 8, name.as_bytes());
        put_bytes(bytes, 9, raw);
    })
}

/// An operator; attributes are whole numbers.
pub(super) fn node(
    operator: &str,
    inputs: &[&str],
    output: &str,
    attributes: &[(&str, u64)],
) -> Vec<u8> {
    message(|bytes| {
        for input in inputs {
            put_bytes(bytes, 1, input.as_bytes());
        }
        put_bytes(bytes, 2, output.as_bytes());
        put_bytes(bytes, 4, operator.as_bytes());
        for (name, value) in attributes {
            let attribute = message(|bytes| {
                put_bytes(bytes, 1, name.as_bytes());
                put_number(bytes, 3, *value);
                put_number(bytes, 20, 2);
            });
            put_bytes(bytes, 5, &attribute);
        }
    })
}

/// An input or output; dimensions that are 0 have a name instead.
fn value(name: &str, kind: u64, dimensions: &[u64]) -> Vec<u8> {
    let shape = message(|bytes| {
        for dimension in dimensions {
            let dimension = message(|bytes| match dimension {
                0 => put_bytes(bytes, 2, b"sequence"),
                size => put_number(bytes, 1, *size),
            });
            put_bytes(bytes, 1, &dimension);
        }
    });
    let tensor = message(|bytes| {
        put_number(bytes, 1, kind);
        put_bytes(bytes, 2, &shape);
    });
    message(|bytes| {
        put_bytes(bytes, 1, name.as_bytes());
        put_bytes(bytes, 2, &message(|bytes| put_bytes(bytes, 1, &tensor)));
    })
}

/// A graph to be written.
pub(super) struct Graph {
    pub(super) nodes: Vec<Vec<u8>>,
    pub(super) tensors: Vec<Vec<u8>>,
    pub(super) inputs: Vec<&'static str>,
    pub(super) outputs: Vec<&'static str>,
    /// Tokens it takes; 0 leaves that open.
    pub(super) length: u64,
}

impl Graph {
    /// The mean of the embeddings where the mask is 1, times weights, plus biases.
    pub(super) fn mean_of_embeddings() -> Self {
        let numbers = |rows: &[[f32; DIMENSIONS]]| rows.concat();
        Self {
            nodes: vec![
                node("Gather", &["embeddings", "input_ids"], "rows", &[]),
                node("Cast", &["attention_mask"], "mask", &[("to", 1)]),
                node("Unsqueeze", &["mask", "axis_2"], "column", &[]),
                node("Mul", &["rows", "column"], "masked", &[]),
                node(
                    "ReduceSum",
                    &["masked", "axis_1"],
                    "sum",
                    &[("keepdims", 0)],
                ),
                node(
                    "ReduceSum",
                    &["mask", "axis_1"],
                    "count",
                    &[("keepdims", 1)],
                ),
                node("Div", &["sum", "count"], "mean", &[]),
                node("MatMul", &["mean", "weights"], "product", &[]),
                node("Add", &["product", "biases"], "logits", &[]),
            ],
            tensors: vec![
                floats("embeddings", &[9, 2], &numbers(&EMBEDDINGS)),
                floats("weights", &[2, 3], &WEIGHTS.concat()),
                floats("biases", &[3], &BIASES),
                integers("axis_1", &[1], &[1]),
                integers("axis_2", &[1], &[2]),
            ],
            inputs: vec!["input_ids", "attention_mask"],
            outputs: vec!["logits"],
            length: 0,
        }
    }

    /// The file of it, with nothing of ours in it.
    pub(super) fn file(&self) -> Vec<u8> {
        let graph = message(|bytes| {
            for node in &self.nodes {
                put_bytes(bytes, 1, node);
            }
            put_bytes(bytes, 2, b"graph");
            for tensor in &self.tensors {
                put_bytes(bytes, 5, tensor);
            }
            for input in &self.inputs {
                put_bytes(bytes, 11, &value(input, 7, &[0, self.length]));
            }
            for output in &self.outputs {
                put_bytes(bytes, 12, &value(output, 1, &[0, 3]));
            }
        });
        message(|bytes| {
            put_number(bytes, 1, 8);
            put_bytes(bytes, 2, b"test");
            put_bytes(bytes, 7, &graph);
            put_bytes(bytes, 8, &message(|bytes| put_number(bytes, 2, 17)));
        })
    }
}

/// A tokenizer for the words, between white space, in lower case, with a token before and one
/// behind.
pub(super) fn tokenizer() -> String {
    let vocabulary: serde_json::Map<String, serde_json::Value> = WORDS
        .iter()
        .zip(0..)
        .map(|(word, id)| ((*word).to_owned(), id.into()))
        .collect();
    let special = |id: usize| {
        serde_json::json!({
            "id": id, "content": WORDS[id], "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false, "special": true,
        })
    };
    let token = |id: &str| serde_json::json!({"SpecialToken": {"id": id, "type_id": 0}});
    let named =
        |id: usize| serde_json::json!({"id": WORDS[id], "ids": [id], "tokens": [WORDS[id]]});
    let single = serde_json::json!([token("[CLS]"), {"Sequence": {"id": "A", "type_id": 0}}, token("[SEP]")]);
    serde_json::json!({
        "version": "1.0", "truncation": null, "decoder": null,
        "padding": {
            "strategy": {"Fixed": 6}, "direction": "Right", "pad_to_multiple_of": null,
            "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]",
        },
        "added_tokens": (0..4).map(special).collect::<Vec<_>>(),
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {
            "type": "TemplateProcessing", "single": single, "pair": single,
            "special_tokens": {"[CLS]": named(2), "[SEP]": named(3)},
        },
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"},
    })
    .to_string()
}
