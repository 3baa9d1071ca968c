//! `harm_risks(text)`: the risks a text holds.

use std::sync::{Arc, LazyLock};

use arrow::array::ArrayRef;
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
use crate::harm::{assess, pinned_judge, risk_lists};
use crate::pinned::Pinned;
use crate::resources::Resources;
use crate::results::text_list_type;
use crate::strings::{evaluate, map_texts};

/// `harm_risks(text)`: List<Utf8> of risk ids; NULL for NULL.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct HarmRisks {
    signature: Signature,
    judge: Pinned<Judge>,
}

impl HarmRisks {
    pub(crate) fn new(resources: &Resources) -> Self {
        Self {
            signature: signature(),
            judge: pinned_judge("harm_risks", resources),
        }
    }
}

impl ScalarUDFImpl for HarmRisks {
    fn name(&self) -> &str {
        "harm_risks"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        coerce(self.name(), &[Argument::Text("text")], 1, arg_types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(text_list_type())
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs) -> Result<FieldRef> {
        self.judge.at_planning()?;
        Ok(Arc::new(Field::new(self.name(), text_list_type(), true)))
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
            map_texts(&arrays[0], &|documents| risks(judge, documents))
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "The ids of the risks whose scores are at or above their thresholds, in the order of the taxonomy.",
                "harm_risks(text)",
                &[TEXT],
            )
        });
        Some(&DOCUMENTATION)
    }
}

fn risks(judge: &Judge, documents: &[&str]) -> Result<ArrayRef> {
    risk_lists(judge, &assess(judge, documents)?)
}
