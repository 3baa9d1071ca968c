//! `ai_txt_allowed(ai_txt, url)`: does an ai.txt allow use for AI?

use std::sync::LazyLock;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_consent::signals::ai_txt_allowed;

use crate::arguments::Argument;
use crate::documentation::document;
use crate::pure::Pure;
use crate::strings::{booleans, rows};

/// `ai_txt_allowed(ai_txt, url)`: Boolean; NULL when an argument is NULL and when no rule covers the address.
#[derive(Debug)]
pub(crate) struct AiTxtAllowed;

impl Pure for AiTxtAllowed {
    const NAME: &'static str = "ai_txt_allowed";
    const ARGUMENTS: &'static [Argument] = &[Argument::Text("ai_txt"), Argument::Text("url")];

    fn result_type() -> DataType {
        DataType::Boolean
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "Whether the ai.txt of a site allows use of an address for AI; NULL when it says nothing of it.",
                "ai_txt_allowed(ai_txt, url)",
                &[
                    ("ai_txt", "The text of an ai.txt."),
                    ("url", "The address asked about, absolute."),
                ],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
        Ok(booleans(rows(arguments)?.into_iter().map(|row| {
            let [file, url] = row?;
            ai_txt_allowed(file, url)
        })))
    }
}
