use std::collections::{BTreeMap, BTreeSet, HashMap};

use tamis_resource::Result;
use tamis_text::{fold, is_word_char};

use super::rules::{LexiconRules, Limit};
use super::{Lexicon, Rule};
use crate::judge::Judge;

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CheckKind {
    /// Too few terms in all.
    Total,
    /// Too few terms of a risk.
    PerRisk,
    /// Updated too long ago, in the future, or at an unknown time.
    Age,
    /// A term in too many of the sample documents.
    Frequent,
    /// A term of a single character.
    SingleCharacter,
    /// A term that hits inside a longer word which is innocent.
    InsideWord,
    /// Entries that contradict each other.
    Conflict,
    /// An entry that can never count, since an `allow` entry masks it everywhere.
    Unreachable,
    /// Entries that differ in nothing the matching sees or in punctuation only, counted once.
    SameTerm,
}

impl CheckKind {
    /// The name in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::PerRisk => "per_risk",
            Self::Age => "age",
            Self::Frequent => "frequent",
            Self::SingleCharacter => "single_character",
            Self::InsideWord => "inside_word",
            Self::Conflict => "conflict",
            Self::Unreachable => "unreachable",
            Self::SameTerm => "same_term",
        }
    }
}

/// One thing that is wrong, or looks so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckFinding {
    /// What it is.
    pub kind: CheckKind,
    /// Whether the check fails for it; otherwise it is for a person to look at.
    pub fails: bool,
    /// Where: the place of the entry in its source, or the id of the risk; empty when the whole
    /// lexicon is meant.
    pub place: String,
    /// The term concerned, as written.
    pub term: Option<String>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// The clause that asks for it; empty for rules of our own.
    pub clause: String,
}

/// How many terms a risk has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RiskCount {
    /// Index of the risk in the taxonomy.
    pub risk: usize,
    /// Distinct terms.
    pub terms: usize,
    /// How many the rules ask for.
    pub minimum: Option<u64>,
}

/// The result of [`check_lexicon`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LexiconCheck {
    /// Distinct terms that name a risk: those that differ only in what folding or the removal of
    /// spaces and punctuation takes away count once.
    pub total: usize,
    /// Distinct terms that mask, counted the same way.
    pub allow: usize,
    /// Every risk of the taxonomy, in its order.
    pub risks: Vec<RiskCount>,
    /// Whole days since the update; `None` when its date is not known.
    pub age_days: Option<i64>,
    /// Sample documents looked at.
    pub documents: usize,
    /// What was found: the rules of the pack first, then entry by entry.
    pub findings: Vec<CheckFinding>,
}

impl LexiconCheck {
    /// Whether nothing was found for which the check fails.
    pub fn passed(&self) -> bool {
        !self.findings.iter().any(|finding| finding.fails)
    }
}

/// What the check cannot know from lexicon and pack.
#[derive(Debug, Clone, Default)]
pub struct CheckOptions {
    /// Today, in days since 1970-01-01, UTC.
    pub today: i64,
    /// The day of the last update; `None` takes it from the version of the lexicon, when that
    /// begins with a date.
    pub updated: Option<i64>,
    /// The largest share of the sample documents, in [0, 1], that one entry may hit.
    pub max_document_share: f64,
    /// Words and phrases in which no entry should hit.
    pub innocent_words: Vec<String>,
}

/// How often the entries of a lexicon hit documents that are known to be ordinary.
#[derive(Debug)]
pub struct Sample<'a> {
    judge: &'a Judge,
    documents: usize,
    hit: Vec<usize>,
    /// Words around hits that begin or end inside one, with their number, by entry.
    words: BTreeMap<usize, BTreeMap<String, usize>>,
}

/// Words kept for an entry; a careless one stands in thousands.
const WORDS_PER_ENTRY: usize = 100;

impl<'a> Sample<'a> {
    /// An empty sample.
    pub fn new(judge: &'a Judge) -> Self {
        Self {
            documents: 0,
            hit: vec![0; judge.lexicon().entries().len()],
            words: BTreeMap::new(),
            judge,
        }
    }

