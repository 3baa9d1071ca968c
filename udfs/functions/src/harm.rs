//! `harm(text)`: everything a policy needs of a text, in one pass.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Float64Array, StringArray, new_null_array};
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

/// `harm(text)`: Struct{score, top_risk, risks, hits, model}; NULL for NULL.
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
                 the risks at or above their thresholds, every hit, and the classifier used (NULL without one).",
                "harm(text)",
                &[TEXT],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(judge: &Judge, arguments: &[ArrayRef]) -> Result<ArrayRef> {
        map_texts(&arguments[0], &|documents| harm(judge, documents))
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

/// The error of a text the classifier has no answer for: it is neither harmful nor clean.
pub(crate) fn unanswered(error: ResourceError) -> DataFusionError {
    DataFusionError::Execution(error.to_string())
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
