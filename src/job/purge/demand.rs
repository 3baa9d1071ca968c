//! What asks for rows to leave. Each source of demands says which keys it is about, and decides row by row.

use std::collections::BTreeSet;

use crate::job::keys::{Key, KeyKind};
use crate::job::spec::SpecResource;

use super::record::Withdrawal;

/// The provenance of one row, as far as demands look at it.
#[derive(Debug, Clone, Copy)]
pub struct ProvRow<'a> {
    /// `prov_row_id`.
    pub row_id: &'a str,
    /// `prov_subject_ref`.
    pub subject_ref: Option<&'a str>,
    /// `prov_text_sha256`.
    pub text_sha256: Option<&'a str>,
    /// `prov_url`.
    pub url: Option<&'a str>,
    /// `prov_consent_status`.
    pub consent_status: Option<&'a str>,
    /// `prov_acquisition_mode`.
    pub acquisition_mode: Option<&'a str>,
}

/// The keys that lead a demand to its files.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// These alone: the filters name the units.
    Keys(&'a BTreeSet<Key>),
    /// Every key of a kind is asked about: the key indexes of all units are read, that kind alone.
    Every(KeyKind),
}

/// A source of demands: a takedown list, a newer consent registry, newer opt-out signals.
pub trait Demand: Send + Sync {
    /// The setting it comes from, and its identity.
    fn identity(&self) -> (&'static str, SpecResource);

    /// How its files are found.
    fn wanted(&self) -> Wanted<'_>;

    /// Whether a key makes its file a candidate. May be true for a row that does not leave, never
    /// false for one that does.
    fn concerns(&self, key: Key) -> bool;

    /// Whether rows of a verdict can leave for it.
    fn covers(&self, verdict: &str) -> bool;

    /// Calls `found` with the index of each withdrawal the row leaves for.
    fn judge(&self, row: &ProvRow<'_>, found: &mut dyn FnMut(usize));

    /// Its withdrawals, without rows.
    fn withdrawals(&self) -> &[Withdrawal];
}

/// Whether the rows of a verdict's folder hold their own content. `dropped/` names rows to account for
/// them; it holds nobody's text unless the job was told to.
pub fn holds_content(verdict: &str, dropped_holds_rows: bool) -> bool {
    verdict != "drop" || dropped_holds_rows
}
