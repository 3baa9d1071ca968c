//! `tdm_reserved(headers, html, well_known_json, url)`: are the rights to text and data mining reserved?

use std::sync::LazyLock;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_consent::signals::tdm_reserved;

use crate::arguments::Argument;
use crate::documentation::document;
use crate::pure::Pure;
use crate::strings::{booleans, texts};

/// `tdm_reserved(headers, html, well_known_json, url)`: Boolean; NULL when no signal says so and when url is NULL (W3C TDMRep).
#[derive(Debug)]
pub(crate) struct TdmReserved;

impl Pure for TdmReserved {
    const NAME: &'static str = "tdm_reserved";
    const ARGUMENTS: &'static [Argument] = &[
        Argument::Text("headers"),
        Argument::Text("html"),
        Argument::Text("well_known_json"),
        Argument::Text("url"),
    ];
    const STRICT: bool = false;

    fn result_type() -> DataType {
        DataType::Boolean
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "Whether text and data mining rights are reserved by TDMRep: the page before the header before the well-known file. NULL when none says so.",
                "tdm_reserved(headers, html, well_known_json, url)",
                &[
                    ("headers", "The HTTP response headers, one a line, or NULL."),
                    ("html", "The page, or NULL."),
                    (
                        "well_known_json",
                        "The site's /.well-known/tdmrep.json, or NULL.",
                    ),
                    ("url", "The address asked about, absolute."),
                ],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
        let [headers, pages, files, urls] = [0, 1, 2, 3].map(|index| texts(&arguments[index]));
        let (headers, pages, files) = (headers?, pages?, files?);
        let urls = urls?.into_iter().enumerate();
        Ok(booleans(urls.map(|(row, url)| {
            tdm_reserved(headers[row], pages[row], files[row], url?)
        })))
    }
}
