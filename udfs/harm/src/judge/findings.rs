use tamis_text::{Folded, on_word_boundaries};

use super::Judge;
use crate::via::Forms;

/// An entry that holds at a place of a folded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    /// Bytes of the folded text.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Index in the lexicon.
    pub(super) entry: usize,
}

/// Folded documents are held at once up to this many original bytes, or one document.
const BATCH_BYTES: usize = 256 * 1024;
const BATCH_DOCUMENTS: usize = 1024;

impl Judge {
    /// Gives `each` the findings of every document, in order: those of entries that name a risk
    /// and are not masked, ascending. With `only_found`, documents without any term are left out.
    pub(super) fn find(
        &self,
        documents: &[&str],
        only_found: bool,
        each: &mut dyn FnMut(usize, &Folded<'_>, &[Finding]),
    ) {
        for (first, batch) in batches(documents) {
            let folded: Vec<Folded<'_>> = batch.iter().map(|text| Folded::new(text)).collect();
            let texts: Vec<&str> = folded.iter().map(Folded::text).collect();
            if !only_found {
                self.find_in(&folded, &texts, &mut |document, findings| {
                    each(first + document, &folded[document], findings);
                });
                continue;
            }
            let mut found = vec![false; texts.len()];
            self.matcher.find_any(&texts, &mut found);
            let chosen: Vec<usize> = (0..texts.len()).filter(|&at| found[at]).collect();
            let texts: Vec<&str> = chosen.iter().map(|&at| texts[at]).collect();
            let folded: Vec<&Folded<'_>> = chosen.iter().map(|&at| &folded[at]).collect();
            self.find_in(&folded, &texts, &mut |document, findings| {
                each(first + chosen[document], folded[document], findings);
            });
        }
    }

    fn find_in<'a, F: std::borrow::Borrow<Folded<'a>>>(
        &self,
        folded: &[F],
        texts: &[&str],
        each: &mut dyn FnMut(usize, &[Finding]),
    ) {
        let mut current = 0;
        let mut harms = Vec::new();
        let mut masks = Vec::new();
        self.matcher.find_all(texts, &mut |found| {
            while current < found.document {
                finish(&mut harms, &mut masks);
                each(current, &harms);
                harms.clear();
                current += 1;
            }
            let text = texts[found.document];
            let whole_words = on_word_boundaries(text, found.start, found.end);
            for &entry in &self.lexicon.patterns()[found.pattern].entries {
                let rule = &self.lexicon.rules()[entry];
                if rule.whole_words && !whole_words {
                    continue;
                }
                let finding = Finding {
                    start: found.start,
                    end: found.end,
                    entry,
                };
                if rule.forms != Forms::ALL
                    && !self
                        .forms_of(folded[found.document].borrow(), finding)
                        .is_within(rule.forms)
                {
                    continue;
                }
                match rule.risk {
                    Some(_) => harms.push(finding),
                    None => masks.push((found.start, found.end)),
                }
            }
        });
        while current < texts.len() {
            finish(&mut harms, &mut masks);
            each(current, &harms);
            harms.clear();
            current += 1;
        }
    }

    fn forms_of(&self, folded: &Folded<'_>, finding: Finding) -> Forms {
        let (start, end) = folded.original_span(finding.start, finding.end);
        let term = &self.lexicon.entries()[finding.entry].term;
        Forms::between(&folded.original()[start..end], term)
    }
}

/// Sorts the findings of one document and drops those lying wholly inside a mask.
fn finish(harms: &mut Vec<Finding>, masks: &mut Vec<(usize, usize)>) {
    harms.sort_unstable();
    if masks.is_empty() || harms.is_empty() {
        masks.clear();
        return;
    }
    masks.sort_unstable();
    let mut masks = masks.drain(..).peekable();
    // The furthest end of the masks that start at or before the finding.
    let mut masked_to = 0;
    harms.retain(|finding| {
        while let Some((_, end)) = masks.next_if(|(start, _)| *start <= finding.start) {
            masked_to = masked_to.max(end);
        }
        finding.end > masked_to
    });
}

/// Cuts documents into batches, with the position of the first document of each.
fn batches<'a, 'b>(documents: &'a [&'b str]) -> impl Iterator<Item = (usize, &'a [&'b str])> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let first = next;
        let mut bytes = 0;
        while next < documents.len()
            && next - first < BATCH_DOCUMENTS
            && (next == first || bytes + documents[next].len() <= BATCH_BYTES)
        {
            bytes += documents[next].len();
            next += 1;
        }
        (first < next).then(|| (first, &documents[first..next]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_keep_every_document_once_and_in_order() {
        let large = "x".repeat(BATCH_BYTES);
        let mut documents = vec!["", "a", &large, "b", &large[1..], "c", "d"];
        documents.extend(std::iter::repeat_n("", 3 * BATCH_DOCUMENTS));
        let mut seen = 0;
        for (first, batch) in batches(&documents) {
            assert_eq!(first, seen);
            assert!(!batch.is_empty() && batch.len() <= BATCH_DOCUMENTS);
            let bytes: usize = batch.iter().map(|text| text.len()).sum();
            assert!(bytes <= BATCH_BYTES || batch.len() == 1);
            assert_eq!(batch, &documents[first..first + batch.len()]);
            seen += batch.len();
        }
        assert_eq!(seen, documents.len());
        assert_eq!(batches(&[]).count(), 0);
    }

    #[test]
    fn masks_drop_what_lies_wholly_inside() {
        let finding = |start, end| Finding {
            start,
            end,
            entry: 0,
        };
        let mut harms = vec![
            finding(2, 5),
            finding(0, 3),
            finding(3, 4),
            finding(8, 9),
            finding(4, 7),
        ];
        let mut masks = vec![(3, 6), (2, 5), (9, 12)];
        finish(&mut harms, &mut masks);
        assert_eq!(harms, [finding(0, 3), finding(4, 7), finding(8, 9)]);
        assert!(masks.is_empty());
        let mut harms = vec![];
        let mut masks = vec![(0, 9)];
        finish(&mut harms, &mut masks);
        assert!(
            masks.is_empty(),
            "masks of one document do not reach the next"
        );
    }
}
