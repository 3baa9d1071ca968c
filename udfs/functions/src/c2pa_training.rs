//! `c2pa_training(manifest_json)`: what a C2PA manifest says of training.

use std::sync::LazyLock;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_consent::signals::{Permission, c2pa_training};

use crate::arguments::Argument;
use crate::documentation::document;
use crate::pure::Pure;
use crate::strings::{text_array, texts};

/// `c2pa_training(manifest_json)`: Utf8 `allowed`, `conditional` or `disallowed`; NULL when the argument is NULL and when there is no such assertion.
#[derive(Debug)]
pub(crate) struct C2paTraining;

impl Pure for C2paTraining {
    const NAME: &'static str = "c2pa_training";
    const ARGUMENTS: &'static [Argument] = &[Argument::Text("manifest_json")];

    fn result_type() -> DataType {
        DataType::Utf8
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "What the training and data mining assertion of a C2PA manifest says: allowed, conditional or disallowed.",
                "c2pa_training(manifest_json)",
                &[(
                    "manifest_json",
                    "A C2PA manifest store, manifest or assertion as JSON.",
                )],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
        let manifests = texts(&arguments[0])?.into_iter();
        Ok(text_array(manifests.map(|manifest| {
            c2pa_training(manifest?).map(Permission::as_str)
        })))
    }
}
