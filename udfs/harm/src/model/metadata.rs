use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How a text is cut before a fastText model sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Segmentation {
    /// Not at all, and not folded either: words are what white space separates.
    #[default]
    None,
    /// The text is folded, then every Han character (and kana, Thai, Lao, Burmese, Khmer),
    /// punctuation mark and symbol stands between spaces; letters and digits of other scripts
    /// stay together as words.
    Characters,
}

/// What a model says about itself, kept in its file and so part of its digest.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelMetadata {
    /// Version in words of whoever made it; may be empty.
    pub version: String,
    /// How texts are cut.
    pub segmentation: Segmentation,
    /// A text longer than this many characters is judged window by window, and the highest
    /// probability holds; 0 judges it whole.
    pub window: usize,
    /// Which risk a label stands for, by label without `__label__`: a risk id or `clean`. Labels
    /// left out are risk ids themselves.
    pub labels: BTreeMap<String, String>,
    /// The probability from which the model means a risk, by risk id; 0.5 where left out.
    pub operating_points: BTreeMap<String, f64>,
    /// How it was made, for people: options, rows, quality.
    pub training: BTreeMap<String, String>,
}

/// The last bytes of a fastText file with metadata behind the model.
const TRAILER: &[u8; 8] = b"TAMISMD1";

/// Puts metadata behind a fastText model. The official implementation reads the result as before,
/// for it ignores what follows a model; an earlier trailer is replaced.
///
/// The trailer is the metadata as TOML, its length as 32-bit little-endian number and the eight
/// bytes `TAMISMD1`.
pub fn with_metadata(fasttext: &[u8], metadata: &ModelMetadata) -> Vec<u8> {
    let toml = toml::to_string(metadata).expect("metadata is plain TOML");
    let mut bytes = split_trailer(fasttext).0.to_vec();
    bytes.extend(toml.as_bytes());
    bytes.extend((toml.len() as u32).to_le_bytes());
    bytes.extend(TRAILER);
    bytes
}

/// The model, and the TOML behind it if there is any.
pub(super) fn split_trailer(bytes: &[u8]) -> (&[u8], Option<&[u8]>) {
    let split = || {
        let rest = bytes.strip_suffix(TRAILER)?;
        let (rest, length) = rest.split_last_chunk::<4>()?;
        let start = rest
            .len()
            .checked_sub(u32::from_le_bytes(*length) as usize)?;
        Some(rest.split_at(start))
    };
    match split() {
        Some((model, toml)) => (model, Some(toml)),
        None => (bytes, None),
    }
}
