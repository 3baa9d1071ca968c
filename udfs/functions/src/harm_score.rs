//! `harm_score(text)`: the harm score alone.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature,
};
use tamis_harm::Judge;

use crate::arguments::{Argument, coerce, signature};
use crate::documentation::{TEXT, document};
use crate::harm::pinned_judge;
use crate::pinned::Pinned;
use crate::resources::Resources;
use crate::strings::{evaluate, map_texts};

/// `harm_score(text)`: Float64 in [0, 1]; NULL for NULL.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct HarmScore {
    signature: Signature,
    judge: Pinned<Judge>,
}

impl HarmScore {
    pub(crate) fn new(resources: &Resources) -> Self {
        Self {
            signature: signature(),
            judge: pinned_judge("harm_score", resources),
        }
    }
}

impl ScalarUDFImpl for HarmScore {
    fn name(&self) -> &str {
        "harm_score"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        coerce(self.name(), &[Argument::Text("text")], 1, arg_types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs) -> Result<FieldRef> {
        self.judge.at_planning()?;
        Ok(Arc::new(Field::new(self.name(), DataType::Float64, true)))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let judge = self.judge.with_config(config)?;
        Some(ScalarUDF::from(Self {
            signature: self.signature.clone(),
            judge,
        }))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let judge = self.judge.at_run(&args.config_options)?;
        evaluate(&args, |arrays| {
            map_texts(&arrays[0], &|documents| scores(judge, documents))
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "The harm score of a text, 0 to 1: the highest score of any risk.",
                "harm_score(text)",
                &[TEXT],
            )
        });
        Some(&DOCUMENTATION)
    }
}

fn scores(judge: &Judge, documents: &[&str]) -> Result<ArrayRef> {
    Ok(Arc::new(Float64Array::from(judge.scores(documents))))
}
