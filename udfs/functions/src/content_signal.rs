//! `content_signal(robots_txt, url, category)`: the Content-Signal preference for a use, from a robots.txt.

use std::sync::LazyLock;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_consent::signals::content_signal;

use crate::arguments::Argument;
use crate::documentation::document;
use crate::pure::Pure;
use crate::strings::{preferences, rows};

/// `content_signal(robots_txt, url, category)`: Utf8 `y` or `n`; NULL when an argument is NULL and when no preference is stated.
#[derive(Debug)]
pub(crate) struct ContentSignal;

impl Pure for ContentSignal {
    const NAME: &'static str = "content_signal";
    const ARGUMENTS: &'static [Argument] = &[
        Argument::Text("robots_txt"),
        Argument::Text("url"),
        Argument::Text("category"),
    ];

    fn result_type() -> DataType {
        DataType::Utf8
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "The preference for a use by the Content-Signal lines of a robots.txt: y or n, NULL when none is stated.",
                "content_signal(robots_txt, url, category)",
                &[
                    ("robots_txt", "The text of a robots.txt."),
                    ("url", "The address asked about, absolute."),
                    (
                        "category",
                        "The use asked about: search, ai-input or ai-train.",
                    ),
                ],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
        Ok(preferences(rows(arguments)?.into_iter().map(|row| {
            let [text, url, category] = row?;
            content_signal(text, url, category)
        })))
    }
}
