//! `license_conflict(raw, detected)`: does a licence found in the text contradict the stated one?

use std::sync::LazyLock;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_license::{license_conflicts, license_id};

use crate::arguments::Argument;
use crate::documentation::document;
use crate::pure::Pure;
use crate::strings::{booleans, texts};

/// `license_conflict(raw, detected)`: Boolean; NULL when nothing was detected. A licence that is
/// not stated (raw is NULL) is contradicted by whatever is found.
#[derive(Debug)]
pub(crate) struct LicenseConflict;

impl Pure for LicenseConflict {
    const NAME: &'static str = "license_conflict";
    const ARGUMENTS: &'static [Argument] = &[Argument::Text("raw"), Argument::Text("detected")];
    const STRICT: bool = false;

    fn result_type() -> DataType {
        DataType::Boolean
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "Whether the licence found in a document is none of those its licence column states; \
                 NULL when none was found.",
                "license_conflict(raw, detected)",
                &[
                    ("raw", "The licence as stated."),
                    (
                        "detected",
                        "The SPDX id found in the text, as license_detect(text)['spdx'] gives it.",
                    ),
                ],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
        let detected = texts(&arguments[1])?;
        let rows = texts(&arguments[0])?.into_iter().zip(detected);
        Ok(booleans(rows.map(|(raw, detected)| {
            let detected = detected?;
            // What nobody stated, or nobody can read, does not cover what was found.
            let is_stated = raw.and_then(license_id).is_some();
            Some(!is_stated || license_conflicts(raw, detected))
        })))
    }
}
