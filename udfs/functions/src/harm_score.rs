//! `harm_score(text)`: the harm score alone.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_harm::Judge;

use crate::arguments::Argument;
use crate::documentation::{TEXT, document};
use crate::harm::{map_judged, pinned_judge, unanswered};
use crate::judging::Judging;
use crate::pinned::Pinned;
use crate::resources::Resources;

/// `harm_score(text)`: Float64 in [0, 1]; NULL for NULL, and without an answer of
/// the classifier.
pub(crate) struct HarmScore;

impl Judging for HarmScore {
    const NAME: &'static str = "harm_score";
    const ARGUMENTS: &'static [Argument] = &[Argument::Text("text")];
    const STRICT: bool = true;
    type Resource = Judge;

    fn pin(resources: &Resources) -> Pinned<Judge> {
        pinned_judge(Self::NAME, resources)
    }

    fn result_type() -> DataType {
        DataType::Float64
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "The harm score of a text, 0 to 1: the highest score of any risk.",
                "harm_score(text)",
                &[TEXT],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(judge: &Judge, arguments: &[ArrayRef]) -> Result<ArrayRef> {
        map_judged(judge, &arguments[0], &Self::result_type(), &scores)
    }
}

/// The score of each document.
pub(crate) fn scores(judge: &Judge, documents: &[&str]) -> Result<ArrayRef> {
    let scores = judge.scores(documents).map_err(unanswered)?;
    Ok(Arc::new(Float64Array::from(scores)))
}
