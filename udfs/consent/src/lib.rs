//! Consent registry, source registry and subject references.
//!
//! Three resources and what they answer:
//!
//! - [`ConsentRegistry`]: did this subject agree to this purpose at this instant?
//! - [`SourceRegistry`]: does this source have the evidence its acquisition mode needs?
//! - [`SubjectKey`]: the keyed reference that stands for a subject in every output.
//!
//! Everything here fails closed: what is unknown, contradictory or out of force is never
//! a yes. All times are microseconds since 1970-01-01 UTC. The crate knows no table
//! format: a reader pushes rows into a builder and says where each one came from.
//!
//! ```
//! use tamis_consent::{ConsentRegistryBuilder, ConsentRow, ConsentStatus};
//!
//! let mut builder = ConsentRegistryBuilder::new("consent.csv");
//! let row = ConsentRow {
//!     subject_id: "user-1",
//!     purpose: "model-training",
//!     kind: "separate",
//!     status: "granted",
//!     granted_at: Some(100),
//!     expires_at: None,
//!     withdrawn_at: Some(200),
//!     record_id: "r1",
//!     evidence_uri: None,
//!     subject_age_band: None,
//! };
//! builder.push(|| "line 2".into(), row)?;
//! let registry = builder.finish("2026-11", &tamis_resource::sha256_hex(b"the table"))?;
//! let status = |at| registry.decide(Some("user-1"), "model-training", at).status;
//! assert_eq!(status(99), ConsentStatus::Missing);
//! assert_eq!(status(100), ConsentStatus::Separate);
//! assert_eq!(status(200), ConsentStatus::Withdrawn);
//! # Ok::<(), tamis_resource::ResourceError>(())
//! ```

mod address;
mod age_band;
mod blocked;
mod body;
mod buckets;
mod builder;
mod check;
mod consent_check;
mod decide;
mod field;
mod index;
mod intake;
mod keyed;
mod large_writes;
mod mapping;
mod names;
pub mod opt_out;
mod purpose_hierarchy;
mod record;
mod registry;
mod rules;
pub mod signals;
mod snapshot;
mod sources;
mod subject;
mod subject_hash;

#[doc(hidden)]
pub use address::both_ways_agree;
pub use blocked::{
    BlockCheck, BlockKind, BlockList, BlockListBuilder, BlockRow, registrable_domain,
};
pub use builder::{ConsentOptions, ConsentRegistryBuilder, ConsentRow};
pub use check::SourceCheck;
pub use consent_check::{
    ConsentCheck, ConsentCheckReport, ConsentExample, ConsentFinding, ConsentFindingKind,
};
pub use decide::{ConsentRecord, ConsentStatus, Decision};
pub use purpose_hierarchy::PurposeHierarchy;
pub use record::{Grant, RecordKind};
pub use registry::{AskedPurpose, ConsentRegistry};
pub use rules::SourceRules;
pub use snapshot::{
    ConsentSnapshot, ConsentSnapshotHeader, ConsentSnapshotWriter, SnapshotOptions,
};
pub use sources::{SourceEvidence, SourceRegistry, SourceRegistryBuilder, SourceRow};
pub use subject::SubjectKey;
pub use subject_hash::SubjectHash;
