//! Judges documents: finds terms in their normal form, drops masked hits, scores risks.

mod findings;
mod score;

use std::fmt;
use std::sync::{Arc, OnceLock};

use tamis_resource::{Identity, ResourceError, Result, sha256_hex};
use tamis_text::CharOffsets;

use crate::evasion::{Evasion, View};
use crate::lexicon::Lexicon;
use crate::located_toml::malformed;
use crate::matcher::{Matcher, PairGramMatcher};
use crate::model::{Class, Model, Scorer};
use crate::taxonomy::Taxonomy;
use crate::thresholds::Thresholds;
use crate::via::{Forms, Via};

use findings::Finding;
use score::{WEAK_PART, add_model, scores_by_risk};

/// A term found in a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Index of the risk in the taxonomy.
    pub risk: usize,
    /// Index of the entry in the lexicon.
    pub entry: usize,
    /// Where it starts, in characters of the original text.
    pub start: usize,
    /// Where it ends, in characters of the original text, exclusive.
    pub end: usize,
    /// Weight of the entry, in (0, 1]; half of it where only its sound was found.
    pub weight: f64,
    /// The normal form that found it.
    pub via: Via,
}

/// What a text was found to carry.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// The highest of the scores of all risks, in [0, 1]; 0 without any evidence.
    ///
    /// The score of a risk is 1 - (1 - e) x the product over the distinct entries hit of
    /// (1 - weight)^k. Here k is 1 for an entry hit once and one more for each doubling: 2 from two
    /// hits on, 3 from four, and so on, where texts over 1,000 characters count the hits for each
    /// 1,000 characters begun. And e is the evidence of the classifier, 0 without one: 0.5 x p / o
    /// for a probability p below its operating point o, else 0.5 + 0.5 x (p - o) / (1 - o), so
    /// that a threshold of 0.5 means what the classifier means. More hits, heavier entries and a
    /// higher probability never lower a score.
    pub score: f64,
    /// Index of the risk with that score, the first in taxonomy order; `None` when it is 0.
    pub top_risk: Option<usize>,
    /// Indices of the risks at or above their thresholds, in taxonomy order.
    pub risks: Vec<usize>,
    /// All hits, by start, then end, then risk, then entry.
    pub hits: Vec<Hit>,
    /// The risk the classifier finds most probable; `None` without a classifier.
    pub model: Option<Class>,
}

/// The score of every risk, none without evidence; and what the classifier says.
type Scores = (Vec<f64>, Option<Class>);

/// What finds the terms of a lexicon.
struct Search {
    evasion: Evasion,
    matcher: Box<dyn Matcher>,
}

impl Search {
    fn new(
        lexicon: &Lexicon,
        matcher: impl FnOnce(&[&str]) -> Result<Box<dyn Matcher>, String>,
    ) -> Result<Self, String> {
        let evasion = Evasion::new(lexicon);
        let matcher = matcher(&evasion.anchors())?;
        Ok(Self { evasion, matcher })
    }
}

/// Judges texts by a taxonomy, a lexicon, thresholds and, if there is one, a classifier.
///
/// The answer for a text depends on that text and these alone, never on the batch it comes in.
pub struct Judge {
    taxonomy: Arc<Taxonomy>,
    lexicon: Arc<Lexicon>,
    thresholds: Arc<Thresholds>,
    digest: String,
    search: OnceLock<Result<Search, String>>,
    model: Option<Arc<Model>>,
}

impl Judge {
    /// A judge with the default matcher, which is built when the first text is judged.
    ///
    /// # Errors
    /// Malformed when lexicon or thresholds were read for another taxonomy.
    pub fn new(
        taxonomy: Arc<Taxonomy>,
        lexicon: Arc<Lexicon>,
        thresholds: Arc<Thresholds>,
    ) -> Result<Self> {
        for (identity, taxonomy_sha256) in [
            (lexicon.identity(), lexicon.taxonomy_sha256()),
            (thresholds.identity(), thresholds.taxonomy_sha256()),
        ] {
            if taxonomy_sha256 != taxonomy.identity().sha256 {
                return Err(other_taxonomy(identity, &taxonomy));
            }
        }
        let digests = [
            &taxonomy.identity().sha256,
            &lexicon.identity().sha256,
            &thresholds.identity().sha256,
        ];
        let digest = sha256_hex(digests.map(String::as_str).join("\n").as_bytes());
        Ok(Self {
            taxonomy,
            lexicon,
            thresholds,
            digest,
            search: OnceLock::new(),
            model: None,
        })
    }

