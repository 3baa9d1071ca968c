use std::collections::{HashMap, HashSet};

use tamis_resource::Result;
use tamis_text::fold;

use super::{Entry, Lexicon};
use crate::judge::Judge;
use crate::located_toml::malformed;

/// An entry that both lexicons have, not the same.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangedEntry {
    /// The entry of the first lexicon.
    pub before: Entry,
    /// That of the second.
    pub after: Entry,
    /// The names of the columns that differ, in the order of [`crate::LEXICON_COLUMNS`].
    pub columns: Vec<&'static str>,
}

/// What a second lexicon has that a first has not, and the reverse.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LexiconDiff {
    /// Only in the second, in its order.
    pub added: Vec<Entry>,
    /// Only in the first, in its order.
    pub removed: Vec<Entry>,
    /// In both and different, in the order of the second.
    pub changed: Vec<ChangedEntry>,
}

impl LexiconDiff {
    /// Whether both hold the same entries, in whatever order.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

/// Compares two lexicons entry by entry. Entries are the same when their terms fold to the same
/// and they name the same risk; one that is alone with its term on both sides may change its
/// risk too.
pub fn diff_lexicons(before: &Lexicon, after: &Lexicon) -> LexiconDiff {
    let old = by_term(before);
    let new = by_term(after);
    let mut diff = LexiconDiff::default();
    let mut met: HashSet<usize> = HashSet::new();
    for (index, entry) in after.entries().iter().enumerate() {
        let term = folded(entry);
        let candidates = old.get(&term).map_or(&[][..], Vec::as_slice);
        let same_risk = candidates
            .iter()
            .find(|&&old| before.entries()[old].risk == entry.risk);
        let partner = match (same_risk, candidates) {
            (Some(&old), _) => Some(old),
            (None, &[old]) if new[&term] == [index] => Some(old),
            _ => None,
        };
        let Some(partner) = partner else {
            diff.added.push(entry.clone());
            continue;
        };
        met.insert(partner);
        let columns = different_columns(&before.entries()[partner], entry);
        if !columns.is_empty() {
            diff.changed.push(ChangedEntry {
                before: before.entries()[partner].clone(),
                after: entry.clone(),
                columns,
            });
        }
    }
    let left = before.entries().iter().enumerate();
    diff.removed = left
        .filter(|(index, _)| !met.contains(index))
        .map(|(_, entry)| entry.clone())
        .collect();
    diff
}

fn folded(entry: &Entry) -> String {
    fold(&entry.term).trim().to_owned()
}

fn by_term(lexicon: &Lexicon) -> HashMap<String, Vec<usize>> {
    let mut entries: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, entry) in lexicon.entries().iter().enumerate() {
        entries.entry(folded(entry)).or_default().push(index);
    }
    entries
}

fn different_columns(before: &Entry, after: &Entry) -> Vec<&'static str> {
    [
        ("term", before.term != after.term),
        ("risk", before.risk != after.risk),
        ("weight", before.weight != after.weight),
        ("match", before.match_kind != after.match_kind),
        ("lang", before.lang != after.lang),
        ("variants", before.variants != after.variants),
        ("note", before.note != after.note),
    ]
    .into_iter()
    .filter_map(|(column, differs)| differs.then_some(column))
    .collect()
}

/// What a judge says of a document, in short.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The harm score.
    pub score: f64,
    /// Indices of the risks at or above their thresholds, in taxonomy order.
    pub risks: Vec<usize>,
}

/// A document two judges do not agree on.
#[derive(Debug, Clone, PartialEq)]
pub struct Impact {
    /// Position of the document.
    pub document: usize,
    /// What the first judge says.
    pub before: Verdict,
    /// What the second says.
    pub after: Verdict,
}

impl Impact {
    /// Whether the risks differ, not the score alone.
    pub fn changes_risks(&self) -> bool {
        self.before.risks != self.after.risks
    }

    /// `Some(true)` when the document becomes harmful, `Some(false)` when it no longer is.
    pub fn becomes_harmful(&self) -> Option<bool> {
        let (before, after) = (self.before.risks.is_empty(), self.after.risks.is_empty());
        (before != after).then_some(before)
    }
}

