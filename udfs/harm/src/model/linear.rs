//! Our own linear model: a weight for every n-gram of units and risk, one logistic regression per
//! risk.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::bytes::{Reader, Result};
use super::fasttext::sigmoid;
use super::features::{MAX_NGRAM, each_ngram};
use super::metadata::ModelMetadata;

/// The first bytes of a file.
pub(super) const MAGIC: &[u8; 8] = b"TAMISLM1";

/// Hashes that are spread need a few dozen steps at most to a free slot of a table half full.
const MOST_PROBES: usize = 1024;

/// What stands before the numbers, as TOML.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    /// Units in the longest n-gram.
    pub(super) ngrams: usize,
    /// The labels, in the order of the weights.
    pub(super) outputs: Vec<String>,
    pub(super) metadata: ModelMetadata,
}

/// The weights of a model.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Weights {
    /// Hashes of the n-grams, ascending.
    pub(super) hashes: Vec<u64>,
    /// For each n-gram one weight for each output.
    pub(super) weights: Vec<f32>,
    /// One for each output.
    pub(super) biases: Vec<f64>,
}

/// Writes a model: magic, length of the header, header, number of n-grams, their hashes ascending,
/// weights, biases; all little-endian.
pub(super) fn write(header: &Header, weights: &Weights) -> Vec<u8> {
    let header = toml::to_string(header).expect("a header is plain TOML");
    let mut bytes = MAGIC.to_vec();
    bytes.extend((header.len() as u32).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend((weights.hashes.len() as u64).to_le_bytes());
    bytes.extend(weights.hashes.iter().flat_map(|hash| hash.to_le_bytes()));
    bytes.extend(
        weights
            .weights
            .iter()
            .flat_map(|weight| weight.to_le_bytes()),
    );
    bytes.extend(weights.biases.iter().flat_map(|bias| bias.to_le_bytes()));
    bytes
}

/// A model ready to be asked.
pub(super) struct Linear {
    ngrams: usize,
    outputs: Vec<String>,
    features: usize,
    /// Open-addressed by the upper half of the hash: the lower half, made odd so that 0 is free,
    /// and the number of the n-gram, or its weight when there is one output.
    slots: Vec<(u32, u32)>,
    shift: u32,
    weights: Vec<f32>,
    biases: Vec<f64>,
}

/// Buffers that one text after the other uses.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    hashes: Vec<u64>,
    homes: Vec<(u32, u32)>,
    seen: Vec<u64>,
    touched: Vec<u32>,
    sums: Vec<f64>,
}