    /// A judge with a matcher of choice, built from byte strings that stand for the terms of
    /// the lexicon: each is a term or a part of one, in one of the ways plain texts write it.
    ///
    /// # Errors
    /// As for [`Self::new`], and with the message `matcher` gives.
    pub fn with_matcher(
        taxonomy: Arc<Taxonomy>,
        lexicon: Arc<Lexicon>,
        thresholds: Arc<Thresholds>,
        matcher: impl FnOnce(&[&str]) -> Result<Box<dyn Matcher>, String>,
    ) -> Result<Self> {
        let judge = Self::new(taxonomy, lexicon, thresholds)?;
        let search = Search::new(&judge.lexicon, matcher);
        judge.search.get_or_init(|| search);
        judge.prepare()?;
        Ok(judge)
    }

    /// Builds the matcher, which else the first text has to wait for.
    ///
    /// # Errors
    /// Malformed when the lexicon is too large for the matcher.
    pub fn prepare(&self) -> Result<()> {
        self.search().map(|_| ())
    }

    /// What finds the terms, built if it is not yet.
    fn search(&self) -> Result<&Search> {
        let search = self.search.get_or_init(|| {
            Search::new(&self.lexicon, |patterns| {
                PairGramMatcher::new(patterns).map(|matcher| Box::new(matcher) as _)
            })
        });
        search.as_ref().map_err(|message| {
            malformed(
                &self.lexicon.identity().uri,
                format!("all {} terms", self.lexicon.patterns().len()),
                message.clone(),
            )
        })
    }

    /// The judge with a classifier besides.
    ///
    /// # Errors
    /// Malformed when the model was read for another taxonomy.
    pub fn with_model(mut self, model: Arc<Model>) -> Result<Self> {
        if model.taxonomy_sha256() != self.taxonomy.identity().sha256 {
            return Err(other_taxonomy(model.identity(), &self.taxonomy));
        }
        let digests = format!("{}\n{}", self.digest, model.identity().sha256);
        self.digest = sha256_hex(digests.as_bytes());
        self.model = Some(model);
        Ok(self)
    }

    /// SHA-256 over the digests of taxonomy, lexicon, thresholds and model, 64 lower-case
    /// hexadecimal digits: judges with the same digest give the same answers.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The risks judged by.
    pub fn taxonomy(&self) -> &Arc<Taxonomy> {
        &self.taxonomy
    }

    /// The lexicon judged by.
    pub fn lexicon(&self) -> &Arc<Lexicon> {
        &self.lexicon
    }

    /// The thresholds judged by.
    pub fn thresholds(&self) -> &Arc<Thresholds> {
        &self.thresholds
    }

    /// The classifier; `None` when there is none.
    pub fn model(&self) -> Option<&Arc<Model>> {
        self.model.as_ref()
    }

    /// Gives `each` the assessment of every document, in order, with its position.
    ///
    /// # Errors
    /// When the classifier has no answer for a text, see [`Model::probabilities`]: `each` is not
    /// called for that text and those behind it. Malformed, before any text, when the lexicon is too
    /// large for the matcher.
    pub fn assess(
        &self,
        documents: &[&str],
        each: &mut dyn FnMut(usize, Assessment),
    ) -> Result<()> {
        self.each_scored(documents, false, |document, view, findings, found| {
            let (scores, model) = found;
            // Equal scores: the later one loses.
            let top = scores
                .iter()
                .enumerate()
                .rev()
                .max_by(|left, right| left.1.total_cmp(right.1))
                .filter(|(_, score)| **score > 0.0);
            let assessment = Assessment {
                score: top.map_or(0.0, |(_, score)| *score),
                top_risk: top.map(|(risk, _)| risk),
                risks: self.reached(&scores).collect(),
                hits: self.hits(view, findings),
                model,
            };
            each(document, assessment);
        })
    }

    /// The harm score of every document, as in [`Assessment::score`].
    ///
    /// # Errors
    /// As for [`Self::assess`].
    pub fn scores(&self, documents: &[&str]) -> Result<Vec<f64>> {
        let mut all = vec![0.0; documents.len()];
        self.risk_scores(documents, &mut |document, scores| {
            all[document] = highest(scores);
        })?;
        Ok(all)
    }

    /// Gives `each` the score of every risk in every document, in order, with its position; no
    /// scores at all for a document without any evidence.
    ///
    /// # Errors
    /// As for [`Self::assess`].
    pub fn risk_scores(
        &self,
        documents: &[&str],
        each: &mut dyn FnMut(usize, &[f64]),
    ) -> Result<()> {
        self.each_scored(documents, false, |document, _, _, (scores, _)| {
            each(document, &scores);
        })
    }

