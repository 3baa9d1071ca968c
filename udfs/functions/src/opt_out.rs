//! `opt_out(url [, at])`: what the opt-out signals of an address said at an instant.

use std::sync::{Arc, LazyLock};

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_consent::opt_out::{OptOutCheck, OptOutRegistry, OptOutRules};

use crate::arguments::Argument;
use crate::documentation::document;
use crate::instants::instants;
use crate::judging::Judging;
use crate::pinned::Pinned;
use crate::resources::Resources;
use crate::results::{OptOuts, opt_out_type};
use crate::strings::{distinct, spread, texts};

/// The snapshots, and the instant asked about when the call names none.
pub(crate) struct Snapshots {
    registry: Arc<OptOutRegistry>,
    rules: OptOutRules,
    as_of: i64,
}

/// `opt_out(url [, at])`: Struct{verdict, signals List<Struct{signal, value, fetched_at, sha256}>},
/// never NULL; the verdict is `unknown` for NULL and for an address without a snapshot.
pub(crate) struct OptOut;

impl Judging for OptOut {
    const NAME: &'static str = "opt_out";
    const ARGUMENTS: &'static [Argument] = &[Argument::Text("url"), Argument::Time("at")];
    type Resource = Snapshots;

    fn pin(resources: &Resources) -> Pinned<Snapshots> {
        let snapshots = resources.opt_out.as_ref().map(|registry| Snapshots {
            registry: Arc::clone(registry),
            rules: resources.opt_out_rules(),
            as_of: resources.as_of,
        });
        let digest = snapshots.as_ref().map(|snapshots| {
            format!(
                "{} {} {} {:?} {}",
                snapshots.registry.identity().sha256,
                snapshots.rules.agents.identity().sha256,
                snapshots.rules.max_age,
                snapshots.rules.also_at,
                snapshots.as_of
            )
        });
        Pinned::new(
            Self::NAME,
            snapshots.map(Arc::new),
            digest.unwrap_or_default(),
            &[
                "opt_out",
                "opt_out_agents",
                "opt_out_max_age_days",
                "opt_out_also_as_of",
                "as_of",
            ],
            &resources.settings,
        )
    }

    fn result_type() -> DataType {
        opt_out_type()
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "What the opt-out signals in force for an address at an instant say of its use for training: \
                 allowed, disallowed, conditional or unknown, and each signal. The most restrictive wins.",
                "opt_out(url [, at])",
                &[
                    ("url", "The address the data was collected from."),
                    (
                        "at",
                        "The instant of collection. Default: the setting tamis.as_of.",
                    ),
                ],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(snapshots: &Snapshots, arguments: &[ArrayRef]) -> Result<ArrayRef> {
        opt_outs(snapshots, arguments)
    }
}

/// How many addresses are asked about at a time: their answers stay in the caches.
const AT_A_TIME: usize = 1024;

impl Snapshots {
    /// Appends an answer for each address and its time of collection. Without that time a
    /// permission of then cannot be shown, a refusal stands.
    fn check(&self, asked: &[(Option<&str>, Option<i64>)], checks: &mut Vec<OptOutCheck>) {
        let at_known_times = asked
            .iter()
            .map(|(url, at)| (*url, at.unwrap_or(self.as_of)));
        let questions: Vec<(Option<&str>, i64)> = at_known_times.collect();
        let first = checks.len();
        self.registry.check_batch(&questions, &self.rules, checks);
        for (check, (_, at)) in checks[first..].iter_mut().zip(asked) {
            if at.is_none() && check.verdict == "allowed" {
                check.verdict = "unknown";
            }
        }
    }
}

fn opt_outs(snapshots: &Snapshots, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let urls = texts(&arguments[0])?;
    let (keys, places) = match arguments.get(1) {
        Some(at) => distinct(urls.into_iter().zip(instants(at))),
        None => distinct(urls.into_iter().map(|url| (url, Some(snapshots.as_of)))),
    };
    let mut answers = OptOuts::default();
    let mut checks = Vec::new();
    for asked in keys.chunks(AT_A_TIME) {
        snapshots.check(asked, &mut checks);
        checks.drain(..).for_each(|check| answers.push(check));
    }
    spread(answers.finish()?, &places)
}
