//! `is_harmful(text [, threshold])`: yes or no.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::config::ConfigOptions;
use datafusion::common::{ScalarValue, plan_err};
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
use crate::strings::{evaluate, map_texts, texts};

/// `is_harmful(text [, threshold])`: Boolean; NULL when an argument is NULL.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct IsHarmful {
    signature: Signature,
    judge: Pinned<Judge>,
}

impl IsHarmful {
    pub(crate) fn new(resources: &Resources) -> Self {
        Self {
            signature: signature(),
            judge: pinned_judge("is_harmful", resources),
        }
    }
}

impl ScalarUDFImpl for IsHarmful {
    fn name(&self) -> &str {
        "is_harmful"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let arguments = [Argument::Text("text"), Argument::Number("threshold")];
        coerce(self.name(), &arguments, 1, arg_types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        self.judge.at_planning()?;
        if let Some(Some(threshold)) = args.scalar_arguments.get(1)
            && let ScalarValue::Float64(Some(threshold)) = threshold.cast_to(&DataType::Float64)?
        {
            check_threshold(threshold)?;
        }
        Ok(Arc::new(Field::new(self.name(), DataType::Boolean, true)))
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
        let literal = match args.args.get(1) {
            None => Some(None),
            Some(ColumnarValue::Scalar(ScalarValue::Float64(Some(threshold)))) => {
                check_threshold(*threshold)?;
                Some(Some(*threshold))
            }
            Some(_) => None,
        };
        evaluate(&args, |arrays| match literal {
            Some(threshold) => map_texts(&arrays[0], &|documents| {
                let flags = judge.is_harmful(documents, threshold);
                Ok(Arc::new(BooleanArray::from(flags)))
            }),
            None => by_row(judge, &arrays[0], &arrays[1]),
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "Whether a text is harmful. With one argument: harm_risks(text) is not empty. \
                 With two: harm_score(text) >= threshold.",
                "is_harmful(text [, threshold])",
                &[TEXT, ("threshold", "The lowest harmful score, 0 to 1.")],
            )
        });
        Some(&DOCUMENTATION)
    }
}

/// A threshold that is not a number would make every text harmless.
fn check_threshold(threshold: f64) -> Result<()> {
    if (0.0..=1.0).contains(&threshold) {
        Ok(())
    } else {
        plan_err!("is_harmful: the threshold must be between 0 and 1, it is {threshold}")
    }
}

/// Each text against the threshold of its own row.
fn by_row(judge: &Judge, text: &dyn Array, thresholds: &dyn Array) -> Result<ArrayRef> {
    let thresholds = thresholds.as_primitive::<Float64Type>();
    for threshold in thresholds.iter().flatten() {
        check_threshold(threshold)?;
    }
    let rows: Vec<Option<(&str, f64)>> = texts(text)?
        .into_iter()
        .zip(thresholds)
        .map(|(text, threshold)| text.zip(threshold))
        .collect();
    let documents: Vec<&str> = rows.iter().flatten().map(|(text, _)| *text).collect();
    let mut scores = judge.scores(&documents).into_iter();
    let flags: BooleanArray = rows
        .iter()
        .map(|row| row.and_then(|(_, threshold)| scores.next().map(|score| score >= threshold)))
        .collect();
    Ok(Arc::new(flags))
}
