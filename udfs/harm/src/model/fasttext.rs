//! Reading and asking models in the binary format of fastText (Bojanowski et al. 2017, Joulin et
//! al. 2017), versions 11 and 12, quantised or not.
//!
//! Ours rather than the `fasttext` crate (0.8): that one allocates what the header asks for
//! before it looks at the file, gives other probabilities than the official implementation as soon
//! as there are word n-grams (it leaves the end of the line out of them), and gives none for a
//! text without a known word.

mod dictionary;
mod loss;
mod matrix;

use std::fmt;

use dictionary::{Dictionary, NgramOptions};
use loss::Loss;
pub(super) use loss::sigmoid;
use matrix::Matrix;

use super::bytes::{Reader, Result};

/// The first four bytes of a model.
pub(super) const MAGIC: i32 = 793_712_314;

/// A supervised fastText model.
pub(super) struct FastText {
    dictionary: Dictionary,
    input: Matrix,
    output: Matrix,
    loss: Loss,
    dimensions: usize,
    quantised: bool,
}

/// Rows are asked for this many before they are added.
const AHEAD: usize = 16;

/// Buffers that one text after the other uses.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    hashes: Vec<u32>,
    rows: Vec<u32>,
    hidden: Vec<f32>,
}

impl FastText {
    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        if reader.i32("the magic number")? != MAGIC {
            return reader.fail("not a fastText model");
        }
        let version = reader.i32("the version")?;
        if !(11..=12).contains(&version) {
            return reader.fail(format!(
                "version {version} of the format; 11 and 12 are read"
            ));
        }
        let dimensions = reader.count32("the dimensions")?;
        for what in [
            "the window",
            "the epochs",
            "the least count",
            "the negatives",
        ] {
            reader.i32(what)?;
        }
        let word_ngrams = reader.count32("the length of word n-grams")?;
        let loss_number = reader.i32("the training loss")?;
        if reader.i32("the kind of model")? != 3 {
            return reader.fail("the model holds word vectors only; a supervised one is needed");
        }
        let buckets = reader.count32("the buckets")?;
        let min_chars = reader.count32("the least characters")?;
        let mut max_chars = reader.count32("the most characters")?;
        if version == 11 {
            // Supervised models of that version say so and do not mean it.
            max_chars = 0;
        }
        reader.i32("the update rate")?;
        reader.u64("the sampling threshold")?;
        let options = NgramOptions {
            word_ngrams,
            min_chars,
            max_chars,
            buckets,
        };
        if dimensions == 0 {
            return reader.fail("the model has no dimensions");
        }
        let dictionary = Dictionary::read(&mut reader, options)?;
        let labels = dictionary.labels.len();
        if labels == 0 {
            return reader.fail("the model has no labels");
        }
        let quantised = reader.bool("whether the input is quantised")?;
        let rows = dictionary.rows();
        let input = Matrix::read(&mut reader, quantised, rows, dimensions, "the input matrix")?;
        let output_quantised = reader.bool("whether the output is quantised")? && quantised;
        let output = Matrix::read(
            &mut reader,
            output_quantised,
            labels,
            dimensions,
            "the output matrix",
        )?;
        if reader.left() > 0 {
            return reader.fail(format!("{} bytes follow the model", reader.left()));
        }
        let loss = Loss::read(&reader, loss_number, &dictionary.label_counts)?;
        Ok(Self {
            dictionary,
            input,
            output,
            loss,
            dimensions,
            quantised,
        })
    }

    /// Labels, without `__label__`.
    pub(super) fn labels(&self) -> &[String] {
        &self.dictionary.labels
    }

    /// Whether the labels exclude each other, so that their probabilities add up to 1.
    pub(super) fn is_exclusive(&self) -> bool {
        self.loss.is_exclusive()
    }

    pub(super) fn describe(&self) -> String {
        format!(
            "fastText, {} dimensions, {}{}, {} rows",
            self.dimensions,
            self.loss.name(),
            if self.quantised { ", quantised" } else { "" },
            self.dictionary.rows()
        )
    }

    /// Gives `probabilities` the probability of every label for one line of text.
    pub(super) fn probabilities(
        &self,
        text: &str,
        buffers: &mut Buffers,
        probabilities: &mut Vec<f64>,
    ) {
        self.dictionary
            .rows_of(text, &mut buffers.hashes, &mut buffers.rows);
        buffers.hidden.clear();
        buffers.hidden.resize(self.dimensions, 0.0);
        for (at, row) in buffers.rows.iter().enumerate() {
            if let Some(soon) = buffers.rows.get(at + AHEAD) {
                self.input.prefetch_row(*soon as usize);
            }
            self.input.add_row(*row as usize, &mut buffers.hidden);
        }
        if !buffers.rows.is_empty() {
            let share = 1.0 / buffers.rows.len() as f32;
            buffers.hidden.iter_mut().for_each(|cell| *cell *= share);
        }
        self.loss.probabilities(
            &self.output,
            self.labels().len(),
            &buffers.hidden,
            probabilities,
        );
    }
}

impl fmt::Debug for FastText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

#[cfg(test)]
mod tests;
