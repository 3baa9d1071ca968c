//! Classifiers: fastText models, our own linear ones and ONNX networks, and what they say about a
//! text.

mod bytes;
mod evaluate;
mod fasttext;
mod features;
mod linear;
mod metadata;
mod onnx;
mod train;
mod units;

use std::collections::BTreeMap;
use std::fmt;

use tamis_resource::{Identity, ResourceError, Result};
use tamis_text::fold;

use crate::located_toml::malformed;
use crate::taxonomy::Taxonomy;

use bytes::BadBytes;
pub use evaluate::{ModelEvaluation, RiskEvaluation, evaluate};
use fasttext::FastText;
use linear::Linear;
pub use metadata::{ModelMetadata, Segmentation, with_metadata};
use onnx::Onnx;
pub use onnx::{Activation, OnnxLabels, OnnxPacking, pack_onnx};
pub use train::{
    LabelledText, RiskReport, TrainOptions, TrainProgress, TrainReport, Trained, train,
};

/// The label of texts without any risk.
pub const CLEAN: &str = "clean";

/// What the file of a model leaves open; each wins over what the file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelOptions {
    /// The risk of a model with two labels, one of which is `clean` or `0`: what the other stands
    /// for.
    pub risk: Option<String>,
    /// Which risk id, or `clean`, a label stands for, by label without `__label__`.
    pub labels: BTreeMap<String, String>,
    /// How texts are cut for a fastText model.
    pub segmentation: Option<Segmentation>,
    /// Characters of a window, see [`ModelMetadata::window`].
    pub window: Option<usize>,
}

/// The risk a model finds most probable in a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Class {
    /// Index of the risk in the taxonomy.
    pub risk: usize,
    /// Its probability, in [0, 1].
    pub probability: f64,
}

/// A classifier for the risks of a taxonomy. Immutable; the probabilities for a text depend on
/// that text and the model alone. Those of fastText and linear models are the same on every
/// machine; those of ONNX models differ in the last digits between kinds of processors.
#[derive(Debug)]
pub struct Model {
    identity: Identity,
    taxonomy_sha256: String,
    metadata: ModelMetadata,
    kind: Kind,
    /// Risks the model knows, as indices in the taxonomy, ascending.
    risks: Vec<usize>,
    /// The operating point of each of them.
    operating_points: Vec<f64>,
    /// For every label its place in `risks`; `None` for clean.
    places: Vec<Option<usize>>,
}

#[derive(Debug)]
enum Kind {
    FastText(Box<FastText>),
    Linear(Box<Linear>),
    Onnx(Box<Onnx>),
}