/// The documents for which score or risks differ between two judges, in order.
///
/// # Errors
/// Malformed when the judges have different taxonomies, whose risks cannot be compared; as for
/// [`Judge::assess`].
pub fn impact(before: &Judge, after: &Judge, documents: &[&str]) -> Result<Vec<Impact>> {
    if before.taxonomy().identity().sha256 != after.taxonomy().identity().sha256 {
        return Err(malformed(
            &after.lexicon().identity().uri,
            "risk ids",
            format!(
                "read for another taxonomy than {}",
                before.lexicon().identity().uri
            ),
        ));
    }
    let (first, second) = (verdicts(before, documents)?, verdicts(after, documents)?);
    let pairs = first.into_iter().zip(second).enumerate();
    Ok(pairs
        .filter(|(_, (before, after))| before != after)
        .map(|(document, (before, after))| Impact {
            document,
            before,
            after,
        })
        .collect())
}

fn verdicts(judge: &Judge, documents: &[&str]) -> Result<Vec<Verdict>> {
    let mut all = Vec::with_capacity(documents.len());
    judge.assess(documents, &mut |_, assessment| {
        all.push(Verdict {
            score: assessment.score,
            risks: assessment.risks,
        });
    })?;
    Ok(all)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tamis_resource::Identity;

    use super::*;
    use crate::lexicon::parse_lexicon_csv;
    use crate::{Taxonomy, Thresholds};

    fn lexicon(lines: &str) -> Arc<Lexicon> {
        let text = format!("term,risk,weight,match,note\n{lines}");
        let entries = parse_lexicon_csv("l.csv", text.as_bytes(), b',').expect("reads");
        let identity = Identity::of_bytes("l.csv", "", text.as_bytes());
        Arc::new(Lexicon::new(identity, entries, &Taxonomy::builtin()).expect("valid"))
    }

    fn terms(entries: &[Entry]) -> Vec<(&str, &str)> {
        entries
            .iter()
            .map(|entry| (&*entry.term, &*entry.risk))
            .collect()
    }

    #[test]
    fn entries_are_paired_by_folded_term_and_risk() {
        let before = lexicon(
            "same,A1a,0.5,,\nGone,A1a,0.5,,\nrob,A1h,0.5,,\nkill,A1f,0.5,,\n\
             two,A1a,0.5,,\ntwo,A1b,0.5,,\n",
        );
        let after = lexicon(
            "new,A1a,0.5,,\nROB,A1h,0.6,word,why\nkill,A4a,0.5,,\nsame,A1a,0.5,,\n\
             two,A1b,0.5,,\ntwo,A1c,0.5,,\n",
        );
        let diff = diff_lexicons(&before, &after);
        assert_eq!(terms(&diff.added), [("new", "A1a"), ("two", "A1c")]);
        assert_eq!(terms(&diff.removed), [("Gone", "A1a"), ("two", "A1a")]);
        let changed: Vec<_> = diff
            .changed
            .iter()
            .map(|change| {
                (
                    &*change.before.term,
                    &*change.after.term,
                    &change.columns[..],
                )
            })
            .collect();
        assert_eq!(
            changed,
            [
                ("rob", "ROB", &["term", "weight", "match", "note"][..]),
                ("kill", "kill", &["risk"][..]),
            ]
        );
        assert!(diff_lexicons(&before, &before).is_empty());
        let turned = diff_lexicons(&after, &before);
        assert_eq!(terms(&turned.added), terms(&diff.removed));
    }

    #[test]
    fn impact_lists_the_documents_that_change() {
        let judge = |lexicon: &Arc<Lexicon>| {
            Judge::new(Taxonomy::builtin(), lexicon.clone(), Thresholds::builtin()).expect("judge")
        };
        let before = judge(&lexicon("rob,A1h,0.6,,\nkill,A1f,0.3,,\nkeep,A1a,0.9,,\n"));
        let after = judge(&lexicon(
            "rob,A1h,0.3,,\nkill,A1f,0.4,,\nkeep,A1a,0.9,,\nburn,A1c,0.9,,\n",
        ));
        let documents = ["nothing", "rob", "kill", "keep", "burn and keep"];
        let changed = impact(&before, &after, &documents).expect("comparable");
        let shown: Vec<_> = changed
            .iter()
            .map(|impact| {
                (
                    impact.document,
                    impact.before.score,
                    impact.after.score,
                    impact.changes_risks(),
                    impact.becomes_harmful(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                (1, 0.6, 0.3, true, Some(false)),
                (2, 0.3, 0.4, false, None),
                (4, 0.9, 0.9, true, None),
            ]
        );
        assert!(
            impact(&before, &before, &documents)
                .expect("same")
                .is_empty()
        );
    }
}
