//! ONNX text classifiers: a network, its tokenizer and its labels in one file.
//!
//! Packing one needs nothing but this crate. Reading one needs the cargo feature `onnx`.

#[cfg(feature = "onnx")]
mod classifier;
#[cfg(feature = "onnx")]
mod memory;
#[cfg(feature = "onnx")]
mod network;
#[cfg(feature = "onnx")]
mod operators;
mod pack;
mod wire;

#[cfg(feature = "onnx")]
pub(super) use classifier::Onnx;
pub use pack::{Activation, OnnxLabels, OnnxPacking, pack_onnx};

use super::bytes::{BadBytes, Result};
use wire::{Value, fields};

/// Fields of the outermost message.
const FIELD_IR_VERSION: u32 = 1;
const FIELD_GRAPH: u32 = 7;
const FIELD_OPERATOR_SETS: u32 = 8;
const FIELD_METADATA: u32 = 14;
/// All others it may have, up to version 1.18 of the format.
const OTHER_FIELDS: [u32; 8] = [2, 3, 4, 5, 6, 20, 25, 26];

/// What the keys of our entries in `metadata_props` begin with.
const PREFIX: &str = "tamis.";

/// Whether bytes look like an ONNX file, cut off or not: a protobuf message with the fields of
/// one, which begins with the version and has a graph or operator sets. The format has no magic
/// number, so this is asked last.
pub(super) fn looks_like_onnx(bytes: &[u8]) -> bool {
    let (mut version, mut content) = (false, false);
    let mut read = 0;
    for field in fields(bytes).map_while(std::result::Result::ok) {
        read += field.whole.len();
        match (field.number, field.value) {
            (FIELD_IR_VERSION, Value::Number(1..=1000)) => version = true,
            (FIELD_GRAPH | FIELD_OPERATOR_SETS, Value::Bytes(_)) if version => content = true,
            (FIELD_METADATA, Value::Bytes(_)) => {}
            (number, _) if version && OTHER_FIELDS.contains(&number) => {}
            _ => return false,
        }
    }
    // What is cut off is most likely cut off within the graph, the bulk of the file.
    const CUT_GRAPH: u8 = (FIELD_GRAPH << 3 | 2) as u8;
    version && (content || bytes.get(read) == Some(&CUT_GRAPH))
}

/// Key and value of an entry of `metadata_props`.
fn entry(bytes: &[u8]) -> Result<(&[u8], &[u8])> {
    let (mut key, mut value) = (&[][..], &[][..]);
    for field in fields(bytes) {
        match field? {
            wire::Field {
                number: 1,
                value: Value::Bytes(bytes),
                ..
            } => key = bytes,
            wire::Field {
                number: 2,
                value: Value::Bytes(bytes),
                ..
            } => value = bytes,
            field => {
                return Err(BadBytes {
                    at: field.at,
                    message: format!("an entry of the metadata has no field {}", field.number),
                });
            }
        }
    }
    Ok((key, value))
}

/// What stands for an ONNX classifier where this build reads none: nothing.
#[cfg(not(feature = "onnx"))]
#[derive(Debug)]
pub(super) enum Onnx {}

#[cfg(not(feature = "onnx"))]
impl Onnx {
    pub(super) fn read(
        uri: &str,
        _: &[u8],
    ) -> tamis_resource::Result<(Self, super::ModelMetadata)> {
        Err(crate::located_toml::malformed(
            uri,
            "byte 0",
            "an ONNX model, which this build does not read: build with --features onnx",
        ))
    }

    pub(super) fn labels(&self) -> &[String] {
        match *self {}
    }

    pub(super) fn describe(&self) -> String {
        match *self {}
    }

    pub(super) fn is_exclusive(&self) -> bool {
        match *self {}
    }

    pub(super) fn most_characters(&self) -> usize {
        match *self {}
    }

    pub(super) fn probabilities(
        &self,
        _: &str,
        _: &mut Vec<f64>,
    ) -> std::result::Result<(), String> {
        match *self {}
    }
}

#[cfg(all(test, feature = "onnx"))]
mod tests;

#[cfg(all(test, not(feature = "onnx")))]
mod tests_without {
    use crate::{Model, ModelOptions, Taxonomy};

    #[test]
    fn without_the_feature_the_error_names_it() {
        let bytes = [8, 8, 58, 0, 66, 2, 16, 17];
        let options = ModelOptions::default();
        let error = Model::from_bytes("m.onnx", &bytes, &Taxonomy::builtin(), &options)
            .expect_err("not read");
        assert_eq!(
            error.to_string(),
            "m.onnx, byte 0: an ONNX model, which this build does not read: build with --features onnx"
        );
    }
}
