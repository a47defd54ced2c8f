//! What a step would give, on the first rows of the data and in this process: quick enough to
//! follow an edit. It runs the chain of steps up to the one in a temporary folder and keeps
//! nothing. Steps that train or measure a model are not run.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use base::{Cancel, Error, Progress, Result};
use data::{Page, TableFile, TableMeta};

use crate::child::{self, Message, Request};
use crate::file::{Pipeline, Wire};
use crate::graph::{FindSource, Graph, Node, Problem};
use crate::kind::{Input, PortType, SourceTable};

/// The most rows that are taken of a dataset, handed from step to step and shown of the result. A
/// join on a key that is not one makes the square of it.
pub const MAX_PREVIEW_ROWS: u64 = 2_000;
/// The most memory that these rows may take, bytes: long texts end the sample early.
const MAX_SAMPLE_BYTES: usize = 64 << 20;
/// A preview that takes longer is stopped.
const MAX_TIME: Duration = Duration::from_secs(10);
/// How often the clock and the switch are looked at.
const WATCH_INTERVAL: Duration = Duration::from_millis(20);

/// What to preview.
pub struct Subject<'a> {
    /// The pipeline as it is on the canvas.
    pub pipeline: &'a Pipeline,
    /// The output to look at.
    pub output: &'a Wire,
    /// How many rows to take from the start of each dataset, up to [`MAX_PREVIEW_ROWS`].
    pub rows: u64,
    /// Finds dataset versions.
    pub find_source: &'a FindSource<'a>,
}

/// The table that a step gives of the first rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// Its first rows, [`Subject::rows`] at most.
    pub page: Page,
    /// True if a dataset, or a step on the way, has more rows than were taken: counts, quantiles and
    /// joins are those of the sample.
    pub is_sample: bool,
}

/// Runs a step and all it needs on the first rows of the data. Steps beside them may be wrong or
/// unfinished.
///
/// # Errors
/// [`base::Code::InvalidInput`] for a step that is no step of tables or does not fit, and for one
/// that takes too long; whatever the steps say of their rows; `cancelled`.
pub fn preview(subject: &Subject<'_>, progress: &Progress) -> Result<Preview> {
    if subject.rows == 0 || subject.rows > MAX_PREVIEW_ROWS {
        return Err(Error::invalid(format!("a preview of {} rows cannot be made", subject.rows))
            .hint(format!("ask for 1 to {MAX_PREVIEW_ROWS} rows")));
    }
    let graph = chain(subject)?;
    let folder =
        tempfile::tempdir().map_err(|e| Error::io("create a folder in", &std::env::temp_dir(), &e))?;
    within_time(progress, |cancel| {
        let mut run = Run { subject, folder: folder.path(), cancel, progress, is_sample: false };
        let nodes = graph.nodes();
        for (at, node) in nodes.iter().enumerate() {
            progress.step(&node.step.id, at as u64, Some(nodes.len() as u64))?;
            run.step(node).map_err(|e| run.explain(&node.step.id, e))?;
        }
        let table = TableFile::open(&run.output(subject.output))?;
        Ok(Preview { page: table.page(0, subject.rows, None)?, is_sample: run.is_sample })
    })
}

/// The graph of the step and what it needs.
fn chain(subject: &Subject<'_>) -> Result<Graph> {
    let mut needed: Vec<&str> = vec![&subject.output.step];
    let mut steps = Vec::new();
    while let Some(id) = needed.pop() {
        let Some(step) = subject.pipeline.steps.iter().find(|step| step.id == id) else {
            // A wire from nowhere is reported by the graph, with the nearest name.
            continue;
        };
        if !steps.contains(step) {
            needed.extend(step.inputs.values().flatten().map(|wire| wire.step.as_str()));
            steps.push(step.clone());
        }
    }
    if steps.is_empty() {
        return Err(Error::not_found(format!("the pipeline has no step `{}`", subject.output.step)));
    }
    let part = Pipeline::of(&subject.pipeline.name, steps);
    let graph = Graph::build(&part).map_err(|problems| Problem::to_error(&problems))?;
    for node in graph.nodes() {
        let ports = node.ports.inputs.iter().chain(&node.ports.outputs);
        if let Some(port) = ports.into_iter().find(|port| port.port_type != PortType::Table) {
            let (id, kind) = (&node.step.id, port.port_type.name());
            return Err(Error::invalid(format!("step `{id}` has to do with a {kind}, which has no preview"))
                .hint("run the pipeline to see what it gives"));
        }
    }
    let target = graph.node(&subject.output.step);
    if !target.is_some_and(|node| node.ports.outputs.iter().any(|port| port.name == subject.output.port)) {
        return Err(Error::not_found(format!("there is no output `{}`", subject.output)));
    }
    Ok(graph)
}

