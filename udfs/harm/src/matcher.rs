//! Finding thousands of fixed patterns in batches of documents.

mod automaton;
pub(crate) mod filter;
mod frequency;
mod frequency_table;
pub(crate) mod gram;
mod kernel;
mod pair_gram;
pub(crate) mod scan;
mod search;
mod short;
pub(crate) mod short_places;
mod table;
mod tables;

use std::fmt;

pub use automaton::DaachorseMatcher;
pub use frequency::GramFrequencies;
pub use kernel::Kernel;
pub use pair_gram::PairGramMatcher;

/// A pattern found in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Match {
    /// Position of the document in the batch.
    pub document: usize,
    /// Position of the pattern in the list the matcher was built from.
    pub pattern: usize,
    /// Byte offset of its first byte in the document.
    pub start: usize,
    /// Byte offset behind its last byte.
    pub end: usize,
}

/// Finds fixed patterns, byte for byte, in batches of documents.
///
/// Patterns are unique and not empty. Documents are never joined: no match spans two of them.
pub trait Matcher: Send + Sync + fmt::Debug {
    /// Reports every occurrence of every pattern, overlapping ones too, once each: document by
    /// document in ascending order, in any order within a document.
    fn find_all(&self, documents: &[&str], on_match: &mut dyn FnMut(Match));

    /// Sets `found[i]` to whether document `i` holds any pattern: the same answer as
    /// [`Self::find_all`], perhaps sooner.
    ///
    /// # Panics
    /// When `found` is not as long as `documents`.
    fn find_any(&self, documents: &[&str], found: &mut [bool]);
}

#[cfg(test)]
pub(crate) mod tests;
