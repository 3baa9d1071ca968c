//! `harm_rate(flag)`: the share of harmful rows with its confidence bounds (aggregate).

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{ScalarValue, plan_datafusion_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::function::{
    AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs,
};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, Expr, GroupsAccumulator, Signature,
};

use tamis_harm::Rate;

use crate::arguments::{Argument, coerce, signature};
use crate::counts::{Counts, Finish, GroupCounts, state_fields};
use crate::documentation::document;
use crate::results::{harm_rate_fields, harm_rate_type, struct_array};

/// The flag argument of both aggregates.
pub(crate) const FLAG: (&str, &str) = (
    "flag",
    "Whether the row is harmful; NULL counts as harmful.",
);

/// `harm_rate(flag)`: Struct{n, harmful, rate, lower, upper}.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct HarmRate {
    signature: Signature,
}

impl HarmRate {
    pub(crate) fn new() -> Self {
        Self {
            signature: signature(),
        }
    }
}

impl AggregateUDFImpl for HarmRate {
    fn name(&self) -> &str {
        "harm_rate"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        coerce(self.name(), &[Argument::Flag("flag")], 1, arg_types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(harm_rate_type())
    }

    fn is_nullable(&self) -> bool {
        false
    }

    fn default_value(&self, _: &DataType) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&finish()(&[0], &[0])?, 0)
    }

    /// Changes nothing: it is where DISTINCT is refused, before DataFusion turns it into a GROUP BY.
    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        Some(Box::new(|function: AggregateFunction, _| {
            if function.params.distinct {
                return Err(no_distinct("harm_rate"));
            }
            Ok(Expr::AggregateFunction(function))
        }))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return Err(no_distinct(self.name()));
        }
        Ok(Box::new(Counts::new(finish())))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(state_fields(args.name))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(GroupCounts::new(finish())))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "How many rows are harmful, their share, and the Clopper-Pearson bounds of the share, one-sided \
                 95 % each.",
                "harm_rate(flag)",
                &[FLAG],
            )
        });
        Some(&DOCUMENTATION)
    }
}

/// A share of distinct flags says nothing about rows.
pub(crate) fn no_distinct(function: &str) -> DataFusionError {
    plan_datafusion_err!("{function} counts rows and takes no DISTINCT")
}

/// The columns n, harmful, rate, lower, upper; of no rows the last three are NULL.
pub(crate) fn rate_columns(n: &[i64], harmful: &[i64]) -> Vec<ArrayRef> {
    let rates: Vec<Rate> = n
        .iter()
        .zip(harmful)
        .map(|(n, harmful)| tamis_harm::harm_rate(*n as u64, *harmful as u64))
        .collect();
    let column = |value: fn(&Rate) -> Option<f64>| -> ArrayRef {
        Arc::new(rates.iter().map(value).collect::<Float64Array>())
    };
    vec![
        Arc::new(Int64Array::from(n.to_vec())),
        Arc::new(Int64Array::from(harmful.to_vec())),
        column(|rate| rate.rate),
        column(|rate| rate.lower),
        column(|rate| rate.upper),
    ]
}

fn finish() -> Finish {
    Arc::new(|n, harmful| struct_array(harm_rate_fields(), rate_columns(n, harmful)))
}
