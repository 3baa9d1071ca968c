//! What a subject's records amount to at an instant.
//!
//! Of the records whose purpose is the asked one or lies above it:
//!
//! 1. A **refusal** holds from its `granted_at` (the instant of the answer) and does not
//!    expire. A refusal without an instant holds always, and no grant comes after it.
//! 2. A **withdrawal** holds from `withdrawn_at`, whatever else its record says.
//! 3. A **grant** counts when it was given at or before the instant asked about and *after*
//!    the latest refusal or withdrawal that holds by then; at the same instant the refusal
//!    or withdrawal wins. A grant without an instant never counts.
//! 4. A grant for somebody who may be under 14 counts only when a guardian gave it. A grant
//!    that states no age counts as one under 14 when another record of the same subject
//!    does state it, for whatever purpose and time.
//! 5. Of the grants that count, those with `expires_at` at or before the instant have
//!    expired. Of the others the latest decides; of several given at one instant the
//!    strictest kind (guardian, written, separate, general), then the smallest record id.
//! 6. When none is left the answer is `expired` if a grant counted (the latest one, chosen
//!    in the same way), otherwise the latest refusal or withdrawal (at one instant the
//!    withdrawal, then the smallest record id), otherwise `missing`.
//!
//! The order of the rows plays no part.

use std::cmp::Reverse;

use crate::record::{Grant, Record, RecordKind};

/// The state of a subject's consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConsentStatus {
    /// A general consent is in force.
    Granted,
    /// A separate or written consent is in force.
    Separate,
    /// A guardian's consent is in force.
    Guardian,
    /// Consent was withdrawn.
    Withdrawn,
    /// Consent was given and has run out.
    Expired,
    /// The subject said no.
    Refused,
    /// No record says anything that counts.
    Missing,
}

impl ConsentStatus {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Granted,
        Self::Separate,
        Self::Guardian,
        Self::Withdrawn,
        Self::Expired,
        Self::Refused,
        Self::Missing,
    ];

    /// The status of that name, as [`Self::as_str`] gives it; `None` for any other text.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// The name in results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Separate => "separate",
            Self::Guardian => "guardian",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Refused => "refused",
            Self::Missing => "missing",
        }
    }

    /// Whether a consent of any kind is in force.
    pub fn is_in_force(self) -> bool {
        matches!(self, Self::Granted | Self::Separate | Self::Guardian)
    }
}

impl From<RecordKind> for ConsentStatus {
    fn from(kind: RecordKind) -> Self {
        match kind {
            RecordKind::General => Self::Granted,
            RecordKind::Separate | RecordKind::Written => Self::Separate,
            RecordKind::Guardian => Self::Guardian,
        }
    }
}

/// A consent state and the record behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision<'a> {
    /// The state at the instant asked about.
    pub status: ConsentStatus,
    /// The record that decided; `None` exactly when the state is `missing`.
    pub record: Option<ConsentRecord<'a>>,
}

impl Decision<'_> {
    /// No record speaks for or against.
    pub const MISSING: Self = Self {
        status: ConsentStatus::Missing,
        record: None,
    };
}

/// A record of the registry. Times are microseconds UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsentRecord<'a> {
    /// The registry's own id of the record.
    pub record_id: &'a str,
    /// `general`, `separate`, `written` or `guardian`.
    pub kind: &'static str,
    /// When the answer was given; for a refusal, when it was refused.
    pub granted_at: Option<i64>,
    /// The first instant at which the consent is no longer in force.
    pub expires_at: Option<i64>,
    /// The first instant at which the consent is withdrawn.
    pub withdrawn_at: Option<i64>,
    /// Where the proof of the answer lies.
    pub evidence_uri: Option<&'a str>,
}

impl<'a> ConsentRecord<'a> {
    /// `None` when a text is not UTF-8.
    fn of(record: &Record<'a>) -> Option<Self> {
        let text = |bytes| std::str::from_utf8(bytes).ok();
        Some(Self {
            record_id: text(record.record_id)?,
            kind: record.kind.as_str(),
            granted_at: record.granted_at,
            expires_at: record.expires_at,
            withdrawn_at: record.withdrawn_at,
            evidence_uri: match record.evidence_uri {
                Some(uri) => Some(text(uri)?),
                None => None,
            },
        })
    }
}

/// What decides against consent: the later one wins, see rules 1, 2 and 6.
#[derive(Clone, Copy)]
struct Objection<'a> {
    status: ConsentStatus,
    /// `None`: always, and after every grant.
    instant: Option<i64>,
    record: Record<'a>,
}

impl<'a> Objection<'a> {
    fn rank(&self) -> (bool, Option<i64>, bool, Reverse<&'a [u8]>) {
        (
            self.instant.is_none(),
            self.instant,
            self.status == ConsentStatus::Withdrawn,
            Reverse(self.record.record_id),
        )
    }
}

