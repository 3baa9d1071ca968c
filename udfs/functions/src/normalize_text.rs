//! `normalize_text(text)`: the normal form matching sees.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature,
};
use tamis_text::fold;

use crate::arguments::{Argument, coerce, signature};
use crate::documentation::{TEXT, document};
use crate::strings::{evaluate, map_texts};

/// `normalize_text(text)`: Utf8; NULL for NULL.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct NormalizeText {
    signature: Signature,
}

impl NormalizeText {
    pub(crate) fn new() -> Self {
        Self {
            signature: signature(),
        }
    }
}

impl ScalarUDFImpl for NormalizeText {
    fn name(&self) -> &str {
        "normalize_text"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        coerce(self.name(), &[Argument::Text("text")], 1, arg_types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        evaluate(&args, |arrays| map_texts(&arrays[0], &normalize))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "The normal form matching sees: compatibility forms and widths folded (NFKC), lower case, \
                 invisible characters removed.",
                "normalize_text(text)",
                &[TEXT],
            )
        });
        Some(&DOCUMENTATION)
    }
}

fn normalize(documents: &[&str]) -> Result<ArrayRef> {
    let folded = documents.iter().map(|document| fold(document));
    Ok(Arc::new(StringArray::from_iter_values(folded)))
}
