//! `subject_ref(id)`: the keyed reference that stands for a subject.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature,
};
use tamis_consent::SubjectKey;

use crate::arguments::{Argument, coerce, signature};
use crate::documentation::document;
use crate::pinned::Pinned;
use crate::resources::Resources;
use crate::strings::{evaluate, map_texts};

/// `subject_ref(id)`: Utf8 of 32 hexadecimal digits; NULL for NULL.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct SubjectRef {
    signature: Signature,
    key: Pinned<SubjectKey>,
}

impl SubjectRef {
    pub(crate) fn new(resources: &Resources) -> Self {
        let key = resources.subject_key.clone();
        let key_id = key.as_ref().map(|key| key.key_id()).unwrap_or_default();
        Self {
            signature: signature(),
            key: Pinned::new(
                "subject_ref",
                key,
                key_id,
                &["subject_key"],
                &resources.settings,
            ),
        }
    }
}

impl ScalarUDFImpl for SubjectRef {
    fn name(&self) -> &str {
        "subject_ref"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        coerce(self.name(), &[Argument::Text("id")], 1, arg_types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs) -> Result<FieldRef> {
        self.key.at_planning()?;
        Ok(Arc::new(Field::new(self.name(), DataType::Utf8, true)))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let key = self.key.with_config(config)?;
        Some(ScalarUDF::from(Self {
            signature: self.signature.clone(),
            key,
        }))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let key = self.key.at_run(&args.config_options)?;
        evaluate(&args, |arrays| {
            map_texts(&arrays[0], &|ids| {
                let references = ids.iter().map(|id| key.subject_ref(id));
                Ok(Arc::new(StringArray::from_iter_values(references)) as ArrayRef)
            })
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "The reference of a subject: the first 16 bytes of keyed BLAKE3 of its id, in hexadecimal. The \
                 key comes from the setting tamis.subject_key; without it nobody can find an id by trying.",
                "subject_ref(id)",
                &[("id", "The subject's id, taken byte by byte.")],
            )
        });
        Some(&DOCUMENTATION)
    }
}
