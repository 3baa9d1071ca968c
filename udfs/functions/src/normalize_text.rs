//! `normalize_text(text)`: the normal form matching sees.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_text::normal_form;

use crate::arguments::Argument;
use crate::documentation::{TEXT, document};
use crate::pure::Pure;
use crate::strings::map_texts;

/// `normalize_text(text)`: Utf8; NULL for NULL.
#[derive(Debug)]
pub(crate) struct NormalizeText;

impl Pure for NormalizeText {
    const NAME: &'static str = "normalize_text";
    const ARGUMENTS: &'static [Argument] = &[Argument::Text("text")];

    fn result_type() -> DataType {
        DataType::Utf8
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "The normal form matching sees: compatibility forms and widths folded (NFKC), lower case, \
                 invisible characters and marks removed, traditional characters simplified, look-alikes in Latin.",
                "normalize_text(text)",
                &[TEXT],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
        map_texts(&arguments[0], &normalize)
    }
}

fn normalize(documents: &[&str]) -> Result<ArrayRef> {
    let normal = documents.iter().map(|document| normal_form(document));
    Ok(Arc::new(StringArray::from_iter_values(normal)))
}
