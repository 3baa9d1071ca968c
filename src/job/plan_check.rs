//! `clear.sql` must give exactly one row for each row of `judged`: the plan is checked before anything runs.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, NullEquality};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan, Operator, Volatility};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::streaming::StreamingTableExec;

use super::error::{JobError, Result};
use super::judged::NEEDED;

/// A small table a policy may look up, with its unique key.
#[derive(Debug, Clone)]
pub struct SideTable {
    /// Name in SQL.
    pub name: &'static str,
    /// Its unique column.
    pub key: &'static str,
}

/// The side tables of a job.
pub const SIDE_TABLES: &[SideTable] = &[SideTable {
    name: "source_assessment",
    key: "source_id",
}];

/// Refuses a plan that could lose, repeat or invent rows, or give another answer tomorrow.
pub fn check_clear(plan: &LogicalPlan) -> Result<()> {
    let judged = count_judged(plan, "clear.sql")?;
    if judged != 1 {
        return Err(refuse(format!(
            "reads `judged` {judged} times, it must read it once"
        )));
    }
    check_columns(plan)
}

/// `assess.sql` may filter nothing either: the gate counts unfiltered input.
pub fn check_assess(plan: &LogicalPlan) -> Result<()> {
    let judged = count_judged(plan, "assess.sql")?;
    let names: Vec<_> = plan
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    if judged != 1 || names != ["source_id", "harmful"] {
        return Err(JobError::usage(format!(
            "assess.sql must read `judged` once and give source_id, harmful; it reads it {judged} times and gives {}",
            names.join(", ")
        )));
    }
    Ok(())
}

fn refuse(what: String) -> JobError {
    JobError::usage(format!(
        "clear.sql {what}. It must give exactly one row for each row of `judged`: projections and LEFT JOINs into side tables only"
    ))
}

fn check_columns(plan: &LogicalPlan) -> Result<()> {
    let schema = plan.schema();
    let names: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    for needed in NEEDED.iter().chain(&["verdict", "reasons"]) {
        match names.iter().filter(|name| *name == needed).count() {
            1 => {}
            0 => {
                return Err(refuse(format!(
                    "does not give the column `{needed}` (select judged.*, verdict, reasons)"
                )));
            }
            _ => {
                return Err(refuse(format!(
                    "gives the column `{needed}` more than once"
                )));
            }
        }
    }
    Ok(())
}

/// Walks down to `judged`, refusing every node that can change the number of rows.
fn count_judged(plan: &LogicalPlan, file: &str) -> Result<usize> {
    let refuse_in = |what: String| match refuse(what) {
        JobError::Usage(message) => JobError::Usage(message.replacen("clear.sql", file, 1)),
        other => other,
    };
    for expr in plan.expressions() {
        check_expr(&expr).map_err(refuse_in)?;
    }
    match plan {
        LogicalPlan::SubqueryAlias(alias) if alias.alias.table() == "judged" => Ok(1),
        LogicalPlan::TableScan(scan) if scan.table_name.table() == "judged" => {
            if scan.fetch.is_some() || !scan.filters.is_empty() {
                return Err(refuse_in("filters `judged`".to_owned()));
            }
            Ok(1)
        }
        LogicalPlan::TableScan(_) | LogicalPlan::EmptyRelation(_) | LogicalPlan::Values(_) => Ok(0),
        LogicalPlan::Projection(projection) => count_judged(&projection.input, file),
        LogicalPlan::SubqueryAlias(alias) => count_judged(&alias.input, file),
        LogicalPlan::Join(join) => {
            let left = count_judged(&join.left, file)?;
            if join.join_type != JoinType::Left {
                return Err(refuse_in(format!("has a {} JOIN", join.join_type)));
            }
            let side = side_table(&join.right)
                .ok_or_else(|| refuse_in("joins something other than a side table".to_owned()))?;
            let equalities = join.on.iter().map(|(_, right)| right);
            let keys: Vec<String> = equalities
                .chain(
                    join.filter
                        .iter()
                        .flat_map(|filter| split_conjunction(filter))
                        .flat_map(equal_sides),
                )
                .filter_map(|expr| match expr {
                    Expr::Column(column) if join.right.schema().has_column(column) => {
                        Some(column.name.clone())
                    }
                    _ => None,
                })
                .collect();
            if !keys.iter().any(|key| key == side.key)
                || join.null_equality == NullEquality::NullEqualsNull
            {
                return Err(refuse_in(format!(
                    "joins `{}` without its unique key `{}`, so a row could match twice",
                    side.name, side.key
                )));
            }
            Ok(left)
        }
        other => {
            let node = other.display().to_string();
            let node: String = node.chars().take(80).collect();
            Err(refuse_in(format!("has the node `{node}`")))
        }
    }
}

/// Both sides of an equality; nothing of any other condition.
fn equal_sides(condition: &Expr) -> Vec<&Expr> {
    match condition {
        Expr::BinaryExpr(binary) if binary.op == Operator::Eq => vec![&binary.left, &binary.right],
        _ => Vec::new(),
    }
}

fn side_table(plan: &LogicalPlan) -> Option<&'static SideTable> {
    match plan {
        LogicalPlan::TableScan(scan) => SIDE_TABLES
            .iter()
            .find(|side| side.name == scan.table_name.table()),
        LogicalPlan::SubqueryAlias(alias) => side_table(&alias.input),
        _ => None,
    }
}

fn check_expr(expr: &Expr) -> std::result::Result<(), String> {
    let mut found = None;
    expr.apply(|expr| {
        found = match expr {
            Expr::ScalarFunction(call)
                if call.func.signature().volatility != Volatility::Immutable =>
            {
                Some(format!(
                    "calls `{}`, which may answer differently tomorrow",
                    call.func.name()
                ))
            }
            Expr::Exists(_) | Expr::InSubquery(_) | Expr::ScalarSubquery(_) => {
                Some("has a subquery".to_owned())
            }
            Expr::AggregateFunction(call) => {
                Some(format!("aggregates with `{}`", call.func.name()))
            }
            Expr::WindowFunction(_) => Some("has a window function".to_owned()),
            Expr::Unnest(_) => Some("unnests".to_owned()),
            _ => None,
        };
        Ok(if found.is_some() {
            TreeNodeRecursion::Stop
        } else {
            TreeNodeRecursion::Continue
        })
    })
    .map_err(|error| error.to_string())?;
    found.map_or(Ok(()), Err)
}

/// Makes the side table the build side of every lookup, so that memory does not grow with the
/// unit and rows leave in the order they came.
pub fn build_on_side_tables(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let plan = plan
        .transform_up(|node| {
            let Some(join) = node.downcast_ref::<HashJoinExec>() else {
                return Ok(Transformed::no(node));
            };
            if !reads_unit(join.left()) {
                return Ok(Transformed::no(node));
            }
            Ok(Transformed::yes(
                join.swap_inputs(PartitionMode::CollectLeft)?,
            ))
        })
        .data()?;
    Ok(plan)
}

fn reads_unit(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.is::<StreamingTableExec>() || plan.children().into_iter().any(reads_unit)
}