impl Model {
    /// Reads a model: a fastText `.bin` file (version 11 or 12, quantised or not, with or without
    /// the metadata of [`with_metadata`]), a linear model of [`crate::train`] or, with the cargo
    /// feature `onnx`, an ONNX network with its tokenizer ([`pack_onnx`]).
    ///
    /// A bare fastText file is asked as the official tool would: texts as they are, words between
    /// white space, the whole text at once.
    ///
    /// # Errors
    /// Malformed, naming the byte or the label: when `bytes` are no such model, are cut off, or
    /// state sizes the file does not hold (nothing is allocated on the word of a header); when a
    /// label is neither `clean` nor a risk of the taxonomy and no option says what it stands for;
    /// when no label is a risk; when an operating point is outside (0, 1); when an ONNX network
    /// holds an operator, or asks for more memory, than a text classifier needs, has other inputs
    /// or outputs, or does not run; for any ONNX file without the feature.
    pub fn from_bytes(
        uri: &str,
        bytes: &[u8],
        taxonomy: &Taxonomy,
        options: &ModelOptions,
    ) -> Result<Self> {
        let bad = |bad: BadBytes| malformed(uri, format!("byte {}", bad.at), bad.message);
        let (kind, mut metadata) = if bytes.starts_with(linear::MAGIC) {
            let (linear, metadata) = Linear::read(bytes).map_err(bad)?;
            (Kind::Linear(Box::new(linear)), metadata)
        } else if bytes.starts_with(&fasttext::MAGIC.to_le_bytes()) {
            let (model, trailer) = metadata::split_trailer(bytes);
            let metadata = match trailer {
                Some(trailer) => trailer_metadata(uri, trailer, model.len())?,
                None => ModelMetadata::default(),
            };
            let model = FastText::read(model).map_err(bad)?;
            (Kind::FastText(Box::new(model)), metadata)
        } else if onnx::looks_like_onnx(bytes) {
            let (model, metadata) = Onnx::read(uri, bytes)?;
            (Kind::Onnx(Box::new(model)), metadata)
        } else {
            return Err(malformed(
                uri,
                "byte 0",
                "neither a fastText model (.bin) nor a linear model of this tool nor an ONNX file",
            ));
        };
        metadata.labels.extend(options.labels.clone());
        metadata.segmentation = options.segmentation.unwrap_or(metadata.segmentation);
        metadata.window = options.window.unwrap_or(metadata.window);
        if matches!(kind, Kind::Onnx(_)) && metadata.segmentation != Segmentation::None {
            return Err(malformed(
                uri,
                "segmentation",
                "the tokenizer of an ONNX model cuts the texts, as they are",
            ));
        }
        let targets = targets(uri, kind.labels(), &metadata, options, taxonomy)?;
        let mut risks: Vec<usize> = targets.iter().copied().flatten().collect();
        risks.sort_unstable();
        risks.dedup();
        if risks.is_empty() {
            return Err(malformed(uri, "labels", "no label stands for a risk"));
        }
        let mut operating_points = vec![0.5; risks.len()];
        for (id, point) in &metadata.operating_points {
            let place = taxonomy
                .index(id)
                .and_then(|risk| risks.binary_search(&risk).ok());
            match place {
                Some(place) if *point > 0.0 && *point < 1.0 => operating_points[place] = *point,
                _ => {
                    return Err(malformed(
                        uri,
                        format!("operating point of {id}"),
                        format!("{point} is not in (0, 1), or the model does not know the risk"),
                    ));
                }
            }
        }
        let places = targets
            .iter()
            .map(|target| target.and_then(|risk| risks.binary_search(&risk).ok()))
            .collect();
        Ok(Self {
            identity: identity(uri, bytes, &metadata, options),
            taxonomy_sha256: taxonomy.identity().sha256.clone(),
            metadata,
            kind,
            risks,
            operating_points,
            places,
        })
    }

    /// Where it came from, and the digest of its file together with the options it was read with,
    /// if there were any.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What it says about itself, with the options it was read with put in.
    pub fn metadata(&self) -> &ModelMetadata {
        &self.metadata
    }

    /// The risks it knows, as indices in the taxonomy, ascending.
    pub fn risks(&self) -> &[usize] {
        &self.risks
    }

    /// The probabilities from which it means the risks, in the order of [`Self::risks`].
    pub fn operating_points(&self) -> &[f64] {
        &self.operating_points
    }

    /// Its labels as the file gives them, without `__label__`.
    pub fn labels(&self) -> &[String] {
        self.kind.labels()
    }

    /// Gives `each` the probabilities of the risks of every document, in order, with its position;
    /// in the order of [`Self::risks`], in [0, 1].
    ///
    /// Of labels for the same risk the probabilities add up when the labels exclude each other,
    /// else the highest holds. Of windows the highest holds, so that text put beside harm does not
    /// hide it.
    ///
    /// # Errors
    /// Malformed, for the first text an ONNX model has no answer for: it gives something that is
    /// not a number, or does not run on it. fastText and linear models always have one.
    pub fn probabilities(
        &self,
        documents: &[&str],
        each: &mut dyn FnMut(usize, &[f64]),
    ) -> Result<()> {
        let mut scorer = Scorer::new(self);
        for (document, text) in documents.iter().enumerate() {
            each(document, scorer.score_original(text)?);
        }
        Ok(())
    }

    /// The most probable risk of every document, the first in taxonomy order of equals.
    ///
    /// # Errors
    /// As for [`Self::probabilities`].
    pub fn classify(&self, documents: &[&str]) -> Result<Vec<Class>> {
        let mut classes = Vec::with_capacity(documents.len());
        self.probabilities(documents, &mut |_, probabilities| {
            classes.push(self.class(probabilities));
        })?;
        Ok(classes)
    }

