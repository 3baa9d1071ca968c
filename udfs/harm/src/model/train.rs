//! Training our linear models.

mod logistic;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::ops::ControlFlow;

use tamis_resource::Result;
use tamis_text::fold;

use super::fasttext::sigmoid;
use super::features::{MAX_NGRAM, each_ngram};
use super::linear::{self, Header, Weights};
use super::{Model, ModelMetadata, ModelOptions, Segmentation};
use crate::evaluation::{Confusion, Curve, ScoredText};
use crate::located_toml::malformed;
use crate::taxonomy::Taxonomy;

use logistic::{Problem, Rows};

/// A text with the risks it is known to carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledText {
    /// The text.
    pub text: String,
    /// Indices of its risks in the taxonomy; empty for a clean text.
    pub risks: Vec<usize>,
}

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOptions {
    /// Units in the longest n-gram, 1 to 8.
    pub ngrams: usize,
    /// In how many texts an n-gram must stand to be learnt.
    pub least_texts: u32,
    /// What a wrong text costs against large weights: more follows the texts more closely.
    pub cost: f64,
    /// Added to every count behind the log-ratios, above 0.
    pub smoothing: f64,
    /// Parts for cross-validation, 2 to 20.
    pub folds: usize,
    /// Decides which text falls into which part.
    pub seed: u64,
    /// Steps of the optimiser, at most.
    pub most_steps: usize,
    /// Characters of a window, see [`ModelMetadata::window`].
    pub window: usize,
    /// Version the model states.
    pub version: String,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            ngrams: 4,
            least_texts: 2,
            cost: 0.2,
            smoothing: 1.0,
            folds: 5,
            seed: 1,
            most_steps: 100,
            window: 256,
            version: String::new(),
        }
    }
}

/// How far training is: step `done` of `total` has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrainProgress {
    /// Regressions solved.
    pub done: usize,
    /// Regressions to solve: for every risk one for each part and one for all.
    pub total: usize,
}

/// A trained model and what is known of it.
pub struct Trained {
    /// The file of the model, for [`Model::from_bytes`].
    pub bytes: Vec<u8>,
    /// The model of that file.
    pub model: Model,
    /// What was learnt from, and how well.
    pub report: TrainReport,
}

impl fmt::Debug for Trained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trained")
            .field("bytes", &self.bytes.len())
            .field("model", &self.model)
            .field("report", &self.report)
            .finish()
    }
}

/// What a model was trained on, and how it does on the parts it was not trained on.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainReport {
    /// Texts given.
    pub given: usize,
    /// Texts left out since they also stand in the held-out set, in normal form and without white
    /// space.
    pub held_out: usize,
    /// Texts left out since an equal one with the same risks was there before.
    pub repeated: usize,
    /// Texts kept though an equal one has other risks.
    pub contradicting: usize,
    /// Texts learnt from.
    pub used: usize,
    /// N-grams learnt.
    pub features: usize,
    /// For every risk learnt: its id and how cross-validation went.
    pub risks: Vec<(String, RiskReport)>,
}

/// How cross-validation went for one risk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RiskReport {
    /// Texts with the risk.
    pub positives: usize,
    /// The probability with the best F1 in cross-validation.
    pub operating_point: f64,
    /// Counts at that probability.
    pub confusion: Confusion,
    /// Area under the curve of precision over recall.
    pub average_precision: f64,
}

impl fmt::Display for TrainReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} texts given, {} also held out, {} repeated, {} contradicting; {} used, {} n-grams",
            self.given, self.held_out, self.repeated, self.contradicting, self.used, self.features
        )?;
        for (id, risk) in &self.risks {
            writeln!(
                f,
                "{id}: {} texts; cross-validated at {:.4}: {}; average precision {:.4}",
                risk.positives, risk.operating_point, risk.confusion, risk.average_precision
            )?;
        }
        Ok(())
    }
}

