//! From spans of the folded text back to spans of the original.

use super::segment::Unit;
use super::walk::{Visitor, walk};

/// A stretch of folded text made of units of equal size; bytes throughout.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    folded_start: usize,
    original_start: usize,
    /// Folded bytes per unit; 0 when the stretch is as long as its original, byte for byte.
    folded_unit: usize,
    /// Original bytes per unit.
    original_unit: usize,
}

#[derive(Debug)]
pub(super) struct OffsetMap {
    /// Ascending by `folded_start`; together they cover the folded text.
    runs: Vec<Run>,
    folded_len: usize,
}

impl OffsetMap {
    pub(super) fn of(original: &str) -> Self {
        let mut map = Self {
            runs: Vec::new(),
            folded_len: 0,
        };
        walk(original, &mut map);
        map
    }

    /// See [`super::Folded::original_span`].
    pub(super) fn original_span(&self, start: usize, end: usize) -> (usize, usize) {
        let first = self.runs.partition_point(|run| run.folded_start <= start);
        let Some(first) = first.checked_sub(1) else {
            return (0, 0);
        };
        if start == end {
            let at = self.original_range(first, start, start).0;
            return (at, at);
        }
        let mut span = (usize::MAX, 0);
        for number in first..self.runs.len() {
            if self.runs[number].folded_start >= end {
                break;
            }
            let part = self.original_range(number, start, end);
            // Marks may have changed places, so the runs' originals need not ascend.
            span = (span.0.min(part.0), span.1.max(part.1));
        }
        span
    }

    /// The original of the part of a run that lies in `start..end`.
    fn original_range(&self, number: usize, start: usize, end: usize) -> (usize, usize) {
        let run = &self.runs[number];
        let run_end = self
            .runs
            .get(number + 1)
            .map_or(self.folded_len, |next| next.folded_start);
        let from = start.max(run.folded_start) - run.folded_start;
        let to = end.min(run_end) - run.folded_start;
        let (from, to) = match from.checked_div(run.folded_unit) {
            None => (from, to),
            Some(unit) => (
                unit * run.original_unit,
                to.div_ceil(run.folded_unit) * run.original_unit,
            ),
        };
        (run.original_start + from, run.original_start + to)
    }

    /// The original end of the last run; `None` before the first.
    fn original_end(&self) -> Option<usize> {
        let number = self.runs.len().checked_sub(1)?;
        let run = &self.runs[number];
        Some(
            self.original_range(number, run.folded_start, self.folded_len)
                .1,
        )
    }

    fn push(&mut self, run: Run, folded_len: usize) {
        let continues = self.original_end() == Some(run.original_start)
            && self.runs.last().is_some_and(|last| {
                last.folded_unit == run.folded_unit
                    && (run.folded_unit == 0 || last.original_unit == run.original_unit)
            });
        if !continues {
            self.runs.push(run);
        }
        self.folded_len += folded_len;
    }

    fn push_unit(&mut self, start: usize, end: usize, folded_len: usize, is_one_char: bool) {
        // Spans never cut a folded character, so one as long as its origin is as good as
        // unchanged.
        let is_exact = is_one_char && end - start == folded_len;
        self.push(
            Run {
                folded_start: self.folded_len,
                original_start: start,
                folded_unit: if is_exact { 0 } else { folded_len },
                original_unit: if is_exact { 0 } else { end - start },
            },
            folded_len,
        );
    }
}

impl Visitor for OffsetMap {
    fn kept(&mut self, start: usize, end: usize, _has_upper: bool) {
        self.push(
            Run {
                folded_start: self.folded_len,
                original_start: start,
                folded_unit: 0,
                original_unit: 0,
            },
            end - start,
        );
    }

    fn replaced(&mut self, start: usize, end: usize, folded: &str) {
        let is_one_char = folded.chars().nth(1).is_none();
        self.push_unit(start, end, folded.len(), is_one_char);
    }

    fn removed(&mut self) {}

    fn composed(&mut self, units: &[Unit]) {
        for unit in units {
            self.push_unit(unit.start, unit.end, unit.character.len_utf8(), true);
        }
    }
}
