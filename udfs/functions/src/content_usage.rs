//! `content_usage(header_or_robots_txt, url, category)`: the AIPREF preference for a use, from a header or a robots.txt.

use std::sync::LazyLock;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_consent::signals::content_usage;

use crate::arguments::Argument;
use crate::documentation::document;
use crate::pure::Pure;
use crate::strings::{preferences, rows};

/// `content_usage(header_or_robots_txt, url, category)`: Utf8 `y` or `n`; NULL when an argument is NULL and when no preference is stated.
#[derive(Debug)]
pub(crate) struct ContentUsage;

impl Pure for ContentUsage {
    const NAME: &'static str = "content_usage";
    const ARGUMENTS: &'static [Argument] = &[
        Argument::Text("header_or_robots_txt"),
        Argument::Text("url"),
        Argument::Text("category"),
    ];

    fn result_type() -> DataType {
        DataType::Utf8
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "The preference for a use by Content-Usage (AIPREF): y or n, NULL when none is stated; any n wins.",
                "content_usage(header_or_robots_txt, url, category)",
                &[
                    (
                        "header_or_robots_txt",
                        "The value of Content-Usage headers, or a robots.txt.",
                    ),
                    ("url", "The address asked about, absolute."),
                    ("category", "The use asked about, such as train-ai."),
                ],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
        Ok(preferences(rows(arguments)?.into_iter().map(|row| {
            let [text, url, category] = row?;
            content_usage(text, url, category)
        })))
    }
}
