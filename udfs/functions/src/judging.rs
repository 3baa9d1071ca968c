//! Functions that judge with a loaded resource.

use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature,
};

use crate::arguments::{Argument, coerce, signature};
use crate::pinned::Pinned;
use crate::resources::Resources;
use crate::strings::evaluate;

/// What a file of such a function says: its name, its shape, its resource and its kernel.
pub(crate) trait Judging: Send + Sync + 'static {
    /// The SQL name.
    const NAME: &'static str;
    /// The arguments.
    const ARGUMENTS: &'static [Argument];
    /// How many of them must be there.
    const REQUIRED: usize = 1;
    /// Whether NULL gives NULL; otherwise the result is never NULL.
    const STRICT: bool = false;
    /// What it judges with.
    type Resource: Send + Sync + 'static;

    /// The resource, with its digest and the settings it comes from.
    fn pin(resources: &Resources) -> Pinned<Self::Resource>;

    /// The type of the result.
    fn result_type() -> DataType;

    /// Refuses a wrong literal while planning.
    fn check_literals(_: &Self::Resource, _: &ReturnFieldArgs) -> Result<()> {
        Ok(())
    }

    /// What the function says of itself.
    fn documentation() -> &'static Documentation;

    /// The results, one for each row of the arguments.
    fn evaluate(resource: &Self::Resource, arguments: &[ArrayRef]) -> Result<ArrayRef>;

    /// The whole call, where it matters which arguments are literals.
    fn invoke(resource: &Self::Resource, arguments: &ScalarFunctionArgs) -> Result<ColumnarValue> {
        evaluate(arguments, |arrays| Self::evaluate(resource, arrays))
    }
}

/// A [`Judging`] function as DataFusion wants it.
pub(crate) struct JudgingFunction<F: Judging> {
    signature: Signature,
    resource: Pinned<F::Resource>,
}

impl<F: Judging> JudgingFunction<F> {
    pub(crate) fn new(resources: &Resources) -> Self {
        Self {
            signature: signature(),
            resource: F::pin(resources),
        }
    }
}

impl<F: Judging> Debug for JudgingFunction<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct(F::NAME)
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}

impl<F: Judging> PartialEq for JudgingFunction<F> {
    fn eq(&self, other: &Self) -> bool {
        self.resource == other.resource
    }
}

impl<F: Judging> Eq for JudgingFunction<F> {}

impl<F: Judging> Hash for JudgingFunction<F> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.resource.hash(state);
    }
}

impl<F: Judging> ScalarUDFImpl for JudgingFunction<F> {
    fn name(&self) -> &str {
        F::NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        coerce(F::NAME, F::ARGUMENTS, F::REQUIRED, arg_types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(F::result_type())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        F::check_literals(self.resource.at_planning()?, &args)?;
        Ok(Arc::new(Field::new(F::NAME, F::result_type(), F::STRICT)))
    }

    fn is_strict(&self) -> bool {
        F::STRICT
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let resource = self.resource.with_config(config)?;
        Some(ScalarUDF::from(Self {
            signature: self.signature.clone(),
            resource,
        }))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        F::invoke(self.resource.at_run(&args.config_options)?, &args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(F::documentation())
    }
}
