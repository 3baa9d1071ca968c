//! `harm(text)`: everything a policy needs of a text, in one pass.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, Float64Array, StringArray, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::DataType;
use datafusion::common::internal_datafusion_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::Documentation;
use tamis_harm::{Assessment, Hit, Judge};
use tamis_resource::ResourceError;

use crate::arguments::Argument;
use crate::documentation::{TEXT, document};
use crate::judging::Judging;
use crate::pinned::Pinned;
use crate::resources::Resources;
use crate::results::{HitRow, Hits, harm_fields, harm_type, struct_array, text_lists};
use crate::strings::{map_texts, text_array};

/// The settings the judge of a text is loaded from.
pub(crate) const JUDGE_SETTINGS: &[&str] = &["lexicon", "thresholds", "model"];

/// `harm(text)`: Struct{score, top_risk, risks, hits, model}; NULL for NULL, and without an answer of
/// the classifier.
pub(crate) struct Harm;

impl Judging for Harm {
    const NAME: &'static str = "harm";
    const ARGUMENTS: &'static [Argument] = &[Argument::Text("text")];
    const STRICT: bool = true;
    type Resource = Judge;

    fn pin(resources: &Resources) -> Pinned<Judge> {
        pinned_judge(Self::NAME, resources)
    }

    fn result_type() -> DataType {
        harm_type()
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "Everything a policy needs of a text, in one pass: the score, the risk with the highest score, \
                 the risks at or above their thresholds, every hit, and the classifier used (NULL without one). \
                 NULL where the classifier has no answer.",
                "harm(text)",
                &[TEXT],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(judge: &Judge, arguments: &[ArrayRef]) -> Result<ArrayRef> {
        map_judged(judge, &arguments[0], &Self::result_type(), &harm)
    }
}

fn harm(judge: &Judge, documents: &[&str]) -> Result<ArrayRef> {
    let assessments = assess(judge, documents)?;
    let mut hits = Hits::default();
    for assessment in &assessments {
        hits.push(assessment.hits.iter().map(|hit| hit_row(judge, hit)));
    }
    let scores = assessments.iter().map(|assessment| assessment.score);
    let top_risks = assessments
        .iter()
        .map(|assessment| assessment.top_risk.map(|risk| risk_id(judge, risk)));
    struct_array(
        harm_fields(),
        vec![
            Arc::new(Float64Array::from_iter_values(scores)),
            text_array(top_risks),
            risk_lists(judge, &assessments)?,
            hits.finish()?,
            model_column(judge, documents.len()),
        ],
    )
}

/// The classifier behind the scores, by its uri and digest; NULL without one.
fn model_column(judge: &Judge, rows: usize) -> ArrayRef {
    match judge.model() {
        Some(model) => {
            let identity = model.identity();
            let name = format!("{} sha256:{}", identity.uri, identity.sha256);
            Arc::new(StringArray::from(vec![name; rows]))
        }
        None => new_null_array(&DataType::Utf8, rows),
    }
}

/// The judge of all harm functions, for the function called `function`.
pub(crate) fn pinned_judge(function: &'static str, resources: &Resources) -> Pinned<Judge> {
    Pinned::new(
        function,
        Some(Arc::clone(&resources.judge)),
        resources.judge.digest(),
        JUDGE_SETTINGS,
        &resources.settings,
    )
}

/// The assessment of each document, in the order of the documents.
pub(crate) fn assess(judge: &Judge, documents: &[&str]) -> Result<Vec<Assessment>> {
    let mut assessments: Vec<Option<Assessment>> = Vec::new();
    assessments.resize_with(documents.len(), || None);
    judge
        .assess(documents, &mut |document, assessment| {
            assessments[document] = Some(assessment);
        })
        .map_err(unanswered)?;
    assessments
        .into_iter()
        .collect::<Option<_>>()
        .ok_or_else(|| internal_datafusion_err!("a document was not assessed"))
}

/// Makes the judge ready for its first text.
pub(crate) fn prepared(judge: &Judge) -> Result<&Judge> {
    let prepared = judge.prepare().map(|()| judge);
    prepared.map_err(|error| DataFusionError::Execution(error.to_string()))
}

/// The error of a text the classifier has no answer for: it is neither harmful nor clean.
#[derive(Debug)]
struct Unanswered(ResourceError);

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Unanswered {}

pub(crate) fn unanswered(error: ResourceError) -> DataFusionError {
    DataFusionError::External(Box::new(Unanswered(error)))
}

/// The results of a kernel that fails at a text the classifier has no answer for: NULL there, so
/// that one such text does not end the work on all others.
pub(crate) fn answered(
    documents: &[&str],
    result_type: &DataType,
    kernel: &dyn Fn(&[&str]) -> Result<ArrayRef>,
) -> Result<ArrayRef> {
    match kernel(documents) {
        Err(DataFusionError::External(error)) if error.is::<Unanswered>() => {
            if documents.len() <= 1 {
                return Ok(new_null_array(result_type, documents.len()));
            }
            let (left, right) = documents.split_at(documents.len() / 2);
            let left = answered(left, result_type, kernel)?;
            let right = answered(right, result_type, kernel)?;
            Ok(concat(&[&left, &right])?)
        }
        result => result,
    }
}

/// Judges a text column with a kernel that gives one value for each document: NULL for NULL, and for
/// a text the classifier has no answer for.
pub(crate) fn map_judged(
    judge: &Judge,
    text: &dyn Array,
    result_type: &DataType,
    kernel: &dyn Fn(&Judge, &[&str]) -> Result<ArrayRef>,
) -> Result<ArrayRef> {
    let judge = prepared(judge)?;
    map_texts(text, &|documents| {
        answered(documents, result_type, &|documents| {
            kernel(judge, documents)
        })
    })
}

/// The ids of the risks at or above their thresholds, one list for each assessment.
pub(crate) fn risk_lists(judge: &Judge, assessments: &[Assessment]) -> Result<ArrayRef> {
    text_lists(
        assessments
            .iter()
            .map(|assessment| assessment.risks.iter().map(|risk| risk_id(judge, *risk))),
    )
}

/// A hit with names instead of indexes.
pub(crate) fn hit_row<'a>(judge: &'a Judge, hit: &Hit) -> HitRow<'a> {
    HitRow {
        risk: risk_id(judge, hit.risk),
        term: &judge.lexicon().entries()[hit.entry].term,
        start: hit.start,
        end: hit.end,
        weight: hit.weight,
        via: hit.via.as_str(),
    }
}

