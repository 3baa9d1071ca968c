//! `tamis harm`: thresholds chosen from labelled texts.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{ArgGroup, Args, Subcommand};
use datafusion::arrow::array::{ArrayRef, Float64Array, StringArray, UInt64Array};
use tamis_harm::{Calibration, CurvePoint, RiskCalibration, Target, calibrate, score_rows};

use super::error::CliError;
use super::labelled::LabelledArgs;
use super::print::{PrintArgs, say, table};
use super::resources::load;
use super::stores::StoreArgs;

/// Arguments of `tamis harm`.
#[derive(Debug, Args)]
pub struct HarmArgs {
    #[command(subcommand)]
    command: HarmCommand,
}

#[derive(Debug, Subcommand)]
enum HarmCommand {
    /// Choose the threshold of every risk from labelled texts
    Calibrate(CalibrateArgs),
}

#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("target").args(["precision", "recall", "pass_rate", "best_f1"]).required(true),
    after_help = "Examples:
  tamis harm calibrate --labels dev.csv --text TEXT --risk A4a --set model=insults.model --precision 0.95 -o thresholds.toml
  tamis harm calibrate --labels dev.parquet --pass-rate 0.99 -o thresholds.toml --plot reliability.html
  tamis run job.toml --set resources.thresholds=thresholds.toml

The scores are those of harm(): the lexicon, and the classifier where one is set. Risks that no label
names, and those for which no threshold reaches the target, keep --default. Calibrate on texts that
neither lexicon nor classifier were made from.

Exit codes: 0 chosen for every risk that labels name; 1 a table does not read; 2 wrong flags or labels;
3 written, but for some risk no threshold reaches the target."
)]
struct CalibrateArgs {
    /// The labelled texts: tables (Parquet, CSV, …; files, directories, globs, s3://)
    #[arg(long, value_name = "TABLE", required = true)]
    labels: Vec<String>,
    #[command(flatten)]
    labelled: LabelledArgs,
    /// At least this share of what is found carries the risk
    #[arg(long, value_name = "SHARE")]
    precision: Option<f64>,
    /// At least this share of the texts with the risk is found
    #[arg(long, value_name = "SHARE")]
    recall: Option<f64>,
    /// At least this share of all texts is left alone
    #[arg(long, value_name = "SHARE")]
    pass_rate: Option<f64>,
    /// The best harmonic mean of precision and recall
    #[arg(long)]
    best_f1: bool,
    /// The threshold of risks for which none is chosen
    #[arg(long, value_name = "SCORE", default_value_t = 0.5)]
    default: f64,
    /// Where the thresholds are written, TOML for tamis.thresholds
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    thresholds: PathBuf,
    /// What the thresholds call themselves
    #[arg(long, default_value = "")]
    version: String,
    /// Where plots of how honest the scores are go, one HTML file
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// lexicon=…, model=…; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    stores: StoreArgs,
}

/// Runs the command.
///
/// # Errors
/// [`CliError`]; [`CliError::CheckFailed`] when a target cannot be reached.
pub async fn run(args: HarmArgs) -> Result<(), CliError> {
    let HarmCommand::Calibrate(args) = args.command;
    let stores = args.stores.stores()?;
    let resources = load(&stores, &args.set, &["lexicon", "model"]).await?;
    let judge = &resources.judge;
    let texts = args
        .labelled
        .read(&stores, &args.labels, judge.taxonomy())
        .await?;
    let rows = score_rows(judge, &texts).map_err(|error| CliError::Usage(error.to_string()))?;
    let target = match (args.precision, args.recall, args.pass_rate) {
        (Some(share), _, _) => Target::Precision(share),
        (_, Some(share), _) => Target::Recall(share),
        (_, _, Some(share)) => Target::PassRate(share),
        _ => Target::BestF1,
    };
    let calibration = calibrate(&rows, judge.taxonomy(), target, args.default)
        .map_err(|error| CliError::Usage(error.to_string()))?;
    let write = |path: &PathBuf, text: String| {
        std::fs::write(path, text)
            .map_err(|error| CliError::Failed(format!("{}: {error}", path.display())))
    };
    write(&args.thresholds, calibration.to_toml(&args.version))?;
    if let Some(plot) = &args.plot {
        write(plot, page(&calibration, texts.len()))?;
    }
    let ids = |risk: &RiskCalibration| judge.taxonomy().risks()[risk.risk].id.clone();
    PrintArgs::default().print(&chosen(calibration.risks(), &ids)?)?;
    let missed: Vec<String> = calibration
        .risks()
        .iter()
        .filter_map(|risk| Some(format!("{}: {}", ids(risk), risk.choice.as_ref().err()?)))
        .collect();
    say(&format!(
        "{}: chosen for {target} on {} texts",
        args.thresholds.display(),
        texts.len()
    ));
    match missed.is_empty() {
        true => Ok(()),
        false => Err(CliError::CheckFailed(missed.join("; "))),
    }
}

fn chosen(
    risks: &[RiskCalibration],
    ids: &dyn Fn(&RiskCalibration) -> String,
) -> Result<datafusion::arrow::array::RecordBatch, CliError> {
    let numbers = |of: fn(&CurvePoint) -> f64| -> ArrayRef {
        let values = risks.iter().map(|risk| risk.choice.as_ref().ok().map(of));
        Arc::new(values.collect::<Float64Array>())
    };
    table(vec![
        (
            "risk",
            Arc::new(StringArray::from_iter_values(risks.iter().map(ids))),
        ),
        (
            "positives",
            Arc::new(UInt64Array::from_iter_values(
                risks.iter().map(|risk| risk.positives as u64),
            )),
        ),
        ("threshold", numbers(|point| point.threshold)),
        ("precision", numbers(|point| point.confusion.precision())),
        ("recall", numbers(|point| point.confusion.recall())),
    ])
}

/// One page with all plots; nothing is fetched from elsewhere.
fn page(calibration: &Calibration, texts: usize) -> String {
    let plots: String = calibration
        .plots()
        .into_iter()
        .map(|(_, svg)| format!("<figure>{svg}</figure>\n"))
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Reliability of harm scores</title>\n\
         <style>:root {{ color-scheme: light dark }} body {{ font-family: sans-serif; margin: 2rem }} \
         figure {{ display: inline-block; width: 26rem; max-width: 100%; margin: 1rem 0 }}</style>\n\
         <h1>Reliability of harm scores</h1>\n<p>{texts} labelled texts. A score means what it says where the \
         share of texts with the risk is as high as the score.</p>\n{plots}</html>\n"
    )
}
