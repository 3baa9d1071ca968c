//! Jobs: a spec, its units, their receipts, one commit.
//!
//! [`run::run`] assesses every source, clears every unit and commits; [`verify::verify`] reads an
//! output back; [`trace::trace`] walks one row back to where it came from;
//! [`purge::purge`] takes rows out again.

pub mod assess;
pub mod clear;
pub mod commit;
pub mod consent;
pub mod context;
pub mod error;
pub mod evidence;
pub mod file;
pub mod gate;
pub mod inputs;
pub mod judged;
pub mod key_filter;
pub mod keys;
pub mod labelled;
pub mod manifest;
pub mod mix;
pub mod output;
pub mod pack;
pub mod plan_check;
pub mod provenance;
pub mod purge;
pub mod reader;
pub mod receipt;
pub mod report;
pub mod run;
pub mod spec;
pub mod trace;
pub mod unit;
pub mod verify;
pub mod writer;

pub use error::{JobError, Result};
