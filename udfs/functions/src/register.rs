//! Registering the functions in a session.

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use datafusion::prelude::SessionContext;

use crate::ai_txt_allowed::AiTxtAllowed;
use crate::blocked::Blocked;
use crate::c2pa_training::C2paTraining;
use crate::consent_record::ConsentRecord;
use crate::consent_status::ConsentStatus;
use crate::content_signal::ContentSignal;
use crate::content_usage::ContentUsage;
use crate::harm::Harm;
use crate::harm_class::HarmClass;
use crate::harm_hits::HarmHits;
use crate::harm_rate::HarmRate;
use crate::harm_risks::HarmRisks;
use crate::harm_score::HarmScore;
use crate::is_harmful::IsHarmful;
use crate::judging::JudgingFunction;
use crate::license_check::LicenseCheck;
use crate::license_conflict::LicenseConflict;
use crate::license_detect::LicenseDetect;
use crate::license_id::LicenseId;
use crate::normalize_text::NormalizeText;
use crate::opt_out::OptOut;
use crate::pii::Pii;
use crate::pii_check::PiiCheck;
use crate::pii_kinds::PiiKinds;
use crate::pure::PureFunction;
use crate::redact_pii::RedactPii;
use crate::resources::Resources;
use crate::rewrite::{GETTER, KeepGetters, getter};
use crate::robots_allowed::RobotsAllowed;
use crate::robots_tag_allowed::RobotsTagAllowed;
use crate::rsl_allowed::RslAllowed;
use crate::source_check::SourceCheck;
use crate::source_verdict::SourceVerdict;
use crate::subject_ref::SubjectRef;
use crate::tdm_reserved::TdmReserved;

