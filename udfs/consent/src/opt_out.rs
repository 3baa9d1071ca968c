//! Opt-out registry: what sites and pages said of training, from snapshots with their dates.
//!
//! A registry is built from a table of snapshots ([`SnapshotRow`]): a robots.txt, a
//! tdmrep.json, the headers of a page ..., each as it was at one instant. It never fetches.
//! [`OptOutRegistry::check`] folds everything that was in force for a URL at an instant into
//! one verdict and names the evidence. [`warc`] and [`files`] make snapshots out of what a
//! crawler kept.
//!
//! ```
//! use std::sync::Arc;
//! use tamis_consent::opt_out::{OptOutRegistryBuilder, OptOutRules, SnapshotRow};
//! use tamis_consent::signals::AgentList;
//!
//! let mut builder = OptOutRegistryBuilder::new("snapshots.parquet");
//! let row = SnapshotRow {
//!     url: "example.com",
//!     fetched_at: 100_000_001,
//!     kind: "robots.txt",
//!     status: Some(200),
//!     body: b"User-agent: GPTBot\nDisallow: /\n",
//!     sha256: None,
//! };
//! builder.push(|| "row 1".into(), row)?;
//! let registry = builder.finish("2026-11", &tamis_resource::sha256_hex(b"the table"))?;
//! let rules = OptOutRules::new(Arc::new(AgentList::builtin().clone()));
//! let verdict = |url, at| registry.check(Some(url), at, &rules).verdict;
//! assert_eq!(verdict("https://example.com/page", 100_000_001), "disallowed");
//! assert_eq!(verdict("https://example.com/page", 99_999_999), "unknown");
//! assert_eq!(verdict("https://www.example.com/page", 100_000_001), "unknown");
//! # Ok::<(), tamis_resource::ResourceError>(())
//! ```

mod answer;
mod batch;
mod bodies;
mod builder;
mod content;
mod digest;
pub mod files;
mod judge;
mod link;
mod question;
mod registry;
mod snapshot;
pub mod warc;

pub use answer::{OptOutAnswers, OptOutCheck, OptOutSignal};
pub use builder::OptOutRegistryBuilder;
pub use digest::Sha256Hex;
pub use question::{OptOutQuestion, OptOutRules};
pub use registry::OptOutRegistry;
pub use snapshot::{Snapshot, SnapshotKind, SnapshotRow};
