//! `license_detect(text)`: the licence whose own text or header stands in a document.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Float64Array, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_license::license_detect;

use crate::arguments::Argument;
use crate::documentation::{TEXT, document};
use crate::pure::Pure;
use crate::results::{license_detect_fields, license_detect_type};
use crate::strings::{map_texts, text_array};

/// `license_detect(text)`: Struct{spdx, confidence}; NULL for NULL and where there is none.
#[derive(Debug)]
pub(crate) struct LicenseDetect;

impl Pure for LicenseDetect {
    const NAME: &'static str = "license_detect";
    const ARGUMENTS: &'static [Argument] = &[Argument::Text("text")];

    fn result_type() -> DataType {
        license_detect_type()
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "The licence whose own text or header stands in a document, with the confidence of the \
                 match; NULL where there is none. A document that only speaks of a licence has none.",
                "license_detect(text)",
                &[TEXT],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
        map_texts(&arguments[0], &detect)
    }
}

fn detect(documents: &[&str]) -> Result<ArrayRef> {
    let found: Vec<_> = documents.iter().map(|text| license_detect(text)).collect();
    let ids = text_array(
        found
            .iter()
            .map(|found| Some(found.as_ref()?.spdx.as_str())),
    );
    let confidences: Float64Array = found
        .iter()
        .map(|found| Some(found.as_ref()?.confidence))
        .collect();
    let nulls: NullBuffer = found.iter().map(Option::is_some).collect();
    Ok(Arc::new(StructArray::try_new(
        license_detect_fields(),
        vec![ids, Arc::new(confidences)],
        Some(nulls),
    )?))
}
