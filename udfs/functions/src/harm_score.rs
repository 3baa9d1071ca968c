//! `harm_score(text)`: the harm score alone.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_harm::Judge;

use crate::arguments::Argument;
use crate::documentation::{TEXT, document};
use crate::harm::{answered, pinned_judge, prepared, unanswered};
use crate::judging::Judging;
use crate::pinned::Pinned;
use crate::resources::Resources;
use crate::strings::map_texts;

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
        let judge = prepared(judge)?;
        map_texts(&arguments[0], &|documents| {
            answered(documents, &Self::result_type(), &|documents| {
                scores(judge, documents)
            })
        })
    }
}

/// The score of each document.
pub(crate) fn scores(judge: &Judge, documents: &[&str]) -> Result<ArrayRef> {
    let scores = judge.scores(documents).map_err(unanswered)?;
    Ok(Arc::new(Float64Array::from(scores)))
}
