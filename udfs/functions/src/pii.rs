//! `pii(text)`: the personal information in a text.

use std::sync::LazyLock;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_pii::Detector;
use tamis_text::CharOffsets;

use crate::arguments::Argument;
use crate::documentation::{TEXT, document};
use crate::pure::Pure;
use crate::results::{PersonalInformation, pii_type};
use crate::strings::map_texts;

/// `pii(text)`: List<Struct{kind, start, end, sensitive, valid, context}>; NULL for NULL.
#[derive(Debug)]
pub(crate) struct Pii;

impl Pure for Pii {
    const NAME: &'static str = "pii";
    const ARGUMENTS: &'static [Argument] = &[Argument::Text("text")];

    fn result_type() -> DataType {
        pii_type()
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "The personal information in a text: kind, span in characters (0-based, half-open), why it is \
                 sensitive (NULL: it is not), whether its checksum or structure holds, and the words that raised it.",
                "pii(text)",
                &[TEXT],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
        map_texts(&arguments[0], &find)
    }
}

fn find(documents: &[&str]) -> Result<ArrayRef> {
    let detector = Detector::builtin();
    let mut found = PersonalInformation::default();
    for document in documents {
        let mut offsets = CharOffsets::new(document);
        let findings = detector.find(document);
        found.push(findings.into_iter().map(|mut finding| {
            finding.start = offsets.at(finding.start);
            finding.end = offsets.at(finding.end);
            finding
        }));
    }
    found.finish()
}
