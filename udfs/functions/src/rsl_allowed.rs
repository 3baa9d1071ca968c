//! `rsl_allowed(rsl_xml, url, usage)`: does an RSL document allow a use without further conditions?

use std::sync::LazyLock;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_consent::signals::rsl_allowed;

use crate::arguments::Argument;
use crate::documentation::document;
use crate::pure::Pure;
use crate::strings::{booleans, rows};

/// `rsl_allowed(rsl_xml, url, usage)`: Boolean; NULL when an argument is NULL and when no content of the document covers the address (RSL 1.0).
#[derive(Debug)]
pub(crate) struct RslAllowed;

impl Pure for RslAllowed {
    const NAME: &'static str = "rsl_allowed";
    const ARGUMENTS: &'static [Argument] = &[
        Argument::Text("rsl_xml"),
        Argument::Text("url"),
        Argument::Text("usage"),
    ];

    fn result_type() -> DataType {
        DataType::Boolean
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "Whether an RSL 1.0 document allows a use of an address. False also where the use is allowed for a payment.",
                "rsl_allowed(rsl_xml, url, usage)",
                &[
                    ("rsl_xml", "The RSL document."),
                    ("url", "The address asked about, absolute."),
                    ("usage", "The use asked about, such as ai-train."),
                ],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
        Ok(booleans(rows(arguments)?.into_iter().map(|row| {
            let [document, url, usage] = row?;
            rsl_allowed(document, url, usage)
        })))
    }
}
