//! Where the records of a subject begin: one entry for each subject, or, where that would
//! take more memory than allowed, one for each block of the body.

mod dense;
mod sparse;

use std::hint::black_box;
use std::io;

use crate::subject_hash::SubjectHash;
pub(crate) use dense::DenseIndex;
use dense::DenseIndexBuilder;
pub(crate) use sparse::SparseIndex;
use sparse::SparseIndexBuilder;

/// The longest body, in bytes: what 48 bits count.
pub(crate) const LONGEST_BODY: u64 = 1 << 48;

/// An index of either kind.
#[derive(Debug)]
pub(crate) enum Index {
    Dense(DenseIndex),
    Sparse(SparseIndex),
}

impl Index {
    /// The bytes in use.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Dense(index) => index.bytes(),
            Self::Sparse(index) => index.bytes(),
        }
    }
}

/// Takes the subjects in the order of their hashes.
pub(crate) enum IndexBuilder {
    Dense(DenseIndexBuilder),
    Sparse(SparseIndexBuilder),
}

impl IndexBuilder {
    /// For at most `subjects` subjects in a body of at most `body` bytes: the dense index if
    /// it takes at most `limit` bytes, otherwise the sparse one.
    pub(crate) fn new(subjects: u64, body: u64, limit: u64) -> io::Result<Self> {
        Ok(if dense::bytes_for(subjects) <= limit {
            Self::Dense(DenseIndexBuilder::new(subjects)?)
        } else {
            Self::Sparse(SparseIndexBuilder::new(body, limit)?)
        })
    }

    /// `subject` must not be before an earlier one, `offset` neither and below
    /// [`LONGEST_BODY`]. `None` when there are more subjects than agreed.
    #[inline]
    pub(crate) fn insert(&mut self, subject: SubjectHash, offset: u64) -> Option<()> {
        match self {
            Self::Dense(index) => index.insert(subject, offset),
            Self::Sparse(index) => index.insert(subject, offset),
        }
    }

    /// `None` when there were more subjects than agreed.
    pub(crate) fn finish(self) -> Option<Index> {
        Some(match self {
            Self::Dense(index) => Index::Dense(index.finish()?),
            Self::Sparse(index) => Index::Sparse(index.finish()),
        })
    }
}

/// Keeps reads that only warm the caches from being optimised away.
pub(crate) fn keep(touched: u64) {
    black_box(touched);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_decides_which_index_it_is() {
        let is_dense = |subjects, limit| {
            let builder = IndexBuilder::new(subjects, subjects * 90, limit).expect("room");
            matches!(builder, IndexBuilder::Dense(_))
        };
        assert!(is_dense(1_000, 200 * 64) && !is_dense(1_000, 200 * 64 - 1));
        assert!(is_dense(0, 64) && !is_dense(0, 0));
    }
}
