//! One pass over a batch of documents.

use std::ops::ControlFlow;

use super::Match;
use super::kernel::Kernel;
use super::scan::Candidate;
use super::table::AnchorTable;
use super::tables::Tables;
use crate::simd::prefetch;

/// Bytes filtered before the places found in them are compared: they are still in the cache.
const CHUNK: usize = 16 * 1024;

/// Documents shorter than this are copied together and searched as one text, since the start and
/// the end of a text cost as much as a few hundred bytes.
const SHORT_DOCUMENT: usize = 1024;
/// The same where a search stops at the first match.
const SHORT_DOCUMENT_ANY: usize = 256;

/// What a search that stops at the first match reads first; then twice as much each time.
const FIRST_STEP: usize = 192;

/// Places ahead whose neighbours are asked for, then their entries, then the spelling of the first.
const NEIGHBOURS_AHEAD: usize = 24;
const ENTRIES_AHEAD: usize = 12;
const SPELLING_AHEAD: usize = 6;

/// A text to search: one document, or several short ones behind each other.
struct Run<'a> {
    text: &'a [u8],
    /// Position of the first document in the batch.
    first: usize,
    /// Where each document ends.
    ends: &'a [usize],
}

/// What the search asks of the caller at a match: the document in the batch, the entry, and
/// where it starts there.
type OnEntry<'a> = dyn FnMut(usize, &AnchorTable, usize, usize) -> ControlFlow<()> + 'a;

/// The state of a search over one batch.
pub(super) struct Search<'a> {
    kernel: Kernel,
    tables: &'a Tables,
    candidates: Vec<Candidate>,
    short_candidates: Vec<Candidate>,
    /// Runs to give to the automaton without trying, and how many it is the next time.
    skip: u32,
    next_skip: u32,
}

/// The documents of a run, visited by ascending place.
struct Cursor {
    index: usize,
    start: usize,
}

impl Cursor {
    /// The document that holds the byte at `at`: its index in the run, start and end.
    #[inline]
    fn seek(&mut self, run: &Run<'_>, at: usize) -> (usize, usize, usize) {
        while run.ends[self.index] <= at {
            self.start = run.ends[self.index];
            self.index += 1;
        }
        (self.index, self.start, run.ends[self.index])
    }
}

impl<'a> Search<'a> {
    pub(super) fn new(kernel: Kernel, tables: &'a Tables) -> Self {
        Self {
            kernel,
            tables,
            candidates: Vec::new(),
            short_candidates: Vec::new(),
            skip: 0,
            next_skip: 1,
        }
    }

    pub(super) fn find_all(&mut self, documents: &[&str], on_match: &mut dyn FnMut(Match)) {
        each_run(documents, SHORT_DOCUMENT, &mut |run| {
            self.search(run, CHUNK, &mut |document, table, entry, start| {
                report(document, table, entry, start, on_match);
                ControlFlow::Continue(())
            });
        });
    }

