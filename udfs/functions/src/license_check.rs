//! `license_check(raw [, use])`: may data under this licence be used so?

use std::sync::{Arc, LazyLock};

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Documentation, ReturnFieldArgs};
use tamis_license::{Check, LicensePolicy, Verdict, license_id};

use crate::arguments::Argument;
use crate::documentation::document;
use crate::judging::Judging;
use crate::pinned::Pinned;
use crate::resources::Resources;
use crate::results::{license_check_fields, license_check_type, struct_array, text_lists};
use crate::strings::{distinct, spread, text_array, texts};

/// A policy and the use asked about when the call names none.
pub(crate) struct LicenseRules {
    policy: Arc<LicensePolicy>,
    use_case: String,
}

/// `license_check(raw [, use])`: Struct{spdx, verdict, reason, obligations}, never NULL.
pub(crate) struct LicenseCheck;

impl Judging for LicenseCheck {
    const NAME: &'static str = "license_check";
    const ARGUMENTS: &'static [Argument] = &[Argument::Text("raw"), Argument::Text("use")];
    type Resource = LicenseRules;

    fn pin(resources: &Resources) -> Pinned<LicenseRules> {
        let rules = LicenseRules {
            policy: Arc::clone(&resources.license_policy),
            use_case: resources.use_case.clone(),
        };
        let digest = format!("{} {}", rules.policy.identity().sha256, rules.use_case);
        Pinned::new(
            Self::NAME,
            Some(Arc::new(rules)),
            digest,
            &["license_policy", "use"],
            &resources.settings,
        )
    }

    fn result_type() -> DataType {
        license_check_type()
    }

    fn check_literals(rules: &LicenseRules, args: &ReturnFieldArgs) -> Result<()> {
        if let Some(Some(literal)) = args.scalar_arguments.get(1)
            && let Some(Some(use_case)) = literal.try_as_str()
        {
            rules.check(None, use_case)?;
        }
        Ok(())
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "What the licence policy says of a licence for a use: allow, review, deny or missing, with the \
                 reason and the obligations that come with the use.",
                "license_check(raw [, use])",
                &[
                    ("raw", "A licence as written."),
                    (
                        "use",
                        "A use the policy knows. Default: the setting tamis.use.",
                    ),
                ],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(rules: &LicenseRules, arguments: &[ArrayRef]) -> Result<ArrayRef> {
        license_checks(rules, arguments)
    }
}

impl LicenseRules {
    fn check(&self, raw: Option<&str>, use_case: &str) -> Result<Check> {
        self.policy
            .check(raw, use_case)
            .map_err(|error| DataFusionError::Plan(format!("license_check: {error}")))
    }

    /// A use that is NULL has no verdict but `missing`.
    fn check_row(&self, raw: Option<&str>, use_case: Option<&str>) -> Result<Check> {
        match use_case {
            Some(use_case) => self.check(raw, use_case),
            None => Ok(Check {
                spdx: raw.and_then(license_id),
                verdict: Verdict::Missing,
                reason: "no use given".to_owned(),
                obligations: Vec::new(),
            }),
        }
    }
}

fn license_checks(rules: &LicenseRules, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let raw = texts(&arguments[0])?;
    let (keys, places) = match arguments.get(1) {
        Some(uses) => distinct(raw.into_iter().zip(texts(uses)?)),
        None => distinct(
            raw.into_iter()
                .map(|raw| (raw, Some(rules.use_case.as_str()))),
        ),
    };
    let checks: Vec<Check> = keys
        .into_iter()
        .map(|(raw, use_case)| rules.check_row(raw, use_case))
        .collect::<Result<_>>()?;
    let answers = struct_array(
        license_check_fields(),
        vec![
            text_array(checks.iter().map(|check| check.spdx.as_deref())),
            text_array(checks.iter().map(|check| Some(check.verdict.as_str()))),
            text_array(checks.iter().map(|check| Some(check.reason.as_str()))),
            text_lists(
                checks
                    .iter()
                    .map(|check| check.obligations.iter().map(String::as_str)),
            )?,
        ],
    )?;
    spread(answers, &places)
}
