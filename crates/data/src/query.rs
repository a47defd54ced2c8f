//! SQL over tables, to look at them: the engine is DataFusion, under a memory cap, on one thread
//! so that sums of floating point numbers are the same each time. It only reads. Names of tables
//! and columns are taken as they are written. Integer arithmetic is SQL's (`5 / 2` is `2`),
//! unlike in expressions.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use arrow::datatypes::{Field, Schema};
use base::{Cancel, Error, Result, bytes};
use datafusion::common::TableReference;
use datafusion::error::DataFusionError;
use datafusion::execution::context::{SQLOptions, SessionConfig, SessionContext};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::ParquetReadOptions;
use datafusion::sql::sqlparser::ast::Statement;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use crate::expr::{on_deep_stack, refuse_long_chains};
use crate::page::{MAX_PAGE_ROWS, Page, PageColumn, append_rows};
use crate::schema::Kind;
use crate::table::{DATA_FILE, TableFile};

/// How often a running query looks whether it was cancelled.
const CANCEL_INTERVAL: Duration = Duration::from_millis(50);

/// The longest query.
const MAX_BYTES: usize = 1 << 20;
/// The most operators of a query.
const MAX_OPERATORS: usize = 1000;
/// What plans a query calls itself for each operator of a chain.
const STACK_BYTES: usize = 64 << 20;

/// The first `limit` rows of a query over tables, each a name and a table folder.
///
/// # Errors
/// `invalid_input` for anything but one query, for SQL that does not fit the tables, and for a
/// query that needs more memory than the cap even when it uses the disk; `cancelled`.
pub fn query(
    tables: &[(&str, &Path)],
    sql: &str,
    limit: u64,
    memory_cap_bytes: usize,
    cancel: &Cancel,
) -> Result<Page> {
    if limit > MAX_PAGE_ROWS {
        return Err(Error::invalid(format!("a page of {limit} rows is too long"))
            .hint(format!("ask for {MAX_PAGE_ROWS} rows or fewer")));
    }
    if sql.len() > MAX_BYTES {
        return Err(Error::invalid(format!("a query of {} is too long", bytes(sql.len() as u64)))
            .hint(format!("write one of {} or less", bytes(MAX_BYTES as u64))));
    }
    refuse_long_chains(sql, MAX_OPERATORS)?;
    let is_explain = on_deep_stack(|| refuse_all_but_queries(sql))?;
    let work = Work {
        tables: tables.iter().map(|(name, dir)| ((*name).to_owned(), dir.to_path_buf())).collect(),
        sql: sql.to_owned(),
        limit: limit as usize,
        memory_cap_bytes,
        is_explain,
        cancel: cancel.clone(),
    };
    let (sender, answer) = sync_channel(1);
    // In a thread of its own, because an operator may compute for long before it looks up: whoever
    // cancels gets the answer at once, and the thread ends when its operator has looked up.
    std::thread::Builder::new()
        .name("query".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            // Nobody listens after a cancel.
            let _ = sender.send(work.run());
        })
        .map_err(|e| Error::internal("cannot start a query").because(e))?;
    loop {
        if cancel.is_cancelled() {
            return Err(Error::cancelled());
        }
        match answer.recv_timeout(CANCEL_INTERVAL) {
            Ok(page) => return page,
            Err(RecvTimeoutError::Timeout) => (),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Error::internal("the query engine failed").hint("write the query in another way"));
            }
        }
    }
}

/// A query on its way.
struct Work {
    tables: Vec<(String, PathBuf)>,
    sql: String,
    limit: usize,
    memory_cap_bytes: usize,
    is_explain: bool,
    cancel: Cancel,
}

impl Work {
    fn run(&self) -> Result<Page> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|e| Error::internal("cannot start a query").because(e))?;
        runtime.block_on(async {
            let context = session(self.memory_cap_bytes)?;
            register(&context, self.names()).await?;
            let work = self.page(&context);
            tokio::pin!(work);
            loop {
                tokio::select! {
                    biased;
                    page = &mut work => return page.map_err(|e| self.explain(&e)),
                    () = tokio::time::sleep(CANCEL_INTERVAL) => {
                        if self.cancel.is_cancelled() {
                            return Err(Error::cancelled());
                        }
                    }
                }
            }
        })
    }

    async fn page(&self, context: &SessionContext) -> Result<Page, DataFusionError> {
        let options =
            SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        let mut frame = context.sql_with_options(&self.sql, options).await?;
        // A plan is short, and a limit cannot stand above it.
        if !self.is_explain {
            frame = frame.limit(0, Some(self.limit))?;
        }
        let schema: Arc<Schema> = Arc::new(frame.schema().as_arrow().clone());
        let batches = frame.collect().await?;
        let mut rows = Vec::new();
        for batch in &batches {
            append_rows(batch, &mut rows).map_err(|e| DataFusionError::External(Box::new(e)))?;
        }
        rows.truncate(self.limit);
        let column = |field: &Arc<Field>| PageColumn::of(field.name(), Kind::of(field.data_type()));
        let columns = schema.fields().iter().map(column).collect();
        Ok(Page { offset: 0, total_rows: None, columns, rows })
    }

    fn names(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.tables.iter().map(|(name, dir)| (name.as_str(), dir.as_path()))
    }

    fn explain(&self, error: &DataFusionError) -> Error {
        let names: Vec<&str> = self.names().map(|(name, _)| name).collect();
        explain(error, &names, self.memory_cap_bytes)
    }
}