    /// Looks at more documents.
    ///
    /// # Errors
    /// As for [`Judge::assess`].
    pub fn add(&mut self, documents: &[&str]) -> Result<()> {
        self.documents += documents.len();
        let (hit, words) = (&mut self.hit, &mut self.words);
        self.judge.assess(documents, &mut |document, assessment| {
            let entries: BTreeSet<usize> = assessment.hits.iter().map(|hit| hit.entry).collect();
            for entry in entries {
                hit[entry] += 1;
            }
            let mut chars: Option<Vec<char>> = None;
            for hit in &assessment.hits {
                // Only these may begin or end inside a word.
                if self.judge.lexicon().rules()[hit.entry].whole_words {
                    continue;
                }
                let chars = chars.get_or_insert_with(|| documents[document].chars().collect());
                if let Some(word) = word_around(chars, hit.start, hit.end) {
                    let words = words.entry(hit.entry).or_default();
                    if words.len() < WORDS_PER_ENTRY || words.contains_key(&word) {
                        *words.entry(word).or_default() += 1;
                    }
                }
            }
        })
    }

    /// Documents looked at.
    pub fn documents(&self) -> usize {
        self.documents
    }

    /// In how many of the documents an entry, by its index in the lexicon, hits.
    pub fn documents_hit(&self, entry: usize) -> usize {
        self.hit[entry]
    }
}

/// The word a span of characters begins or ends inside, in lower case; `None` when it cuts none.
fn word_around(chars: &[char], start: usize, end: usize) -> Option<String> {
    let (mut from, mut to) = (start, end);
    if chars.get(start).copied().is_some_and(is_word_char) {
        while from > 0 && is_word_char(chars[from - 1]) {
            from -= 1;
        }
    }
    if end > 0 && chars.get(end - 1).copied().is_some_and(is_word_char) {
        while to < chars.len() && is_word_char(chars[to]) {
            to += 1;
        }
    }
    ((from, to) != (start, end))
        .then(|| fold(&chars[from..to].iter().collect::<String>()).into_owned())
}

/// Compares a lexicon with the rules of a pack, with ordinary text and with itself.
///
/// The check fails for broken rules of the pack (an unknown date of update breaks the rule on
/// age), for entries over `max_document_share` of the sample, for entries that hit in
/// `innocent_words`, for a term that is both a risk and `allow`, and for unreachable entries. Single
/// characters, hits inside words of the sample, terms with several risks, contradicting weights
/// and terms that count once are for a person to look at.
///
/// # Errors
/// As for [`Judge::assess`].
///
/// # Panics
/// When `sample` was made by a judge with another lexicon.
pub fn check_lexicon(
    judge: &Judge,
    rules: &LexiconRules,
    sample: Option<&Sample<'_>>,
    options: &CheckOptions,
) -> Result<LexiconCheck> {
    let lexicon = judge.lexicon();
    let keys: Vec<String> = lexicon
        .entries()
        .iter()
        .map(|entry| key(&entry.term))
        .collect();
    let mut distinct: Vec<BTreeSet<&str>> = vec![BTreeSet::new(); judge.taxonomy().risks().len()];
    let mut allow: BTreeSet<&str> = BTreeSet::new();
    for (key, rule) in keys.iter().zip(lexicon.rules()) {
        match rule.risk {
            Some(risk) => distinct[risk].insert(key),
            None => allow.insert(key),
        };
    }
    let total = distinct.iter().flatten().collect::<BTreeSet<_>>().len();
    let risks: Vec<RiskCount> = distinct
        .iter()
        .enumerate()
        .map(|(risk, terms)| RiskCount {
            risk,
            terms: terms.len(),
            minimum: rules
                .min_per_risk
                .get(risk)
                .and_then(|limit| Some(limit.as_ref()?.value)),
        })
        .collect();
    let updated = options
        .updated
        .or_else(|| super::date::day_of_date(&lexicon.identity().version));
    let age_days = updated.map(|day| options.today - day);

    let mut findings = Vec::new();
    check_counts(judge, rules, total, &risks, &mut findings);
    if let Some(limit) = &rules.max_age_days {
        findings.extend(check_age(age_days, limit));
    }
    let mut by_entry: Vec<(usize, CheckFinding)> = Vec::new();
    if let Some(sample) = sample {
        assert_eq!(
            sample.judge.lexicon().identity(),
            lexicon.identity(),
            "the sample is of this lexicon"
        );
        check_sample(lexicon, sample, options.max_document_share, &mut by_entry);
    }
    check_words(judge, &options.innocent_words, &mut by_entry)?;
    check_terms(lexicon, &keys, &mut by_entry);
    by_entry.sort_by_key(|(entry, finding)| (*entry, finding.kind));
    findings.extend(by_entry.into_iter().map(|(_, finding)| finding));
    Ok(LexiconCheck {
        total,
        allow: allow.len(),
        risks,
        age_days,
        documents: sample.map_or(0, Sample::documents),
        findings,
    })
}

