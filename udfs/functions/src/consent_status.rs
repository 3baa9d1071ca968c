//! `consent_status(subject [, purpose [, at]])`: did this person agree?

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_consent::{ConsentRegistry, Decision};

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
        let decisions = decide(consents, arguments)?;
        let statuses = decisions.iter().map(|decision| decision.status.as_str());
        Ok(Arc::new(StringArray::from_iter_values(statuses)))
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
        format!(
            "{} {} {}",
            registry.sha256, consents.as_of, consents.purpose
        )
    });
    Pinned::new(
        function,
        consents.map(Arc::new),
        digest.unwrap_or_default(),
        &["consent", "purpose", "as_of"],
        &resources.settings,
    )
}

/// The decision of each row. A NULL subject, purpose or instant is `missing`: nothing is known of
/// an agreement to it.
pub(crate) fn decide<'a>(
    consents: &'a Consents,
    arguments: &[ArrayRef],
) -> Result<Vec<Decision<'a>>> {
    let subjects = texts(&arguments[0])?;
    let purposes = arguments
        .get(1)
        .map(|purposes| texts(purposes))
        .transpose()?;
    let times = arguments.get(2).map(|times| instants(times));
    let registry = &consents.registry;
    Ok(subjects
        .into_iter()
        .enumerate()
        .map(|(row, subject)| {
            let purpose = purposes
                .as_ref()
                .map_or(Some(consents.purpose.as_str()), |all| all[row]);
            let at = times.as_ref().map_or(Some(consents.as_of), |all| all[row]);
            match (purpose, at) {
                (Some(purpose), Some(at)) => registry.decide(subject, purpose, at),
                _ => registry.decide(None, &consents.purpose, consents.as_of),
            }
        })
        .collect())
}