    /// The most probable risk of probabilities in the order of [`Self::risks`].
    pub(crate) fn class(&self, probabilities: &[f64]) -> Class {
        let mut class = Class {
            risk: self.risks[0],
            probability: probabilities[0],
        };
        for (risk, probability) in self.risks.iter().zip(probabilities) {
            if *probability > class.probability {
                class = Class {
                    risk: *risk,
                    probability: *probability,
                };
            }
        }
        class
    }

    fn needs_folding(&self) -> bool {
        match self.kind {
            Kind::Linear(_) => true,
            Kind::FastText(_) => self.metadata.segmentation == Segmentation::Characters,
            Kind::Onnx(_) => false,
        }
    }

    /// Characters of a window, 0 for the whole text.
    fn window(&self) -> usize {
        match (&self.kind, self.metadata.window) {
            (Kind::Onnx(model), 0) => model.most_characters(),
            (Kind::Onnx(model), window) => window.min(model.most_characters()),
            (_, window) => window,
        }
    }

    /// Digest of the taxonomy it was read for.
    pub(crate) fn taxonomy_sha256(&self) -> &str {
        &self.taxonomy_sha256
    }
}

/// Several lines: kind, identity, how texts are cut, labels with what they stand for and their
/// operating points, how it was trained.
impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "model      {}", self.identity)?;
        match &self.kind {
            Kind::FastText(model) => {
                writeln!(f, "kind       {}", model.describe())?;
                let cut = match self.metadata.segmentation {
                    Segmentation::None => "at white space, texts as they are",
                    Segmentation::Characters => "into Han characters and words, texts folded",
                };
                writeln!(f, "cut        {cut}")?;
            }
            Kind::Linear(model) => writeln!(f, "kind       {}", model.describe())?,
            Kind::Onnx(model) => writeln!(f, "kind       {}", model.describe())?,
        }
        match self.metadata.window {
            0 => writeln!(f, "window     the whole text")?,
            window => writeln!(f, "window     {window} characters")?,
        }
        for (label, place) in self.labels().iter().zip(&self.places) {
            match place {
                Some(place) => {
                    let meaning = self.metadata.labels.get(label).unwrap_or(label);
                    let point = self.operating_points[*place];
                    writeln!(f, "label      {label}: {meaning}, meant from {point:.4} on")?;
                }
                None => writeln!(f, "label      {label}: {CLEAN}")?,
            }
        }
        for (name, value) in &self.metadata.training {
            writeln!(f, "training   {name}: {value}")?;
        }
        Ok(())
    }
}

impl Kind {
    fn labels(&self) -> &[String] {
        match self {
            Self::FastText(model) => model.labels(),
            Self::Linear(model) => model.labels(),
            Self::Onnx(model) => model.labels(),
        }
    }
}

/// Asks a model about one text after the other.
pub(crate) struct Scorer<'a> {
    model: &'a Model,
    fasttext: fasttext::Buffers,
    linear: linear::Buffers,
    segmented: String,
    outputs: Vec<f64>,
    window: Vec<f64>,
    risks: Vec<f64>,
}

impl<'a> Scorer<'a> {
    pub(crate) fn new(model: &'a Model) -> Self {
        Self {
            model,
            fasttext: fasttext::Buffers::default(),
            linear: linear::Buffers::default(),
            segmented: String::new(),
            outputs: Vec::new(),
            window: Vec::new(),
            risks: Vec::new(),
        }
    }

