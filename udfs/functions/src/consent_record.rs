//! `consent_record(subject [, purpose [, at]])`: the record that decided.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, TimestampMicrosecondArray};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_consent::{ConsentRecord as Record, Decision};

use crate::arguments::{Argument, UTC};
use crate::consent_status::{ARGUMENT_MEANINGS, ARGUMENTS, Consents, decide, pinned_consents};
use crate::documentation::document;
use crate::judging::Judging;
use crate::pinned::Pinned;
use crate::resources::Resources;
use crate::results::{consent_record_fields, consent_record_type, struct_array};
use crate::strings::text_array;

/// `consent_record(subject [, purpose [, at]])`: Struct{status, record_id, kind, granted_at,
/// expires_at, withdrawn_at, evidence_uri}, never NULL.
pub(crate) struct ConsentRecord;

impl Judging for ConsentRecord {
    const NAME: &'static str = "consent_record";
    const ARGUMENTS: &'static [Argument] = ARGUMENTS;
    type Resource = Consents;

    fn pin(resources: &Resources) -> Pinned<Consents> {
        pinned_consents(Self::NAME, resources)
    }

    fn result_type() -> DataType {
        consent_record_type()
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "The consent status with the record that decided: its id, kind, times and evidence. All but the \
                 status are NULL when no record speaks for or against.",
                "consent_record(subject [, purpose [, at]])",
                ARGUMENT_MEANINGS,
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(consents: &Consents, arguments: &[ArrayRef]) -> Result<ArrayRef> {
        records(&decide(consents, arguments)?)
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
