//! Many questions at a time.

use crate::index::keep;

use super::answer::{Level, OptOutAnswers, OptOutCheck};
use super::question::{Asked, OptOutQuestion, OptOutRules};
use super::registry::{OptOutRegistry, Seen};

/// How many lookups are under way at a time.
const LANES: usize = 64;
/// How many snapshots of a site are fetched into the caches beforehand.
const AHEAD: usize = 4;

impl OptOutRegistry {
    /// [`OptOutRegistry::check`] for many URLs, each with its own instant; answers are appended
    /// to `out` in order, and are the same. See [`OptOutRegistry::answer_batch`].
    pub fn check_batch(
        &self,
        questions: &[(Option<&str>, i64)],
        rules: &OptOutRules,
        out: &mut Vec<OptOutCheck>,
    ) {
        let questions: Vec<OptOutQuestion<'_>> = questions
            .iter()
            .map(|&(url, at)| OptOutQuestion {
                url,
                from: at,
                until: at,
            })
            .collect();
        let mut answers = OptOutAnswers::default();
        self.answer_batch(&questions, rules, &mut answers);
        out.extend(answers.iter().map(|(verdict, signals)| OptOutCheck {
            verdict,
            signals: signals.to_vec(),
        }));
    }

    /// [`OptOutRegistry::check_span`] for many questions; answers are appended in order, and
    /// are the same.
    ///
    /// Memory answers many questions at a time but each one slowly, so the lookups go on side
    /// by side: faster than one by one when the registry is larger than the caches. Answers
    /// take memory, so it is best to ask for about a thousand at a time.
    pub fn answer_batch(
        &self,
        questions: &[OptOutQuestion<'_>],
        rules: &OptOutRules,
        answers: &mut OptOutAnswers,
    ) {
        answers.reserve(questions.len());
        let mut found = Vec::new();
        let mut lanes: Vec<Option<Asked<'_>>> = Vec::with_capacity(LANES);
        let mut snapshots: Vec<[&[Seen]; 2]> = Vec::with_capacity(LANES);
        for questions in questions.chunks(LANES) {
            lanes.clear();
            lanes.extend(questions.iter().map(|question| self.asked(question.url)));
            // Each step reads where the next one has to look, for all lanes.
            let asked = || lanes.iter().flatten();
            keep(asked().fold(0, |sum, asked| sum ^ self.touch_starts(asked)));
            keep(asked().fold(0, |sum, asked| sum ^ self.touch_entries(asked)));
            snapshots.clear();
            let none: [&[Seen]; 2] = [&[], &[]];
            let of = |asked: &Option<Asked<'_>>| {
                let asked = asked.as_ref();
                asked.map_or(none, |asked| asked.snapshots(self))
            };
            snapshots.extend(lanes.iter().map(of));
            let ahead = || {
                let levels = snapshots.iter().flatten();
                levels.flat_map(|seen| seen.iter().take(AHEAD))
            };
            keep(ahead().fold(0, |sum, seen| sum ^ self.document(*seen).touch()));
            keep(ahead().fold(0, |sum, seen| sum ^ self.document(*seen).touch_content()));
            for ((asked, snapshots), question) in lanes.iter().zip(&snapshots).zip(questions) {
                answers.push(|signals| match asked {
                    Some(asked) => {
                        let span = (question.from, question.until);
                        self.answer(asked, *snapshots, span, rules, &mut found, signals)
                    }
                    None => Level::Unknown,
                });
            }
        }
    }

    fn touch_starts(&self, asked: &Asked<'_>) -> u64 {
        let page = asked.page.map_or(0, |page| self.pages.touch_start(page));
        self.sites.touch_start(asked.site) ^ page
    }

    fn touch_entries(&self, asked: &Asked<'_>) -> u64 {
        let read = |seen: &Seen| u64::from(seen.document);
        let page = asked
            .page
            .map_or(0, |page| self.pages.touch_entry(page, read));
        self.sites.touch_entry(asked.site, read) ^ page
    }
}
