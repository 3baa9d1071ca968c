//! `pii_check(text)`: what a policy needs of the personal information in a text, in one pass.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, BooleanArray, Int64Array};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_pii::{Detector, Finding};

use crate::arguments::Argument;
use crate::documentation::{TEXT, document};
use crate::pure::Pure;
use crate::results::{pii_check_fields, pii_check_type, struct_array, text_lists};
use crate::strings::map_texts;

/// `pii_check(text)`: Struct{kinds, sensitive, personal, findings}; NULL for NULL.
#[derive(Debug)]
pub(crate) struct PiiCheck;

impl Pure for PiiCheck {
    const NAME: &'static str = "pii_check";
    const ARGUMENTS: &'static [Argument] = &[Argument::Text("text")];

    fn result_type() -> DataType {
        pii_check_type()
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "What a policy needs of the personal information in a text, in one pass: the kinds, why some of \
                 it is sensitive, whether any of it is about a person, and how many findings there are.",
                "pii_check(text)",
                &[TEXT],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
        map_texts(&arguments[0], &check)
    }
}

fn check(documents: &[&str]) -> Result<ArrayRef> {
    let detector = Detector::builtin();
    let found: Vec<Vec<Finding>> = documents.iter().map(|text| detector.find(text)).collect();
    let distinct = |name: fn(&Finding) -> Option<&'static str>| {
        text_lists(found.iter().map(move |findings| {
            let names: BTreeSet<&'static str> = findings.iter().filter_map(name).collect();
            names
        }))
    };
    let personal: BooleanArray = found
        .iter()
        .map(|findings| Some(findings.iter().any(|finding| finding.kind.is_personal())))
        .collect();
    let counts = found.iter().map(|findings| findings.len() as i64);
    struct_array(
        pii_check_fields(),
        vec![
            distinct(|finding| Some(finding.kind.as_str()))?,
            distinct(|finding| Some(finding.sensitive?.as_str()))?,
            Arc::new(personal),
            Arc::new(Int64Array::from_iter_values(counts)),
        ],
    )
}
