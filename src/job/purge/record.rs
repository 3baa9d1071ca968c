//! What a purge writes down: the record in its manifest, and the plan that makes it resumable.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::job::error::{JobError, Result};
use crate::job::output::Output;
use crate::job::receipt::OutputFile;
use crate::job::spec::{SpecResource, canonical_json};

/// Where plans stand while their purge is not finished, and the rewritten files until they are moved.
pub const PURGES: &str = "_tamis/purges";
/// Where `--keep-old` keeps superseded objects: out of the folders that people read.
pub const SUPERSEDED: &str = "_tamis/superseded";

/// Why rows left: one ticket, or one kind of finding. Rows are named by id, nothing else of them is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// `takedown`, or the rule of the policy that the row now fails, such as `consent_withdrawn`.
    pub rule: String,
    /// The clause the policy pack cites for the rule; empty where it cites none.
    pub clause: String,
    /// What the rows were found by: `row`, `url`, `sha256` or `subject`.
    pub kind: String,
    /// Why, in the words of the ticket.
    pub reason: String,
    /// The ticket that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// When the ticket came in, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<String>,
    /// When the ticket was closed, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<String>,
    /// The `prov_row_id` of every row that left for it, ascending.
    pub rows: Vec<String>,
}

impl Withdrawal {
    /// Its ticket or its rule, in one word or two.
    pub fn label(&self) -> String {
        match &self.ticket {
            Some(ticket) => format!("{} {ticket}", self.rule),
            None => self.rule.clone(),
        }
    }
}

/// What a purge did, in the manifest it committed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurgeRecord {
    /// The Tamis version.
    pub tamis: String,
    /// The instant it was judged at, RFC 3339.
    pub at: String,
    /// The tables it was asked by, each with its digest.
    pub asked_by: BTreeMap<String, SpecResource>,
    /// The policy pack whose clauses are cited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack: Option<SpecResource>,
    /// Rows that left.
    pub rows: u64,
    /// Those rows by the verdict they had.
    pub verdicts: BTreeMap<String, u64>,
    /// Why they left. A row is named under every ticket that asked for it.
    pub withdrawals: Vec<Withdrawal>,
    /// Objects that are no longer part of the output.
    pub superseded: Vec<OutputFile>,
}

/// A file that holds rows that leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AffectedFile {
    /// Its unit.
    pub unit: String,
    /// Its verdict.
    pub verdict: String,
    /// Its name.
    pub path: String,
    /// Rows that leave it.
    pub rows: u64,
    /// Those rows by ticket or rule; a row may count under several.
    pub reasons: BTreeMap<String, u64>,
}

/// A purge as it was decided, written create-only before anything else: whoever comes second is
/// refused, and an interrupted purge can be completed from it alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The number of the manifest it will commit.
    pub number: u64,
    /// The manifest it starts from.
    pub previous: OutputFile,
    /// Whether superseded objects are kept.
    pub keep_old: bool,
    /// Whether nobody gave `as_of` and the clock was taken.
    pub as_of_defaulted: bool,
    /// Tells two processes apart that decided the same; not part of the decision.
    pub nonce: String,
    /// What its manifest will say. `superseded` is complete.
    pub record: PurgeRecord,
    /// The files to rewrite.
    pub files: Vec<AffectedFile>,
}

impl Plan {
    /// Where it stands.
    pub fn path(&self) -> String {
        plan_path(self.number)
    }

    /// Where a rewritten object waits until the manifest is committed.
    pub fn staged(&self, path: &str) -> String {
        format!("{PURGES}/{:06}/{path}", self.number)
    }

    /// Where a superseded object is kept.
    pub fn kept(&self, path: &str) -> String {
        format!("{SUPERSEDED}/{:06}/{path}", self.number)
    }

    /// The name of a rewritten object: the unit's stem and the manifest's number.
    pub fn rewritten(&self, unit: &str, folder: &str, ending: &str) -> String {
        format!("{folder}/{unit}.{:06}.{ending}", self.number)
    }

    /// Whether two plans decide the same.
    pub fn is_same(&self, other: &Self) -> bool {
        let without = |plan: &Self| Self {
            nonce: String::new(),
            ..plan.clone()
        };
        without(self) == without(other)
    }

    /// Canonical bytes.
    pub fn to_bytes(&self) -> Result<bytes::Bytes> {
        Ok(canonical_json(self)?.into())
    }
}

fn plan_path(number: u64) -> String {
    format!("{PURGES}/{number:06}.json")
}

/// The plan of a purge that is under way or was interrupted, if there is one.
pub async fn pending(output: &Output) -> Result<Option<Plan>> {
    let names = output.list_below(PURGES).await?;
    let is_plan = |name: &&String| {
        let digits = name
            .strip_prefix(PURGES)
            .and_then(|name| name.strip_prefix('/')?.strip_suffix(".json"));
        digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let Some(name) = names.iter().find(is_plan) else {
        return Ok(None);
    };
    let Some(bytes) = output.get(name).await? else {
        // Finished between the listing and the reading.
        return Ok(None);
    };
    let plan: Plan = serde_json::from_slice(&bytes).map_err(|error| {
        JobError::failed(format!(
            "{}: damaged plan of a purge: {error}",
            output.uri(name)
        ))
    })?;
    Ok(Some(plan))
}

/// What to do about a pending purge, for commands that have to wait for it.
pub fn unfinished(output: &Output, plan: &Plan) -> String {
    format!(
        "{}: the purge {:06} is under way or was interrupted. `tamis purge {} --resume` completes it",
        output.uri(&plan.path()),
        plan.number,
        output.uri("")
    )
}