/// The engine, without tables.
pub(crate) fn session(memory_cap_bytes: usize) -> Result<SessionContext> {
    let mut config = SessionConfig::new().with_target_partitions(1).with_batch_size(8192);
    let options = config.options_mut();
    options.sql_parser.enable_ident_normalization = false;
    options.execution.parquet.schema_force_view_types = false;
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(memory_cap_bytes)))
        .build_arc()
        .map_err(|e| Error::internal("cannot start a query").because(e))?;
    Ok(SessionContext::new_with_config_rt(config, runtime))
}

/// Lets queries read tables, each a name and a table folder.
pub(crate) async fn register(
    context: &SessionContext,
    tables: impl Iterator<Item = (&str, &Path)>,
) -> Result<()> {
    for (name, dir) in tables {
        // Opening it checks that the folder holds a whole table, with our own words if not.
        TableFile::open(dir)?;
        let url = file_url(&dir.join(DATA_FILE))?;
        context
            .register_parquet(TableReference::bare(name), url, ParquetReadOptions::default())
            .await
            .map_err(|e| Error::internal("cannot start a query").because(e))?;
    }
    Ok(())
}

/// The engine's error in terms of a query over tables of these names.
pub(crate) fn explain(error: &DataFusionError, names: &[&str], memory_cap_bytes: usize) -> Error {
    let cause = error.strip_backtrace();
    if matches!(error.find_root(), DataFusionError::ResourcesExhausted(_)) {
        return Error::invalid(format!(
            "the query needs more memory than {}",
            bytes(memory_cap_bytes as u64)
        ))
        .hint("group or join fewer rows, or select fewer columns")
        .because(cause);
    }
    Error::invalid("cannot run the query")
        .hint(format!(
            "the tables are {}; names are written as they are, with quotes around odd ones",
            names.join(", ")
        ))
        .because(cause)
}

/// Fails unless the text is one query; says whether it asks for its plan only.
pub(crate) fn refuse_all_but_queries(sql: &str) -> Result<bool> {
    let mut statements = Parser::parse_sql(&GenericDialect {}, sql)
        .map_err(|e| Error::invalid("cannot read the query").because(e).hint("write one SELECT"))?;
    let (Some(statement), true) = (statements.pop(), statements.is_empty()) else {
        return Err(Error::invalid("the query is not exactly one statement").hint("write one SELECT"));
    };
    match &statement {
        Statement::Query(_) => Ok(false),
        Statement::Explain { statement, .. } if matches!(statement.as_ref(), Statement::Query(_)) => Ok(true),
        other => {
            let text = other.to_string();
            let word = text.split_whitespace().next().unwrap_or_default().to_owned();
            Err(Error::invalid(format!("a query cannot run `{word}`: it only reads"))
                .hint("write SELECT, WITH or EXPLAIN; tables are changed by the steps of a pipeline"))
        }
    }
}

