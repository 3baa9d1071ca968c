//! Lexicons: harmful acts and phrases by risk, and innocent words that mask them.

mod builtin;
mod check;
mod csv;
mod date;
mod diff;
mod entry;
mod explain;
mod import;
mod layers;
mod ndjson;
mod rules;

use std::collections::{HashMap, HashSet};

use tamis_resource::{Identity, Result};
use tamis_text::fold;

use crate::located_toml::malformed;
use crate::taxonomy::Taxonomy;
use crate::via::{Forms, Via};

pub use check::{
    CheckFinding, CheckKind, CheckOptions, LexiconCheck, RiskCount, Sample, check_lexicon,
};
pub use csv::parse_lexicon_csv;
pub use date::{day_of_date, lexicon_updated};
pub use diff::{ChangedEntry, Impact, LexiconDiff, Verdict, diff_lexicons, impact};
pub use entry::{ALLOW, Entry, LEXICON_COLUMNS, MatchKind};
pub use explain::{ExplainedHit, Explainer, Explanation, Segment};
pub use import::{
    CategoryMap, EntryDefaults, Imported, parse_categorised, parse_word_list, write_lexicon_csv,
};
pub use layers::Layer;
pub use ndjson::parse_lexicon_ndjson;
pub use rules::{LexiconRules, Limit};

/// A checked lexicon, resolved against a taxonomy.
#[derive(Debug)]
pub struct Lexicon {
    identity: Identity,
    taxonomy_sha256: String,
    entries: Vec<Entry>,
    places: Vec<String>,
    rules: Vec<Rule>,
    patterns: Vec<Pattern>,
}

/// What an entry means, in the terms of the judge.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    /// Index in the taxonomy; `None` for an entry that masks.
    pub(crate) risk: Option<usize>,
    pub(crate) weight: f64,
    /// Whether a hit must not cut a word.
    pub(crate) whole_words: bool,
    /// The forms in which a text may differ from the term.
    pub(crate) forms: Forms,
}

/// A folded term and the entries that share it.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) text: String,
    /// Indices of entries, ascending.
    pub(crate) entries: Vec<usize>,
}

impl Lexicon {
    /// Checks entries, each with its place in the source (`line 3`, `row 12`), and resolves their
    /// risks. White space around a term does not belong to it.
    ///
    /// # Errors
    /// Malformed, naming the place, for a term that is empty or holds only characters that fold
    /// to nothing, an unknown risk, a weight outside (0, 1], an unknown form in `variants`, a
    /// second entry with the same folded term and risk; and for a lexicon that names no harm at
    /// all, since it would clear every text.
    pub fn new(
        identity: Identity,
        entries: Vec<(String, Entry)>,
        taxonomy: &Taxonomy,
    ) -> Result<Self> {
        let lexicon = Self::resolve(identity, entries, taxonomy)?;
        lexicon.names_some_harm()?;
        Ok(lexicon)
    }

    /// As [`Self::new`], but a lexicon that only masks is fine: a layer may.
    fn resolve(
        identity: Identity,
        entries: Vec<(String, Entry)>,
        taxonomy: &Taxonomy,
    ) -> Result<Self> {
        let mut lexicon = Self {
            taxonomy_sha256: taxonomy.identity().sha256.clone(),
            entries: Vec::with_capacity(entries.len()),
            places: Vec::with_capacity(entries.len()),
            rules: Vec::with_capacity(entries.len()),
            patterns: Vec::new(),
            identity,
        };
        let mut pattern_of: HashMap<String, usize> = HashMap::new();
        let mut taken: HashSet<(usize, Option<usize>)> = HashSet::new();
        for (place, mut entry) in entries {
            let uri = &lexicon.identity.uri;
            let wrong = |message: String| malformed(uri, place.as_str(), message);
            entry.term = entry.term.trim().to_owned();
            let folded = fold(&entry.term).trim().to_owned();
            let rule = Rule::of(&entry, &folded, taxonomy).map_err(wrong)?;
            let pattern = *pattern_of.entry(folded).or_insert_with_key(|folded| {
                lexicon.patterns.push(Pattern {
                    text: folded.clone(),
                    entries: Vec::new(),
                });
                lexicon.patterns.len() - 1
            });
            let sharing = &mut lexicon.patterns[pattern].entries;
            if !taken.insert((pattern, rule.risk)) {
                let first = sharing
                    .iter()
                    .find(|&&index| lexicon.rules[index].risk == rule.risk)
                    .map_or("", |&index| lexicon.places[index].as_str());
                return Err(wrong(format!(
                    "the term '{}' is given twice for {}: first at {first}",
                    entry.term, entry.risk
                )));
            }
            sharing.push(lexicon.entries.len());
            lexicon.entries.push(entry);
            lexicon.rules.push(rule);
            lexicon.places.push(place);
        }
        Ok(lexicon)
    }

    fn names_some_harm(&self) -> Result<()> {
        if self.rules.iter().any(|rule| rule.risk.is_some()) {
            return Ok(());
        }
        Err(malformed(
            &self.identity.uri,
            self.places.first().map_or("line 1", String::as_str),
            "no entry names a risk, so no text could be found harmful",
        ))
    }

    /// Where it came from, and its digest.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// All entries, in the order given, masking ones too.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Where each of [`Self::entries`] stands in its source, as given: `line 3`, `row 12`.
    pub fn places(&self) -> &[String] {
        &self.places
    }

    /// Parallel to [`Self::entries`].
    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The distinct folded terms.
    pub(crate) fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// Digest of the taxonomy it was resolved against.
    pub(crate) fn taxonomy_sha256(&self) -> &str {
        &self.taxonomy_sha256
    }
}

impl Rule {
    fn of(entry: &Entry, folded: &str, taxonomy: &Taxonomy) -> Result<Self, String> {
        if entry.term.is_empty() {
            return Err("the term is empty".to_owned());
        }
        if folded.is_empty() {
            return Err(format!(
                "the term '{}' holds only characters that fold to nothing",
                entry.term.escape_unicode()
            ));
        }
        let risk = match &*entry.risk {
            ALLOW => None,
            id => Some(taxonomy.index(id).ok_or_else(|| taxonomy.unknown(id))?),
        };
        if !(entry.weight > 0.0 && entry.weight <= 1.0) {
            return Err(format!("a weight lies in (0, 1], not {}", entry.weight));
        }
        let forms = parse_variants(&entry.variants)?;
        Ok(Self {
            risk,
            weight: entry.weight,
            whole_words: entry.match_kind != MatchKind::Substring,
            forms,
        })
    }
}

/// Reads a `variants` column, or says which name in it is unknown and which are known.
fn parse_variants(variants: &str) -> Result<Forms, String> {
    Forms::parse(variants).map_err(|name| {
        let known: Vec<&str> = Via::ALL.iter().map(|via| via.as_str()).collect();
        format!(
            "unknown form '{name}' in variants; known: none, all, {}",
            known.join(", ")
        )
    })
}

#[cfg(test)]
mod tests;
