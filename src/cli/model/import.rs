//! `tamis model import`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use tamis_harm::{
    Activation, Model, ModelMetadata, ModelOptions, OnnxLabels, OnnxPacking, Taxonomy, pack_onnx,
};

use crate::cli::error::CliError;
use crate::cli::print::say;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tamis model import --onnx model.onnx --tokenizer tokenizer.json --labels config.json \\
      --label-risk neutral=clean --label-risk insult=A4a -o insults.onnx
  tamis sql --set model=insults.onnx \"select harm_class('…')\"

A text classifier in ONNX, its tokenizer and its labels become one file, which other ONNX tools still read.
Labels that are neither a risk id nor clean need a --label-risk. The network is run once before the file
is written. Needs a tamis built with --features onnx.

Exit codes: 0 written; 1 a file does not read or write; 2 wrong flags, or no text classifier.")]
pub struct ImportArgs {
    /// The network, with the inputs input_ids, attention_mask and, if need be, token_type_ids
    #[arg(long, value_name = "FILE")]
    onnx: PathBuf,
    /// Its tokenizer, a tokenizer.json
    #[arg(long, value_name = "FILE")]
    tokenizer: PathBuf,
    /// Its labels in the order of the outputs: a JSON array, or a config.json with id2label
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// The risk id, or clean, a label stands for; may be repeated
    #[arg(long, value_name = "LABEL=RISK")]
    label_risk: Vec<String>,
    /// The probability from which the model means a risk; 0.5 where left out; may be repeated
    #[arg(long, value_name = "RISK=PROBABILITY")]
    operating_point: Vec<String>,
    /// What makes probabilities of the outputs; default: what config.json says, else softmax
    #[arg(long, value_enum)]
    activation: Option<ActivationName>,
    /// Tokens the network takes at a time; default: what config.json says, 512 at most
    #[arg(long)]
    max_tokens: Option<usize>,
    /// Characters judged at a time; 0: as many tokens at a time as the network takes
    #[arg(long, default_value_t = 0)]
    window: usize,
    /// What the model calls itself
    #[arg(long, default_value = "")]
    version: String,
    /// Where the model is written
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ActivationName {
    /// The labels exclude each other
    Softmax,
    /// Each label for itself
    Sigmoid,
    /// The outputs are probabilities already
    None,
}

pub fn run(args: &ImportArgs) -> Result<(), CliError> {
    let network = bytes_of(&args.onnx)?;
    let labels_uri = args.labels.display().to_string();
    let labels = OnnxLabels::from_json(&labels_uri, &text_of(&args.labels)?).map_err(usage)?;
    let packing = OnnxPacking {
        tokenizer: text_of(&args.tokenizer)?,
        max_tokens: args
            .max_tokens
            .unwrap_or_else(|| labels.max_tokens_or_default()),
        activation: match args.activation {
            Some(ActivationName::Softmax) => Activation::Softmax,
            Some(ActivationName::Sigmoid) => Activation::Sigmoid,
            Some(ActivationName::None) => Activation::None,
            None => labels.activation_or_default(),
        },
        labels: labels.labels,
        metadata: ModelMetadata {
            version: args.version.clone(),
            window: args.window,
            labels: pairs("--label-risk", &args.label_risk, |risk| {
                Some(risk.to_owned())
            })?,
            operating_points: pairs("--operating-point", &args.operating_point, |point| {
                point.parse().ok()
            })?,
            ..ModelMetadata::default()
        },
    };
    let onnx_uri = args.onnx.display().to_string();
    let bytes = pack_onnx(&onnx_uri, &network, &packing).map_err(usage)?;
    // What is written must load.
    let output = args.output.display().to_string();
    let options = ModelOptions::default();
    let model =
        Model::from_bytes(&output, &bytes, &Taxonomy::builtin(), &options).map_err(usage)?;
    std::fs::write(&args.output, &bytes)
        .map_err(|error| CliError::Failed(format!("{output}: {error}")))?;
    print!("{model}");
    say(&format!("{output}: {} bytes", bytes.len()));
    Ok(())
}

/// The pairs given by a flag that may be repeated, `NAME=VALUE` each; names may hold `=`.
fn pairs<T>(
    flag: &str,
    given: &[String],
    read: impl Fn(&str) -> Option<T>,
) -> Result<std::collections::BTreeMap<String, T>, CliError> {
    let mut pairs = std::collections::BTreeMap::new();
    for pair in given {
        let read = pair
            .rsplit_once('=')
            .and_then(|(name, value)| Some((name, read(value)?)));
        let Some((name, value)) = read else {
            return Err(CliError::Usage(format!("{flag} {pair}: is no NAME=VALUE")));
        };
        if pairs.insert(name.to_owned(), value).is_some() {
            return Err(CliError::Usage(format!(
                "{flag} {pair}: {name} is given twice"
            )));
        }
    }
    Ok(pairs)
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(path).map_err(|error| CliError::Failed(format!("{}: {error}", path.display())))
}

fn text_of(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path)
        .map_err(|error| CliError::Failed(format!("{}: {error}", path.display())))
}

fn usage(error: tamis_resource::ResourceError) -> CliError {
    CliError::Usage(error.to_string())
}
