//! Judges documents: finds terms in their normal form, drops masked hits, scores risks.

mod findings;
mod score;

use std::fmt;
use std::sync::Arc;

use tamis_resource::{Result, sha256_hex};
use tamis_text::{CharOffsets, Folded};

use crate::lexicon::Lexicon;
use crate::located_toml::malformed;
use crate::matcher::{Matcher, PairGramMatcher};
use crate::taxonomy::Taxonomy;
use crate::thresholds::Thresholds;
use crate::via::{Forms, Via};

use findings::Finding;
use score::scores_by_risk;

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
    /// Weight of the entry, in (0, 1].
    pub weight: f64,
    /// The normal form that found it.
    pub via: Via,
}

/// What a text was found to carry.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// The highest of the scores of all risks, in [0, 1]; 0 without hits. The score of a risk is
    /// 1 - the product over the distinct entries hit of (1 - weight)^k, where k is 1 for one hit
    /// of the entry and one more for each doubling: 2 from two hits on, 3 from four, and so on.
    pub score: f64,
    /// Index of the risk with that score, the first in taxonomy order; `None` without hits.
    pub top_risk: Option<usize>,
    /// Indices of the risks at or above their thresholds, in taxonomy order.
    pub risks: Vec<usize>,
    /// All hits, by start, then end, then risk, then entry.
    pub hits: Vec<Hit>,
}

/// Judges texts by a taxonomy, a lexicon and thresholds.
///
/// The answer for a text depends on that text and these three alone, never on the batch it
/// comes in.
pub struct Judge {
    taxonomy: Arc<Taxonomy>,
    lexicon: Arc<Lexicon>,
    thresholds: Arc<Thresholds>,
    digest: String,
    matcher: Box<dyn Matcher>,
}

impl Judge {
    /// A judge with the default matcher.
    ///
    /// # Errors
    /// Malformed when lexicon or thresholds were read for another taxonomy, or the lexicon is too
    /// large for the matcher.
    pub fn new(
        taxonomy: Arc<Taxonomy>,
        lexicon: Arc<Lexicon>,
        thresholds: Arc<Thresholds>,
    ) -> Result<Self> {
        Self::with_matcher(taxonomy, lexicon, thresholds, |patterns| {
            PairGramMatcher::new(patterns).map(|matcher| Box::new(matcher) as _)
        })
    }

    /// A judge with a matcher of choice, built from the distinct folded terms of the lexicon.
    ///
    /// # Errors
    /// As for [`Self::new`]; the message `matcher` gives names the lexicon.
    pub fn with_matcher(
        taxonomy: Arc<Taxonomy>,
        lexicon: Arc<Lexicon>,
        thresholds: Arc<Thresholds>,
        matcher: impl FnOnce(&[&str]) -> Result<Box<dyn Matcher>, String>,
    ) -> Result<Self> {
        for (identity, taxonomy_sha256) in [
            (lexicon.identity(), lexicon.taxonomy_sha256()),
            (thresholds.identity(), thresholds.taxonomy_sha256()),
        ] {
            if taxonomy_sha256 != taxonomy.identity().sha256 {
                return Err(malformed(
                    &identity.uri,
                    "risk ids",
                    format!(
                        "read for another taxonomy than {}, read it again for this one",
                        taxonomy.identity()
                    ),
                ));
            }
        }
        let patterns: Vec<&str> = lexicon
            .patterns()
            .iter()
            .map(|pattern| pattern.text.as_str())
            .collect();
        let matcher = matcher(&patterns).map_err(|message| {
            malformed(
                &lexicon.identity().uri,
                format!("all {} terms", patterns.len()),
                message,
            )
        })?;
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
            matcher,
        })
    }

    /// SHA-256 over the digests of taxonomy, lexicon and thresholds, 64 lower-case hexadecimal
    /// digits: judges with the same digest give the same answers.
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

    /// Gives `each` the assessment of every document, in order, with its position.
    pub fn assess(&self, documents: &[&str], each: &mut dyn FnMut(usize, Assessment)) {
        self.find(documents, false, &mut |document, folded, findings| {
            let scores = self.scores_of(findings);
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
                hits: self.hits(folded, findings),
            };
            each(document, assessment);
        });
    }

    /// The harm score of every document, as in [`Assessment::score`].
    pub fn scores(&self, documents: &[&str]) -> Vec<f64> {
        let mut all = vec![0.0; documents.len()];
        self.find(documents, false, &mut |document, _, findings| {
            all[document] = highest(&self.scores_of(findings));
        });
        all
    }

    /// Whether each document is harmful: with a threshold, its score reaches it; without, some
    /// risk reaches its own, so [`Assessment::risks`] is not empty.
    pub fn is_harmful(&self, documents: &[&str], threshold: Option<f64>) -> Vec<bool> {
        // A document without any term scores 0.
        let without_terms = threshold.is_some_and(|threshold| threshold <= 0.0);
        let mut all = vec![without_terms; documents.len()];
        self.find(documents, true, &mut |document, _, findings| {
            let scores = self.scores_of(findings);
            all[document] = match threshold {
                Some(threshold) => highest(&scores) >= threshold,
                None => self.reached(&scores).next().is_some(),
            };
        });
        all
    }

    /// The score of every risk; empty without findings.
    fn scores_of(&self, findings: &[Finding]) -> Vec<f64> {
        if findings.is_empty() {
            return Vec::new();
        }
        let entries = findings.iter().map(|finding| finding.entry).collect();
        scores_by_risk(entries, self.lexicon.rules(), self.taxonomy.risks().len())
    }

    fn reached<'a>(&'a self, scores: &'a [f64]) -> impl Iterator<Item = usize> + 'a {
        scores
            .iter()
            .enumerate()
            .filter(|(risk, score)| **score >= self.thresholds.get(*risk))
            .map(|(risk, _)| risk)
    }

    fn hits(&self, folded: &Folded<'_>, findings: &[Finding]) -> Vec<Hit> {
        let text = folded.original();
        // Findings ascend by start, so each of the two reads the text about once.
        let (mut starts, mut ends) = (CharOffsets::new(text), CharOffsets::new(text));
        let mut hits: Vec<Hit> = findings
            .iter()
            .filter_map(|finding| {
                let rule = &self.lexicon.rules()[finding.entry];
                let (start, end) = folded.original_span(finding.start, finding.end);
                let term = &self.lexicon.entries()[finding.entry].term;
                Some(Hit {
                    risk: rule.risk?,
                    entry: finding.entry,
                    start: starts.at(start),
                    end: ends.at(end),
                    weight: rule.weight,
                    via: Forms::between(&text[start..end], term).name(),
                })
            })
            .collect();
        hits.sort_by_key(|hit| (hit.start, hit.end, hit.risk, hit.entry));
        hits
    }
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
            .field("matcher", &self.matcher)
            .finish()
    }
}

#[cfg(test)]
mod tests;
