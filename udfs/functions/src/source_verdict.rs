//! `source_verdict(flag [, limit [, mode]])`: may a source with this share of harmful rows be used
//! (aggregate)?

use std::sync::{Arc, LazyLock};

use arrow::array::StringArray;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::function::{
    AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs,
};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, Expr, GroupsAccumulator, Signature,
};
use datafusion::physical_expr::expressions::Literal;
use tamis_harm::Mode;
use tamis_resource::{ResourceError, nearest};

use crate::arguments::{Argument, coerce, signature};
use crate::counts::{Counts, Finish, GroupCounts, state_fields};
use crate::documentation::document;
use crate::harm_rate::{FLAG, no_distinct, rate_columns};
use crate::results::{source_verdict_fields, source_verdict_type, struct_array};

/// More harmful rows than this share refuse a source (TC260-003-2024 5.1 a)).
const DEFAULT_LIMIT: f64 = 0.05;

/// `source_verdict(flag [, limit [, mode]])`: Struct{n, harmful, rate, lower, upper, verdict}.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct SourceVerdict {
    signature: Signature,
}

impl SourceVerdict {
    pub(crate) fn new() -> Self {
        Self {
            signature: signature(),
        }
    }
}

impl AggregateUDFImpl for SourceVerdict {
    fn name(&self) -> &str {
        "source_verdict"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let arguments = [
            Argument::Flag("flag"),
            Argument::Number("limit"),
            Argument::Text("mode"),
        ];
        coerce(self.name(), &arguments, 1, arg_types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(source_verdict_type())
    }

    fn is_nullable(&self) -> bool {
        false
    }

    fn default_value(&self, _: &DataType) -> Result<ScalarValue> {
        let rule = Rule {
            limit: DEFAULT_LIMIT,
            mode: Mode::default(),
        };
        ScalarValue::try_from_array(&rule.finish()(&[0], &[0])?, 0)
    }

    /// Changes nothing: it is where a wrong limit or mode is refused while planning, and DISTINCT
    /// before DataFusion turns it into a GROUP BY.
    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        Some(Box::new(|function: AggregateFunction, _| {
            if function.params.distinct {
                return Err(no_distinct("source_verdict"));
            }
            let literal = |argument: &Expr| match argument {
                Expr::Literal(value, _) => Some(value.clone()),
                _ => None,
            };
            // What is not constant yet may become so in a later pass; the accumulator insists.
            let constants: Option<Vec<ScalarValue>> =
                function.params.args.iter().skip(1).map(literal).collect();
            if let Some(constants) = constants {
                Rule::of(&constants)?;
            }
            Ok(Expr::AggregateFunction(function))
        }))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return Err(no_distinct(self.name()));
        }
        Ok(Box::new(Counts::new(Rule::of_call(&args)?.finish())))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(state_fields(args.name))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(GroupCounts::new(Rule::of_call(&args)?.finish())))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "Whether a source with this share of harmful rows is accepted. census: rate > limit is reject, \
                 otherwise accept. sample: lower > limit is reject, upper <= limit is accept, otherwise \
                 undecided. No rows are undecided.",
                "source_verdict(flag [, limit [, mode]])",
                &[
                    FLAG,
                    (
                        "limit",
                        "The highest share accepted, a constant from 0 to 1. Default 0.05.",
                    ),
                    (
                        "mode",
                        "census (every row was judged, the default) or sample, a constant.",
                    ),
                ],
            )
        });
        Some(&DOCUMENTATION)
    }
}

/// The limit and mode of one call.
#[derive(Debug, Clone, Copy)]
struct Rule {
    limit: f64,
    mode: Mode,
}

impl Rule {
    /// From the constants after the flag.
    fn of(constants: &[ScalarValue]) -> Result<Self> {
        let limit = match constants.first() {
            None => DEFAULT_LIMIT,
            Some(limit) => match limit.cast_to(&DataType::Float64)? {
                ScalarValue::Float64(Some(limit)) if (0.0..=1.0).contains(&limit) => limit,
                other => {
                    return plan_err!(
                        "source_verdict: the limit must be between 0 and 1, it is {other}"
                    );
                }
            },
        };
        let mode = match constants.get(1).map(|mode| mode.try_as_str()) {
            None => Mode::default(),
            Some(name) => {
                let name = name.flatten().unwrap_or("NULL");
                if let Some(mode) = Mode::parse(name) {
                    return Ok(Self { limit, mode });
                }
                let error = ResourceError::UnknownName {
                    kind: "mode",
                    name: name.to_owned(),
                    known: "census, sample".to_owned(),
                    nearest: nearest(name, ["census", "sample"]).map(str::to_owned),
                };
                return Err(DataFusionError::Plan(format!("source_verdict: {error}")));
            }
        };
        Ok(Self { limit, mode })
    }

    fn of_call(args: &AccumulatorArgs) -> Result<Self> {
        let constants: Option<Vec<ScalarValue>> = args
            .exprs
            .iter()
            .skip(1)
            .map(|argument| {
                argument
                    .downcast_ref::<Literal>()
                    .map(|literal| literal.value().clone())
            })
            .collect();
        match constants {
            Some(constants) => Self::of(&constants),
            None => plan_err!("source_verdict: the limit and the mode must be constants"),
        }
    }

    fn finish(self) -> Finish {
        Arc::new(move |n, harmful| {
            let verdicts = n.iter().zip(harmful).map(|(n, harmful)| {
                let verdict =
                    tamis_harm::source_verdict(*n as u64, *harmful as u64, self.limit, self.mode);
                verdict.as_str()
            });
            let mut columns = rate_columns(n, harmful);
            columns.push(Arc::new(StringArray::from_iter_values(verdicts)));
            struct_array(source_verdict_fields(), columns)
        })
    }
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::SessionContext;

    use super::*;

    #[tokio::test]
    async fn wrong_constants_are_refused_while_planning() {
        let ctx = SessionContext::new();
        ctx.register_udaf(SourceVerdict::new().into());
        for (call, problem) in [
            (
                "source_verdict(value > 1, 1.5)",
                "the limit must be between 0 and 1, it is 1.5",
            ),
            ("source_verdict(value > 1, -0.1)", "it is -0.1"),
            (
                "source_verdict(value > 1, cast('NaN' AS double))",
                "it is NaN",
            ),
            ("source_verdict(value > 1, NULL)", "it is NULL"),
            (
                "source_verdict(value > 1, 0.05, 'Census')",
                "did you mean 'census'?",
            ),
            (
                "source_verdict(value > 1, 0.05, NULL)",
                "unknown mode 'NULL'",
            ),
            ("source_verdict(DISTINCT value > 1)", "takes no DISTINCT"),
        ] {
            let frame = ctx
                .sql(&format!("SELECT {call} FROM generate_series(1, 9)"))
                .await
                .unwrap();
            let error = frame.into_optimized_plan().unwrap_err();
            assert!(
                matches!(error.find_root(), DataFusionError::Plan(_)),
                "{call}: {error}"
            );
            assert!(error.to_string().contains(problem), "{call}: {error}");
        }
    }
}