    pub(crate) fn model(&self) -> &'a Model {
        self.model
    }

    /// The probabilities for a text as it was written.
    pub(crate) fn score_original(&mut self, text: &str) -> Result<&[f64]> {
        if self.model.needs_folding() {
            self.score(&fold(text))
        } else {
            self.score(text)
        }
    }

    /// The probabilities for a text in the form the model needs.
    fn score(&mut self, text: &str) -> Result<&[f64]> {
        let model = self.model;
        self.risks.clear();
        self.risks.resize(model.risks.len(), 0.0);
        for window in units::windows(text, model.window()) {
            let exclusive = match &model.kind {
                Kind::Linear(linear) => {
                    linear.probabilities(window, &mut self.linear, &mut self.outputs);
                    false
                }
                Kind::FastText(fasttext) => {
                    let line = match model.metadata.segmentation {
                        Segmentation::None => window,
                        Segmentation::Characters => {
                            units::segmented(window, &mut self.segmented);
                            self.segmented.as_str()
                        }
                    };
                    fasttext.probabilities(line, &mut self.fasttext, &mut self.outputs);
                    fasttext.is_exclusive()
                }
                Kind::Onnx(onnx) => {
                    onnx.probabilities(window, &mut self.outputs)
                        .map_err(|message| malformed(&model.identity.uri, "answer", message))?;
                    onnx.is_exclusive()
                }
            };
            // An ONNX model gives more than one answer for a window with too many tokens.
            for outputs in self.outputs.chunks(model.places.len()) {
                self.window.clear();
                self.window.resize(model.risks.len(), 0.0);
                for (place, probability) in model.places.iter().zip(outputs) {
                    if let Some(place) = place {
                        let risk = &mut self.window[*place];
                        *risk = if exclusive {
                            (*risk + probability).min(1.0)
                        } else {
                            risk.max(*probability)
                        };
                    }
                }
                for (risk, probability) in self.risks.iter_mut().zip(&self.window) {
                    *risk = risk.max(*probability);
                }
            }
        }
        Ok(&self.risks)
    }
}

fn trailer_metadata(uri: &str, trailer: &[u8], at: usize) -> Result<ModelMetadata> {
    std::str::from_utf8(trailer)
        .map_err(|error| error.to_string())
        .and_then(|text| toml::from_str(text).map_err(|error| error.message().to_owned()))
        .map_err(|message| malformed(uri, format!("byte {at}, metadata"), message))
}

/// The digest covers the file, and the options when they change what the file says.
fn identity(uri: &str, bytes: &[u8], metadata: &ModelMetadata, options: &ModelOptions) -> Identity {
    let of_file = Identity::of_bytes(uri, metadata.version.clone(), bytes);
    if *options == ModelOptions::default() {
        return of_file;
    }
    let read_with = format!("{}\n{options:?}", of_file.sha256);
    Identity::of_bytes(uri, metadata.version.clone(), read_with.as_bytes())
}

/// The risk of every label; `None` for clean.
fn targets(
    uri: &str,
    labels: &[String],
    metadata: &ModelMetadata,
    options: &ModelOptions,
    taxonomy: &Taxonomy,
) -> Result<Vec<Option<usize>>> {
    let at = |label: &str| format!("label __label__{label}");
    let mut stated: BTreeMap<&str, &str> = metadata
        .labels
        .iter()
        .map(|(label, meaning)| (label.as_str(), meaning.as_str()))
        .collect();
    if let Some(label) = stated
        .keys()
        .find(|label| !labels.iter().any(|known| known == *label))
    {
        return Err(malformed(
            uri,
            at(label),
            format!("the model has no such label; it has {}", labels.join(", ")),
        ));
    }
    if let Some(risk) = &options.risk {
        let is_clean = |label: &String| matches!(label.as_str(), CLEAN | "0");
        let (clean, other): (Vec<&String>, Vec<&String>) =
            labels.iter().partition(|label| is_clean(label));
        let ([clean], [other]) = (clean.as_slice(), other.as_slice()) else {
            return Err(malformed(
                uri,
                "labels",
                format!(
                    "a risk for the whole model needs two labels, one of them '{CLEAN}' or '0'; \
                     it has {}",
                    labels.join(", ")
                ),
            ));
        };
        stated.insert(clean, CLEAN);
        stated.insert(other, risk);
    }
    labels
        .iter()
        .map(|label| {
            let meaning = stated.get(label.as_str()).copied().unwrap_or(label);
            if meaning == CLEAN {
                return Ok(None);
            }
            match taxonomy.index(meaning) {
                Some(risk) => Ok(Some(risk)),
                None => Err(unknown_label(uri, at(label), meaning, taxonomy)),
            }
        })
        .collect()
}

fn unknown_label(uri: &str, at: String, meaning: &str, taxonomy: &Taxonomy) -> ResourceError {
    malformed(
        uri,
        at,
        format!(
            "{}; say which risk id or '{CLEAN}' the label stands for",
            taxonomy.unknown(meaning)
        ),
    )
}

#[cfg(test)]
mod tests;