/// A preview on its way.
struct Run<'a> {
    subject: &'a Subject<'a>,
    folder: &'a Path,
    cancel: &'a Cancel,
    progress: &'a Progress,
    is_sample: bool,
}

impl Run<'_> {
    fn step(&mut self, node: &Node) -> Result<()> {
        let source = match node.kind.source(&node.step.params).map_err(|misfit| misfit.error)? {
            Some(source) => Some(self.sampled(&node.step.id, (self.subject.find_source)(&source)?)?),
            None => None,
        };
        let mut inputs: BTreeMap<String, Vec<Input>> = BTreeMap::new();
        for (port, wire) in node.wires() {
            let input = Input { step: wire.step.clone(), folder: self.input(wire)? };
            inputs.entry(port.to_owned()).or_default().push(input);
        }
        let request = Request {
            kind: node.step.kind.clone(),
            params: node.step.params.clone(),
            inputs,
            source,
            out: self.folder.join(&node.step.id),
            threads: 1,
            ..Request::default()
        };
        let progress = self.progress.clone();
        child::run(&request, self.cancel.clone(), move |message| {
            if let Message::Progress { stage } = message {
                // Whether to stop is asked of the switch that also minds the time.
                let _ = progress.step(&stage.name, stage.done, stage.total);
            }
        })
        .map(drop)
    }

    /// The dataset version with its first rows only.
    fn sampled(&mut self, step: &str, source: SourceTable) -> Result<SourceTable> {
        let folder = self.folder.join(format!("{step}.source"));
        self.head(&source.folder, &folder)?;
        Ok(SourceTable { folder, ..source })
    }

    /// Writes the first rows of a table.
    fn head(&mut self, from: &Path, to: &Path) -> Result<()> {
        let whole = TableFile::open(from)?;
        let mut batches = Vec::new();
        let (mut rows, mut bytes) = (0, 0);
        for batch in whole.range(None, 0, Some(self.subject.rows))? {
            let batch = batch?;
            rows += batch.num_rows() as u64;
            bytes += batch.get_array_memory_size();
            batches.push(Ok(batch));
            if bytes > MAX_SAMPLE_BYTES || self.cancel.is_cancelled() {
                break;
            }
        }
        self.is_sample |= rows < whole.rows();
        data::write(to, TableMeta::clone(whole.meta()), batches).map(drop)
    }

    /// The table at the start of a wire, cut to its first rows.
    fn input(&mut self, wire: &Wire) -> Result<std::path::PathBuf> {
        let folder = self.output(wire);
        if TableFile::open(&folder)?.rows() <= self.subject.rows {
            return Ok(folder);
        }
        let cut = self.folder.join(format!("{}.{}.head", wire.step, wire.port));
        if !cut.exists() {
            self.head(&folder, &cut)?;
        }
        Ok(cut)
    }

    fn output(&self, wire: &Wire) -> std::path::PathBuf {
        self.folder.join(&wire.step).join(&wire.port)
    }

    /// An error of a step in terms of the preview.
    fn explain(&self, step: &str, error: Error) -> Error {
        if error.code == base::Code::Cancelled {
            return error;
        }
        let rows = base::count(self.subject.rows);
        let what = if self.is_sample { format!(" on the first {rows} rows") } else { String::new() };
        error.within(format!("step `{step}` fails{what}"))
    }
}