    /// Whether each document is harmful: with a threshold, its score reaches it; without, some
    /// risk reaches its own, so [`Assessment::risks`] is not empty.
    ///
    /// # Errors
    /// As for [`Self::assess`].
    pub fn is_harmful(&self, documents: &[&str], threshold: Option<f64>) -> Result<Vec<bool>> {
        // A document without any term scores 0, unless there is a classifier.
        let without_terms = threshold.is_some_and(|threshold| threshold <= 0.0);
        let mut all = vec![without_terms; documents.len()];
        let only_found = self.model.is_none();
        self.each_scored(documents, only_found, |document, _, _, (scores, _)| {
            all[document] = match threshold {
                Some(threshold) => highest(&scores) >= threshold,
                None => self.reached(&scores).next().is_some(),
            };
        })?;
        Ok(all)
    }

    /// Gives `each` the documents with their findings and what [`Self::scores_of`] makes of them,
    /// up to the first text the classifier has no answer for.
    fn each_scored(
        &self,
        documents: &[&str],
        only_found: bool,
        mut each: impl FnMut(usize, &View<'_>, &[Finding], Scores),
    ) -> Result<()> {
        let mut scorer = self.model.as_deref().map(Scorer::new);
        let mut outcome = Ok(());
        let search = self.search()?;
        self.find(
            search,
            documents,
            only_found,
            &mut |document, view, findings| {
                if outcome.is_err() {
                    return;
                }
                match self.scores_of(view, findings, &mut scorer) {
                    Ok(scores) => each(document, view, findings, scores),
                    Err(error) => outcome = Err(error),
                }
            },
        );
        outcome
    }

    /// The score of every risk, none without findings and classifier; and what the classifier
    /// says.
    fn scores_of(
        &self,
        view: &View<'_>,
        findings: &[Finding],
        scorer: &mut Option<Scorer<'_>>,
    ) -> Result<Scores> {
        if findings.is_empty() && scorer.is_none() {
            return Ok((Vec::new(), None));
        }
        let entries = findings
            .iter()
            .map(|finding| (finding.entry, finding.forms.is_weak()))
            .collect();
        let risks = self.taxonomy.risks().len();
        let characters = || view.original().chars().count();
        let mut scores = scores_by_risk(entries, self.lexicon.rules(), risks, characters);
        let class = match scorer {
            Some(scorer) => {
                let model = scorer.model();
                let probabilities = scorer.score_original(view.original())?;
                add_model(&mut scores, model, probabilities);
                Some(model.class(probabilities))
            }
            None => None,
        };
        Ok((scores, class))
    }

    fn reached<'a>(&'a self, scores: &'a [f64]) -> impl Iterator<Item = usize> + 'a {
        scores
            .iter()
            .enumerate()
            .filter(|(risk, score)| **score >= self.thresholds.get(*risk))
            .map(|(risk, _)| risk)
    }

    fn hits(&self, view: &View<'_>, findings: &[Finding]) -> Vec<Hit> {
        let text = view.original();
        // Findings ascend by start, so the text is read about once, and each span once more.
        let mut offsets = CharOffsets::new(text);
        let mut hits: Vec<Hit> = findings
            .iter()
            .filter_map(|finding| {
                let rule = &self.lexicon.rules()[finding.entry];
                let (start, end) = view.original_span(finding.start, finding.end);
                let term = &self.lexicon.entries()[finding.entry].term;
                let first = offsets.at(start);
                Some(Hit {
                    risk: rule.risk?,
                    entry: finding.entry,
                    start: first,
                    end: first + text[start..end].chars().count(),
                    weight: if finding.forms.is_weak() {
                        WEAK_PART * rule.weight
                    } else {
                        rule.weight
                    },
                    via: Forms::between(&text[start..end], term, finding.forms).name(),
                })
            })
            .collect();
        hits.sort_by_key(|hit| (hit.start, hit.end, hit.risk, hit.entry));
        hits
    }
}

fn other_taxonomy(identity: &Identity, taxonomy: &Taxonomy) -> ResourceError {
    malformed(
        &identity.uri,
        "risk ids",
        format!(
            "read for another taxonomy than {}, read it again for this one",
            taxonomy.identity()
        ),
    )
}

fn highest(scores: &[f64]) -> f64 {
    scores.iter().copied().fold(0.0, f64::max)
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge")
            .field("taxonomy", self.taxonomy.identity())
            .field("lexicon", self.lexicon.identity())
            .field("thresholds", self.thresholds.identity())
            .field(
                "matcher",
                &self
                    .search
                    .get()
                    .map(|search| search.as_ref().map(|search| &search.matcher)),
            )
            .field("model", &self.model.as_deref().map(Model::identity))
            .finish()
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod model_tests;
