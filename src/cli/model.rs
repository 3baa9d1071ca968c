//! `tamis model`: classifiers trained, taken over, measured and shown.

mod import;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use datafusion::arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt64Array};
use tamis_harm::{Model, ModelEvaluation, Taxonomy, TrainOptions, evaluate, train};

use crate::session::stores::Stores;

use super::error::CliError;
use super::labelled::LabelledArgs;
use super::print::{PrintArgs, say, table};
use super::resources::load;
use super::run::ProgressArgs;
use super::stores::StoreArgs;

/// Arguments of `tamis model`.
#[derive(Debug, Args)]
pub struct ModelArgs {
    #[command(subcommand)]
    command: ModelCommand,
}

#[derive(Debug, Subcommand)]
enum ModelCommand {
    /// Train a classifier from labelled texts
    Train(TrainArgs),
    /// Make one file of an ONNX text classifier, its tokenizer and its labels
    Import(import::ImportArgs),
    /// Measure a classifier on labelled texts: precision, recall, F1 and the curve, per risk
    Eval(EvalArgs),
    /// Show what a classifier is and knows
    Info(InfoArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tamis model train --data labelled.parquet -o insults.model
  tamis model train --data train.csv --text TEXT --label label --risk A4a --hold-out dev.csv -o insults.model
  tamis sql --set model=insults.model \"select harm_class('…')\"

A linear model over n-grams of characters and words; the same texts, options and order give the same
bytes. Texts that also stand in the --hold-out tables are not learnt from. The figures printed are of
the parts that cross-validation kept away.

Exit codes: 0 trained; 1 a table does not read; 2 wrong flags or labels.")]
struct TrainArgs {
    /// The labelled texts: tables (Parquet, CSV, …; files, directories, globs, s3://)
    #[arg(long, value_name = "TABLE", required = true)]
    data: Vec<String>,
    /// Tables kept for measuring: their texts are not learnt from
    #[arg(long, value_name = "TABLE")]
    hold_out: Vec<String>,
    #[command(flatten)]
    labelled: LabelledArgs,
    /// Where the model is written
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// What the model calls itself
    #[arg(long, default_value = "")]
    version: String,
    /// Units in the longest n-gram
    #[arg(long, default_value_t = TrainOptions::default().ngrams)]
    ngrams: usize,
    /// In how many texts an n-gram must stand to be learnt
    #[arg(long, default_value_t = TrainOptions::default().least_texts)]
    least_texts: u32,
    /// Parts for cross-validation
    #[arg(long, default_value_t = TrainOptions::default().folds)]
    folds: usize,
    /// Decides which text falls into which part
    #[arg(long, default_value_t = TrainOptions::default().seed)]
    seed: u64,
    #[command(flatten)]
    progress: ProgressArgs,
    #[command(flatten)]
    stores: StoreArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tamis model eval insults.model --data dev.csv --text TEXT --label label --risk A4a
  tamis model eval insults.model --data dev.csv --curve 20 --format csv

The classifier alone, at its own operating points. Keep texts it was trained on away.")]
struct EvalArgs {
    /// The model
    model: String,
    /// The labelled texts: tables
    #[arg(long, value_name = "TABLE", required = true)]
    data: Vec<String>,
    #[command(flatten)]
    labelled: LabelledArgs,
    /// Print the curve of precision over recall instead, at this many points for each risk
    #[arg(long, value_name = "POINTS")]
    curve: Option<usize>,
    #[command(flatten)]
    print: PrintArgs,
    #[command(flatten)]
    stores: StoreArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  tamis model info insults.model")]
struct InfoArgs {
    /// The model
    model: String,
    #[command(flatten)]
    stores: StoreArgs,
}

/// Runs the command.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: ModelArgs) -> Result<(), CliError> {
    match args.command {
        ModelCommand::Train(args) => run_train(args).await,
        ModelCommand::Import(args) => import::run(&args),
        ModelCommand::Eval(args) => run_eval(args).await,
        ModelCommand::Info(args) => {
            let model = read(&args.stores.stores()?, &args.model).await?;
            print!("{model}");
            Ok(())
        }
    }
}

/// The model behind a uri.
async fn read(stores: &Stores, uri: &str) -> Result<Arc<Model>, CliError> {
    let resources = load(stores, &[format!("model={uri}")], &["model"]).await?;
    resources
        .judge
        .model()
        .map(Arc::clone)
        .ok_or_else(|| CliError::Usage(format!("{uri}: is no model")))
}

async fn run_train(args: TrainArgs) -> Result<(), CliError> {
    let stores = args.stores.stores()?;
    let taxonomy = Taxonomy::builtin();
    let texts = args.labelled.read(&stores, &args.data, &taxonomy).await?;
    let held_out = match args.hold_out.is_empty() {
        true => Vec::new(),
        false => {
            args.labelled
                .read(&stores, &args.hold_out, &taxonomy)
                .await?
        }
    };
    let options = TrainOptions {
        ngrams: args.ngrams,
        least_texts: args.least_texts,
        folds: args.folds,
        seed: args.seed,
        version: args.version,
        ..TrainOptions::default()
    };
    let progress = args.progress.progress();
    let shown = progress.clone();
    // Solving takes as long as it takes: not on a thread of the runtime.
    let trained = tokio::task::spawn_blocking(move || {
        let held_out: Vec<&str> = held_out.iter().map(|text| text.text.as_str()).collect();
        let mut told = 0;
        train(&texts, &held_out, &taxonomy, &options, &mut |step| {
            if told == 0 {
                shown.phase("training", step.total as u64);
            }
            shown.add((step.done - told) as u64);
            told = step.done;
            ControlFlow::Continue(())
        })
    })
    .await
    .map_err(|error| CliError::Failed(format!("the training panicked: {error}")))?;
    progress.finish();
    let trained = trained.map_err(|error| CliError::Usage(error.to_string()))?;
    std::fs::write(&args.output, &trained.bytes)
        .map_err(|error| CliError::Failed(format!("{}: {error}", args.output.display())))?;
    print!("{}", trained.report);
    say(&format!(
        "{}: {} bytes, sha256 {}",
        args.output.display(),
        trained.bytes.len(),
        trained.model.identity().sha256
    ));
    Ok(())
}

async fn run_eval(args: EvalArgs) -> Result<(), CliError> {
    let stores = args.stores.stores()?;
    let model = read(&stores, &args.model).await?;
    let taxonomy = Taxonomy::builtin();
    let texts = args.labelled.read(&stores, &args.data, &taxonomy).await?;
    let evaluation =
        evaluate(&model, &texts, &taxonomy).map_err(|error| CliError::Usage(error.to_string()))?;
    let result = match args.curve {
        Some(points) => curve(&evaluation, points)?,
        None => figures(&evaluation)?,
    };
    args.print.print(&result)?;
    for (risk, count) in &evaluation.unknown {
        say(&format!(
            "{count} texts carry {risk}, which the model does not know"
        ));
    }
    Ok(())
}

fn figures(evaluation: &ModelEvaluation) -> Result<RecordBatch, CliError> {
    let risks = &evaluation.risks;
    // The last row: whether any risk is meant, where any is there.
    let ids = risks.iter().map(|(id, _)| id.as_str()).chain(["any"]);
    let confusions = || {
        risks
            .iter()
            .map(|(_, risk)| risk.confusion)
            .chain([evaluation.any])
    };
    let share = |of: fn(&tamis_harm::Confusion) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(
            confusions().map(|confusion| of(&confusion)),
        ))
    };
    let of_curve = |of: fn(&tamis_harm::RiskEvaluation) -> f64| -> ArrayRef {
        let known = risks.iter().map(|(_, risk)| Some(of(risk)));
        Arc::new(known.chain([None]).collect::<Float64Array>())
    };
    table(vec![
        ("risk", Arc::new(StringArray::from_iter_values(ids))),
        (
            "positives",
            Arc::new(UInt64Array::from_iter_values(
                confusions().map(|c| (c.true_positives + c.false_negatives) as u64),
            )),
        ),
        ("operating_point", of_curve(|risk| risk.operating_point)),
        ("precision", share(tamis_harm::Confusion::precision)),
        ("recall", share(tamis_harm::Confusion::recall)),
        ("f1", share(tamis_harm::Confusion::f1)),
        (
            "false_positive_rate",
            share(tamis_harm::Confusion::false_positive_rate),
        ),
        (
            "average_precision",
            of_curve(|risk| risk.curve.average_precision()),
        ),
    ])
}

fn curve(evaluation: &ModelEvaluation, points: usize) -> Result<RecordBatch, CliError> {
    let rows: Vec<(&str, tamis_harm::CurvePoint)> = evaluation
        .risks
        .iter()
        .flat_map(|(id, risk)| {
            let sampled = risk.curve.sample(points);
            sampled.into_iter().map(move |point| (id.as_str(), point))
        })
        .collect();
    let numbers = |of: &dyn Fn(&tamis_harm::CurvePoint) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(
            rows.iter().map(|(_, point)| of(point)),
        ))
    };
    table(vec![
        (
            "risk",
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0))),
        ),
        ("threshold", numbers(&|point| point.threshold)),
        ("precision", numbers(&|point| point.confusion.precision())),
        ("recall", numbers(&|point| point.confusion.recall())),
    ])
}