/// Trains a linear model: for every risk that occurs, a logistic regression over the n-grams of a
/// text (each counted once), scaled by the log-ratio of their frequency with and without the risk
/// (Wang and Manning 2012), solved by L-BFGS. Probabilities are made honest by a logistic curve
/// through the cross-validated ones (Platt 1999), and the operating point is the probability with
/// the best F1 there.
///
/// The same texts in the same order and the same options give the same bytes. Texts equal to one
/// of `held_out` in normal form without white space are not learnt from, and equal texts never
/// stand in two parts of the cross-validation. `progress` is told of every regression solved and
/// may end the training by a break.
///
/// # Errors
/// Malformed, under the name `training data`: when an option is out of its range, a risk is not
/// in the taxonomy, a risk has fewer than two texts or fewer than two are without it, or
/// `progress` broke off.
pub fn train(
    texts: &[LabelledText],
    held_out: &[&str],
    taxonomy: &Taxonomy,
    options: &TrainOptions,
    progress: &mut dyn FnMut(TrainProgress) -> ControlFlow<()>,
) -> Result<Trained> {
    check(options)?;
    let mut report = TrainReport {
        given: texts.len(),
        held_out: 0,
        repeated: 0,
        contradicting: 0,
        used: 0,
        features: 0,
        risks: Vec::new(),
    };
    let chosen = choose(texts, held_out, options, &mut report);
    let risks = risks_of(texts, &chosen, taxonomy)?;
    let (hashes, rows) = features(texts, &chosen, options);
    (report.used, report.features) = (chosen.len(), hashes.len());

    let mut done = 0;
    let total = risks.len() * (options.folds + 1);
    let mut solved = || {
        done += 1;
        match progress(TrainProgress { done, total }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(wrong("progress", "training was broken off")),
        }
    };
    let mut outputs = Vec::new();
    for &risk in &risks {
        let positive: Vec<bool> = chosen
            .iter()
            .map(|choice| texts[choice.text].risks.contains(&risk))
            .collect();
        let learnt = learn(
            &rows,
            &chosen,
            &positive,
            hashes.len(),
            options,
            &mut solved,
        )?;
        outputs.push(learnt.weights);
        let id = taxonomy.risks()[risk].id.clone();
        report.risks.push((id, learnt.report));
    }
    let bytes = file(&hashes, &outputs, &report, options);
    let model = Model::from_bytes("trained model", &bytes, taxonomy, &ModelOptions::default())?;
    Ok(Trained {
        bytes,
        model,
        report,
    })
}

fn wrong(place: &str, message: impl Into<String>) -> tamis_resource::ResourceError {
    malformed("training data", place, message)
}

fn check(options: &TrainOptions) -> Result<()> {
    let range = |name: &str, fits: bool, range: &str| match fits {
        true => Ok(()),
        false => Err(wrong(&format!("option {name}"), format!("must be {range}"))),
    };
    range(
        "ngrams",
        (1..=MAX_NGRAM).contains(&options.ngrams),
        "1 to 8",
    )?;
    range("folds", (2..=20).contains(&options.folds), "2 to 20")?;
    range("cost", options.cost > 0.0 && options.cost < 1e6, "above 0")?;
    let smoothing = options.smoothing;
    range("smoothing", smoothing > 0.0 && smoothing < 1e6, "above 0")
}

/// A text to learn from, and its part of the cross-validation.
struct Choice {
    text: usize,
    fold: usize,
}

/// What makes two texts the same: their normal form without white space.
pub(crate) fn sameness(text: &str) -> String {
    fold(text).split_whitespace().collect()
}

fn choose(
    texts: &[LabelledText],
    held_out: &[&str],
    options: &TrainOptions,
    report: &mut TrainReport,
) -> Vec<Choice> {
    let held_out: HashSet<String> = held_out.iter().map(|text| sameness(text)).collect();
    let mut seen: HashMap<String, Vec<Vec<usize>>> = HashMap::new();
    let mut chosen = Vec::new();
    for (text, labelled) in texts.iter().enumerate() {
        let same = sameness(&labelled.text);
        if held_out.contains(&same) {
            report.held_out += 1;
            continue;
        }
        let fold = part(&same, options);
        let mut risks = labelled.risks.clone();
        risks.sort_unstable();
        risks.dedup();
        let before = seen.entry(same).or_default();
        if before.contains(&risks) {
            report.repeated += 1;
            continue;
        }
        if !before.is_empty() {
            report.contradicting += 1;
        }
        before.push(risks);
        chosen.push(Choice { text, fold });
    }
    chosen
}

/// The part a text falls into, by its content: FNV-1a over it, started by the seed.
fn part(text: &str, options: &TrainOptions) -> usize {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325 ^ options.seed, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    ((hash >> 32) % options.folds as u64) as usize
}

