//! `source_check(source_id [, at])`: does the source have the evidence its acquisition mode needs?

use std::sync::{Arc, LazyLock};

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature,
};
use tamis_consent::{SourceCheck as Check, SourceRegistry, SourceRules};

use crate::arguments::{Argument, coerce, signature};
use crate::documentation::document;
use crate::instants::instants;
use crate::pinned::Pinned;
use crate::resources::Resources;
use crate::results::{source_check_fields, source_check_type, struct_array, text_lists};
use crate::strings::{distinct, evaluate, spread, text_array, texts};

/// The registry, the clauses behind the checks and the instant asked about by default.
pub(crate) struct Sources {
    registry: Arc<SourceRegistry>,
    rules: Arc<SourceRules>,
    as_of: i64,
}

/// `source_check(source_id [, at])`: Struct{verdict, acquisition_mode, origin_region, missing,
/// clauses}, never NULL.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct SourceCheck {
    signature: Signature,
    sources: Pinned<Sources>,
}

impl SourceCheck {
    pub(crate) fn new(resources: &Resources) -> Self {
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
        Self {
            signature: signature(),
            sources: Pinned::new(
                "source_check",
                sources.map(Arc::new),
                digest.unwrap_or_default(),
                &["sources", "as_of"],
                &resources.settings,
            ),
        }
    }
}

impl ScalarUDFImpl for SourceCheck {
    fn name(&self) -> &str {
        "source_check"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let arguments = [Argument::Text("source_id"), Argument::Time("at")];
        coerce(self.name(), &arguments, 1, arg_types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(source_check_type())
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs) -> Result<FieldRef> {
        self.sources.at_planning()?;
        Ok(Arc::new(Field::new(
            self.name(),
            source_check_type(),
            false,
        )))
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let sources = self.sources.with_config(config)?;
        Some(ScalarUDF::from(Self {
            signature: self.signature.clone(),
            sources,
        }))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let sources = self.sources.at_run(&args.config_options)?;
        evaluate(&args, |arrays| source_checks(sources, arrays))
    }

    fn documentation(&self) -> Option<&Documentation> {
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
                        "The instant asked about. Default: the setting tamis.as_of.",
                    ),
                ],
            )
        });
        Some(&DOCUMENTATION)
    }
}

impl Sources {
    /// An instant that is NULL is unknown, and so is then what holds at it.
    fn check(&self, source_id: Option<&str>, at: Option<i64>) -> Check {
        match at {
            Some(at) => self.registry.check(source_id, at, &self.rules),
            None => self.registry.check(None, self.as_of, &self.rules),
        }
    }
}

fn source_checks(sources: &Sources, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let ids = texts(&arguments[0])?;
    let (keys, places) = match arguments.get(1) {
        Some(at) => distinct(ids.into_iter().zip(instants(at))),
        None => distinct(ids.into_iter().map(|id| (id, Some(sources.as_of)))),
    };
    let checks: Vec<Check> = keys
        .into_iter()
        .map(|(id, at)| sources.check(id, at))
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
        ],
    )?;
    spread(answers, &places)
}
