//! One SELECT over tables, as a step that makes a table. The engine is that of [`crate::query`],
//! under a memory cap and with the disk to spill to; beyond it the rows of the result have an
//! order, and what could differ from one run to the next is refused.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, AsArray as _, Float64Array, RecordBatch};
use arrow::compute::{CastOptions, can_cast_types, cast_with_options};
use arrow::datatypes::{Float64Type, Schema};
use base::{Error, Progress, Result};
use datafusion::common::TableReference;
use datafusion::common::tree_node::{Transformed, TreeNode as _, TreeNodeRecursion};
use datafusion::datasource::empty::EmptyTable;
use datafusion::error::DataFusionError;
use datafusion::execution::context::{SQLOptions, SessionContext};
use datafusion::logical_expr::{Expr, LogicalPlan, Sort, SortExpr, Volatility};

use super::check_names;
use crate::query::{explain, refuse_all_but_queries, register, session};
use crate::schema::{Column, Kind, TableMeta, arrow_schema};
use crate::table::{TableFile, TableWriter};

/// What planning over empty tables may use.
const PLANNING_CAP_BYTES: usize = 64 << 20;
/// How often a running query looks whether it was cancelled.
const CANCEL_INTERVAL: Duration = Duration::from_millis(50);

/// A table that a query reads, by the name that the query gives it.
#[derive(Debug, Clone, Copy)]
pub struct SqlTable<'a> {
    /// Its name in the query.
    pub name: &'a str,
    /// Its folder.
    pub folder: &'a Path,
}

/// The columns that a query over tables of these columns gives, found out by planning it.
///
/// # Errors
/// `invalid_input` for anything but one query, SQL that does not fit the tables, a result whose
/// columns have no name or no kind here, and what would not give the same rows each time.
pub fn sql_columns(tables: &[(&str, &[Column])], sql: &str) -> Result<Vec<Column>> {
    let names: Vec<&str> = tables.iter().map(|(name, _)| *name).collect();
    runtime()?.block_on(async {
        let context = session(PLANNING_CAP_BYTES)?;
        for (name, columns) in tables {
            let table = Arc::new(EmptyTable::new(arrow_schema(columns)));
            context
                .register_table(TableReference::bare(*name), table)
                .map_err(|e| Error::internal("cannot plan a query").because(e))?;
        }
        let plan = plan(&context, sql, &names).await?;
        columns_of(plan.schema().as_arrow())
    })
}

/// Runs a query and writes its rows as a table into `folder`; `describe` says what the table is,
/// given its columns. Rows are in the order that the query asks for, ties broken by all columns; a
/// query that only picks rows and columns keeps the order of its table; otherwise rows are sorted
/// by all columns from left to right, missing values last.
///
/// # Errors
/// As [`sql_columns`]; a query that needs more memory than the cap even with the disk; a value
/// that does not fit into 64 bits; `cancelled`.
pub fn run_sql(
    tables: &[SqlTable<'_>],
    sql: &str,
    memory_cap_bytes: usize,
    describe: impl FnOnce(Vec<Column>) -> TableMeta,
    (folder, progress): (&Path, &Progress),
) -> Result<TableFile> {
    let names: Vec<&str> = tables.iter().map(|table| table.name).collect();
    let failed = |e: DataFusionError| explain(&e, &names, memory_cap_bytes);
    runtime()?.block_on(async {
        let context = session(memory_cap_bytes)?;
        register(&context, tables.iter().map(|table| (table.name, table.folder))).await?;
        let plan = plan(&context, sql, &names).await?;
        let columns = columns_of(plan.schema().as_arrow())?;
        let frame = context.execute_logical_plan(plan).await.map_err(failed)?;
        let mut stream = frame.execute_stream().await.map_err(failed)?;
        let mut writer = TableWriter::create(folder, describe(columns.clone()))?;
        let mut rows = 0;
        loop {
            progress.step("querying", rows, None)?;
            let next = std::future::poll_fn(|task| stream.as_mut().poll_next(task));
            tokio::select! {
                biased;
                batch = next => match batch {
                    Some(batch) => {
                        let batch = fitted(&batch.map_err(failed)?, &columns)?;
                        rows += batch.num_rows() as u64;
                        writer.push(&batch)?;
                    }
                    None => return writer.finish(),
                },
                () = tokio::time::sleep(CANCEL_INTERVAL) => (),
            }
        }
    })
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|e| Error::internal("cannot start a query").because(e))
}

