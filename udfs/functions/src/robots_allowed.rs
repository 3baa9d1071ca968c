//! `robots_allowed(robots_txt, url, agent)`: may an agent fetch an address, by a robots.txt?

use std::sync::LazyLock;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_consent::signals::Robots;

use crate::arguments::Argument;
use crate::documentation::document;
use crate::pure::Pure;
use crate::strings::{booleans, rows};

/// `robots_allowed(robots_txt, url, agent)`: Boolean; NULL when an argument is NULL (RFC 9309).
#[derive(Debug)]
pub(crate) struct RobotsAllowed;

impl Pure for RobotsAllowed {
    const NAME: &'static str = "robots_allowed";
    const ARGUMENTS: &'static [Argument] = &[
        Argument::Text("robots_txt"),
        Argument::Text("url"),
        Argument::Text("agent"),
    ];

    fn result_type() -> DataType {
        DataType::Boolean
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "Whether a robots.txt lets an agent fetch an address: groups, longest match, * and $ as in RFC 9309.",
                "robots_allowed(robots_txt, url, agent)",
                &[
                    ("robots_txt", "The text of a robots.txt."),
                    ("url", "The address asked about, absolute."),
                    ("agent", "The product token of the crawler, such as GPTBot."),
                ],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
        // Rows of one site stand together, and a file is long: it is parsed once a run.
        let mut parsed: Option<(&str, Robots)> = None;
        Ok(booleans(rows(arguments)?.into_iter().map(|row| {
            let [file, url, agent] = row?;
            if parsed.as_ref().is_none_or(|(known, _)| *known != file) {
                parsed = Some((file, Robots::parse(file.as_bytes())));
            }
            parsed
                .as_ref()
                .map(|(_, robots)| robots.allowed(url, agent))
        })))
    }
}
