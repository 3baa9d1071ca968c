//! `license_id(raw)`: the SPDX expression of a licence as written.

use std::sync::LazyLock;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature,
};

use crate::arguments::{Argument, coerce, signature};
use crate::documentation::document;
use crate::strings::{distinct, evaluate, spread, text_array, texts};

/// `license_id(raw)`: Utf8; NULL for NULL and for what no licence is known by.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct LicenseId {
    signature: Signature,
}

impl LicenseId {
    pub(crate) fn new() -> Self {
        Self {
            signature: signature(),
        }
    }
}

impl ScalarUDFImpl for LicenseId {
    fn name(&self) -> &str {
        "license_id"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        coerce(self.name(), &[Argument::Text("raw")], 1, arg_types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        evaluate(&args, |arrays| license_ids(&arrays[0]))
    }

    fn documentation(&self) -> Option<&Documentation> {
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
        Some(&DOCUMENTATION)
    }
}

fn license_ids(raw: &dyn Array) -> Result<ArrayRef> {
    let (written, places) = distinct(texts(raw)?);
    let ids: Vec<Option<String>> = written
        .into_iter()
        .map(|raw| raw.and_then(tamis_license::license_id))
        .collect();
    spread(text_array(ids.iter().map(Option::as_deref)), &places)
}
