//! `source_check(source_id [, at])`: does the source have the evidence its acquisition mode needs?

use std::sync::{Arc, LazyLock};

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_consent::{SourceCheck as Check, SourceRegistry, SourceRules};

use crate::arguments::Argument;
use crate::documentation::document;
use crate::instants::spans;
use crate::judging::Judging;
use crate::pinned::Pinned;
use crate::resources::Resources;
use crate::results::{source_check_fields, source_check_type, struct_array, text_lists};
use crate::strings::{distinct, spread, text_array, texts};

/// The registry, the clauses behind the checks and the instant asked about by default.
pub(crate) struct Sources {
    registry: Arc<SourceRegistry>,
    rules: Arc<SourceRules>,
    as_of: i64,
}

/// `source_check(source_id [, at])`: Struct{verdict, acquisition_mode, origin_region, missing,
/// clauses, license}, never NULL.
pub(crate) struct SourceCheck;

impl Judging for SourceCheck {
    const NAME: &'static str = "source_check";
    const ARGUMENTS: &'static [Argument] = &[Argument::Text("source_id"), Argument::Span("at")];
    type Resource = Sources;

    fn pin(resources: &Resources) -> Pinned<Sources> {
        let sources = resources.sources.as_ref().map(|registry| Sources {
            registry: Arc::clone(registry),
            rules: Arc::clone(&resources.source_rules),
            as_of: resources.as_of,
        });
        let digest = sources.as_ref().map(|sources| {
            let registry = sources.registry.identity();
            format!(
                "{} {} {}",
                registry.sha256,
                sources.rules.digest(),
                sources.as_of
            )
        });
        Pinned::new(
            Self::NAME,
            sources.map(Arc::new),
            digest.unwrap_or_default(),
            &["sources", "as_of"],
            &resources.settings,
        )
    }

    fn result_type() -> DataType {
        source_check_type()
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "Whether a source has the evidence its acquisition mode needs at an instant: allow, deny or \
                 missing, what is missing and the clauses that ask for it.",
                "source_check(source_id [, at])",
                &[
                    (
                        "source_id",
                        "A source_id of the registry in the setting tamis.sources.",
                    ),
                    (
                        "at",
                        "The instant asked about; a date stands for its whole day. Default: the setting tamis.as_of.",
                    ),
                ],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(sources: &Sources, arguments: &[ArrayRef]) -> Result<ArrayRef> {
        source_checks(sources, arguments)
    }
}

impl Sources {
    /// An instant that is NULL is unknown, and so is then what holds at it.
    fn check(&self, source_id: Option<&str>, span: Option<(i64, i64)>) -> Check {
        match span {
            Some(span) => self.registry.check_span(source_id, span, &self.rules),
            None => self.registry.check(None, self.as_of, &self.rules),
        }
    }
}

fn source_checks(sources: &Sources, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let ids = texts(&arguments[0])?;
    let (keys, places) = match arguments.get(1) {
        Some(at) => distinct(ids.into_iter().zip(spans(at)?)),
        None => {
            let as_of = Some((sources.as_of, sources.as_of));
            distinct(ids.into_iter().map(|id| (id, as_of)))
        }
    };
    let checks: Vec<Check> = keys
        .into_iter()
        .map(|(id, span)| sources.check(id, span))
        .collect();
    let answers = struct_array(
        source_check_fields(),
        vec![
            text_array(checks.iter().map(|check| Some(check.verdict))),
            text_array(checks.iter().map(|check| check.acquisition_mode)),
            text_array(checks.iter().map(|check| check.origin_region)),
            text_lists(checks.iter().map(|check| check.missing.iter().copied()))?,
            text_lists(
                checks
                    .iter()
                    .map(|check| check.clauses.iter().map(String::as_str)),
            )?,
            text_array(checks.iter().map(|check| check.license.as_deref())),
        ],
    )?;
    spread(answers, &places)
}