fn risk_id(judge: &Judge, risk: usize) -> &str {
    &judge.taxonomy().risks()[risk].id
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::Float64Type;
    use datafusion::common::exec_err;

    use crate::results::text_list_type;

    use super::*;

    #[test]
    fn only_texts_without_an_answer_are_null() {
        let lengths = |documents: &[&str]| -> Result<ArrayRef> {
            let lengths = documents.iter().map(|text| match text.starts_with('?') {
                true => Err(unanswered(ResourceError::Malformed {
                    uri: "model".to_owned(),
                    location: "a text".to_owned(),
                    message: "no number".to_owned(),
                })),
                false => Ok(text.len() as f64),
            });
            Ok(Arc::new(Float64Array::from(
                lengths.collect::<Result<Vec<_>>>()?,
            )))
        };
        let documents = ["a", "?", "bb", "ccc", "?x", "dddd", "?y"];
        let found = answered(&documents, &DataType::Float64, &lengths).expect("an answer");
        let found: Vec<Option<f64>> = found.as_primitive::<Float64Type>().iter().collect();
        let [one, two, three, four] = [1.0, 2.0, 3.0, 4.0].map(Some);
        assert_eq!(found, [one, None, two, three, None, four, None]);
        assert_eq!(
            answered(&[], &DataType::Float64, &lengths)
                .expect("none")
                .len(),
            0
        );

        // Structs and lists, too.
        let resources = Resources::builtin().expect("built in");
        let judge = &resources.judge;
        let unless_asked =
            |documents: &[&str], kernel: &dyn Fn(&[&str]) -> Result<ArrayRef>| match documents
                .iter()
                .any(|text| text.starts_with('?'))
            {
                true => lengths(documents),
                false => kernel(documents),
            };
        for (result_type, kernel) in [
            (
                harm_type(),
                &harm as &dyn Fn(&Judge, &[&str]) -> Result<ArrayRef>,
            ),
            (text_list_type(), &|judge, documents| {
                risk_lists(judge, &assess(judge, documents)?)
            }),
        ] {
            let found = answered(&documents, &result_type, &|documents| {
                unless_asked(documents, &|documents| kernel(judge, documents))
            });
            let found = found.expect("an answer");
            assert_eq!(found.data_type(), &result_type);
            let nulls: Vec<bool> = (0..found.len()).map(|row| found.is_null(row)).collect();
            assert_eq!(nulls, documents.map(|text| text.starts_with('?')));
        }

        let broken = |_: &[&str]| exec_err!("something else");
        answered(&documents, &DataType::Float64, &broken).expect_err("not a missing answer");
    }
}