/// All scalar functions, alphabetically.
fn scalar_functions(resources: &Resources) -> Vec<ScalarUDF> {
    vec![
        PureFunction::<AiTxtAllowed>::new().into(),
        JudgingFunction::<Blocked>::new(resources).into(),
        PureFunction::<C2paTraining>::new().into(),
        JudgingFunction::<ConsentRecord>::new(resources).into(),
        JudgingFunction::<ConsentStatus>::new(resources).into(),
        PureFunction::<ContentSignal>::new().into(),
        PureFunction::<ContentUsage>::new().into(),
        JudgingFunction::<Harm>::new(resources).into(),
        JudgingFunction::<HarmClass>::new(resources).into(),
        JudgingFunction::<HarmHits>::new(resources).into(),
        JudgingFunction::<HarmRisks>::new(resources).into(),
        JudgingFunction::<HarmScore>::new(resources).into(),
        JudgingFunction::<IsHarmful>::new(resources).into(),
        JudgingFunction::<LicenseCheck>::new(resources).into(),
        PureFunction::<LicenseConflict>::new().into(),
        PureFunction::<LicenseDetect>::new().into(),
        PureFunction::<LicenseId>::new().into(),
        PureFunction::<NormalizeText>::new().into(),
        JudgingFunction::<OptOut>::new(resources).into(),
        PureFunction::<Pii>::new().into(),
        PureFunction::<PiiCheck>::new().into(),
        PureFunction::<PiiKinds>::new().into(),
        PureFunction::<RedactPii>::new().into(),
        PureFunction::<RobotsAllowed>::new().into(),
        PureFunction::<RobotsTagAllowed>::new().into(),
        PureFunction::<RslAllowed>::new().into(),
        JudgingFunction::<SourceCheck>::new(resources).into(),
        JudgingFunction::<SubjectRef>::new(resources).into(),
        PureFunction::<TdmReserved>::new().into(),
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

#[cfg(test)]
mod tests {
    use datafusion::arrow::util::pretty::pretty_format_batches;

    use super::*;
    use crate::settings::TamisSettings;

    async fn run(ctx: &SessionContext, sql: &str) -> Result<String> {
        let batches = ctx.sql(sql).await?.collect().await?;
        Ok(pretty_format_batches(&batches)?.to_string())
    }

    fn registered() -> SessionContext {
        let ctx = SessionContext::new();
        register_all(&ctx, &Resources::builtin().unwrap()).unwrap();
        ctx
    }

    #[tokio::test]
    async fn what_is_absent_is_named_while_planning() {
        let ctx = registered();
        for (call, setting) in [
            ("consent_status('u')", "tamis.consent"),
            ("consent_record('u')['status']", "tamis.consent"),
            ("source_check('s', '2026-01-01')", "tamis.sources"),
            ("subject_ref(text)", "tamis.subject_key"),
            ("opt_out(text)['verdict']", "tamis.opt_out"),
            ("blocked(text, NULL)", "tamis.blocked"),
        ] {
            let sql = format!("EXPLAIN SELECT {call} FROM (VALUES ('a')) AS t(text)");
            let error = ctx.sql(&sql).await.unwrap_err().to_string();
            let expected =
                format!("needs {setting}, which is not set: give it with SET {setting} = ");
            assert!(error.contains(&expected), "{call}: {error}");
        }
    }

    #[tokio::test]
    async fn registering_again_takes_the_new_resources() {
        let ctx = registered();
        let sql = "SELECT license_check('CC-BY-NC-4.0')['verdict'] AS verdict";
        let commercial = run(&ctx, sql).await.unwrap();
        ctx.sql("SET tamis.use = 'train-research'").await.unwrap();
        let error = run(&ctx, sql).await.unwrap_err().to_string();
        assert!(
            error.contains("call Resources::load and register_all"),
            "{error}"
        );

        let options = ctx.copied_config();
        let settings = TamisSettings::of(options.options()).unwrap();
        let resources = Resources::load(&ctx, settings).await.unwrap();
        register_all(&ctx, &resources).unwrap();
        let research = run(&ctx, sql).await.unwrap();
        assert!(
            commercial.contains("deny") && research.contains("allow"),
            "{commercial}{research}"
        );
        assert_eq!(ctx.state().analyzer().function_rewrites().len(), 1);
    }

    #[tokio::test]
    async fn a_plan_made_before_a_setting_changed_keeps_its_resources() {
        let ctx = registered();
        let frame = ctx
            .sql("SELECT harm(text)['score'] FROM (VALUES ('a')) AS t(text)")
            .await
            .unwrap();
        let planned = frame.clone().create_physical_plan().await.unwrap();
        ctx.sql("SET tamis.thresholds = 'other.toml'")
            .await
            .unwrap();
        let batches = datafusion::physical_plan::collect(planned, ctx.task_ctx())
            .await
            .unwrap();
        assert_eq!(
            batches.iter().map(|batch| batch.num_rows()).sum::<usize>(),
            1
        );
        let error = run(&ctx, "SELECT harm('a')").await.unwrap_err().to_string();
        assert!(error.contains("tamis.thresholds 'other.toml'"), "{error}");
    }

    #[tokio::test]
    async fn harm_stands_once_in_a_plan() {
        let ctx = registered();
        let sql = "SELECT harm(text)['score'], harm(text)['risks'], harm(text)['hits'] \
                   FROM (VALUES ('a'), ('b')) AS t(text)";
        let plan = run(&ctx, &format!("EXPLAIN FORMAT INDENT {sql}"))
            .await
            .unwrap();
        let physical = plan.split("physical_plan").nth(1).unwrap();
        assert_eq!(physical.matches("harm(column1@0)").count(), 1, "{plan}");
    }

    #[test]
    fn functions_of_equal_resources_are_equal() {
        let resources = Resources::builtin().unwrap();
        let mut other = resources.clone();
        other.use_case = "train-research".to_owned();
        for ((one, same), different) in scalar_functions(&resources)
            .into_iter()
            .zip(scalar_functions(&resources))
            .zip(scalar_functions(&other))
        {
            assert_eq!(one, same);
            assert_eq!(
                one == different,
                one.name() != "license_check",
                "{}",
                one.name()
            );
        }
    }

    #[test]
    fn names_are_in_order_and_documented() {
        let resources = Resources::builtin().unwrap();
        let names: Vec<String> = scalar_functions(&resources)
            .iter()
            .map(|function| {
                let documented = function.documentation().unwrap();
                assert!(
                    documented
                        .syntax_example
                        .starts_with(&format!("{}(", function.name()))
                );
                function.name().to_owned()
            })
            .collect();
        assert!(names.is_sorted(), "{names:?}");
        for aggregate in aggregates() {
            assert!(aggregate.documentation().is_some(), "{}", aggregate.name());
        }
    }
}