fn risks_of(texts: &[LabelledText], chosen: &[Choice], taxonomy: &Taxonomy) -> Result<Vec<usize>> {
    let mut counts = BTreeMap::new();
    for choice in chosen {
        let risks: HashSet<usize> = texts[choice.text].risks.iter().copied().collect();
        for risk in risks {
            if risk >= taxonomy.risks().len() {
                return Err(wrong(
                    &format!("text {}", choice.text + 1),
                    format!("there is no risk number {risk} in the taxonomy"),
                ));
            }
            *counts.entry(risk).or_insert(0) += 1;
        }
    }
    if counts.is_empty() {
        return Err(wrong("labels", "no text carries a risk"));
    }
    for (risk, count) in &counts {
        if *count < 2 || chosen.len() - *count < 2 {
            return Err(wrong(
                &format!("risk {}", taxonomy.risks()[*risk].id),
                format!(
                    "{count} of {} texts carry it; two with and two without are the least",
                    chosen.len()
                ),
            ));
        }
    }
    Ok(counts.into_keys().collect())
}

/// The n-grams to learn, ascending, and those of every chosen text as places among them.
fn features(texts: &[LabelledText], chosen: &[Choice], options: &TrainOptions) -> (Vec<u64>, Rows) {
    let mut own = Vec::new();
    let mut ngrams_of = |choice: &Choice, each: &mut dyn FnMut(&[u64])| {
        own.clear();
        let text = fold(&texts[choice.text].text);
        each_ngram(&text, options.ngrams, |hash| own.push(hash));
        own.sort_unstable();
        own.dedup();
        each(&own);
    };
    let mut counts: HashMap<u64, u32> = HashMap::new();
    for choice in chosen {
        ngrams_of(choice, &mut |hashes| {
            for hash in hashes {
                *counts.entry(*hash).or_insert(0) += 1;
            }
        });
    }
    let mut hashes: Vec<u64> = counts
        .into_iter()
        .filter(|(_, count)| *count >= options.least_texts)
        .map(|(hash, _)| hash)
        .collect();
    hashes.sort_unstable();
    let places: HashMap<u64, u32> = hashes.iter().copied().zip(0..).collect();
    let mut rows = Rows::default();
    for choice in chosen {
        ngrams_of(choice, &mut |hashes| {
            rows.push(hashes.iter().filter_map(|hash| places.get(hash).copied()));
        });
    }
    (hashes, rows)
}

struct Learnt {
    /// The weights, then the bias.
    weights: Vec<f64>,
    report: RiskReport,
}

fn learn(
    rows: &Rows,
    chosen: &[Choice],
    positive: &[bool],
    features: usize,
    options: &TrainOptions,
    solved: &mut dyn FnMut() -> Result<()>,
) -> Result<Learnt> {
    let solve = |learn_from: &[usize]| {
        let scales = log_ratios(rows, learn_from, positive, features, options.smoothing);
        Problem {
            rows,
            chosen: learn_from,
            positive,
            scales: &scales,
            cost: options.cost,
        }
        .solve(options.most_steps)
    };
    let sum = |weights: &[f64], row: usize| {
        let features_sum: f64 = rows.row(row).iter().map(|at| weights[*at as usize]).sum();
        features_sum + weights[features]
    };
    let mut sums = vec![0.0; rows.len()];
    for fold in 0..options.folds {
        let (inside, outside): (Vec<usize>, Vec<usize>) =
            (0..rows.len()).partition(|row| chosen[*row].fold == fold);
        let weights = solve(&outside);
        for row in inside {
            sums[row] = sum(&weights, row);
        }
        solved()?;
    }
    let (slope, offset) = platt(&sums, positive);
    let scored: Vec<ScoredText> = sums
        .iter()
        .zip(positive)
        .map(|(sum, positive)| ScoredText {
            score: sigmoid(slope * sum + offset),
            positive: *positive,
        })
        .collect();
    let curve = Curve::new(&scored);
    let best = curve.best_f1();
    let operating_point = best.threshold.clamp(0.01, 0.99);
    let all: Vec<usize> = (0..rows.len()).collect();
    let mut weights = solve(&all);
    weights.iter_mut().for_each(|weight| *weight *= slope);
    weights[features] += offset;
    solved()?;
    Ok(Learnt {
        weights,
        report: RiskReport {
            positives: positive.iter().filter(|positive| **positive).count(),
            operating_point,
            confusion: Confusion::at(&scored, operating_point),
            average_precision: curve.average_precision(),
        },
    })
}

