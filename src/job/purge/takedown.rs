//! Takedown lists: tickets that name rows, urls, texts by digest, or subjects.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, SecondsFormat};
use datafusion::prelude::SessionContext;
use tamis_consent::SubjectKey;
use tamis_functions::table::{Column, Kind, Row, read_rows};
use tamis_resource::{ResourceError, Result};

use crate::job::keys::{Key, KeyKind, key_of_hex, key_of_url};
use crate::job::spec::SpecResource;

use super::demand::{Demand, ProvRow, Wanted};
use super::record::Withdrawal;

/// In the order of their indexes below.
const COLUMNS: &[Column] = &[
    Column::required("kind", Kind::Text),
    Column::required("value", Kind::Text),
    Column::required("ticket", Kind::Text),
    Column::required("received_at", Kind::Time),
    Column::optional("closed_at", Kind::Time),
    Column::required("reason", Kind::Text),
];
const KIND: usize = 0;
const VALUE: usize = 1;
const TICKET: usize = 2;
const RECEIVED_AT: usize = 3;
const CLOSED_AT: usize = 4;
const REASON: usize = 5;

/// A loaded takedown list. Raw subjects are hashed while it is read and are not in it.
pub struct Takedown {
    identity: SpecResource,
    keys: BTreeSet<Key>,
    /// For each kind by whole value: the withdrawals that ask for it.
    values: [HashMap<String, Vec<usize>>; 4],
    withdrawals: Vec<Withdrawal>,
    /// Columns that are not used, for the person who wrote the table.
    pub warnings: Vec<String>,
}

impl Takedown {
    /// Reads a list. `key` is the subject key of the output, checked by the caller; without it raw
    /// subjects are an error, and only refs are taken. `clause` is what the pack cites for `takedown`.
    pub async fn load(
        ctx: &SessionContext,
        uri: &str,
        key: Option<&SubjectKey>,
        clause: &str,
    ) -> Result<Self> {
        let mut list = Self {
            identity: SpecResource {
                uri: uri.to_owned(),
                version: String::new(),
                sha256: String::new(),
            },
            keys: BTreeSet::new(),
            values: Default::default(),
            withdrawals: Vec::new(),
            warnings: Vec::new(),
        };
        let mut known: HashMap<Ticket, usize> = HashMap::new();
        let mut each = |row: &Row<'_>| {
            let wrong = |message: &str| ResourceError::Malformed {
                uri: uri.to_owned(),
                location: row.location(),
                message: message.to_owned(),
            };
            let text = |column: usize| {
                row.text(column)
                    .map(str::trim)
                    .filter(|text| !text.is_empty())
            };
            let kind = text(KIND).ok_or_else(|| wrong("kind is empty"))?;
            // Subjects and urls are compared byte by byte, as the job did.
            let value = row
                .text(VALUE)
                .filter(|value| !value.is_empty())
                .ok_or_else(|| wrong("value is empty"))?;
            let ticket = text(TICKET).ok_or_else(|| wrong("ticket is empty"))?;
            let received = row
                .time(RECEIVED_AT)
                .ok_or_else(|| wrong("received_at is empty"))?;
            let closed = row.time(CLOSED_AT);
            if closed.is_some_and(|closed| closed < received) {
                return Err(wrong("closed_at lies before received_at"));
            }
            let reason = text(REASON).ok_or_else(|| wrong("reason is empty"))?;
            let wanted = wanted(kind, value, key).map_err(wrong)?;
            let group = Ticket {
                kind: kind.to_owned(),
                ticket: ticket.to_owned(),
                received,
                closed,
                reason: reason.to_owned(),
            };
            let next = list.withdrawals.len();
            let index = *known.entry(group.clone()).or_insert(next);
            if index == next {
                list.withdrawals.push(group.withdrawal(clause));
            }
            for (kind, value) in wanted {
                let key = match kind {
                    KeyKind::Url => Some(key_of_url(&value)),
                    _ => key_of_hex(&value),
                };
                list.keys.extend(key.map(|key| (kind, key)));
                let asked = list.values[kind as usize].entry(value).or_default();
                if !asked.contains(&index) {
                    asked.push(index);
                }
            }
            Ok(())
        };
        let summary = read_rows(ctx, "takedown", uri, COLUMNS, &mut each).await?;
        list.identity.sha256 = summary.sha256;
        list.warnings = summary.warnings;
        Ok(list)
    }
}

/// What rows of one ticket have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Ticket {
    kind: String,
    ticket: String,
    received: i64,
    closed: Option<i64>,
    reason: String,
}

impl Ticket {
    fn withdrawal(self, clause: &str) -> Withdrawal {
        let time = |micros: i64| {
            DateTime::from_timestamp_micros(micros)
                .map(|time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
        };
        Withdrawal {
            rule: "takedown".to_owned(),
            clause: clause.to_owned(),
            kind: self.kind,
            reason: self.reason,
            ticket: Some(self.ticket),
            received_at: time(self.received),
            closed_at: self.closed.and_then(time),
            rows: Vec::new(),
        }
    }
}

/// What a line asks for. Errors never repeat the value.
fn wanted(
    kind: &str,
    value: &str,
    key: Option<&SubjectKey>,
) -> std::result::Result<Vec<(KeyKind, String)>, &'static str> {
    let hex = |digits: usize| {
        let value = value.trim();
        let is_hex = value.len() == digits && value.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| value.to_ascii_lowercase())
    };
    match kind {
        "row" => hex(32)
            .map(|id| vec![(KeyKind::Row, id)])
            .ok_or("a row is named by its prov_row_id, 32 hexadecimal digits"),
        "sha256" => hex(64)
            .map(|digest| vec![(KeyKind::Text, digest)])
            .ok_or("a sha256 has 64 hexadecimal digits"),
        "url" => Ok(vec![(KeyKind::Url, value.to_owned())]),
        // What looks like a ref may also be an id: both are looked for.
        "subject" => {
            let reference = hex(32);
            let hashed = key.map(|key| key.subject_ref(value));
            let both: Vec<(KeyKind, String)> = hashed
                .into_iter()
                .chain(reference)
                .map(|reference| (KeyKind::Subject, reference))
                .collect();
            if both.is_empty() {
                return Err(
                    "a subject that is not a subject ref needs the subject key: --set subject_key=FILE or env:NAME",
                );
            }
            Ok(both)
        }
        _ => Err("kind is none of row, url, sha256, subject"),
    }
}

impl Demand for Takedown {
    fn identity(&self) -> (&'static str, SpecResource) {
        ("takedown", self.identity.clone())
    }

    fn wanted(&self) -> Wanted<'_> {
        Wanted::Keys(&self.keys)
    }

    fn concerns(&self, key: Key) -> bool {
        self.keys.contains(&key)
    }

    fn covers(&self, _verdict: &str) -> bool {
        // Whatever became of the row, it leaves.
        true
    }

    fn judge(&self, row: &ProvRow<'_>, found: &mut dyn FnMut(usize)) {
        let asked = [
            (KeyKind::Row, Some(row.row_id)),
            (KeyKind::Subject, row.subject_ref),
            (KeyKind::Text, row.text_sha256),
            (KeyKind::Url, row.url),
        ];
        for (kind, value) in asked {
            let Some(value) = value else { continue };
            for index in self.values[kind as usize].get(value).into_iter().flatten() {
                found(*index);
            }
        }
    }

    fn withdrawals(&self) -> &[Withdrawal] {
        &self.withdrawals
    }
}
