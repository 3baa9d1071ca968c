//! Registering the functions in a session.

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use datafusion::prelude::SessionContext;

use crate::consent_record::ConsentRecord;
use crate::consent_status::ConsentStatus;
use crate::harm::Harm;
use crate::harm_hits::HarmHits;
use crate::harm_rate::HarmRate;
use crate::harm_risks::HarmRisks;
use crate::harm_score::HarmScore;
use crate::is_harmful::IsHarmful;
use crate::license_check::LicenseCheck;
use crate::license_id::LicenseId;
use crate::normalize_text::NormalizeText;
use crate::resources::Resources;
use crate::rewrite::{GETTER, KeepGetters, getter};
use crate::source_check::SourceCheck;
use crate::source_verdict::SourceVerdict;
use crate::subject_ref::SubjectRef;

/// All scalar functions, alphabetically.
fn scalar_functions(resources: &Resources) -> Vec<ScalarUDF> {
    vec![
        ConsentRecord::new(resources).into(),
        ConsentStatus::new(resources).into(),
        Harm::new(resources).into(),
        HarmHits::new(resources).into(),
        HarmRisks::new(resources).into(),
        HarmScore::new(resources).into(),
        IsHarmful::new(resources).into(),
        LicenseCheck::new(resources).into(),
        LicenseId::new().into(),
        NormalizeText::new().into(),
        SourceCheck::new(resources).into(),
        SubjectRef::new(resources).into(),
    ]
}

/// All aggregates, alphabetically.
fn aggregates() -> Vec<AggregateUDF> {
    vec![HarmRate::new().into(), SourceVerdict::new().into()]
}

/// Registers every function in a session, with the settings they were loaded under as the
/// extension `tamis`, and the rewrite by which several fields of one call cost one call.
///
/// To be called again after every [`Resources::load`]; the functions of the last call count.
/// Functions whose registry or key is absent are registered too: planning a call of one is an
/// error that names the setting to give. When the session's `tamis.*` settings later name something
/// else than `resources` were loaded from, planning a call is an error until this is called with
/// resources loaded anew.
///
/// # Errors
/// Those of the session's function registry; none with DataFusion's own.
pub fn register_all(ctx: &SessionContext, resources: &Resources) -> Result<()> {
    let state = ctx.state_ref();
    let mut state = state.write();
    let options = state.config_mut().options_mut();
    options.extensions.insert(resources.settings.clone());
    for function in scalar_functions(resources) {
        state.register_udf(Arc::new(function))?;
    }
    for aggregate in aggregates() {
        state.register_udaf(Arc::new(aggregate))?;
    }
    // The session keeps a list of rewrites, to which one is enough.
    if state
        .register_udf(getter())?
        .is_none_or(|known| known.name() != GETTER)
    {
        state.register_function_rewrite(Arc::new(KeepGetters))?;
    }
    Ok(())
}
