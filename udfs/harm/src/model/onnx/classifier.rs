use std::fmt;

use tamis_resource::Result;
use tokenizers::{Encoding, PostProcessor, Tokenizer, TruncationDirection};
use tract_onnx::prelude::TractError;

use super::super::fasttext::sigmoid;
use super::super::metadata::ModelMetadata;
use super::network::{Network, Tokens, guarded};
use super::pack::Activation;
use super::wire::{Value, fields};
use super::{FIELD_METADATA, PREFIX, entry};
use crate::located_toml::malformed;

/// A text classifier in ONNX: it cuts texts into tokens, asks the network for as many at a time
/// as that takes, and makes probabilities of the answers.
pub(in super::super) struct Onnx {
    tokenizer: Tokenizer,
    network: Network,
    labels: Vec<String>,
    max_tokens: usize,
    /// The token that fills up.
    padding: u32,
    /// Tokens the tokenizer puts around a text; fewer than `max_tokens`.
    added: usize,
    activation: Activation,
}

/// Tokens are cut from texts of at most this many characters, which bounds the memory they take.
const CHARACTERS_AT_ONCE: usize = 16_384;
/// More tokens than any text classifier takes.
const MOST_TOKENS: usize = 65_536;

impl Onnx {
    /// Reads a file that [`super::pack_onnx`] made.
    pub(in super::super) fn read(uri: &str, bytes: &[u8]) -> Result<(Self, ModelMetadata)> {
        let entries = Entries::read(uri, bytes)?;
        let bad = |key: &str, message: String| malformed(uri, format!("{PREFIX}{key}"), message);
        let Some(tokenizer) = &entries.tokenizer else {
            return Err(malformed(
                uri,
                "metadata",
                "an ONNX network without a tokenizer; put one in with 'tamis model import --onnx \
                 FILE --tokenizer tokenizer.json --labels config.json -o FILE'",
            ));
        };
        let missing = |key: &str| bad(key, "is missing; pack the file again".to_owned());
        let labels = entries.labels.as_deref().ok_or_else(|| missing("labels"))?;
        let labels: Vec<String> = serde_json::from_str(labels)
            .map_err(|error| bad("labels", format!("no array of labels: {error}")))?;
        let mut sorted: Vec<&String> = labels.iter().collect();
        sorted.sort_unstable();
        if sorted.is_empty() || sorted.windows(2).any(|two| two[0] == two[1]) {
            return Err(bad("labels", "no labels, or one twice".to_owned()));
        }
        let max_tokens = entries
            .max_tokens
            .as_deref()
            .ok_or_else(|| missing("max_tokens"))?;
        let max_tokens = match max_tokens.parse() {
            Ok(number @ 1..=MOST_TOKENS) => number,
            _ => {
                let message = format!("'{max_tokens}' is not a number from 1 to {MOST_TOKENS}");
                return Err(bad("max_tokens", message));
            }
        };
        let activation = match entries.activation.as_deref() {
            Some("softmax") if labels.len() < 2 => {
                return Err(bad(
                    "activation",
                    "softmax needs two labels at least".to_owned(),
                ));
            }
            Some("softmax") => Activation::Softmax,
            Some("sigmoid") => Activation::Sigmoid,
            Some("none") => Activation::None,
            Some(other) => {
                let message = format!("'{other}' is none of softmax, sigmoid and none");
                return Err(bad("activation", message));
            }
            None => return Err(missing("activation")),
        };
        let metadata = match &entries.metadata {
            Some(text) => crate::located_toml::parse(&format!("{uri}, {PREFIX}metadata"), text)?,
            None => ModelMetadata::default(),
        };
        let (tokenizer, padding, added) =
            guarded(|| prepared(tokenizer, max_tokens).map_err(TractError::msg))
                .map_err(|message| bad("tokenizer", message))?;
        let network = Network::read(bytes, max_tokens, labels.len())
            .map_err(|message| malformed(uri, "graph", message))?;
        let model = Self {
            tokenizer,
            network,
            labels,
            max_tokens,
            padding,
            added,
            activation,
        };
        model
            .try_out()
            .map_err(|message| malformed(uri, "graph", message))?;
        Ok((model, metadata))
    }

    /// Runs the network once on the longest input and the last token there is: what does not fit
    /// the network shows now, not in the middle of a corpus.
    fn try_out(&self) -> std::result::Result<(), String> {
        let last = self
            .tokenizer
            .get_vocab(true)
            .into_values()
            .max()
            .unwrap_or(0);
        for id in [self.padding, last] {
            let tokens = Tokens {
                ids: &vec![id; self.max_tokens],
                types: &vec![0; self.max_tokens],
                padding: self.padding,
            };
            self.network.run(&tokens).map_err(|message| {
                format!(
                    "the network does not run on {} tokens with the id {id} of the tokenizer: \
                     {message}",
                    self.max_tokens
                )
            })?;
        }
        Ok(())
    }

    pub(in super::super) fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Whether the labels exclude each other, so that their probabilities add up to 1.
    pub(in super::super) fn is_exclusive(&self) -> bool {
        self.activation == Activation::Softmax
    }

    pub(in super::super) fn describe(&self) -> String {
        format!(
            "ONNX, {} operators, {}, {} tokens at a time",
            self.network.operators(),
            self.activation.name(),
            self.max_tokens
        )
    }

    /// The most characters of a text that are asked for at once.
    pub(in super::super) fn most_characters(&self) -> usize {
        CHARACTERS_AT_ONCE
    }

