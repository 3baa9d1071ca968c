//! Finding subjects by the index, one by one and many side by side.

use super::pages::KEPT;
use super::{AskedPurpose, Body, ConsentRegistry, Question};
use crate::body::Group;
use crate::decide::Judged;
use crate::index::{DenseIndex, Index, keep};
use crate::subject_hash::SubjectHash;

/// How many lookups of a batch are under way at a time.
pub(super) const LANES: usize = 64;

/// Half a cache line: bytes that far apart leave no line between them out.
const GLANCE_STEP: usize = 32;

/// Bytes of mapped records for each asked subject up to which a batch is put in order: so many
/// questions look into every page, and in order each page is looked into once and then let go.
const IN_PARTS_UP_TO: usize = 1024;

impl ConsentRegistry {
    /// `glance`: how many bytes of a record are about to be read.
    #[inline]
    pub(super) fn judge_batch<'a, T>(
        &'a self,
        subjects: &[SubjectHash],
        purpose: AskedPurpose,
        at: i64,
        out: &mut Vec<T>,
        glance: usize,
        answer: impl Fn(&Judged<'a>) -> T,
    ) {
        if purpose.is_blank {
            out.extend(subjects.iter().map(|_| answer(&Judged::MISSING)));
            return;
        }
        let question = Question::new(self, purpose, at);
        match &self.index {
            Index::Dense(index) if !self.is_for_parts(subjects) => {
                out.reserve(subjects.len());
                self.judge_side_by_side(index, &question, subjects, glance, |_, judged| {
                    out.push(answer(judged));
                });
            }
            _ => self.judge_in_parts(&question, subjects, out, glance, answer),
        }
    }

    fn is_for_parts(&self, subjects: &[SubjectHash]) -> bool {
        let body = self.body().len();
        matches!(self.body, Body::Mapped(..))
            && body > KEPT
            && body / IN_PARTS_UP_TO <= subjects.len()
    }

    /// Gives every subject's number among `subjects` and what came of it, in their order. Returns
    /// the largest offset looked at.
    #[inline]
    pub(super) fn judge_side_by_side<'a>(
        &'a self,
        index: &DenseIndex,
        question: &Question<'a>,
        subjects: &[SubjectHash],
        glance: usize,
        mut give: impl FnMut(usize, &Judged<'a>),
    ) -> usize {
        let body = question.body;
        let mut furthest = 0;
        for (lanes, number) in subjects.chunks(LANES).zip((0..).step_by(LANES)) {
            keep(lanes.iter().fold(0, |sum, s| sum ^ index.touch(*s)));
            let mut offsets = [usize::MAX; LANES];
            for (offset, subject) in offsets.iter_mut().zip(lanes) {
                *offset = index.candidates(*subject).next().unwrap_or(usize::MAX);
            }
            touch(body, &offsets, glance);
            for ((subject, offset), number) in lanes.iter().zip(offsets).zip(number..) {
                if offset == usize::MAX {
                    give(number, &Judged::MISSING);
                    continue;
                }
                furthest = furthest.max(offset);
                match group_of(body, offset, *subject) {
                    Some(group) => give(number, &self.judge_group(question, &group)),
                    // Another subject with the same bits: the slow way sees the rest.
                    None => give(number, &self.judge(question, *subject)),
                }
            }
        }
        furthest
    }

    pub(super) fn judge<'a>(&'a self, question: &Question<'a>, subject: SubjectHash) -> Judged<'a> {
        let body = question.body;
        let group = match &self.index {
            Index::Dense(index) => index
                .candidates(subject)
                .find_map(|offset| group_of(body, offset, subject)),
            Index::Sparse(index) => {
                let entry = index.seek(subject, index.guess(subject));
                walk_to(body, &mut index.offset(entry), subject)
            }
        };
        group.map_or(Judged::MISSING, |group| self.judge_group(question, &group))
    }
}

/// Reads bytes of all the records, so that a later look at them does not wait.
#[inline]
pub(super) fn touch(body: &[u8], offsets: &[usize; LANES], length: usize) {
    let byte = |offset: usize| u64::from(body.get(offset).copied().unwrap_or_default());
    keep(offsets.iter().fold(0, |sum, offset| {
        (0..length)
            .step_by(GLANCE_STEP)
            .fold(sum, |sum, step| sum ^ byte(offset.saturating_add(step)))
    }));
}

#[inline]
fn group_of(body: &[u8], offset: usize, subject: SubjectHash) -> Option<Group<'_>> {
    Group::read(body, offset).filter(|group| group.subject == subject)
}

/// The subject's group, looked for from the group at `position` on, which must not stand
/// behind the subject. `position` comes to be that of the group or the next one behind it.
#[inline]
pub(super) fn walk_to<'a>(
    body: &'a [u8],
    position: &mut usize,
    subject: SubjectHash,
) -> Option<Group<'a>> {
    loop {
        let group = Group::read(body, *position)?;
        if group.subject >= subject {
            return (group.subject == subject).then_some(group);
        }
        *position = group.end(body)?;
    }
}