/// What terms that count once have in common: letters and digits of the folded term, or all of it
/// when it has none.
fn key(term: &str) -> String {
    let folded = fold(term);
    let letters: String = folded.chars().filter(|c| c.is_alphanumeric()).collect();
    match letters.is_empty() {
        true => folded.trim().to_owned(),
        false => letters,
    }
}

fn check_counts(
    judge: &Judge,
    rules: &LexiconRules,
    total: usize,
    risks: &[RiskCount],
    findings: &mut Vec<CheckFinding>,
) {
    let mut too_few = |kind, place: &str, terms: usize, limit: &Limit, of: String| {
        if (terms as u64) < limit.value {
            findings.push(CheckFinding {
                kind,
                fails: true,
                place: place.to_owned(),
                term: None,
                message: format!("{terms} distinct terms{of}; {} are asked for", limit.value),
                clause: limit.clause.clone(),
            });
        }
    };
    if let Some(limit) = &rules.min_total {
        too_few(CheckKind::Total, "", total, limit, String::new());
    }
    for (count, limit) in risks.iter().zip(&rules.min_per_risk) {
        if let Some(limit) = limit {
            let risk = &judge.taxonomy().risks()[count.risk];
            let of = format!(" for {}, {}", risk.id, risk.en);
            too_few(CheckKind::PerRisk, &risk.id, count.terms, limit, of);
        }
    }
}

fn check_age(age_days: Option<i64>, limit: &Limit) -> Option<CheckFinding> {
    let message = match age_days {
        None => "the date of the last update is not known".to_owned(),
        Some(age) if age < 0 => format!("the last update lies {} days in the future", -age),
        Some(age) if age.unsigned_abs() > limit.value => {
            format!(
                "last updated {age} days ago; at most {} are allowed",
                limit.value
            )
        }
        Some(_) => return None,
    };
    Some(CheckFinding {
        kind: CheckKind::Age,
        fails: true,
        place: String::new(),
        term: None,
        message,
        clause: limit.clause.clone(),
    })
}

/// A finding about one entry.
fn of_entry(
    lexicon: &Lexicon,
    entry: usize,
    kind: CheckKind,
    fails: bool,
    message: String,
) -> (usize, CheckFinding) {
    let finding = CheckFinding {
        kind,
        fails,
        place: lexicon.places()[entry].clone(),
        term: Some(lexicon.entries()[entry].term.clone()),
        message,
        clause: String::new(),
    };
    (entry, finding)
}

fn check_sample(
    lexicon: &Lexicon,
    sample: &Sample<'_>,
    max_share: f64,
    findings: &mut Vec<(usize, CheckFinding)>,
) {
    for (entry, &hit) in sample.hit.iter().enumerate() {
        let share = hit as f64 / sample.documents.max(1) as f64;
        if hit > 0 && share > max_share {
            let message = format!(
                "hits {hit} of {} sample documents, {:.3} %; at most {:.3} % are allowed",
                sample.documents,
                share * 100.0,
                max_share * 100.0
            );
            findings.push(of_entry(lexicon, entry, CheckKind::Frequent, true, message));
        }
    }
    for (&entry, words) in &sample.words {
        let mut words: Vec<(&String, &usize)> = words.iter().collect();
        words.sort_by_key(|(word, count)| (std::cmp::Reverse(**count), word.as_str()));
        let shown: Vec<String> = words
            .iter()
            .take(3)
            .map(|(word, count)| format!("'{word}' ({count})"))
            .collect();
        let message = format!("hits inside words of the sample: {}", shown.join(", "));
        findings.push(of_entry(
            lexicon,
            entry,
            CheckKind::InsideWord,
            false,
            message,
        ));
    }
}

