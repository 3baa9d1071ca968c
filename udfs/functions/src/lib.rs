//! Tamis as a DataFusion plugin: SQL functions that judge text, licences, sources and consents.
//!
//! [`Resources::load`] reads what the functions judge with (lexicon, licence policy, registries),
//! [`register_all`] puts them into a session. Functions are built from loaded resources: their
//! answers depend on digests, not on what lies behind a path later.
//!
//! ```
//! use datafusion::prelude::SessionContext;
//! use tamis_functions::{Resources, TamisSettings, register_all};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let ctx = SessionContext::new();
//! let settings = TamisSettings {
//!     as_of: Some("2026-01-31".into()),
//!     ..TamisSettings::default()
//! };
//! let resources = Resources::load(&ctx, &settings).await?;
//! register_all(&ctx, &resources)?;
//!
//! let rows = ctx
//!     .sql("SELECT license_id('GPL-2.0+'), license_check('CC-BY-4.0')['verdict'], harm('Good morning')['risks']")
//!     .await?
//!     .collect()
//!     .await?;
//! let shown = datafusion::arrow::util::pretty::pretty_format_batches(&rows)?.to_string();
//! assert!(shown.contains("GPL-2.0-or-later"), "{shown}");
//!
//! // Registries have no default: a function without its registry says which setting to give.
//! let error = ctx.sql("SELECT consent_status('u1')").await.unwrap_err().to_string();
//! assert!(error.contains("SET tamis.consent = "), "{error}");
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod ai_txt_allowed;
mod arguments;
mod blocked;
mod c2pa_training;
mod consent_record;
mod consent_status;
mod content_signal;
mod content_usage;
mod counts;
mod documentation;
mod harm;
mod harm_class;
mod harm_hits;
mod harm_rate;
mod harm_risks;
mod harm_score;
mod instants;
mod is_harmful;
mod judging;
mod license_check;
mod license_conflict;
mod license_detect;
mod license_id;
mod normalize_text;
mod opt_out;
mod pii;
mod pii_check;
mod pii_kinds;
mod pinned;
mod pure;
mod redact_pii;
mod register;
mod resources;
mod results;
mod rewrite;
mod robots_allowed;
mod robots_tag_allowed;
mod rsl_allowed;
mod settings;
mod source_check;
mod source_verdict;
mod strings;
mod subject_ref;
pub mod table;
mod tdm_reserved;

pub use instants::{parse_instant, parse_span};
pub use register::register_all;
pub use resources::{EachConsentRow, Resources, is_snapshot, read_consent_rows};
pub use settings::{KEYS, TamisSettings};
