//! Many questions at a time.

use crate::index::keep;

use super::answer::{Level, OptOutAnswers, OptOutCheck};
use super::question::{Asked, OptOutQuestion, OptOutRules};
use super::registry::{OptOutRegistry, Seen};

/// How many lookups are under way at a time.
const LANES: usize = 64;
/// How many snapshots of a question, on average, are fetched into the caches beforehand at most.
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
        let mut snapshots: Vec<Seen> = Vec::with_capacity(LANES);
        // Where those of each page begin, and where they end.
        let mut places: Vec<(usize, usize)> = Vec::with_capacity(LANES);
        for questions in questions.chunks(LANES) {
            lanes.clear();
            lanes.extend(questions.iter().map(|question| self.asked(question.url)));
            // Each step reads where the next one has to look, for all lanes.
            let asked = || lanes.iter().flatten();
            keep(asked().fold(0, |sum, asked| sum ^ self.touch_starts(asked)));
            keep(asked().fold(0, |sum, asked| sum ^ self.touch_entries(asked)));
            snapshots.clear();
            places.clear();
            for asked in &lanes {
                let asked = asked.as_ref();
                let pages_from = asked.map(|asked| asked.snapshots(self, &mut snapshots));
                places.push((pages_from.unwrap_or(snapshots.len()), snapshots.len()));
            }
            // Of sites with a long history the beginning has to do.
            let ahead = &snapshots[..snapshots.len().min(LANES * AHEAD)];
            keep(
                ahead
                    .iter()
                    .fold(0, |sum, seen| sum ^ self.document(*seen).touch()),
            );
            keep(ahead.iter().fold(0, |sum, seen| {
                sum ^ self.bodies.touch(self.document(*seen).place)
            }));
            let mut start = 0;
            for ((asked, &(pages_from, end)), question) in lanes.iter().zip(&places).zip(questions)
            {
                let levels = [&snapshots[start..pages_from], &snapshots[pages_from..end]];
                start = end;
                answers.push(|signals| match asked {
                    Some(asked) => {
                        let span = (question.from, question.until);
                        self.answer(asked, levels, span, rules, &mut found, signals)
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
        let page = asked.page.map_or(0, |page| self.pages.touch_entry(page));
        self.sites.touch_entry(asked.site) ^ page
    }
}
