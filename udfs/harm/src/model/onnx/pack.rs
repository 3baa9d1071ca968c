//! Makes one file of an ONNX network, its tokenizer and its labels.

use serde::{Deserialize, Serialize};
use tamis_resource::Result;

use super::super::metadata::ModelMetadata;
use super::wire::{Value, fields, put_bytes};
use super::{FIELD_METADATA, PREFIX, entry, looks_like_onnx};
use crate::located_toml::malformed;

/// What makes probabilities of the outputs of an ONNX network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// The labels exclude each other: the exponentials of the outputs, divided by their sum.
    Softmax,
    /// Each label for itself: the logistic function of its output.
    Sigmoid,
    /// The outputs are probabilities already, each for itself; one outside \[0, 1\] is an error.
    None,
}

impl Activation {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Softmax => "softmax",
            Self::Sigmoid => "sigmoid",
            Self::None => "none",
        }
    }
}

/// What an ONNX network does not say itself, see [`pack_onnx`].
#[derive(Debug, Clone, PartialEq)]
pub struct OnnxPacking {
    /// The text of a `tokenizer.json` as the `tokenizers` libraries write it.
    pub tokenizer: String,
    /// The labels, in the order of the outputs.
    pub labels: Vec<String>,
    /// Tokens the network takes at most, those the tokenizer adds included.
    pub max_tokens: usize,
    /// What makes probabilities of its outputs.
    pub activation: Activation,
    /// What labels stand for, operating points, version.
    pub metadata: ModelMetadata,
}

/// Puts a tokenizer, labels and metadata into an ONNX file, as entries of its `metadata_props`:
/// `tamis.tokenizer`, `tamis.labels` (a JSON array), `tamis.max_tokens`, `tamis.activation` and
/// `tamis.metadata` (TOML). All else stays byte for byte, so other tools read the result as
/// before; earlier entries with these names are replaced.
///
/// # Errors
/// Malformed, naming the byte, when `onnx` is no ONNX file.
pub fn pack_onnx(uri: &str, onnx: &[u8], packing: &OnnxPacking) -> Result<Vec<u8>> {
    if !looks_like_onnx(onnx) {
        return Err(malformed(uri, "byte 0", "no ONNX file"));
    }
    let mut packed = Vec::with_capacity(onnx.len() + packing.tokenizer.len() + 1024);
    for field in fields(onnx) {
        let field = field.map_err(|bad| malformed(uri, format!("byte {}", bad.at), bad.message))?;
        let ours = match field.value {
            Value::Bytes(bytes) if field.number == FIELD_METADATA => {
                entry(bytes).is_ok_and(|(key, _)| key.starts_with(PREFIX.as_bytes()))
            }
            _ => false,
        };
        if !ours {
            packed.extend(field.whole);
        }
    }
    let labels = serde_json::to_string(&packing.labels).expect("strings are JSON");
    let metadata = toml::to_string(&packing.metadata).expect("metadata is plain TOML");
    for (key, value) in [
        ("tokenizer", packing.tokenizer.as_str()),
        ("labels", &labels),
        ("max_tokens", &packing.max_tokens.to_string()),
        ("activation", packing.activation.name()),
        ("metadata", &metadata),
    ] {
        let mut bytes = Vec::new();
        put_bytes(&mut bytes, 1, format!("{PREFIX}{key}").as_bytes());
        put_bytes(&mut bytes, 2, value.as_bytes());
        put_bytes(&mut packed, FIELD_METADATA, &bytes);
    }
    Ok(packed)
}

/// What the file of labels beside an ONNX network says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnnxLabels {
    /// The labels, in the order of the outputs.
    pub labels: Vec<String>,
    /// Tokens the network takes at most, where the file says so.
    pub max_tokens: Option<usize>,
    /// What makes probabilities of its outputs, where the file says so.
    pub activation: Option<Activation>,
}

/// Longest input taken where nothing says otherwise, and at most on the word of a `config.json`.
const MOST_TOKENS: usize = 512;