/// The logarithm of how much more frequent each feature is among positive rows than among others.
fn log_ratios(
    rows: &Rows,
    chosen: &[usize],
    positive: &[bool],
    features: usize,
    smoothing: f64,
) -> Vec<f64> {
    let mut counts = vec![[smoothing; 2]; features];
    for &row in chosen {
        let side = usize::from(positive[row]);
        for &feature in rows.row(row) {
            counts[feature as usize][side] += 1.0;
        }
    }
    let totals = counts.iter().fold([0.0; 2], |total, count| {
        [total[0] + count[0], total[1] + count[1]]
    });
    counts
        .iter()
        .map(|count| libm::log((count[1] / totals[1]) / (count[0] / totals[0])))
        .collect()
}

/// Slope and offset of the logistic curve through the sums: a regression with one feature, by
/// Newton's method, with the targets Platt softens by the counts.
fn platt(sums: &[f64], positive: &[bool]) -> (f64, f64) {
    let positives = positive.iter().filter(|positive| **positive).count() as f64;
    let negatives = sums.len() as f64 - positives;
    let targets = [
        1.0 / (negatives + 2.0),
        (positives + 1.0) / (positives + 2.0),
    ];
    let (mut slope, mut offset) = (1.0, 0.0);
    for _ in 0..50 {
        // Gradient and Hessian, with a little on the diagonal against a flat curve.
        let (mut by_slope, mut by_offset) = (0.0, 0.0);
        let (mut aa, mut ab, mut bb) = (1e-6, 0.0, 1e-6);
        for (sum, positive) in sums.iter().zip(positive) {
            let probability = sigmoid(slope * sum + offset);
            let error = probability - targets[usize::from(*positive)];
            let spread = probability * (1.0 - probability);
            by_slope += error * sum;
            by_offset += error;
            aa += spread * sum * sum;
            ab += spread * sum;
            bb += spread;
        }
        let determinant = aa * bb - ab * ab;
        if determinant <= 0.0 {
            break;
        }
        let step = (
            (bb * by_slope - ab * by_offset) / determinant,
            (aa * by_offset - ab * by_slope) / determinant,
        );
        // Half steps keep the curve from overshooting where it is flat.
        let length = step.0.abs().max(step.1.abs());
        let share = if length > 1.0 { 1.0 / length } else { 1.0 };
        slope -= share * step.0;
        offset -= share * step.1;
        if length < 1e-9 {
            break;
        }
    }
    // A curve that falls would turn the order of texts around: cross-validation learnt nothing.
    (slope.max(1e-3), offset)
}

/// Features that weigh nothing after rounding are left out.
fn file(
    hashes: &[u64],
    outputs: &[Vec<f64>],
    report: &TrainReport,
    options: &TrainOptions,
) -> Vec<u8> {
    let mut weights = Weights {
        hashes: Vec::new(),
        weights: Vec::new(),
        biases: outputs.iter().map(|output| output[hashes.len()]).collect(),
    };
    for (place, hash) in hashes.iter().enumerate() {
        let row = || outputs.iter().map(|output| output[place] as f32);
        if row().any(|weight| weight != 0.0) {
            weights.hashes.push(*hash);
            weights.weights.extend(row());
        }
    }
    let mut training = BTreeMap::from([
        (
            "texts".to_owned(),
            report
                .to_string()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned(),
        ),
        (
            "options".to_owned(),
            format!(
                "cost {}, smoothing {}, least texts {}, folds {}, seed {}, steps {}",
                options.cost,
                options.smoothing,
                options.least_texts,
                options.folds,
                options.seed,
                options.most_steps
            ),
        ),
    ]);
    for (id, risk) in &report.risks {
        training.insert(
            format!("cross-validation {id}"),
            format!(
                "{}, average precision {:.4}",
                risk.confusion, risk.average_precision
            ),
        );
    }
    let metadata = ModelMetadata {
        version: options.version.clone(),
        segmentation: Segmentation::Characters,
        window: options.window,
        labels: BTreeMap::new(),
        operating_points: report
            .risks
            .iter()
            .map(|(id, risk)| (id.clone(), risk.operating_point))
            .collect(),
        training,
    };
    let header = Header {
        ngrams: options.ngrams,
        outputs: report.risks.iter().map(|(id, _)| id.clone()).collect(),
        metadata,
    };
    linear::write(&header, &weights)
}

#[cfg(test)]
mod tests;
