//! Functions of their arguments alone: no resource, no setting, the same answer everywhere.

use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature,
};

use crate::arguments::{Argument, coerce, signature};
use crate::strings::evaluate;

/// What a file of such a function says: its name, its shape and its kernel.
pub(crate) trait Pure: Debug + Send + Sync + 'static {
    /// The SQL name.
    const NAME: &'static str;
    /// The arguments.
    const ARGUMENTS: &'static [Argument];
    /// How many of them must be there.
    const REQUIRED: usize = Self::ARGUMENTS.len();
    /// Whether one NULL argument makes the result NULL.
    const STRICT: bool = true;

    /// The type of the result.
    fn result_type() -> DataType;

    /// What the function says of itself.
    fn documentation() -> &'static Documentation;

    /// The results, one for each row of the arguments.
    fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef>;
}

/// A [`Pure`] function as DataFusion wants it.
#[derive(Debug)]
pub(crate) struct PureFunction<F> {
    signature: Signature,
    function: PhantomData<F>,
}

impl<F: Pure> PureFunction<F> {
    pub(crate) fn new() -> Self {
        Self {
            signature: signature(),
            function: PhantomData,
        }
    }
}

impl<F: Pure> PartialEq for PureFunction<F> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<F: Pure> Eq for PureFunction<F> {}

impl<F: Pure> Hash for PureFunction<F> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        F::NAME.hash(state);
    }
}

impl<F: Pure> ScalarUDFImpl for PureFunction<F> {
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

    fn is_strict(&self) -> bool {
        F::STRICT
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        evaluate(&args, F::evaluate)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(F::documentation())
    }
}