impl OnnxLabels {
    /// Reads a JSON array of labels, or a `config.json` as the `transformers` library writes it:
    /// of that `id2label`, `max_position_embeddings` (of which 512 are used at most) and
    /// `problem_type`.
    ///
    /// # Errors
    /// Malformed when it is neither, or `id2label` does not number its labels from 0.
    pub fn from_json(uri: &str, json: &str) -> Result<Self> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum File {
            Labels(Vec<String>),
            Config {
                id2label: std::collections::BTreeMap<String, String>,
                max_position_embeddings: Option<usize>,
                problem_type: Option<String>,
            },
        }
        let bad = |message: String| malformed(uri, "labels", message);
        let file: File = serde_json::from_str(json).map_err(|error| {
            bad(format!(
                "neither an array of labels nor a config.json with id2label ({error})"
            ))
        })?;
        match file {
            File::Labels(labels) => Ok(Self {
                labels,
                max_tokens: None,
                activation: None,
            }),
            File::Config {
                id2label,
                max_position_embeddings,
                problem_type,
            } => {
                let labels = (0..id2label.len()).map(|id| {
                    id2label.get(&id.to_string()).cloned().ok_or_else(|| {
                        bad(format!(
                            "id2label has {} labels, but none for {id}",
                            id2label.len()
                        ))
                    })
                });
                Ok(Self {
                    labels: labels.collect::<Result<_>>()?,
                    max_tokens: max_position_embeddings.map(|most| most.min(MOST_TOKENS)),
                    activation: match problem_type.as_deref() {
                        Some("multi_label_classification") => Some(Activation::Sigmoid),
                        Some("single_label_classification") => Some(Activation::Softmax),
                        _ => None,
                    },
                })
            }
        }
    }

    /// Tokens the network takes at most: 512 where the file does not say.
    pub fn max_tokens_or_default(&self) -> usize {
        self.max_tokens.unwrap_or(MOST_TOKENS)
    }

    /// What makes probabilities of the outputs: where the file does not say, the labels exclude
    /// each other if there are several.
    pub fn activation_or_default(&self) -> Activation {
        self.activation.unwrap_or(match self.labels.len() {
            1 => Activation::Sigmoid,
            _ => Activation::Softmax,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The outermost message with an empty graph; enough to pack.
    fn empty_graph() -> Vec<u8> {
        let mut bytes = vec![8, 8];
        put_bytes(&mut bytes, 7, b"");
        put_bytes(&mut bytes, 8, &[16, 17]);
        bytes
    }

    fn packing() -> OnnxPacking {
        OnnxPacking {
            tokenizer: "{}".to_owned(),
            labels: vec!["clean".to_owned(), "A4a".to_owned()],
            max_tokens: 8,
            activation: Activation::Softmax,
            metadata: ModelMetadata::default(),
        }
    }

    #[test]
    fn packing_again_replaces_and_keeps_the_rest() {
        let mut onnx = empty_graph();
        let mut foreign = Vec::new();
        put_bytes(&mut foreign, 1, b"author");
        put_bytes(&mut foreign, 2, b"someone");
        put_bytes(&mut onnx, FIELD_METADATA, &foreign);
        let once = pack_onnx("m.onnx", &onnx, &packing()).expect("packs");
        assert!(once.starts_with(&onnx));
        assert_eq!(pack_onnx("m.onnx", &once, &packing()).expect("packs"), once);
        let mut other = packing();
        other.max_tokens = 16;
        let twice = pack_onnx("m.onnx", &once, &other).expect("packs");
        assert_eq!(twice.len(), once.len() + 1);
    }

    #[test]
    fn what_is_no_onnx_file_is_not_packed() {
        for (bytes, message) in [
            (&b"PAR1"[..], "m.onnx, byte 0: no ONNX file"),
            (b"", "m.onnx, byte 0: no ONNX file"),
            (
                &empty_graph()[..7],
                "m.onnx, byte 6: the file ends within field 8: 2 bytes are needed, 1 are left",
            ),
        ] {
            let error = pack_onnx("m.onnx", bytes, &packing()).expect_err("no ONNX file");
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn labels_come_from_an_array_or_a_config() {
        let read = |json: &str| OnnxLabels::from_json("labels.json", json);
        let plain = read(r#"["clean", "A4a"]"#).expect("valid");
        assert_eq!(plain.labels, ["clean", "A4a"]);
        assert_eq!(
            (plain.max_tokens_or_default(), plain.activation_or_default()),
            (512, Activation::Softmax)
        );
        let config = read(
            r#"{"id2label": {"1": "b", "0": "a"}, "max_position_embeddings": 514,
                "problem_type": "multi_label_classification", "hidden_size": 8}"#,
        )
        .expect("valid");
        assert_eq!(config.labels, ["a", "b"]);
        assert_eq!(
            (config.max_tokens, config.activation),
            (Some(512), Some(Activation::Sigmoid))
        );
        let error = |json: &str| read(json).expect_err("wrong").to_string();
        assert!(error("{}").contains("neither an array of labels nor a config.json"));
        assert!(error(r#"{"id2label": {"1": "a"}}"#).contains("none for 0"));
    }
}
