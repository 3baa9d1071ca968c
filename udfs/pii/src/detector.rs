use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use aho_corasick::{AhoCorasick, MatchKind};

use crate::finding::{Candidate, Finding, settle};
use crate::kind::{Kind, KindSet};
use crate::label::LabelIndex;
use crate::narrow::Narrowed;
use crate::scan::{Scan, WORDS};
use crate::sensitive::Surroundings;

/// Finds personal information. Built once, used from any number of threads.
///
/// One table-driven pass over the bytes picks out digits, `@`, colons and a few other characters;
/// only around those the text is read. The time is linear in the text whatever it holds.
#[derive(Debug)]
pub struct Detector {
    pub(crate) labels: LabelIndex,
    pub(crate) words: AhoCorasick,
    surroundings: Surroundings,
}

impl Detector {
    /// The detector with the built-in rules.
    pub fn builtin() -> Arc<Self> {
        static BUILTIN: LazyLock<Arc<Detector>> = LazyLock::new(|| {
            Arc::new(Detector {
                labels: LabelIndex::new(),
                words: AhoCorasick::builder()
                    .match_kind(MatchKind::LeftmostFirst)
                    .build(WORDS.iter().map(|(word, _)| word))
                    .expect("a few short words fit any automaton"),
                surroundings: Surroundings::new(),
            })
        });
        Arc::clone(&BUILTIN)
    }

    /// Everything found in `text`, sorted by place, not overlapping.
    ///
    /// Among findings that overlap, the one whose kind comes first in `Kind::ALL` stays, then the
    /// longer, then the earlier. Spans are in bytes of `text`, on character borders.
    pub fn find(&self, text: &str) -> Vec<Finding> {
        let candidates = self.candidates(text);
        if candidates.is_empty() {
            return Vec::new();
        }
        candidates
            .into_iter()
            .map(|found| {
                let (sensitive, word) =
                    self.surroundings
                        .judge(text, found.kind, found.start, found.end);
                Finding {
                    kind: found.kind,
                    start: found.start,
                    end: found.end,
                    valid: found.valid,
                    sensitive,
                    context: found.label.into_iter().chain(word).collect(),
                }
            })
            .collect()
    }

    /// The distinct kinds found in `text`, sorted by name.
    pub fn kinds(&self, text: &str) -> Vec<Kind> {
        let mut kinds: Vec<Kind> = self
            .candidates(text)
            .iter()
            .map(|found| found.kind)
            .collect();
        kinds.sort_unstable_by_key(|kind| kind.as_str());
        kinds.dedup();
        kinds
    }

    /// `text` with each finding of the kinds (`None`: of every kind) replaced by its placeholder,
    /// `[CN_RESIDENT_ID]`; borrowed when there is none.
    ///
    /// Taking one finding out can bring a label and a number together that stood apart, so this
    /// is repeated until nothing is left to find: the result holds no finding of those kinds.
    pub fn redact<'t>(&self, text: &'t str, kinds: Option<KindSet>) -> Cow<'t, str> {
        let wanted = kinds.unwrap_or_else(KindSet::all);
        let mut redacted = Cow::Borrowed(text);
        loop {
            let found = self.candidates(&redacted);
            let mut found = found
                .iter()
                .filter(|found| wanted.contains(found.kind))
                .peekable();
            if found.peek().is_none() {
                return redacted;
            }
            let mut next = String::with_capacity(redacted.len());
            let mut from = 0;
            for finding in found {
                next.push_str(&redacted[from..finding.start]);
                next.push_str(finding.kind.placeholder());
                from = finding.end;
            }
            next.push_str(&redacted[from..]);
            redacted = Cow::Owned(next);
        }
    }

    fn candidates(&self, text: &str) -> Vec<Candidate> {
        let Ok(found) = Scan::new(self, text).run(false) else {
            let narrowed = Narrowed::new(text);
            let Ok(mut found) = Scan::new(self, &narrowed.text).run(true) else {
                unreachable!("a narrowed text is read as it is");
            };
            for candidate in &mut found {
                (candidate.start, candidate.end) =
                    narrowed.original_span(candidate.start, candidate.end);
            }
            return settle(found);
        };
        settle(found)
    }
}