fn check_words(
    judge: &Judge,
    words: &[String],
    findings: &mut Vec<(usize, CheckFinding)>,
) -> Result<()> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    judge.assess(&words, &mut |word, assessment| {
        let entries: BTreeSet<usize> = assessment.hits.iter().map(|hit| hit.entry).collect();
        for entry in entries {
            let message = format!("hits in the innocent word '{}'", words[word]);
            findings.push(of_entry(
                judge.lexicon(),
                entry,
                CheckKind::InsideWord,
                true,
                message,
            ));
        }
    })
}

/// Weights of one term for one risk this far apart contradict each other.
const CONTRADICTING_WEIGHTS: f64 = 0.3;

fn check_terms(lexicon: &Lexicon, keys: &[String], findings: &mut Vec<(usize, CheckFinding)>) {
    let mut same: HashMap<&str, Vec<usize>> = HashMap::new();
    for (entry, key) in keys.iter().enumerate() {
        if lexicon.rules()[entry].risk.is_some() && key.chars().count() == 1 {
            findings.push(of_entry(
                lexicon,
                entry,
                CheckKind::SingleCharacter,
                false,
                "a single character stands in too many words to mean a risk".to_owned(),
            ));
        }
        same.entry(key).or_default().push(entry);
    }
    for pattern in lexicon.patterns() {
        check_masks(lexicon, &pattern.entries, findings);
    }
    for entries in same.values() {
        for (position, &entry) in entries.iter().enumerate() {
            let Some(risk) = lexicon.rules()[entry].risk else {
                continue;
            };
            for &first in &entries[..position] {
                findings.extend(compared(lexicon, first, entry, risk));
            }
        }
    }
}

/// Entries of one folded term, some of which mask.
fn check_masks(lexicon: &Lexicon, entries: &[usize], findings: &mut Vec<(usize, CheckFinding)>) {
    let rule = |entry: usize| -> &Rule { &lexicon.rules()[entry] };
    let masks = entries.iter().filter(|&&entry| rule(entry).risk.is_none());
    for &mask in masks {
        for &entry in entries.iter().filter(|&&entry| rule(entry).risk.is_some()) {
            let everywhere = (!rule(mask).whole_words || rule(entry).whole_words)
                && rule(entry).forms.is_within(rule(mask).forms);
            let place = &lexicon.places()[mask];
            let (kind, message) = match everywhere {
                true => (
                    CheckKind::Unreachable,
                    format!("never counts: {place} allows the same term"),
                ),
                false => (
                    CheckKind::Conflict,
                    format!("{place} allows the same term, though not everywhere"),
                ),
            };
            findings.push(of_entry(lexicon, entry, kind, true, message));
        }
    }
}

/// What is odd about two entries that count as one term, the second of which names `risk`.
fn compared(
    lexicon: &Lexicon,
    first: usize,
    second: usize,
    risk: usize,
) -> Option<(usize, CheckFinding)> {
    let first_risk = lexicon.rules()[first].risk?;
    let (before, after) = (&lexicon.entries()[first], &lexicon.entries()[second]);
    let place = &lexicon.places()[first];
    let (kind, message) = if first_risk != risk {
        let message = format!(
            "the same term stands for {} with weight {} at {place}",
            before.risk, before.weight
        );
        (CheckKind::Conflict, message)
    } else if (before.weight - after.weight).abs() >= CONTRADICTING_WEIGHTS {
        let message = format!(
            "weight {} contradicts {} of '{}' at {place}",
            after.weight, before.weight, before.term
        );
        (CheckKind::Conflict, message)
    } else {
        let message = format!("counts once with '{}' at {place}", before.term);
        (CheckKind::SameTerm, message)
    };
    Some(of_entry(lexicon, second, kind, false, message))
}

#[cfg(test)]
mod tests;
