//! `harm_hits(text)`: every keyword hit.

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
use crate::harm::{assess, hit_row, pinned_judge};
use crate::pinned::Pinned;
use crate::resources::Resources;
use crate::results::{Hits, hits_type};
use crate::strings::{evaluate, map_texts};

/// `harm_hits(text)`: List<Struct{risk, term, start, end, weight, via}>; NULL for NULL.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct HarmHits {
    signature: Signature,
    judge: Pinned<Judge>,
}

impl HarmHits {
    pub(crate) fn new(resources: &Resources) -> Self {
        Self {
            signature: signature(),
            judge: pinned_judge("harm_hits", resources),
        }
    }
}

impl ScalarUDFImpl for HarmHits {
    fn name(&self) -> &str {
        "harm_hits"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        coerce(self.name(), &[Argument::Text("text")], 1, arg_types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(hits_type())
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs) -> Result<FieldRef> {
        self.judge.at_planning()?;
        Ok(Arc::new(Field::new(self.name(), hits_type(), true)))
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
            map_texts(&arrays[0], &|documents| hits(judge, documents))
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "Every hit of a lexicon term: risk, term, span in characters (0-based, half-open), weight and the normal form that found it.",
                "harm_hits(text)",
                &[TEXT],
            )
        });
        Some(&DOCUMENTATION)
    }
}

fn hits(judge: &Judge, documents: &[&str]) -> Result<ArrayRef> {
    let mut hits = Hits::default();
    for assessment in assess(judge, documents)? {
        hits.push(assessment.hits.iter().map(|hit| hit_row(judge, hit)));
    }
    hits.finish()
}
