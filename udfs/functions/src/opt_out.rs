//! `opt_out(url [, at])`: what the opt-out signals of an address said at an instant.

use std::sync::{Arc, LazyLock};

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_consent::opt_out::{OptOutAnswers, OptOutQuestion, OptOutRegistry, OptOutRules};

use crate::arguments::Argument;
use crate::documentation::document;
use crate::instants::spans;
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
    const ARGUMENTS: &'static [Argument] = &[Argument::Text("url"), Argument::Span("at")];
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
                        "The instant of collection; a date stands for its day. Default: the setting tamis.as_of.",
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

/// An address and the span it was collected in, where that is known.
type Asked<'a> = (Option<&'a str>, Option<(i64, i64)>);

impl Snapshots {
    /// Adds an answer for each address and the span it was collected in. Without that time a
    /// permission of then cannot be shown, a refusal stands.
    fn check(&self, asked: &[Asked<'_>], answers: &mut OptOutAnswers, column: &mut OptOuts) {
        let questions = asked.iter().map(|&(url, span)| {
            let (from, until) = span.unwrap_or((self.as_of, self.as_of));
            OptOutQuestion { url, from, until }
        });
        let questions: Vec<OptOutQuestion<'_>> = questions.collect();
        answers.clear();
        self.registry.answer_batch(&questions, &self.rules, answers);
        for ((verdict, signals), (_, span)) in answers.iter().zip(asked) {
            let is_shown = span.is_some() || verdict != "allowed";
            column.push(if is_shown { verdict } else { "unknown" }, signals);
        }
    }
}

fn opt_outs(snapshots: &Snapshots, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let urls = texts(&arguments[0])?;
    let as_of = Some((snapshots.as_of, snapshots.as_of));
    let (keys, places) = match arguments.get(1) {
        Some(at) => distinct(urls.into_iter().zip(spans(at)?)),
        None => distinct(urls.into_iter().map(|url| (url, as_of))),
    };
    let (mut answers, mut column) = (OptOutAnswers::default(), OptOuts::default());
    for asked in keys.chunks(AT_A_TIME) {
        snapshots.check(asked, &mut answers, &mut column);
    }
    spread(column.finish()?, &places)
}
