use std::sync::Arc;

use tamis_resource::{Identity, Result};

use super::{ALLOW, Entry, Lexicon};
use crate::judge::{Hit, Judge};
use crate::via::Via;

/// A hit, with all a reader needs to see why.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedHit {
    /// Id of the risk.
    pub risk: String,
    /// The term as the lexicon has it.
    pub term: String,
    /// Where the entry stands in its source.
    pub place: String,
    /// What stands in the text.
    pub found: String,
    /// Where it starts, in characters of the text.
    pub start: usize,
    /// Where it ends, in characters of the text, exclusive.
    pub end: usize,
    /// The weight of the entry.
    pub weight: f64,
    /// The normal form that found it.
    pub via: Via,
    /// The `allow` entry inside whose span it lies, for a hit that does not count: its term and
    /// its place.
    pub masked_by: Option<(String, String)>,
}

/// A stretch of the text over which the same hits lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The stretch, as written.
    pub text: String,
    /// Positions in [`Explanation::hits`] of the hits that cover it and count.
    pub hits: Vec<usize>,
    /// The same of those that are masked.
    pub masked: Vec<usize>,
}

/// Why a text is judged as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The harm score, in [0, 1].
    pub score: f64,
    /// Id of the risk with that score; `None` without hits.
    pub top_risk: Option<String>,
    /// The risks at or above their thresholds, each with its threshold.
    pub risks: Vec<(String, f64)>,
    /// All hits, those masked too, by start, then end, then entry.
    pub hits: Vec<ExplainedHit>,
    /// The text cut where hits begin and end; joined it is the text again.
    pub segments: Vec<Segment>,
}

/// Explains what a judge finds in a text: where, by which entry, through which form, and what
/// `allow` entries mask.
///
/// It asks two more judges, one without masks and one whose masks are hits, so what it says
/// always agrees with the judge.
#[derive(Debug)]
pub struct Explainer {
    judge: Arc<Judge>,
    /// The judge as it would be without masks; indices of its entries in the lexicon.
    unmasked: (Judge, Vec<usize>),
    /// The masks as if they named a risk; `None` when there are none.
    masks: Option<(Judge, Vec<usize>)>,
}

impl Explainer {
    /// An explainer for a judge.
    ///
    /// # Errors
    /// As for [`Judge::new`].
    pub fn new(judge: Arc<Judge>) -> Result<Self> {
        let (mut harms, mut masks) = (Vec::new(), Vec::new());
        for (index, rule) in judge.lexicon().rules().iter().enumerate() {
            match rule.risk {
                Some(_) => harms.push(index),
                None => masks.push(index),
            }
        }
        Ok(Self {
            unmasked: (part(&judge, &harms)?, harms),
            masks: match masks.is_empty() {
                true => None,
                false => Some((part(&judge, &masks)?, masks)),
            },
            judge,
        })
    }

    /// Explains one text.
    ///
    /// # Errors
    /// As for [`Judge::assess`].
    pub fn explain(&self, text: &str) -> Result<Explanation> {
        let judge = &*self.judge;
        let risk_id = |risk: usize| judge.taxonomy().risks()[risk].id.clone();
        let mut found = None;
        judge.assess(&[text], &mut |_, assessment| found = Some(assessment))?;
        let assessment = found.expect("one assessment for one text");
        let hits_of = |(part, entries): &(Judge, Vec<usize>)| -> Result<Vec<Hit>> {
            let mut hits = Vec::new();
            part.assess(&[text], &mut |_, assessment| hits = assessment.hits)?;
            for hit in &mut hits {
                hit.entry = entries[hit.entry];
            }
            Ok(hits)
        };
        let masks = match &self.masks {
            Some(masks) => hits_of(masks)?,
            None => Vec::new(),
        };
        let chars: Vec<char> = text.chars().collect();
        let mut hits: Vec<ExplainedHit> = Vec::new();
        let mut counted = assessment.hits.iter().peekable();
        for hit in hits_of(&self.unmasked)? {
            // Both lists have the same order, and what counts is part of what hits.
            let counts = counted
                .next_if(|counted| {
                    (counted.start, counted.end, counted.entry) == (hit.start, hit.end, hit.entry)
                })
                .is_some();
            let masked_by = masks
                .iter()
                .find(|mask| !counts && mask.start <= hit.start && hit.end <= mask.end)
                .map(|mask| {
                    let term = judge.lexicon().entries()[mask.entry].term.clone();
                    (term, judge.lexicon().places()[mask.entry].clone())
                });
            hits.push(ExplainedHit {
                risk: risk_id(hit.risk),
                term: judge.lexicon().entries()[hit.entry].term.clone(),
                place: judge.lexicon().places()[hit.entry].clone(),
                found: chars[hit.start..hit.end].iter().collect(),
                start: hit.start,
                end: hit.end,
                weight: hit.weight,
                via: hit.via,
                masked_by,
            });
        }
        Ok(Explanation {
            score: assessment.score,
            top_risk: assessment.top_risk.map(risk_id),
            risks: assessment
                .risks
                .iter()
                .map(|&risk| (risk_id(risk), judge.thresholds().get(risk)))
                .collect(),
            segments: segments(&chars, &hits),
            hits,
        })
    }
}