    pub(super) fn find_any(&mut self, documents: &[&str], found: &mut [bool]) {
        found.fill(false);
        each_run(documents, SHORT_DOCUMENT_ANY, &mut |run| {
            let (step, alone) = match run.ends {
                [_] => (FIRST_STEP, true),
                _ => (CHUNK, false),
            };
            self.search(run, step, &mut |document, _, _, _| {
                found[document] = true;
                if alone {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
        });
    }

    /// Number of places of `text` that pass the filters.
    #[cfg(test)]
    pub(super) fn candidates(&mut self, text: &str) -> usize {
        let mut from = 0;
        let mut count = 0;
        while from < text.len() {
            let to = (from + CHUNK).min(text.len());
            from = self.filter(text.as_bytes(), from, to);
            count += self.candidates.len();
        }
        count
    }

    /// Searches a run, `step` bytes first and then twice as many each time, up to a chunk.
    fn search(&mut self, run: &Run<'_>, mut step: usize, on_entry: &mut OnEntry<'_>) {
        let length = run.text.len();
        if self.skip > 0 && self.by_automaton(run, 0, on_entry) {
            self.skip -= 1;
            return;
        }
        // Comparing this often costs as much as an automaton over the whole run.
        let mut allowed = 2048 + length / 2;
        let mut cursor = Cursor { index: 0, start: 0 };
        let mut from = 0;
        while from < length {
            let to = from.saturating_add(step).min(length);
            let next = self.filter(run.text, from, to);
            match self.compare(run, from, &mut cursor, &mut allowed, on_entry) {
                Compared::All => {}
                Compared::Enough => return,
                Compared::UpTo(place) => {
                    if self.by_automaton(run, place, on_entry) {
                        self.skip = self.next_skip;
                        self.next_skip = (2 * self.next_skip).min(64);
                        return;
                    }
                    // No automaton: go on without a limit.
                    allowed = usize::MAX;
                    cursor = Cursor { index: 0, start: 0 };
                    from = place;
                    continue;
                }
            }
            from = next;
            step = (2 * step).min(CHUNK);
        }
        self.next_skip = 1;
    }

    /// Collects the places that start in `from..to` and pass the filters, and returns where to
    /// go on.
    fn filter(&mut self, text: &[u8], from: usize, to: usize) -> usize {
        let tables = self.tables;
        let candidates = &mut self.candidates;
        candidates.clear();
        let next = self.kernel.scan(&tables.grams, text, from, to, candidates);
        self.keep_with_neighbours(text, from);
        if let Some(short) = &tables.short {
            self.short_candidates.clear();
            short.scan(self.kernel, text, from, next, &mut self.short_candidates);
        }
        next
    }

    /// Drops the candidates whose neighbours no pattern has.
    fn keep_with_neighbours(&mut self, text: &[u8], from: usize) {
        let tables = self.tables;
        let candidates = &mut self.candidates;
        let mut kept = 0;
        for index in 0..candidates.len() {
            if let Some(ahead) = candidates.get(index + NEIGHBOURS_AHEAD) {
                prefetch(&tables.neighbours.words, tables.neighbours.word(ahead.hash));
            }
            let candidate = candidates[index];
            let at = from + candidate.offset as usize;
            let holds = tables.neighbours.may_hold(candidate.hash, text, at);
            tables.anchors.prefetch_bucket(candidate.hash);
            candidates[kept] = candidate;
            kept += usize::from(holds);
        }
        candidates.truncate(kept);
    }

    /// Compares at the candidates, in order.
    fn compare(
        &self,
        run: &Run<'_>,
        from: usize,
        cursor: &mut Cursor,
        allowed: &mut usize,
        on_entry: &mut OnEntry<'_>,
    ) -> Compared {
        let tables = self.tables;
        let mut shorts: &[Candidate] = match tables.short {
            Some(_) => &self.short_candidates,
            None => &[],
        };
        let mut longs: &[Candidate] = &self.candidates;
        let mut last = 0;
        for candidate in longs.iter().take(ENTRIES_AHEAD) {
            tables.anchors.prefetch_entries(candidate.hash);
        }
        loop {
            let (table, candidate) = match (longs, shorts, &tables.short) {
                ([long, ..], [short, ..], Some(patterns)) if short.offset < long.offset => {
                    shorts = &shorts[1..];
                    (&patterns.table, *short)
                }
                ([], [short, rest @ ..], Some(patterns)) => {
                    shorts = rest;
                    (&patterns.table, *short)
                }
                ([long, rest @ ..], _, _) => {
                    longs = rest;
                    if let Some(ahead) = longs.get(ENTRIES_AHEAD) {
                        tables.anchors.prefetch_entries(ahead.hash);
                    }
                    if let Some(ahead) = longs.get(SPELLING_AHEAD) {
                        tables.anchors.prefetch_spelling(ahead.hash);
                    }
                    (&tables.anchors, *long)
                }
                ([], _, _) => return Compared::All,
            };
            let at = from + candidate.offset as usize;
            // Everything that is anchored at one place is compared before giving up.
            if *allowed == 0 && at > last {
                return Compared::UpTo(at);
            }
            last = at;
            let (index, start, end) = cursor.seek(run, at);
            let mut enough = false;
            let document = &run.text[start..end];
            let cost = table.compare(candidate.hash, document, at - start, |entry, start| {
                let flow = on_entry(run.first + index, table, entry, start);
                enough = flow.is_break();
                flow
            });
            if enough {
                return Compared::Enough;
            }
            *allowed = allowed.saturating_sub(cost);
        }
    }

    /// Lets the automaton find what is anchored at `place` or behind; `false` when there is
    /// none.
    fn by_automaton(&self, run: &Run<'_>, place: usize, on_entry: &mut OnEntry<'_>) -> bool {
        let Some(automaton) = self.tables.automaton() else {
            return false;
        };
        let mut start = 0;
        for (index, &end) in run.ends.iter().enumerate() {
            if end > place {
                // Runs are made of whole str values.
                let document = std::str::from_utf8(&run.text[start..end]).unwrap_or_default();
                for found in automaton.find_overlapping_iter(document) {
                    let (table, entry) = self.tables.spelling(found.value());
                    if start + found.start() + table.anchor(entry) >= place
                        && on_entry(run.first + index, table, entry, found.start()).is_break()
                    {
                        return true;
                    }
                }
            }
            start = end;
        }
        true
    }
}

enum Compared {
    /// At all candidates.
    All,
    /// As far as the caller wanted.
    Enough,
    /// At those before this place; the rest is too much.
    UpTo(usize),
}

fn report(
    document: usize,
    table: &AnchorTable,
    entry: usize,
    start: usize,
    on_match: &mut dyn FnMut(Match),
) {
    let end = start + table.text(entry).len();
    for &pattern in table.patterns(entry) {
        on_match(Match {
            document,
            pattern: pattern as usize,
            start,
            end,
        });
    }
}

/// Calls `on_run` with all documents in order: those of `short` bytes and more alone, shorter ones
/// copied together.
fn each_run(documents: &[&str], short: usize, on_run: &mut dyn FnMut(&Run<'_>)) {
    let mut text = Vec::new();
    let mut ends = Vec::new();
    let flush = |text: &mut Vec<u8>,
                 ends: &mut Vec<usize>,
                 next: usize,
                 on_run: &mut dyn FnMut(&Run<'_>)| {
        on_run(&Run {
            text,
            first: next - ends.len(),
            ends,
        });
        text.clear();
        ends.clear();
    };
    for (index, document) in documents.iter().enumerate() {
        if document.len() >= short {
            flush(&mut text, &mut ends, index, on_run);
            on_run(&Run {
                text: document.as_bytes(),
                first: index,
                ends: &[document.len()],
            });
            continue;
        }
        text.extend_from_slice(document.as_bytes());
        ends.push(text.len());
        if text.len() >= CHUNK {
            flush(&mut text, &mut ends, index + 1, on_run);
        }
    }
    flush(&mut text, &mut ends, documents.len(), on_run);
}
