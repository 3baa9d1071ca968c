//! `consent_record(subject [, purpose [, at]])`: the record that decided.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature,
};
use tamis_consent::{ConsentRecord as Record, Decision};

use crate::arguments::{UTC, coerce, signature};
use crate::consent_status::{ARGUMENT_MEANINGS, ARGUMENTS, Consents, decide, pinned_consents};
use crate::documentation::document;
use crate::pinned::Pinned;
use crate::resources::Resources;
use crate::results::{consent_record_fields, consent_record_type, struct_array};
use crate::strings::{evaluate, text_array};

/// `consent_record(subject [, purpose [, at]])`: Struct{status, record_id, kind, granted_at,
/// expires_at, withdrawn_at, evidence_uri}, never NULL.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct ConsentRecord {
    signature: Signature,
    consents: Pinned<Consents>,
}

impl ConsentRecord {
    pub(crate) fn new(resources: &Resources) -> Self {
        Self {
            signature: signature(),
            consents: pinned_consents("consent_record", resources),
        }
    }
}

impl ScalarUDFImpl for ConsentRecord {
    fn name(&self) -> &str {
        "consent_record"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        coerce(self.name(), ARGUMENTS, 1, arg_types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(consent_record_type())
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs) -> Result<FieldRef> {
        self.consents.at_planning()?;
        Ok(Arc::new(Field::new(
            self.name(),
            consent_record_type(),
            false,
        )))
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let consents = self.consents.with_config(config)?;
        Some(ScalarUDF::from(Self {
            signature: self.signature.clone(),
            consents,
        }))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let consents = self.consents.at_run(&args.config_options)?;
        evaluate(&args, |arrays| records(&decide(consents, arrays)?))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "The consent status with the record that decided: its id, kind, times and evidence. All but the \
                 status are NULL when no record speaks for or against.",
                "consent_record(subject [, purpose [, at]])",
                ARGUMENT_MEANINGS,
            )
        });
        Some(&DOCUMENTATION)
    }
}

fn records(decisions: &[Decision<'_>]) -> Result<ArrayRef> {
    let instants = |time: &dyn Fn(&Record<'_>) -> Option<i64>| -> ArrayRef {
        let times = decisions
            .iter()
            .map(|decision| decision.record.as_ref().and_then(time));
        Arc::new(TimestampMicrosecondArray::from_iter(times).with_timezone(UTC))
    };
    struct_array(
        consent_record_fields(),
        vec![
            text_array(
                decisions
                    .iter()
                    .map(|decision| Some(decision.status.as_str())),
            ),
            text_array(
                decisions
                    .iter()
                    .map(|decision| decision.record.as_ref().map(|record| record.record_id)),
            ),
            text_array(
                decisions
                    .iter()
                    .map(|decision| decision.record.as_ref().map(|record| record.kind)),
            ),
            instants(&|record| record.granted_at),
            instants(&|record| record.expires_at),
            instants(&|record| record.withdrawn_at),
            text_array(decisions.iter().map(|decision| {
                decision
                    .record
                    .as_ref()
                    .and_then(|record| record.evidence_uri)
            })),
        ],
    )
}
