//! `pii_kinds(text)`: the kinds of personal information in a text.

use std::sync::LazyLock;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_pii::{Detector, Kind};

use crate::arguments::Argument;
use crate::documentation::{TEXT, document};
use crate::pure::Pure;
use crate::results::{text_list_type, text_lists};
use crate::strings::map_texts;

/// `pii_kinds(text)`: List<Utf8>, sorted; NULL for NULL.
#[derive(Debug)]
pub(crate) struct PiiKinds;

impl Pure for PiiKinds {
    const NAME: &'static str = "pii_kinds";
    const ARGUMENTS: &'static [Argument] = &[Argument::Text("text")];

    fn result_type() -> DataType {
        text_list_type()
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "The distinct kinds of personal information in a text, sorted.",
                "pii_kinds(text)",
                &[TEXT],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
        map_texts(&arguments[0], &kinds)
    }
}

fn kinds(documents: &[&str]) -> Result<ArrayRef> {
    let detector = Detector::builtin();
    text_lists(
        documents
            .iter()
            .map(|document| detector.kinds(document).into_iter().map(Kind::as_str)),
    )
}