/// A judge with some of the entries; masks among them name the first risk.
fn part(judge: &Judge, indices: &[usize]) -> Result<Judge> {
    let lexicon = judge.lexicon();
    let first_risk = &judge.taxonomy().risks()[0].id;
    let entries = indices.iter().map(|&index| {
        let entry = &lexicon.entries()[index];
        let risk = match &*entry.risk {
            ALLOW => first_risk,
            risk => risk,
        };
        let entry = Entry {
            risk: risk.to_owned(),
            ..entry.clone()
        };
        (lexicon.places()[index].clone(), entry)
    });
    let identity = Identity {
        uri: lexicon.identity().uri.clone(),
        version: String::new(),
        sha256: String::new(),
    };
    let part = Lexicon::new(identity, entries.collect(), judge.taxonomy())?;
    Judge::new(
        judge.taxonomy().clone(),
        Arc::new(part),
        judge.thresholds().clone(),
    )
}

fn segments(chars: &[char], hits: &[ExplainedHit]) -> Vec<Segment> {
    let mut borders: Vec<usize> = hits.iter().flat_map(|hit| [hit.start, hit.end]).collect();
    borders.extend([0, chars.len()]);
    borders.sort_unstable();
    borders.dedup();
    let mut open: Vec<usize> = Vec::new();
    let mut next = 0;
    borders
        .windows(2)
        .map(|ends| {
            let (start, end) = (ends[0], ends[1]);
            open.retain(|&hit| hits[hit].end > start);
            while hits.get(next).is_some_and(|hit| hit.start <= start) {
                open.push(next);
                next += 1;
            }
            let (masked, counting) = open.iter().partition(|&&hit| hits[hit].masked_by.is_some());
            Segment {
                text: chars[start..end].iter().collect(),
                hits: counting,
                masked,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lexicon::parse_lexicon_csv;
    use crate::{Taxonomy, Thresholds};

    fn explainer(lines: &str) -> Explainer {
        let text = format!("term,risk,weight,match\n{lines}");
        let entries = parse_lexicon_csv("l.csv", text.as_bytes(), b',').expect("reads");
        let identity = Identity::of_bytes("l.csv", "", text.as_bytes());
        let lexicon = Lexicon::new(identity, entries, &Taxonomy::builtin()).expect("valid");
        let judge = Judge::new(
            Taxonomy::builtin(),
            Arc::new(lexicon),
            Thresholds::builtin(),
        );
        Explainer::new(Arc::new(judge.expect("judge"))).expect("explainer")
    }

    #[test]
    fn hits_masks_and_paths_are_shown() {
        let explainer = explainer("抢银行,A1h,0.6,\nrob,A1h,0.3,\n防抢银行演练,allow,,\n");
        let found = explainer
            .explain("防抢银行演练。ＲＯＢ，抢银行")
            .expect("answers");
        assert_eq!(
            (found.score, found.top_risk.as_deref()),
            (0.72, Some("A1h"))
        );
        assert_eq!(found.risks, [("A1h".to_owned(), 0.5)]);
        let hits: Vec<_> = found
            .hits
            .iter()
            .map(|hit| {
                let mask = hit
                    .masked_by
                    .as_ref()
                    .map(|(term, place)| (&**term, &**place));
                (
                    &*hit.found,
                    &*hit.term,
                    hit.start,
                    hit.via.as_str(),
                    &*hit.place,
                    mask,
                )
            })
            .collect();
        assert_eq!(
            hits,
            [
                (
                    "抢银行",
                    "抢银行",
                    1,
                    "exact",
                    "line 2",
                    Some(("防抢银行演练", "line 4"))
                ),
                ("ＲＯＢ", "rob", 7, "width", "line 3", None),
                ("抢银行", "抢银行", 11, "exact", "line 2", None),
            ]
        );
        let segments: Vec<_> = found
            .segments
            .iter()
            .map(|segment| (&*segment.text, &*segment.hits, &*segment.masked))
            .collect();
        assert_eq!(
            segments,
            [
                ("防", &[][..], &[][..]),
                ("抢银行", &[], &[0]),
                ("演练。", &[], &[]),
                ("ＲＯＢ", &[1], &[]),
                ("，", &[], &[]),
                ("抢银行", &[2], &[]),
            ]
        );
    }

    #[test]
    fn overlapping_hits_share_segments_and_an_empty_text_has_none() {
        let explainer = explainer("ab,A1a,0.5,substring\nbc,A1b,0.5,substring\n");
        let found = explainer.explain("abc").expect("answers");
        let segments: Vec<_> = found
            .segments
            .iter()
            .map(|segment| (&*segment.text, &*segment.hits))
            .collect();
        assert_eq!(segments, [("a", &[0][..]), ("b", &[0, 1]), ("c", &[1])]);
        let empty = explainer.explain("").expect("answers");
        assert!(empty.segments.is_empty() && empty.hits.is_empty());
        assert_eq!((empty.score, empty.top_risk), (0.0, None));
    }

    proptest! {
        #[test]
        fn agrees_with_the_judge_and_keeps_the_text(text in "[abcＡ抢银 \u{200B}]{0,40}") {
            let explainer = explainer(
                "ab,A1a,0.5,substring\nbc,A1b,0.5,\nabc,allow,,substring\n抢银,A1h,0.4,\na抢银,allow,,\n",
            );
            let found = explainer.explain(&text).expect("answers");
            let joined: String =
                found.segments.iter().map(|segment| segment.text.as_str()).collect();
            prop_assert_eq!(&joined, &text);
            explainer.judge.assess(&[&text], &mut |_, assessment| {
                let counted = found.hits.iter().filter(|hit| hit.masked_by.is_none());
                let spans: Vec<_> = counted.map(|hit| (hit.start, hit.end)).collect();
                let expected: Vec<_> =
                    assessment.hits.iter().map(|hit| (hit.start, hit.end)).collect();
                assert_eq!(spans, expected);
                assert_eq!(found.score, assessment.score);
            }).expect("answers");
        }
    }
}
