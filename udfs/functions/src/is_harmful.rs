//! `is_harmful(text [, threshold])`: yes or no.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs};
use tamis_harm::Judge;

use crate::arguments::Argument;
use crate::documentation::{TEXT, document};
use crate::harm::{answered, map_judged, pinned_judge, prepared, unanswered};
use crate::harm_score::scores;
use crate::judging::Judging;
use crate::pinned::Pinned;
use crate::resources::Resources;
use crate::strings::{evaluate, texts};

/// `is_harmful(text [, threshold])`: Boolean; NULL when an argument is NULL, or without an
/// answer of the classifier.
pub(crate) struct IsHarmful;

impl Judging for IsHarmful {
    const NAME: &'static str = "is_harmful";
    const ARGUMENTS: &'static [Argument] = &[Argument::Text("text"), Argument::Number("threshold")];
    const STRICT: bool = true;
    type Resource = Judge;

    fn pin(resources: &Resources) -> Pinned<Judge> {
        pinned_judge(Self::NAME, resources)
    }

    fn result_type() -> DataType {
        DataType::Boolean
    }

    fn check_literals(_: &Judge, args: &ReturnFieldArgs) -> Result<()> {
        match args.scalar_arguments.get(1) {
            Some(Some(threshold)) => match threshold.cast_to(&DataType::Float64)? {
                ScalarValue::Float64(Some(threshold)) => check_threshold(threshold),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "Whether a text is harmful. With one argument: harm_risks(text) is not empty. \
                 With two: harm_score(text) >= threshold.",
                "is_harmful(text [, threshold])",
                &[TEXT, ("threshold", "The lowest harmful score, 0 to 1.")],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(judge: &Judge, arguments: &[ArrayRef]) -> Result<ArrayRef> {
        match arguments.get(1) {
            Some(thresholds) => by_row(judge, &arguments[0], thresholds),
            None => by_document(judge, &arguments[0], None),
        }
    }

    /// A literal threshold leaves the early-out to the judge.
    fn invoke(judge: &Judge, arguments: &ScalarFunctionArgs) -> Result<ColumnarValue> {
        let literal = match arguments.args.get(1) {
            Some(ColumnarValue::Scalar(ScalarValue::Float64(Some(threshold)))) => *threshold,
            _ => return evaluate(arguments, |arrays| Self::evaluate(judge, arrays)),
        };
        check_threshold(literal)?;
        evaluate(arguments, |arrays| {
            by_document(judge, &arrays[0], Some(literal))
        })
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

/// Each text against one threshold, or against the thresholds of its risks.
fn by_document(judge: &Judge, text: &dyn Array, threshold: Option<f64>) -> Result<ArrayRef> {
    map_judged(judge, text, &DataType::Boolean, &|judge, documents| {
        let flags = judge.is_harmful(documents, threshold).map_err(unanswered)?;
        Ok(Arc::new(BooleanArray::from(flags)))
    })
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
    let judge = prepared(judge)?;
    let scores = answered(&documents, &DataType::Float64, &|documents| {
        scores(judge, documents)
    })?;
    let mut scores = scores.as_primitive::<Float64Type>().iter();
    let flags: BooleanArray = rows
        .iter()
        .map(|row| {
            let (_, threshold) = (*row)?;
            scores.next()?.map(|score| score >= threshold)
        })
        .collect();
    Ok(Arc::new(flags))
}
