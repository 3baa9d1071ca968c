//! `consent_status(subject [, purpose [, at]])`: did this person agree?

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_consent::{
    AskedPurpose, ConsentRegistry, ConsentStatus as Status, Decision, SubjectHash,
};

use crate::arguments::Argument;
use crate::documentation::document;
use crate::instants::instants;
use crate::judging::Judging;
use crate::pinned::Pinned;
use crate::resources::Resources;
use crate::strings::texts;

/// The arguments of both consent functions.
pub(crate) const ARGUMENTS: &[Argument] = &[
    Argument::Text("subject"),
    Argument::Text("purpose"),
    Argument::Time("at"),
];

/// What the arguments mean, for the reference.
pub(crate) const ARGUMENT_MEANINGS: &[(&str, &str)] = &[
    (
        "subject",
        "A subject_id of the registry in the setting tamis.consent.",
    ),
    (
        "purpose",
        "The purpose asked for. Default: the setting tamis.purpose.",
    ),
    (
        "at",
        "The instant asked about. Default: the setting tamis.as_of.",
    ),
];

/// The registry, and the purpose and instant asked about by default.
pub(crate) struct Consents {
    registry: Arc<ConsentRegistry>,
    purpose: String,
    as_of: i64,
}

/// `consent_status(subject [, purpose [, at]])`: Utf8, never NULL.
pub(crate) struct ConsentStatus;

impl Judging for ConsentStatus {
    const NAME: &'static str = "consent_status";
    const ARGUMENTS: &'static [Argument] = ARGUMENTS;
    type Resource = Consents;

    fn pin(resources: &Resources) -> Pinned<Consents> {
        pinned_consents(Self::NAME, resources)
    }

    fn result_type() -> DataType {
        DataType::Utf8
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "The consent of a subject to a purpose at an instant: granted, separate, guardian, withdrawn, \
                 expired, refused or missing.",
                "consent_status(subject [, purpose [, at]])",
                ARGUMENT_MEANINGS,
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(consents: &Consents, arguments: &[ArrayRef]) -> Result<ArrayRef> {
        let statuses = ask(
            consents,
            arguments,
            Status::Missing,
            |subjects, purpose, at, out| {
                consents.registry.status_batch(subjects, purpose, at, out);
            },
        )?;
        let names = statuses.iter().map(|status| status.as_str());
        Ok(Arc::new(StringArray::from_iter_values(names)))
    }
}

/// The registry of both consent functions, for the function called `function`.
pub(crate) fn pinned_consents(function: &'static str, resources: &Resources) -> Pinned<Consents> {
    let consents = resources.consent.as_ref().map(|registry| Consents {
        registry: Arc::clone(registry),
        purpose: resources.purpose.clone(),
        as_of: resources.as_of,
    });
    let digest = consents.as_ref().map(|consents| {
        let registry = consents.registry.identity();
        let purposes = consents.registry.purpose_hierarchy().identity();
        format!(
            "{} {} {} {}",
            registry.sha256, purposes.sha256, consents.as_of, consents.purpose
        )
    });
    Pinned::new(
        function,
        consents.map(Arc::new),
        digest.unwrap_or_default(),
        &["consent", "purposes", "purpose", "as_of"],
        &resources.settings,
    )
}

/// The decision of each row.
pub(crate) fn decide<'a>(
    consents: &'a Consents,
    arguments: &[ArrayRef],
) -> Result<Vec<Decision<'a>>> {
    ask(
        consents,
        arguments,
        Decision::MISSING,
        |subjects, purpose, at, out| {
            consents.registry.decide_batch(subjects, purpose, at, out);
        },
    )
}

/// The answer of each row: rows that follow each other and share purpose and instant are asked
/// together. A NULL subject, purpose or instant is `missing`: nothing is known of an agreement
/// to it.
fn ask<T: Clone>(
    consents: &Consents,
    arguments: &[ArrayRef],
    missing: T,
    mut batch: impl FnMut(&[SubjectHash], AskedPurpose, i64, &mut Vec<T>),
) -> Result<Vec<T>> {
    let subjects = texts(&arguments[0])?;
    let purposes = arguments
        .get(1)
        .map(|purposes| texts(purposes))
        .transpose()?;
    let times = arguments.get(2).map(|times| instants(times));
    let registry = &consents.registry;
    let question = |row: usize| {
        let purpose = purposes
            .as_ref()
            .map_or(Some(consents.purpose.as_str()), |all| all[row]);
        let at = times.as_ref().map_or(Some(consents.as_of), |all| all[row]);
        purpose.zip(at)
    };
    let mut answers = vec![missing; subjects.len()];
    let (mut rows, mut hashes, mut out) = (Vec::new(), Vec::new(), Vec::new());
    let mut start = 0;
    while start < subjects.len() {
        let asked = question(start);
        let end = (start + 1..subjects.len())
            .find(|row| question(*row) != asked)
            .unwrap_or(subjects.len());
        if let Some((purpose, at)) = asked {
            rows.clear();
            hashes.clear();
            out.clear();
            for (row, subject) in subjects[start..end].iter().enumerate() {
                if let Some(subject) = subject {
                    rows.push(start + row);
                    hashes.push(registry.subject_hash(subject));
                }
            }
            batch(&hashes, registry.purpose(purpose), at, &mut out);
            for (row, answer) in rows.iter().zip(out.drain(..)) {
                answers[*row] = answer;
            }
        }
        start = end;
    }
    Ok(answers)
}
