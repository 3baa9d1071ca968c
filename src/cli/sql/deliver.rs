//! Rows on their way from a query to a writer, with progress for those who wait.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use datafusion::arrow::array::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::cli::output::{OutputError, ResultWriter, Written};

use super::engine::Rows;
use super::errors::describe;

/// What takes less needs no progress.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often progress is drawn.
const TICK: Duration = Duration::from_millis(250);
/// Batches that may wait for a slow reader.
const WAITING_BATCHES: usize = 2;
/// DataFusion's operators recurse; a thread's usual stack is too small in a debug build.
const STACK: usize = 16 << 20;

/// The threads of queries. They can be busy for seconds without a pause, so they are others than
/// those that wait for Ctrl-C and draw progress. A query that is stopped may keep its threads busy
/// a while longer: the next one gets new threads.
static QUERIES: Mutex<Option<Runtime>> = Mutex::new(None);

fn query_threads() -> MutexGuard<'static, Option<Runtime>> {
    // A panic elsewhere leaves a whole runtime or none.
    QUERIES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn spawn_query(
    query: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<StopsWhenDropped> {
    let mut threads = query_threads();
    let runtime = match threads.take() {
        Some(runtime) => runtime,
        None => tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_name("query")
            .thread_stack_size(STACK)
            .build()?,
    };
    let query = runtime.spawn(query);
    *threads = Some(runtime);
    Ok(StopsWhenDropped(query))
}

/// Why rows did not all arrive.
#[derive(Debug)]
pub enum DeliveryError {
    /// The query failed.
    Query(String),
    /// The result could not be written.
    Output(OutputError),
}

impl From<OutputError> for DeliveryError {
    fn from(error: OutputError) -> Self {
        Self::Output(error)
    }
}

/// Runs a query and gives its rows to a writer; `None` only counts them. Dropped, it stops the
/// query.
///
/// `on_screen`: the writer writes to the terminal as it goes, so that progress must end with the
/// first rows.
///
/// # Errors
/// [`DeliveryError`]; what was written so far is then not complete.
pub async fn deliver(
    rows: Rows,
    writer: Option<Box<dyn ResultWriter>>,
    on_screen: bool,
) -> Result<Written, DeliveryError> {
    let Rows { plan, task, .. } = rows;
    let (sender, mut receiver) =
        mpsc::channel::<Result<RecordBatch, DataFusionError>>(WAITING_BATCHES);
    let executed = Arc::clone(&plan);
    // On a task of its own, so that the wait for it can be broken off within a batch.
    let query = spawn_query(async move {
        // Executed here: operators start their tasks on the threads of the caller.
        let mut stream = match execute_stream(executed, task) {
            Ok(stream) => stream,
            Err(error) => {
                // Nobody waits any more when this fails.
                let _ = sender.send(Err(error)).await;
                return;
            }
        };
        while let Some(batch) = stream.next().await {
            if sender.send(batch).await.is_err() {
                break;
            }
        }
    })
    .map_err(|error| DeliveryError::Query(format!("cannot start threads: {error}")))?;
    let mut progress = Progress::new(plan);
    let mut ticks = tokio::time::interval(TICK);
    let mut writer = writer;
    let mut count = 0;
    loop {
        tokio::select! {
            biased;
            batch = receiver.recv() => {
                let Some(batch) = batch else { break };
                let batch = batch.map_err(|error| DeliveryError::Query(describe(&error)))?;
                count += batch.num_rows();
                if let Some(writer) = &mut writer {
                    if on_screen {
                        progress.end();
                    }
                    writer.write(&batch)?;
                    if !writer.wants_more() {
                        break;
                    }
                }
            }
            _ = ticks.tick() => progress.draw(),
        }
    }
    progress.end();
    let wants_more = writer.as_ref().is_none_or(|writer| writer.wants_more());
    if wants_more {
        query.outcome().await.map_err(DeliveryError::Query)?;
    }
    match writer {
        Some(writer) => Ok(writer.finish()?),
        None => Ok(Written {
            rows: count,
            cut: false,
        }),
    }
}

/// A task that does not outlive who waits for it.
struct StopsWhenDropped(JoinHandle<()>);

impl StopsWhenDropped {
    /// Waits for the end. A channel that closes early would otherwise look like the last row.
    async fn outcome(mut self) -> Result<(), String> {
        (&mut self.0)
            .await
            .map_err(|error| format!("the query broke off: {error}"))
    }
}

impl Drop for StopsWhenDropped {
    fn drop(&mut self) {
        if self.0.is_finished() {
            return;
        }
        self.0.abort();
        if let Some(runtime) = query_threads().take() {
            runtime.shutdown_background();
        }
    }
}

/// Rows read so far and their rate, on standard error, when that is a terminal.
struct Progress {
    plan: Arc<dyn ExecutionPlan>,
    start: Instant,
    bar: Option<ProgressBar>,
    ended: bool,
}

impl Progress {
    fn new(plan: Arc<dyn ExecutionPlan>) -> Self {
        let ended = !std::io::stderr().is_terminal();
        Self {
            plan,
            start: Instant::now(),
            bar: None,
            ended,
        }
    }

    fn draw(&mut self) {
        let elapsed = self.start.elapsed();
        if self.ended || elapsed < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        let rows = rows_read(&self.plan);
        let rate = rows as f64 / elapsed.as_secs_f64();
        bar.set_message(format!(
            "{} s, {} rows read, {} rows/s; Ctrl-C stops",
            elapsed.as_secs(),
            thousands(rows),
            thousands(rate as usize)
        ));
        bar.tick();
    }

    fn end(&mut self) {
        self.ended = true;
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

/// Rows that the scans of a plan have given so far.
fn rows_read(plan: &Arc<dyn ExecutionPlan>) -> usize {
    let children = plan.children();
    if children.is_empty() {
        return plan
            .metrics()
            .and_then(|metrics| metrics.output_rows())
            .unwrap_or_default();
    }
    children.into_iter().map(rows_read).sum()
}

/// A number with commas between groups of three digits.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn numbers_are_grouped_by_three() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ];
        for (number, expected) in cases {
            assert_eq!(thousands(number), expected);
        }
    }
}
