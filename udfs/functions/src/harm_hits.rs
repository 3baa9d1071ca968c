//! `harm_hits(text)`: every keyword hit.

use std::sync::LazyLock;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_harm::Judge;

use crate::arguments::Argument;
use crate::documentation::{TEXT, document};
use crate::harm::{assess, hit_row, map_judged, pinned_judge};
use crate::judging::Judging;
use crate::pinned::Pinned;
use crate::resources::Resources;
use crate::results::{Hits, hits_type};

/// `harm_hits(text)`: List<Struct{risk, term, start, end, weight, via}>; NULL for NULL, and without an answer of
/// the classifier.
pub(crate) struct HarmHits;

impl Judging for HarmHits {
    const NAME: &'static str = "harm_hits";
    const ARGUMENTS: &'static [Argument] = &[Argument::Text("text")];
    const STRICT: bool = true;
    type Resource = Judge;

    fn pin(resources: &Resources) -> Pinned<Judge> {
        pinned_judge(Self::NAME, resources)
    }

    fn result_type() -> DataType {
        hits_type()
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "Every hit of a lexicon term: risk, term, span in characters (0-based, half-open), weight and the normal form that found it.",
                "harm_hits(text)",
                &[TEXT],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(judge: &Judge, arguments: &[ArrayRef]) -> Result<ArrayRef> {
        map_judged(judge, &arguments[0], &Self::result_type(), &hits)
    }
}

fn hits(judge: &Judge, documents: &[&str]) -> Result<ArrayRef> {
    let mut hits = Hits::default();
    for assessment in assess(judge, documents)? {
        hits.push(assessment.hits.iter().map(|hit| hit_row(judge, hit)));
    }
    hits.finish()
}