/// The plan of a query whose rows have an order.
async fn plan(context: &SessionContext, sql: &str, names: &[&str]) -> Result<LogicalPlan> {
    if refuse_all_but_queries(sql)? {
        return Err(Error::invalid("a step cannot run `EXPLAIN`").hint("write one SELECT"));
    }
    let failed = |e: DataFusionError| explain(&e, names, PLANNING_CAP_BYTES);
    let plan = context.state().create_logical_plan(sql).await.map_err(failed)?;
    let options = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    options.verify_plan(&plan).map_err(failed)?;
    let mut trouble = None;
    let looked = plan.apply_with_subqueries(|node| {
        trouble = trouble_of(node)?;
        Ok(if trouble.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    looked.map_err(failed)?;
    if let Some(trouble) = trouble {
        return Err(trouble);
    }
    let is_ordered = keeps_order(&plan).map_err(failed)?;
    let plan = plan.transform_up_with_subqueries(break_ties).map_err(failed)?.data;
    if is_ordered {
        return Ok(plan);
    }
    let expr = keys(&plan, &[]);
    let sorted = Sort { expr, input: Arc::new(plan), fetch: None };
    Ok(if sorted.expr.is_empty() { Arc::unwrap_or_clone(sorted.input) } else { LogicalPlan::Sort(sorted) })
}

/// Why a part of a plan would not give the same rows each time.
fn trouble_of(node: &LogicalPlan) -> Result<Option<Error>, DataFusionError> {
    match node {
        LogicalPlan::Limit(limit) if !keeps_order(&limit.input)? => {
            return Ok(Some(
                Error::invalid("a LIMIT without an order takes any rows")
                    .hint("put an ORDER BY before the LIMIT"),
            ));
        }
        LogicalPlan::Aggregate(_) | LogicalPlan::Window(_) if has_union(node)? => {
            return Ok(Some(
                Error::invalid("sums over a UNION could differ in their last digits from run to run")
                    .hint("put the tables together in a `union` step before this one"),
            ));
        }
        _ => (),
    }
    let mut changing = None;
    node.apply_expressions(|expr| {
        expr.apply(|part| {
            let Expr::ScalarFunction(call) = part else { return Ok(TreeNodeRecursion::Continue) };
            if call.func.signature().volatility == Volatility::Immutable {
                return Ok(TreeNodeRecursion::Continue);
            }
            changing = Some(call.func.name().to_owned());
            Ok(TreeNodeRecursion::Stop)
        })
    })?;
    Ok(changing.map(|name| {
        Error::invalid(format!("`{name}` gives another value in each run"))
            .hint("write the value itself: the result of a step depends on what goes in alone")
    }))
}

fn has_union(node: &LogicalPlan) -> Result<bool, DataFusionError> {
    node.exists(|part| Ok(matches!(part, LogicalPlan::Union(_))))
}

/// True if rows come in the order that an `order by` says, or in that of the one table.
fn keeps_order(plan: &LogicalPlan) -> Result<bool, DataFusionError> {
    let mut has_subquery = false;
    plan.apply_subqueries(|_| {
        has_subquery = true;
        Ok(TreeNodeRecursion::Stop)
    })?;
    match plan {
        LogicalPlan::Sort(_) | LogicalPlan::TableScan(_) | LogicalPlan::EmptyRelation(_) => Ok(true),
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Limit(_)
            if !has_subquery =>
        {
            plan.inputs().into_iter().try_fold(true, |is_kept, input| Ok(is_kept && keeps_order(input)?))
        }
        _ => Ok(false),
    }
}

/// Rows that an `order by` leaves equal are in the order of all their columns.
fn break_ties(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>, DataFusionError> {
    let LogicalPlan::Sort(mut sort) = plan else { return Ok(Transformed::no(plan)) };
    let ties = keys(&sort.input, &sort.expr);
    sort.expr.extend(ties);
    Ok(Transformed::yes(LogicalPlan::Sort(sort)))
}

/// Every column that is not sorted by yet.
fn keys(plan: &LogicalPlan, sorted: &[SortExpr]) -> Vec<SortExpr> {
    let columns = plan.schema().columns().into_iter().zip(plan.schema().fields());
    let plain = columns.filter(|(_, field)| !field.data_type().is_nested());
    let keys = plain.map(|(column, _)| Expr::Column(column));
    keys.filter(|key| !sorted.iter().any(|other| other.expr == *key))
        .map(|key| key.sort(true, false))
        .collect()
}

fn columns_of(schema: &Schema) -> Result<Vec<Column>> {
    let column = |field: &Arc<arrow::datatypes::Field>| {
        let kind = Kind::of(field.data_type());
        if !can_cast_types(field.data_type(), &kind.data_type()) || field.data_type().is_nested() {
            return Err(Error::invalid(format!(
                "the column `{}` would hold {}, which is none of the kinds of a table",
                field.name(),
                field.data_type()
            ))
            .hint("cast it to a number, a text, a truth value or a timestamp"));
        }
        Ok(Column::new(field.name(), kind))
    };
    let columns = schema.fields().iter().map(column).collect::<Result<Vec<_>>>()?;
    check_names(&columns).map_err(|e| e.hint("give the columns of the result names with AS"))?;
    Ok(columns)
}

/// A batch of the engine as the kinds of a table; a number that is no number is missing.
fn fitted(batch: &RecordBatch, columns: &[Column]) -> Result<RecordBatch> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let convert = |(array, column): (&ArrayRef, &Column)| {
        let array = cast_with_options(array, &column.kind.data_type(), &options).map_err(|e| {
            Error::invalid(format!("column `{}` has a value that does not fit", column.name))
                .hint("cast it to DOUBLE or to text in the query")
                .because(e)
        })?;
        Ok(match array.as_primitive_opt::<Float64Type>() {
            Some(values) if values.iter().flatten().any(f64::is_nan) => {
                let present = values.iter().map(|value| value.filter(|v| !v.is_nan()));
                Arc::new(present.collect::<Float64Array>()) as ArrayRef
            }
            _ => array,
        })
    };
    let arrays = batch.columns().iter().zip(columns).map(convert).collect::<Result<Vec<_>>>()?;
    super::table(columns, arrays, batch.num_rows())
}
