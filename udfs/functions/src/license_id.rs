//! `license_id(raw)`: the SPDX expression of a licence as written.

use std::sync::LazyLock;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;

use crate::arguments::Argument;
use crate::documentation::document;
use crate::pure::Pure;
use crate::strings::{distinct, spread, text_array, texts};

/// `license_id(raw)`: Utf8; NULL for NULL and for what no licence is known by.
#[derive(Debug)]
pub(crate) struct LicenseId;

impl Pure for LicenseId {
    const NAME: &'static str = "license_id";
    const ARGUMENTS: &'static [Argument] = &[Argument::Text("raw")];

    fn result_type() -> DataType {
        DataType::Utf8
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "The SPDX licence expression of a licence as written, NULL if unknown. Deprecated identifiers \
                 give their successor.",
                "license_id(raw)",
                &[(
                    "raw",
                    "A licence as written: an identifier, an expression, a name or the address of its text.",
                )],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
        let (written, places) = distinct(texts(&arguments[0])?);
        let ids: Vec<Option<String>> = written
            .into_iter()
            .map(|raw| raw.and_then(tamis_license::license_id))
            .collect();
        spread(text_array(ids.iter().map(Option::as_deref)), &places)
    }
}
