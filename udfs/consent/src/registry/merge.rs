//! Answering a large batch, or any batch beside a sparse index, in the order of the records.

use super::lookup::{LANES, touch, walk_to};
use super::pages::Pages;
use super::parts::{AT_ONCE, Parts};
use super::{ConsentRegistry, Question};
use crate::decide::Judged;
use crate::index::{Index, SparseIndex};
use crate::subject_hash::SubjectHash;

impl ConsentRegistry {
    /// Part by part: with a dense index each subject is looked up, beside a sparse one the
    /// subjects are sorted and the records are walked beside them, a merge join.
    #[inline]
    pub(super) fn judge_in_parts<'a, T>(
        &'a self,
        question: &Question<'a>,
        subjects: &[SubjectHash],
        out: &mut Vec<T>,
        glance: usize,
        answer: impl Fn(&Judged<'a>) -> T,
    ) {
        out.reserve(subjects.len());
        let (mut asked, mut sorted) = (Vec::new(), Vec::new());
        for subjects in subjects.chunks(AT_ONCE) {
            let answers = out.len();
            out.extend(subjects.iter().map(|_| answer(&Judged::MISSING)));
            let answers = &mut out[answers..];
            let mut give = |place: u32, judged: &Judged<'a>| {
                answers[place as usize] = answer(judged);
            };
            let mut pages = Pages::new(&self.body, question.body.len() / subjects.len());
            let (mut entry, mut position) = (0, 0);
            for places in Parts::of(subjects).iter() {
                let part = places.iter().map(|place| subjects[*place as usize]);
                match &self.index {
                    Index::Dense(index) => {
                        asked.clear();
                        asked.extend(part);
                        pages.fetch(&[position]);
                        let furthest = self.judge_side_by_side(
                            index,
                            question,
                            &asked,
                            glance,
                            |number, judged| give(places[number], judged),
                        );
                        position = furthest.max(position);
                        pages.enter(position);
                    }
                    Index::Sparse(index) => {
                        sorted.clear();
                        sorted.extend(part.zip(places.iter().copied()));
                        sorted.sort_unstable();
                        let place = (&mut entry, &mut position);
                        self.merge(index, question, &sorted, place, &mut pages, &mut give);
                    }
                }
            }
        }
    }

    /// `entry` and `position` are where the last merge ended.
    #[inline]
    fn merge<'a>(
        &'a self,
        index: &SparseIndex,
        question: &Question<'a>,
        sorted: &[(SubjectHash, u32)],
        (entry, position): (&mut usize, &mut usize),
        pages: &mut Pages<'_>,
        give: &mut impl FnMut(u32, &Judged<'a>),
    ) {
        let body = question.body;
        for lanes in sorted.chunks(LANES) {
            let mut offsets = [usize::MAX; LANES];
            for (offset, (subject, _)) in offsets.iter_mut().zip(lanes) {
                *entry = index.seek(*subject, *entry);
                *offset = index.offset(*entry);
            }
            pages.fetch(&offsets[..lanes.len()]);
            touch(body, &offsets, 1);
            for ((subject, place), offset) in lanes.iter().zip(offsets) {
                *position = offset.max(*position);
                pages.enter(*position);
                if let Some(group) = walk_to(body, position, *subject) {
                    give(*place, &self.judge_group(question, &group));
                }
            }
        }
    }
}
