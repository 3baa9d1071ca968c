//! `harm(text)['score'], harm(text)['risks']` evaluates `harm` once.
//!
//! DataFusion hoists the common call, and then pushes its own `get_field`, which it takes for free,
//! back down into the projection that holds the call: one call per field. The rewrite replaces
//! `get_field` over a struct of ours by a getter that stays where it is. It sees types, so it also
//! works on the columns of CTEs and subqueries.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, internal_err};
use datafusion::error::Result;
use datafusion::functions::core::get_field;
use datafusion::functions::core::getfield::GetFieldFunc;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ExpressionPlacement, ReturnFieldArgs, ScalarFunctionArgs,
    ScalarUDF, ScalarUDFImpl, Signature,
};

use crate::arguments::signature;
use crate::results::struct_types;

/// The name the getter is registered under, for engines that look functions up by name.
pub(crate) const GETTER: &str = "tamis_get_field";

/// The getter, one instance for all plans.
pub(crate) fn getter() -> Arc<ScalarUDF> {
    static GETTER: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
        Arc::new(ScalarUDF::from(FieldGetter {
            signature: signature(),
        }))
    });
    Arc::clone(&GETTER)
}

/// `get_field` that is evaluated where it stands. Names its column as `get_field` does.
#[derive(Debug, PartialEq, Eq, Hash)]
struct FieldGetter {
    signature: Signature,
}

impl ScalarUDFImpl for FieldGetter {
    fn name(&self) -> &str {
        GETTER
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        get_field().inner().schema_name(args)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        get_field().inner().coerce_types(arg_types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("the getter's type depends on the field's name")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        get_field().inner().return_field_from_args(args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        get_field().inner().invoke_with_args(args)
    }

    fn placement(&self, _: &[ExpressionPlacement]) -> ExpressionPlacement {
        ExpressionPlacement::KeepInPlace
    }
}

/// The rewrite of `get_field` over our structs.
#[derive(Debug)]
pub(crate) struct KeepGetters;

impl FunctionRewrite for KeepGetters {
    fn name(&self) -> &str {
        "tamis_keep_getters"
    }

    fn rewrite(
        &self,
        expr: Expr,
        schema: &DFSchema,
        _: &ConfigOptions,
    ) -> Result<Transformed<Expr>> {
        match expr {
            Expr::ScalarFunction(ScalarFunction { func, args })
                if func.inner().is::<GetFieldFunc>()
                    && args.first().is_some_and(|base| is_ours(base, schema)) =>
            {
                Ok(Transformed::yes(Expr::ScalarFunction(
                    ScalarFunction::new_udf(getter(), args),
                )))
            }
            other => Ok(Transformed::no(other)),
        }
    }
}

fn is_ours(base: &Expr, schema: &DFSchema) -> bool {
    static OURS: LazyLock<[DataType; 14]> = LazyLock::new(struct_types);
    // An expression without a type is an error that planning reports better.
    base.get_type(schema)
        .is_ok_and(|data_type| OURS.contains(&data_type))
}

#[cfg(test)]
mod tests {
    use std::hash::{Hash, Hasher};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use arrow::array::new_null_array;
    use datafusion::execution::FunctionRegistry;
    use datafusion::prelude::SessionContext;

    use super::*;
    use crate::results::harm_type;

    /// Returns the struct of `harm` and counts the rows it was called for.
    #[derive(Debug)]
    struct Counted {
        signature: Signature,
        rows: Arc<AtomicUsize>,
    }

    impl PartialEq for Counted {
        fn eq(&self, other: &Self) -> bool {
            Arc::ptr_eq(&self.rows, &other.rows)
        }
    }

    impl Eq for Counted {}

    impl Hash for Counted {
        fn hash<H: Hasher>(&self, state: &mut H) {
            Arc::as_ptr(&self.rows).hash(state);
        }
    }

    impl ScalarUDFImpl for Counted {
        fn name(&self) -> &str {
            "counted"
        }

        fn signature(&self) -> &Signature {
            &self.signature
        }

        fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
            Ok(arg_types.to_vec())
        }

        fn return_type(&self, _: &[DataType]) -> Result<DataType> {
            Ok(harm_type())
        }

        fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
            self.rows.fetch_add(args.number_rows, Ordering::Relaxed);
            Ok(ColumnarValue::Array(new_null_array(
                &harm_type(),
                args.number_rows,
            )))
        }
    }

    /// Rows evaluated by `sql` over 1,000 rows.
    async fn evaluations(sql: &str, with_rewrite: bool) -> usize {
        let rows = Arc::new(AtomicUsize::new(0));
        let mut ctx = SessionContext::new();
        ctx.register_udf(ScalarUDF::from(Counted {
            signature: signature(),
            rows: Arc::clone(&rows),
        }));
        if with_rewrite {
            ctx.register_function_rewrite(Arc::new(KeepGetters))
                .unwrap();
        }
        let table = "CREATE TABLE t AS SELECT cast(value AS varchar) AS text, value % 7 AS k FROM generate_series(1, 1000)";
        ctx.sql(table).await.unwrap().collect().await.unwrap();
        let batches = ctx.sql(sql).await.unwrap().collect().await.unwrap();
        assert!(batches.iter().any(|batch| batch.num_rows() > 0), "{sql}");
        rows.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn each_row_is_evaluated_once() {
        for sql in [
            "SELECT counted(text)['score'], counted(text)['risks'] FROM t",
            "WITH h AS (SELECT counted(text) AS h FROM t) SELECT h['score'], h['risks'] FROM h",
            "WITH h AS (SELECT k, counted(text) AS h FROM t) \
             SELECT h['score'], CASE WHEN h['score'] > 0.5 THEN 'drop' ELSE 'keep' END, k FROM h",
            "SELECT k, max(counted(text)['score']), min(counted(text)['top_risk']) FROM t GROUP BY k",
            "SELECT counted(text)['hits'][1]['risk'], counted(text)['hits'][1]['via'] FROM t",
            "SELECT counted(text), counted(text)['score'] FROM t",
        ] {
            assert_eq!(evaluations(sql, true).await, 1000, "{sql}");
        }
    }

    /// When this fails DataFusion has mended it, and the rewrite can go.
    #[tokio::test]
    async fn without_the_rewrite_each_field_costs_a_call() {
        let sql = "SELECT counted(text)['score'], counted(text)['risks'] FROM t";
        assert_eq!(evaluations(sql, false).await, 2000);
    }

    #[tokio::test]
    async fn columns_keep_their_names() {
        let names = async |with_rewrite: bool| {
            let mut ctx = SessionContext::new();
            ctx.register_udf(ScalarUDF::from(Counted {
                signature: signature(),
                rows: Arc::default(),
            }));
            if with_rewrite {
                ctx.register_function_rewrite(Arc::new(KeepGetters))
                    .unwrap();
            }
            let sql = "SELECT counted(text)['score'], counted(text)['hits'][1]['risk'] FROM (VALUES ('a')) AS t(text)";
            let batches = ctx.sql(sql).await.unwrap().collect().await.unwrap();
            let schema = batches[0].schema();
            schema
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(true).await, names(false).await);
    }
}
