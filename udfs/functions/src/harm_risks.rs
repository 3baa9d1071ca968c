//! `harm_risks(text)`: the risks a text holds.

use std::sync::LazyLock;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_harm::Judge;

use crate::arguments::Argument;
use crate::documentation::{TEXT, document};
use crate::harm::{assess, map_judged, pinned_judge, risk_lists};
use crate::judging::Judging;
use crate::pinned::Pinned;
use crate::resources::Resources;
use crate::results::text_list_type;

/// `harm_risks(text)`: List<Utf8> of risk ids; NULL for NULL, and without an answer of
/// the classifier.
pub(crate) struct HarmRisks;

impl Judging for HarmRisks {
    const NAME: &'static str = "harm_risks";
    const ARGUMENTS: &'static [Argument] = &[Argument::Text("text")];
    const STRICT: bool = true;
    type Resource = Judge;

    fn pin(resources: &Resources) -> Pinned<Judge> {
        pinned_judge(Self::NAME, resources)
    }

    fn result_type() -> DataType {
        text_list_type()
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "The ids of the risks whose scores are at or above their thresholds, in the order of the taxonomy.",
                "harm_risks(text)",
                &[TEXT],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(judge: &Judge, arguments: &[ArrayRef]) -> Result<ArrayRef> {
        map_judged(judge, &arguments[0], &Self::result_type(), &risks)
    }
}

fn risks(judge: &Judge, documents: &[&str]) -> Result<ArrayRef> {
    risk_lists(judge, &assess(judge, documents)?)
}
