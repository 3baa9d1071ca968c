//! Answering a batch beside a sparse index: the asked subjects are sorted, and the sorted
//! records are walked once beside them.

use super::lookup::{LANES, touch, walk_to};
use super::{Body, ConsentRegistry, Question};
use crate::decide::Judged;
use crate::index::SparseIndex;
use crate::mapping::Mapping;
use crate::subject_hash::SubjectHash;

/// How many subjects are sorted at a time, 24 bytes each.
const SORTED_AT_ONCE: usize = 1 << 20;

/// What is read ahead and counted as in memory at a time, in bytes: a large page.
const WINDOW: usize = 2 << 20;

/// So many windows are looked into before they are let go.
const WINDOWS: usize = 64;

/// Bytes of records for each asked subject up to which reading everything in order is
/// faster than reading here and there.
const IN_ORDER_UP_TO: usize = 64 << 10;

impl ConsentRegistry {
    #[inline]
    pub(super) fn judge_in_order<'a, T>(
        &'a self,
        index: &SparseIndex,
        question: &Question<'a>,
        subjects: &[SubjectHash],
        out: &mut Vec<T>,
        answer: impl Fn(&Judged<'a>) -> T,
    ) {
        let body = question.body;
        out.reserve(subjects.len());
        let mut sorted = Vec::with_capacity(subjects.len().min(SORTED_AT_ONCE));
        for subjects in subjects.chunks(SORTED_AT_ONCE) {
            sorted.clear();
            sorted.extend(subjects.iter().copied().zip(0u32..));
            sorted.sort_unstable();
            let answers = out.len();
            out.extend(subjects.iter().map(|_| answer(&Judged::MISSING)));
            let answers = &mut out[answers..];

            let mut pages = Pages::new(&self.body, body.len() / subjects.len());
            let (mut entry, mut position) = (0, 0);
            for lanes in sorted.chunks(LANES) {
                let mut offsets = [usize::MAX; LANES];
                for (offset, (subject, _)) in offsets.iter_mut().zip(lanes) {
                    entry = index.seek(*subject, entry);
                    *offset = index.offset(entry);
                }
                pages.fetch(&offsets[..lanes.len()]);
                touch(body, &offsets, 1);
                for ((subject, place), offset) in lanes.iter().zip(offsets) {
                    position = offset.max(position);
                    pages.enter(position);
                    if let Some(group) = walk_to(body, &mut position, *subject) {
                        answers[*place as usize] = answer(&self.judge_group(question, &group));
                    }
                }
            }
        }
    }
}

/// Keeps the mapped pages in memory few, and has the next ones fetched.
struct Pages<'a> {
    /// The mapping and where the body begins in it.
    mapped: Option<(&'a Mapping, usize)>,
    is_in_order: bool,
    /// The window looked into last.
    window: usize,
    /// How many were looked into since `kept_from`.
    entered: usize,
    kept_from: usize,
    /// Up to where the body was asked for.
    fetched: usize,
}

impl<'a> Pages<'a> {
    fn new(body: &'a Body, bytes_for_each: usize) -> Self {
        Self {
            mapped: match body {
                Body::Memory(..) => None,
                Body::Mapped(mapping, start, _) => Some((mapping, *start)),
            },
            is_in_order: bytes_for_each <= IN_ORDER_UP_TO,
            window: 0,
            entered: 0,
            kept_from: 0,
            fetched: 0,
        }
    }

    /// What begins at these offsets will be looked at next.
    fn fetch(&mut self, offsets: &[usize]) {
        let Some((mapping, start)) = self.mapped else {
            return;
        };
        let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else {
            return;
        };
        let from = self.fetched.max(*first);
        if self.is_in_order && last + WINDOW > from {
            let end = last + 2 * WINDOW;
            // Subjects asked for many times over leave gaps: those are not worth reading.
            if end - from <= LANES * IN_ORDER_UP_TO * 4 {
                mapping.advise_soon(start + from..start + end);
            }
            self.fetched = end;
        }
    }

    /// The body is going to be read at `position`.
    #[inline]
    fn enter(&mut self, position: usize) {
        if position / WINDOW == self.window {
            return;
        }
        self.window = position / WINDOW;
        self.entered += 1;
        if self.entered == WINDOWS {
            self.release(position);
        }
    }

    fn release(&mut self, position: usize) {
        if let Some((mapping, start)) = self.mapped {
            mapping.release(start + self.kept_from..start + position);
        }
        self.kept_from = position;
        self.entered = 0;
    }
}

impl Drop for Pages<'_> {
    fn drop(&mut self) {
        let end = (self.window + 1) * WINDOW;
        self.release(end);
    }
}
