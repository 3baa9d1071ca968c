use std::borrow::Borrow;

use tamis_text::on_word_boundaries;

use super::{Judge, Search};
use crate::evasion::{Room, Sighting, View};
use crate::via::Forms;

/// An entry that holds at a place of a text as it is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    /// Bytes of the text as it is searched.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Index in the lexicon.
    pub(super) entry: usize,
    /// Forms in which it was found, but for those the view undid.
    pub(super) forms: Forms,
}

/// Views of documents are held at once up to this many original bytes, or one document.
const BATCH_BYTES: usize = 256 * 1024;
const BATCH_DOCUMENTS: usize = 1024;

impl Judge {
    /// Gives `each` the findings of every document, in order: those of entries that name a risk
    /// and are not masked, ascending. With `only_found`, documents without any term are left out.
    pub(super) fn find(
        &self,
        search: &Search,
        documents: &[&str],
        only_found: bool,
        each: &mut dyn FnMut(usize, &View<'_>, &[Finding]),
    ) {
        let mut room = Room::new();
        for (first, batch) in batches(documents) {
            let mut disguised = Vec::with_capacity(batch.len());
            let views: Vec<View<'_>> = batch
                .iter()
                .map(|text| {
                    let mut sightings = Vec::new();
                    let view = search.evasion.view(text, &mut room, &mut sightings);
                    disguised.push(sightings);
                    view
                })
                .collect();
            if !only_found {
                self.find_in(search, &views, &disguised, &mut |document, findings| {
                    each(first + document, &views[document], findings);
                });
                continue;
            }
            let texts: Vec<&str> = views.iter().map(View::text).collect();
            let mut found = vec![false; texts.len()];
            search.matcher.find_any(&texts, &mut found);
            let chosen: Vec<usize> = (0..texts.len())
                .filter(|&at| found[at] || !disguised[at].is_empty())
                .collect();
            let chosen_views: Vec<&View<'_>> = chosen.iter().map(|&at| &views[at]).collect();
            let disguised: Vec<Vec<Sighting>> = chosen
                .iter()
                .map(|&at| std::mem::take(&mut disguised[at]))
                .collect();
            self.find_in(
                search,
                &chosen_views,
                &disguised,
                &mut |document, findings| {
                    each(first + chosen[document], chosen_views[document], findings);
                },
            );
        }
    }

    /// `disguised` are the sightings that need no matcher, for each view.
    fn find_in<'a, V: Borrow<View<'a>>>(
        &self,
        search: &Search,
        views: &[V],
        disguised: &[Vec<Sighting>],
        each: &mut dyn FnMut(usize, &[Finding]),
    ) {
        let texts: Vec<&str> = views.iter().map(|view| view.borrow().text()).collect();
        let mut current = 0;
        let mut harms = Vec::new();
        let mut masks = Vec::new();
        let mut close = |current: usize, harms: &mut Vec<_>, masks: &mut Vec<_>| {
            for sighting in &disguised[current] {
                self.add(views[current].borrow(), *sighting, harms, masks);
            }
            finish(harms, masks);
            each(current, harms);
            harms.clear();
        };
        search.matcher.find_all(&texts, &mut |found| {
            while current < found.document {
                close(current, &mut harms, &mut masks);
                current += 1;
            }
            let view = views[found.document].borrow();
            search
                .evasion
                .sight(texts[found.document], found, &mut |sighting| {
                    self.add(view, sighting, &mut harms, &mut masks);
                });
        });
        while current < texts.len() {
            close(current, &mut harms, &mut masks);
            current += 1;
        }
    }

    /// Adds the entries that hold where a pattern was seen.
    fn add(
        &self,
        view: &View<'_>,
        sighting: Sighting,
        harms: &mut Vec<Finding>,
        masks: &mut Vec<(usize, usize)>,
    ) {
        let Sighting {
            pattern,
            start,
            end,
            forms,
        } = sighting;
        let whole_words = on_word_boundaries(view.text(), start, end);
        for &entry in &self.lexicon.patterns()[pattern].entries {
            let rule = &self.lexicon.rules()[entry];
            if rule.whole_words && !whole_words || !forms.is_within(rule.forms) {
                continue;
            }
            let finding = Finding {
                start,
                end,
                entry,
                forms,
            };
            let takes_all = Forms::DEFAULT.is_within(rule.forms);
            if !takes_all && !self.forms_of(view, finding).is_within(rule.forms) {
                continue;
            }
            match rule.risk {
                Some(_) => harms.push(finding),
                None => masks.push((start, end)),
            }
        }
    }

    fn forms_of(&self, view: &View<'_>, finding: Finding) -> Forms {
        let (start, end) = view.original_span(finding.start, finding.end);
        let term = &self.lexicon.entries()[finding.entry].term;
        Forms::between(&view.original()[start..end], term, finding.forms)
    }
}

/// Sorts the findings of one document and drops those lying wholly inside a mask.
fn finish(harms: &mut Vec<Finding>, masks: &mut Vec<(usize, usize)>) {
    harms.sort_unstable();
    // Several ways to the same place: the one with the fewest forms stands.
    harms.dedup_by_key(|finding| (finding.start, finding.end, finding.entry));
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
            forms: Forms::NONE,
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