/// A URL, because the engine takes `*`, `?` and `[` in a plain path for a pattern.
fn file_url(path: &Path) -> Result<String> {
    let path = std::path::absolute(path).map_err(|e| Error::io("find", path, &e))?;
    let Some(text) = path.to_str() else {
        return Err(Error::invalid(format!("the path `{}` is not Unicode", path.display()))
            .hint("move the workspace to a folder whose name is plain text"));
    };
    let text = if cfg!(windows) { format!("/{}", text.replace('\\', "/")) } else { text.to_owned() };
    let mut url = "file://".to_owned();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b':') {
            url.push(char::from(byte));
        } else {
            // Writing to a string never fails.
            let _ = write!(url, "%{byte:02X}");
        }
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
    use base::Code;

    use super::*;
    use crate::schema::{Column, TableMeta, arrow_schema};

    const CAP: usize = 64 << 20;

    fn sample(dir: &Path) {
        let columns = vec![
            Column::new("Id", Kind::Integer),
            Column::new("value", Kind::Number),
            Column::new("group", Kind::Text),
        ];
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(0..1000)),
            Arc::new(Float64Array::from_iter((0..1000).map(|i| (i % 10 != 0).then_some(f64::from(i) / 3.0)))),
            Arc::new(StringArray::from_iter_values((0..1000).map(|i| ["a", "b"][i % 2]))),
        ];
        let batch = RecordBatch::try_new(arrow_schema(&columns), arrays).expect("columns fit");
        crate::table::write(dir, TableMeta::new(columns), [Ok(batch)]).expect("writes");
    }

    fn ask(dir: &Path, sql: &str) -> Result<Page> {
        query(&[("t", dir)], sql, 100, CAP, &Cancel::default())
    }

    fn cells(page: &Page) -> Vec<Vec<&str>> {
        page.rows.iter().map(|row| row.iter().map(|cell| cell.as_deref().unwrap_or("-")).collect()).collect()
    }

    #[test]
    fn a_query_reads_tables_and_gives_formatted_cells() {
        let root = tempfile::tempdir().expect("a temporary folder");
        // Everything that could be taken for a pattern or an escape.
        let dir = root.path().join("a b[1]*?%20é");
        sample(&dir);
        let page = ask(&dir, "SELECT \"group\", COUNT(*) AS n, max(Id) AS m FROM t GROUP BY 1 ORDER BY 1")
            .expect("runs");
        assert_eq!(cells(&page), [["a", "500", "998"], ["b", "500", "999"]]);
        assert_eq!(page.columns[1], PageColumn::of("n", Kind::Integer));
        let page =
            ask(&dir, "with big as (select * from t where Id > 995) select value, Id from big order by Id")
                .expect("runs");
        assert_eq!(cells(&page)[0], ["332", "996"]);
        let page = query(&[("t", &dir)], "select 1.5 as x from t", 3, CAP, &Cancel::default()).expect("runs");
        assert_eq!(cells(&page), [["1.5"], ["1.5"], ["1.5"]]);
        let page = ask(&dir, "explain select Id from t").expect("runs");
        assert!(!page.rows.is_empty() && page.columns.len() == 2);
        let joined = query(
            &[("t", &dir), ("u", &dir)],
            "select count(*) from t join u on t.Id = u.Id",
            1,
            CAP,
            &Cancel::default(),
        );
        assert_eq!(cells(&joined.expect("runs")), [["1000"]]);
    }

    #[test]
    fn anything_that_writes_is_refused() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        sample(dir.path());
        for sql in [
            "drop table t",
            "insert into t values (1, 2, 'x')",
            "create table u as select * from t",
            "copy t to '/tmp/never.csv'",
            "set datafusion.execution.batch_size = 1",
            "explain insert into t values (1, 2, 'x')",
            "create external table p stored as csv location '/etc/passwd'",
            "select 1; select 2",
            "",
        ] {
            let error = ask(dir.path(), sql).expect_err(sql);
            assert_eq!(error.code, Code::InvalidInput, "{sql}: {error}");
            assert!(error.hint.is_some(), "{sql}");
        }
        assert!(ask(dir.path(), "select * from '/etc/passwd'").is_err());
    }

    #[test]
    fn a_chain_of_a_thousand_operators_is_computed_and_a_longer_one_refused() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        sample(dir.path());
        let chain = |terms: usize| format!("select {} as s from t limit 1", vec!["1"; terms].join("+"));
        assert_eq!(cells(&ask(dir.path(), &chain(1000)).expect("runs")), [["1000"]]);
        for terms in [1002, 100_000, 600_000] {
            assert_eq!(ask(dir.path(), &chain(terms)).expect_err("too long").code, Code::InvalidInput);
        }
    }

    #[test]
    fn a_wrong_name_says_what_there_is() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        sample(dir.path());
        let error = ask(dir.path(), "select nothing from t").expect_err("no such column");
        assert!(error.to_string().contains("nothing"), "{error}");
        let error = ask(dir.path(), "select 1 from elsewhere").expect_err("no such table");
        assert!(error.hint.expect("a way out").starts_with("the tables are t;"));
    }

    #[test]
    fn a_query_can_be_cancelled_and_sorts_within_its_memory() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        sample(dir.path());
        let endless = "select count(*) from t a, t b, t c, t d where a.Id + b.Id + c.Id + d.Id < 0";
        let cancel = Cancel::default();
        cancel.cancel();
        let error = query(&[("t", dir.path())], endless, 10, CAP, &cancel).expect_err("cancelled");
        assert_eq!(error.code, Code::Cancelled);
        let sorted = "select a.Id + b.Id as s, a.\"group\" from t a, t b order by s desc, 2";
        let page = query(&[("t", dir.path())], sorted, 1, CAP, &Cancel::default()).expect("fits");
        assert_eq!(page.rows[0][0].as_deref(), Some("1998"));
    }
}