    /// Puts the probabilities of the labels into `outputs`, once for each part of the text that
    /// the network takes at a time. An error when it has no answer: then neither harm nor the
    /// lack of it is known.
    pub(in super::super) fn probabilities(
        &self,
        text: &str,
        outputs: &mut Vec<f64>,
    ) -> std::result::Result<(), String> {
        outputs.clear();
        let parts = guarded(|| {
            self.parts(text)
                .map_err(|error| TractError::msg(error.to_string()))
        })?;
        for part in &parts {
            self.part(part, outputs)?;
        }
        Ok(())
    }

    /// The tokens of a text, as many at a time as the network takes, with those the tokenizer puts
    /// around them. (A tokenizer set to truncate stops reading early: it would lose the rest.)
    fn parts(&self, text: &str) -> tokenizers::Result<Vec<Encoding>> {
        let mut first = self.tokenizer.encode_fast(text, false)?;
        first.truncate(self.max_tokens - self.added, 0, TruncationDirection::Right);
        let rest = first.take_overflowing();
        std::iter::once(first)
            .chain(rest)
            .map(|part| self.tokenizer.post_process(part, None, true))
            .collect()
    }

    fn part(&self, part: &Encoding, outputs: &mut Vec<f64>) -> std::result::Result<(), String> {
        if part.is_empty() {
            // Nothing the model knows, as for the other kinds of models.
            outputs.extend(self.labels.iter().map(|_| 0.0));
            return Ok(());
        }
        let tokens = Tokens {
            ids: part.get_ids(),
            types: part.get_type_ids(),
            padding: self.padding,
        };
        let numbers = self.network.run(&tokens)?;
        for (label, number) in self.labels.iter().zip(&numbers) {
            let is_right = match self.activation {
                Activation::None => (0.0..=1.0).contains(number),
                Activation::Softmax | Activation::Sigmoid => number.is_finite(),
            };
            if !is_right {
                return Err(format!(
                    "the network gives {number} for the label {label} and a text of {} tokens, \
                     which is no answer",
                    part.len()
                ));
            }
        }
        if numbers.len() != self.labels.len() {
            return Err(format!("the network gives {} numbers", numbers.len()));
        }
        match self.activation {
            Activation::None => outputs.extend(numbers),
            Activation::Sigmoid => outputs.extend(numbers.into_iter().map(sigmoid)),
            Activation::Softmax => {
                let highest = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let powers = numbers.iter().map(|number| libm::exp(number - highest));
                let sum: f64 = powers.clone().sum();
                outputs.extend(powers.map(|power| power / sum));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Onnx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Onnx")
            .field("labels", &self.labels)
            .finish_non_exhaustive()
    }
}

/// The tokenizer, set to give all tokens and no more; the id that fills up; and how many tokens it
/// puts around a text.
fn prepared(json: &str, max_tokens: usize) -> std::result::Result<(Tokenizer, u32, usize), String> {
    let mut tokenizer = Tokenizer::from_bytes(json).map_err(|error| format!("{error}"))?;
    let named = ["[PAD]", "<pad>"]
        .iter()
        .find_map(|token| tokenizer.token_to_id(token));
    let padding = match tokenizer.get_padding() {
        Some(padding) => padding.pad_id,
        None => named.unwrap_or(0),
    };
    tokenizer.with_padding(None);
    let added = tokenizer
        .get_post_processor()
        .map_or(0, |processor| processor.added_tokens(false));
    if added >= max_tokens {
        return Err(format!("it adds {added} tokens, of {max_tokens} in all"));
    }
    tokenizer
        .with_truncation(None)
        .map_err(|error| error.to_string())?;
    // What looks like a special token in a text is text.
    tokenizer.set_encode_special_tokens(true);
    Ok((tokenizer, padding, added))
}

/// Our entries in the metadata of a file.
#[derive(Debug, Default)]
struct Entries {
    tokenizer: Option<String>,
    labels: Option<String>,
    max_tokens: Option<String>,
    activation: Option<String>,
    metadata: Option<String>,
}

impl Entries {
    fn read(uri: &str, bytes: &[u8]) -> Result<Self> {
        let mut entries = Self::default();
        for field in fields(bytes) {
            let field =
                field.map_err(|bad| malformed(uri, format!("byte {}", bad.at), bad.message))?;
            let Value::Bytes(bytes) = field.value else {
                continue;
            };
            if field.number != FIELD_METADATA {
                continue;
            }
            let bad = |message: String| malformed(uri, format!("byte {}", field.at), message);
            let (key, value) = entry(bytes).map_err(|error| bad(error.message))?;
            let Some(key) = key.strip_prefix(PREFIX.as_bytes()) else {
                continue;
            };
            let place = match key {
                b"tokenizer" => &mut entries.tokenizer,
                b"labels" => &mut entries.labels,
                b"max_tokens" => &mut entries.max_tokens,
                b"activation" => &mut entries.activation,
                b"metadata" => &mut entries.metadata,
                other => {
                    let key = String::from_utf8_lossy(other).into_owned();
                    return Err(bad(format!("nothing is known of {PREFIX}{key}")));
                }
            };
            let value = std::str::from_utf8(value).map_err(|error| bad(error.to_string()))?;
            if place.replace(value.to_owned()).is_some() {
                let key = String::from_utf8_lossy(key).into_owned();
                return Err(bad(format!("{PREFIX}{key} stands there twice")));
            }
        }
        Ok(entries)
    }
}