/// Does work that is stopped when whoever listens stops it, or when it takes too long.
fn within_time<T>(progress: &Progress, work: impl FnOnce(&Cancel) -> Result<T>) -> Result<T> {
    let cancel = Cancel::default();
    let (done, is_done) = mpsc::channel::<()>();
    let started = Instant::now();
    let (outer, inner) = (progress.cancel(), &cancel);
    let result = std::thread::scope(|scope| {
        scope.spawn(move || {
            // Ends when the sender is dropped, which is when the work is over.
            while is_done.recv_timeout(WATCH_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                if outer.is_cancelled() || started.elapsed() > MAX_TIME {
                    inner.cancel();
                }
            }
        });
        let result = work(inner);
        drop(done);
        result
    });
    match result {
        Err(e) if e.code == base::Code::Cancelled && !progress.cancel().is_cancelled() => {
            Err(Error::invalid(format!("the preview takes longer than {} seconds", MAX_TIME.as_secs()))
                .hint("preview fewer rows, or run the pipeline"))
        }
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    use base::Code;
    use data::{Column, Kind, arrow_schema};

    use super::*;

    fn numbers(folder: &Path, rows: i64) -> SourceTable {
        let columns = vec![Column::new("n", Kind::Integer), Column::new("g", Kind::Text)];
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(0..rows)),
            Arc::new(StringArray::from_iter_values((0..rows).map(|row| ["a", "b"][row as usize % 2]))),
        ];
        let batch = RecordBatch::try_new(arrow_schema(&columns), arrays).expect("columns fit");
        data::write(folder, TableMeta::new(columns.clone()), [Ok(batch)]).expect("writes");
        SourceTable {
            folder: folder.to_owned(),
            dataset: "numbers".into(),
            number: 1,
            version_id: "v1".into(),
            content: "c".into(),
            columns,
            target: Some("g".into()),
            task: None,
        }
    }

    fn look(steps: &str, output: &str, rows: u64, progress: &Progress) -> Result<Preview> {
        let folder = tempfile::tempdir().expect("a folder");
        let source = numbers(folder.path(), 1_800);
        let text = format!("format = 1\nname = \"p\"\nstep = [{steps}]");
        let subject = Subject {
            pipeline: &Pipeline::parse(&text).expect("a file"),
            output: &output.parse().expect("a wire"),
            rows,
            find_source: &|_| Ok(source.clone()),
        };
        preview(&subject, progress)
    }

    const CHAIN: &str = r#"
        { id = "d", kind = "dataset", params = { dataset = "numbers" } },
        { id = "half", kind = "sql", params = { query = "select n, g, n / 2 as half from t where n % 2 = 0" }, inputs = { tables = "d.table" } },
        { id = "counts", kind = "group", params = { by = ["g"], measures = ["count()", "max(half)"] }, inputs = { table = "half.table" } },
        { id = "model", kind = "train_forest", inputs = { table = "half.table" } },
        { id = "twice", kind = "union", inputs = { tables = ["d.table", "d.table"] } },
        { id = "total", kind = "group", inputs = { table = "twice.table" } },
        { id = "broken", kind = "sort", params = { columns = ["nothing"] }, inputs = { table = "d.table" } }"#;

    #[test]
    fn a_preview_runs_the_chain_on_the_first_rows_and_nothing_beside_it() {
        let silent = Progress::silent();
        let seen = look(CHAIN, "counts.table", 100, &silent).expect("runs");
        assert!(seen.is_sample);
        assert_eq!(seen.page.rows, [["a", "50", "49"].map(|cell| Some(cell.to_owned()))]);
        let all = look(CHAIN, "d.table", 2_000, &silent).expect("runs");
        assert!(!all.is_sample);
        assert_eq!((all.page.rows.len(), all.page.total_rows), (1_800, Some(1_800)));
    }

    #[test]
    fn no_step_gets_more_rows_than_a_dataset_gives() {
        let seen = look(CHAIN, "total.table", 300, &Progress::silent()).expect("runs");
        assert_eq!(seen.page.rows, [[Some("300".to_owned())]], "of 600 rows");
        let twice = look(CHAIN, "twice.table", 300, &Progress::silent()).expect("runs");
        assert_eq!((twice.page.rows.len(), twice.page.total_rows), (300, Some(600)));
    }

    #[test]
    fn what_cannot_be_previewed_says_why() {
        let message = |output: &str, rows| {
            let error = look(CHAIN, output, rows, &Progress::silent()).expect_err(output);
            assert_ne!(error.code, Code::Internal);
            error.message
        };
        assert_eq!(message("model.model", 10), "step `model` has to do with a model, which has no preview");
        assert_eq!(message("broken.table", 10), "step `broken` fails on the first 10 rows");
        assert_eq!(message("nothing.table", 10), "the pipeline has no step `nothing`");
        assert_eq!(message("d.rows", 10), "there is no output `d.rows`");
        assert_eq!(message("d.table", 0), "a preview of 0 rows cannot be made");
        assert_eq!(message("d.table", 2_001), "a preview of 2001 rows cannot be made");
    }

    #[test]
    fn a_preview_can_be_cancelled() {
        let progress = Progress::silent();
        progress.cancel().cancel();
        assert_eq!(look(CHAIN, "counts.table", 100, &progress).expect_err("cancelled").code, Code::Cancelled);
    }

    #[test]
    fn a_preview_that_takes_too_long_is_stopped_with_a_way_out() {
        let progress = Progress::silent();
        let error = within_time(&progress, |cancel| {
            // As if the time were over: whoever watches has turned the switch.
            cancel.cancel();
            Err::<(), _>(Error::cancelled())
        });
        assert_eq!(error.expect_err("stopped").message, "the preview takes longer than 10 seconds");
    }
}