impl Linear {
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, ModelMetadata)> {
        let mut reader = Reader::new(bytes);
        if reader.take(MAGIC.len(), "the magic number")? != MAGIC {
            return reader.fail("not a linear model");
        }
        let length = reader.u32("the length of the header")? as usize;
        let header = reader.take(length, "the header")?;
        let header = std::str::from_utf8(header)
            .map_err(|error| error.to_string())
            .and_then(|text| {
                toml::from_str::<Header>(text).map_err(|error| error.message().to_owned())
            });
        let header = match header {
            Ok(header) => header,
            Err(message) => return reader.fail(format!("the header: {message}")),
        };
        if !(1..=MAX_NGRAM).contains(&header.ngrams) {
            return reader.fail(format!("n-grams have 1 to {MAX_NGRAM} units"));
        }
        let outputs = header.outputs.len();
        if outputs == 0 || header.outputs.iter().collect::<HashSet<_>>().len() < outputs {
            return reader.fail("labels are needed, each once");
        }
        let count = reader.u64("the number of n-grams")?;
        let count = match usize::try_from(count).map(|count| (count, count.checked_mul(outputs))) {
            Ok((count, Some(_))) if count < u32::MAX as usize / 4 => count,
            _ => return reader.fail(format!("{count} n-grams are too many")),
        };
        let hashes: Vec<u64> = reader
            .take_many::<8>(count, "the n-grams")?
            .iter()
            .map(|hash| u64::from_le_bytes(*hash))
            .collect();
        if !hashes.is_sorted_by(|left, right| left < right) {
            return reader.fail("the n-grams do not ascend");
        }
        let weights = reader.weights(count * outputs, "the weights")?;
        let biases: Vec<f64> = reader
            .take_many::<8>(outputs, "the biases")?
            .iter()
            .map(|bias| f64::from_le_bytes(*bias))
            .collect();
        if !biases.iter().all(|bias| bias.abs() <= 1e9) {
            return reader.fail("a bias is no number a model would have");
        }
        if reader.left() > 0 {
            return reader.fail(format!("{} bytes follow the model", reader.left()));
        }
        let slots = slots(&hashes, |index| match outputs {
            1 => weights[index].to_bits(),
            _ => index as u32,
        });
        let Some((slots, shift)) = slots else {
            return reader.fail("the n-grams are no hashes: too many fall together");
        };
        let linear = Self {
            ngrams: header.ngrams,
            outputs: header.outputs,
            features: count,
            slots,
            shift,
            weights: if outputs == 1 { Vec::new() } else { weights },
            biases,
        };
        Ok((linear, header.metadata))
    }

    pub(super) fn labels(&self) -> &[String] {
        &self.outputs
    }

    pub(super) fn describe(&self) -> String {
        format!(
            "linear, {} n-grams of 1 to {} units",
            self.features, self.ngrams
        )
    }

    /// Gives `probabilities` the probability of every output for one window of folded text; all 0
    /// when it holds no n-gram the model knows, for then nothing speaks for a risk.
    pub(super) fn probabilities(
        &self,
        text: &str,
        buffers: &mut Buffers,
        probabilities: &mut Vec<f64>,
    ) {
        let Buffers {
            hashes,
            homes,
            seen,
            touched,
            sums,
        } = buffers;
        seen.resize(self.slots.len().div_ceil(64), 0);
        sums.clear();
        sums.extend_from_slice(&self.biases);
        hashes.clear();
        each_ngram(text, self.ngrams, |hash| hashes.push(hash));
        // All at once and without a branch, so that the memory works on many of them together.
        homes.clear();
        homes.extend(hashes.iter().map(|hash| self.slots[self.home(*hash)]));
        for (hash, home) in hashes.iter().zip(homes.iter()) {
            let Some((slot, value)) = self.find(*hash, *home) else {
                continue;
            };
            // An n-gram counts once for a window, however often it is repeated.
            let (word, bit) = (slot / 64, 1 << (slot % 64));
            if seen[word] & bit != 0 {
                continue;
            }
            seen[word] |= bit;
            touched.push(slot as u32);
            match sums.as_mut_slice() {
                [sum] => *sum += f64::from(f32::from_bits(value)),
                sums => {
                    let first = value as usize * sums.len();
                    for (sum, weight) in sums.iter_mut().zip(&self.weights[first..]) {
                        *sum += f64::from(*weight);
                    }
                }
            }
        }
        probabilities.clear();
        if touched.is_empty() {
            probabilities.resize(sums.len(), 0.0);
        } else {
            probabilities.extend(sums.iter().map(|sum| sigmoid(*sum)));
        }
        for slot in touched.drain(..) {
            seen[slot as usize / 64] = 0;
        }
    }

    #[inline]
    fn home(&self, hash: u64) -> usize {
        (hash >> self.shift) as usize & (self.slots.len() - 1)
    }

    /// The slot of a hash and its value, given what stands in the slot where it belongs.
    #[inline]
    fn find(&self, hash: u64, home: (u32, u32)) -> Option<(usize, u32)> {
        let mark = hash as u32 | 1;
        let mut slot = self.home(hash);
        let (mut found, mut value) = home;
        while found != mark {
            if found == 0 {
                return None;
            }
            slot = (slot + 1) & (self.slots.len() - 1);
            (found, value) = self.slots[slot];
        }
        Some((slot, value))
    }
}

impl fmt::Debug for Linear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

/// A table at most half full, and by how much hashes are shifted to address it; `None` when
/// looking up would take too long.
fn slots(hashes: &[u64], value: impl Fn(usize) -> u32) -> Option<(Vec<(u32, u32)>, u32)> {
    let length = (hashes.len() * 2).next_power_of_two().max(2);
    let shift = 64 - length.trailing_zeros();
    let mut slots = vec![(0, 0); length];
    for (index, hash) in hashes.iter().enumerate() {
        let home = (hash >> shift) as usize;
        let slot = (home..home + length.min(MOST_PROBES))
            .map(|slot| slot & (length - 1))
            .find(|slot| slots[*slot].0 == 0)?;
        slots[slot] = (*hash as u32 | 1, value(index));
    }
    Some((slots, shift))
}

#[cfg(test)]
mod tests;
