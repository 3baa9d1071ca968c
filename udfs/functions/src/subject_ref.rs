//! `subject_ref(id)`: the keyed reference that stands for a subject.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_consent::SubjectKey;

use crate::arguments::Argument;
use crate::documentation::document;
use crate::judging::Judging;
use crate::pinned::Pinned;
use crate::resources::Resources;
use crate::strings::map_texts;

/// `subject_ref(id)`: Utf8 of 32 hexadecimal digits; NULL for NULL.
pub(crate) struct SubjectRef;

impl Judging for SubjectRef {
    const NAME: &'static str = "subject_ref";
    const ARGUMENTS: &'static [Argument] = &[Argument::Text("id")];
    const STRICT: bool = true;
    type Resource = SubjectKey;

    fn pin(resources: &Resources) -> Pinned<SubjectKey> {
        let key = resources.subject_key.clone();
        let key_id = key.as_ref().map(|key| key.key_id()).unwrap_or_default();
        Pinned::new(
            Self::NAME,
            key,
            key_id,
            &["subject_key"],
            &resources.settings,
        )
    }

    fn result_type() -> DataType {
        DataType::Utf8
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "The reference of a subject: the first 16 bytes of keyed BLAKE3 of its id, in hexadecimal. The \
                 key comes from the setting tamis.subject_key; without it nobody can find an id by trying.",
                "subject_ref(id)",
                &[("id", "The subject's id, taken byte by byte.")],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(key: &SubjectKey, arguments: &[ArrayRef]) -> Result<ArrayRef> {
        map_texts(&arguments[0], &|ids| {
            let references = ids.iter().map(|id| key.subject_ref(id));
            Ok(Arc::new(StringArray::from_iter_values(references)))
        })
    }
}
