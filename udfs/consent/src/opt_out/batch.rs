//! Many questions at a time.

use crate::index::keep;

use super::judge::{Asked, OptOutCheck, OptOutRules};
use super::registry::{OptOutRegistry, Seen};

/// How many lookups are under way at a time.
const LANES: usize = 64;
/// How many snapshots of a site are fetched into the caches beforehand.
const AHEAD: usize = 4;

impl OptOutRegistry {
    /// [`OptOutRegistry::check`] for many URLs, each with its own instant; answers are appended
    /// to `out` in order, and are the same.
    ///
    /// Memory answers many questions at a time but each one slowly, so the lookups go on side
    /// by side: faster than one by one when the registry is larger than the caches. Answers
    /// take memory, so it is best to ask for about a thousand at a time.
    pub fn check_batch(
        &self,
        questions: &[(Option<&str>, i64)],
        rules: &OptOutRules,
        out: &mut Vec<OptOutCheck>,
    ) {
        out.reserve(questions.len());
        let mut found = Vec::new();
        let mut lanes: Vec<Option<Asked<'_>>> = Vec::with_capacity(LANES);
        let mut snapshots: Vec<[&[Seen]; 2]> = Vec::with_capacity(LANES);
        for questions in questions.chunks(LANES) {
            lanes.clear();
            lanes.extend(questions.iter().map(|(url, _)| self.asked(*url)));
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
            let lanes = lanes.iter().zip(&snapshots).zip(questions);
            out.extend(lanes.map(|((asked, snapshots), (_, at))| {
                asked.as_ref().map_or_else(OptOutCheck::unknown, |asked| {
                    self.answer(asked, *snapshots, *at, rules, &mut found)
                })
            }));
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