fn objections<'a>(record: Record<'a>, at: i64) -> impl Iterator<Item = Objection<'a>> {
    let refusal = (record.grant == Grant::Refused && record.granted_at.is_none_or(|t| t <= at))
        .then_some(Objection {
            status: ConsentStatus::Refused,
            instant: record.granted_at,
            record,
        });
    let withdrawal = record.withdrawn_at.filter(|t| *t <= at).map(|t| Objection {
        status: ConsentStatus::Withdrawn,
        instant: Some(t),
        record,
    });
    refusal.into_iter().chain(withdrawal)
}

/// A decision before the texts of its record are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Judged<'a> {
    pub(crate) status: ConsentStatus,
    record: Option<Record<'a>>,
}

impl<'a> Judged<'a> {
    pub(crate) const MISSING: Self = Self {
        status: ConsentStatus::Missing,
        record: None,
    };

    /// Records that cannot be read as text any more are no consent.
    pub(crate) fn decision(&self) -> Decision<'a> {
        match &self.record {
            None => Decision::MISSING,
            Some(record) => match ConsentRecord::of(record) {
                None => Decision::MISSING,
                record => Decision {
                    status: self.status,
                    record,
                },
            },
        }
    }
}

/// Decides over all records of one subject; `None` when one of them cannot be read, for it
/// may be the refusal.
///
/// `asked` says whether a record's purpose is asked about, `under_fourteen` reads an
/// interned age band (`None`: it states nothing).
pub(crate) fn decide<'a>(
    records: impl Iterator<Item = Option<Record<'a>>> + Clone,
    asked: impl Fn(u32) -> bool,
    under_fourteen: impl Fn(u32) -> Option<bool>,
    at: i64,
) -> Option<Judged<'a>> {
    let mut objection: Option<Objection<'a>> = None;
    let mut a_band_is_under = false;
    for record in records.clone() {
        let record = record?;
        a_band_is_under |= under_fourteen(record.age_band) == Some(true);
        if asked(record.purpose) {
            for new in objections(record, at) {
                if objection.is_none_or(|old| new.rank() > old.rank()) {
                    objection = Some(new);
                }
            }
        }
    }

    // (in force, instant, kind, smallest record id): the largest decides.
    let mut best = None;
    for record in records {
        let record = record?;
        let Some(granted_at) = record.granted_at.filter(|t| *t <= at) else {
            continue;
        };
        let after = objection.is_none_or(|o| o.instant.is_some_and(|t| granted_at > t));
        let of_age = record.kind == RecordKind::Guardian
            || !under_fourteen(record.age_band).unwrap_or(a_band_is_under);
        if record.grant == Grant::Granted && asked(record.purpose) && after && of_age {
            let in_force = record.expires_at.is_none_or(|t| t > at);
            let rank = (in_force, granted_at, record.kind, Reverse(record.record_id));
            if best.is_none_or(|(old, _)| rank > old) {
                best = Some((rank, record));
            }
        }
    }

    let (status, record) = match (best, objection) {
        (Some(((true, ..), record)), _) => (record.kind.into(), record),
        (Some((_, record)), _) => (ConsentStatus::Expired, record),
        (None, Some(objection)) => (objection.status, objection.record),
        (None, None) => return Some(Judged::MISSING),
    };
    Some(Judged {
        status,
        record: Some(record),
    })
}

/// [`decide`] for the only record of a subject, which is what most subjects have.
#[inline]
pub(crate) fn decide_only(
    record: Record<'_>,
    asked: bool,
    under_fourteen: Option<bool>,
    at: i64,
) -> Judged<'_> {
    let refused = record.grant == Grant::Refused && record.granted_at.is_none_or(|t| t <= at);
    let withdrawn_at = record.withdrawn_at.filter(|t| *t <= at);
    let of_age = record.kind == RecordKind::Guardian || under_fourteen != Some(true);
    let counts = record.grant == Grant::Granted
        && of_age
        && record
            .granted_at
            .is_some_and(|t| t <= at && withdrawn_at.is_none_or(|withdrawn| t > withdrawn));
    let status = match (counts, refused, withdrawn_at) {
        _ if !asked => ConsentStatus::Missing,
        (true, ..) if record.expires_at.is_none_or(|t| t > at) => record.kind.into(),
        (true, ..) => ConsentStatus::Expired,
        (false, true, Some(t)) if record.granted_at.is_some_and(|refused| refused <= t) => {
            ConsentStatus::Withdrawn
        }
        (false, true, _) => ConsentStatus::Refused,
        (false, false, Some(_)) => ConsentStatus::Withdrawn,
        (false, false, None) => ConsentStatus::Missing,
    };
    Judged {
        status,
        record: (status != ConsentStatus::Missing).then_some(record),
    }
}

#[cfg(test)]
mod tests;
