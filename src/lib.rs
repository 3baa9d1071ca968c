//! Tamis, the sieve for training corpora.
//!
//! SQL policies judge every row of a Parquet corpus for harm, licence, source and consent, and a
//! job writes a dataset whose rows carry the proof. The functions alone, for any DataFusion
//! program, are the crate `tamis-functions`.

pub mod cli;
pub mod job;
pub mod report;
pub mod session;
