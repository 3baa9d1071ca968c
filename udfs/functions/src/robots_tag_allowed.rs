//! `robots_tag_allowed(header_value, agent)`: does an X-Robots-Tag or meta robots value forbid use for AI?

use std::sync::LazyLock;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_consent::signals::robots_tag_allowed;

use crate::arguments::Argument;
use crate::documentation::document;
use crate::pure::Pure;
use crate::strings::{booleans, rows};

/// `robots_tag_allowed(header_value, agent)`: Boolean; NULL when an argument is NULL and when the value says nothing of AI.
#[derive(Debug)]
pub(crate) struct RobotsTagAllowed;

impl Pure for RobotsTagAllowed {
    const NAME: &'static str = "robots_tag_allowed";
    const ARGUMENTS: &'static [Argument] =
        &[Argument::Text("header_value"), Argument::Text("agent")];

    fn result_type() -> DataType {
        DataType::Boolean
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "False when noai or a like directive, for all or for the agent, forbids the use; NULL when there is none.",
                "robots_tag_allowed(header_value, agent)",
                &[
                    (
                        "header_value",
                        "The value of X-Robots-Tag headers, or the content of a meta robots element.",
                    ),
                    ("agent", "The product token of the crawler."),
                ],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
        Ok(booleans(rows(arguments)?.into_iter().map(|row| {
            let [value, agent] = row?;
            robots_tag_allowed(value, agent)
        })))
    }
}
