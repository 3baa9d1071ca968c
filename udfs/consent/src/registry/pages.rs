//! The mapped pages that a walk through the records keeps in memory.

use super::Body;
use crate::mapping::Mapping;

/// What is read ahead and counted as in memory at a time, in bytes: a large page.
const WINDOW: usize = 2 << 20;

/// So many windows are looked into before they are let go.
const WINDOWS: usize = 16;

/// What a walk keeps in memory, in bytes.
pub(super) const KEPT: usize = WINDOWS * WINDOW;

/// Bytes of records for each asked subject up to which reading everything in order is
/// faster than reading here and there.
const IN_ORDER_UP_TO: usize = 64 << 10;

/// What may lie between two things that will be looked at, to be read with them.
const GAP: usize = 64 * IN_ORDER_UP_TO * 4;

/// Keeps the mapped pages in memory few, and has the next ones fetched.
pub(super) struct Pages<'a> {
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
    pub(super) fn new(body: &'a Body, bytes_for_each: usize) -> Self {
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
    pub(super) fn fetch(&mut self, offsets: &[usize]) {
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
            if end - from <= GAP {
                mapping.advise_soon(start + from..start + end);
            }
            self.fetched = end;
        }
    }

    /// The body is going to be read at `position`.
    #[inline]
    pub(super) fn enter(&mut self, position: usize) {
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
