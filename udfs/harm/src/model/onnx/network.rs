//! Runs the network of an ONNX file through `tract`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Dimension;
use tract_onnx::pb::{GraphProto, ModelProto, ValueInfoProto, type_proto};
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::internal::*;

use super::{memory, operators};

/// A network that gives one number for each label.
pub(super) struct Network {
    graph: InferenceModel,
    inputs: Inputs,
    /// Lengths it is run at, ascending, and it made ready for each when first needed: the
    /// answer for an input depends on the length it is padded to in its last digits, so that must
    /// not depend on what else is asked.
    lengths: Vec<(usize, OnceLock<std::result::Result<Plan, String>>)>,
    operators: usize,
    /// Bytes that tensors may take.
    budget: u64,
}

/// In the order of the graph.
type Inputs = Vec<(Input, DatumType)>;
type Plan = Arc<TypedRunnableModel>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Ids,
    Mask,
    Types,
}

/// What a tokenizer makes of a text, or of a part of it.
pub(super) struct Tokens<'a> {
    pub(super) ids: &'a [u32],
    pub(super) types: &'a [u32],
    /// What fills up the rest.
    pub(super) padding: u32,
}

/// Shorter inputs are run at this length, longer ones at powers of 4 times it.
const SHORTEST: usize = 32;

impl Network {
    /// Reads the network of a file. It takes up to `max_tokens` tokens and has `labels` outputs,
    /// or that is an error.
    pub(super) fn read(bytes: &[u8], max_tokens: usize, labels: usize) -> Result<Self, String> {
        let budget = memory::budget(bytes.len());
        let mut bytes = bytes;
        let file = guarded(|| onnx().proto_model_for_read(&mut bytes))?;
        let graph = operators::checked(&file)?;
        let (inputs, fixed) = inputs(graph)?;
        let most = match fixed {
            Some(fixed) if fixed < max_tokens => {
                return Err(format!(
                    "the network takes {fixed} tokens, not the {max_tokens} the file says"
                ));
            }
            Some(fixed) => fixed,
            None => max_tokens,
        };
        let shorter = std::iter::successors(Some(SHORTEST), |length| Some(length * 4))
            .take_while(|length| fixed.is_none() && *length < most);
        let lengths = shorter
            .chain([most])
            .map(|length| (length, OnceLock::new()))
            .collect();
        let network = Self {
            operators: graph.node.len(),
            budget,
            graph: guarded(|| parsed(&file, graph))?,
            inputs,
            lengths,
        };
        let plan = network.plan(most)?;
        let shape = guarded(|| {
            Ok(plan
                .model()
                .output_fact(0)?
                .shape
                .as_concrete()
                .map(<[_]>::to_vec))
        })?;
        if shape.as_deref() != Some(&[1, labels]) {
            return Err(format!(
                "the network gives {:?} numbers for a text, the file has {labels} labels",
                shape.unwrap_or_default().get(1..).unwrap_or_default()
            ));
        }
        Ok(network)
    }

    pub(super) fn operators(&self) -> usize {
        self.operators
    }

    /// The output for one input.
    pub(super) fn run(&self, tokens: &Tokens<'_>) -> Result<Vec<f64>, String> {
        let taken = tokens.ids.len();
        let fitting = self
            .lengths
            .iter()
            .map(|(length, _)| *length)
            .find(|length| *length >= taken);
        let Some(length) = fitting else {
            return Err(format!("{taken} tokens are more than the network takes"));
        };
        let plan = self.plan(length)?;
        guarded(|| {
            let padded = |values: &mut dyn Iterator<Item = u32>, fill: u32| {
                let rest = std::iter::repeat_n(fill, length - taken);
                values
                    .map(i64::from)
                    .chain(rest.map(i64::from))
                    .collect::<Vec<_>>()
            };
            let inputs = self.inputs.iter().map(|(input, kind)| {
                let values = match input {
                    Input::Ids => padded(&mut tokens.ids.iter().copied(), tokens.padding),
                    Input::Mask => padded(&mut tokens.ids.iter().map(|_| 1), 0),
                    Input::Types => padded(&mut tokens.types.iter().copied(), 0),
                };
                let tensor = Tensor::from_shape(&[1, length], &values)?;
                Ok(tensor.cast_to_dt(*kind)?.into_owned().into_tvalue())
            });
            let outputs = plan.run(inputs.collect::<TractResult<_>>()?)?;
            let output = outputs[0].cast_to::<f64>()?;
            Ok(output.try_as_plain_ram()?.as_slice::<f64>()?.to_vec())
        })
    }

    /// The network made ready for inputs of one length out of `lengths`.
    fn plan(&self, length: usize) -> Result<&Plan, String> {
        let (_, plan) = self
            .lengths
            .iter()
            .find(|(known, _)| *known == length)
            .ok_or_else(|| format!("no length {length}"))?;
        let made = plan.get_or_init(|| {
            guarded(|| {
                let mut graph = self.graph.clone();
                for (index, (_, kind)) in self.inputs.iter().enumerate() {
                    let fact = InferenceFact::dt_shape(*kind, [1, length]);
                    graph.set_input_fact(index, fact)?;
                }
                memory::analyse(&mut graph, self.budget)?;
                let graph = graph.into_typed()?;
                memory::check(&graph, self.budget)?;
                let graph = graph.into_optimized()?;
                memory::check(&graph, self.budget)?;
                graph.into_runnable()
            })
        });
        made.as_ref().map_err(Clone::clone)
    }
}

/// The inputs in the order of the graph, and the length of the texts where it is fixed.
fn inputs(graph: &GraphProto) -> Result<(Inputs, Option<usize>), String> {
    let with_value: Vec<&str> = graph
        .initializer
        .iter()
        .map(|tensor| &*tensor.name)
        .collect();
    let mut inputs = Inputs::new();
    let mut fixed = None;
    let needed = graph
        .input
        .iter()
        .filter(|input| !with_value.contains(&&*input.name));
    for input in needed {
        let role = match input.name.as_str() {
            "input_ids" => Input::Ids,
            "attention_mask" => Input::Mask,
            "token_type_ids" => Input::Types,
            other => {
                return Err(format!(
                    "the network has an input '{other}'; input_ids, attention_mask and \
                     token_type_ids are given"
                ));
            }
        };
        let (kind, dimensions) = kind_and_shape(input)?;
        match dimensions.as_slice() {
            [None | Some(1), length] => match (fixed, length) {
                (Some(before), Some(length)) if before != *length => {
                    return Err("the inputs of the network differ in length".to_owned());
                }
                (_, length) => fixed = length.or(fixed),
            },
            _ => {
                return Err(format!(
                    "the input '{}' is not one row of tokens at a time",
                    input.name
                ));
            }
        }
        inputs.push((role, kind));
    }
    for (role, name) in [(Input::Ids, "input_ids"), (Input::Mask, "attention_mask")] {
        if inputs.iter().filter(|(input, _)| *input == role).count() != 1 {
            return Err(format!("the network has not one input '{name}'"));
        }
    }
    Ok((inputs, fixed))
}

/// The type of an input, and its dimensions, `None` for those left open.
fn kind_and_shape(input: &ValueInfoProto) -> Result<(DatumType, Vec<Option<usize>>), String> {
    let bad = || format!("the input '{}' is no row of integers", input.name);
    let Some(type_proto::Value::TensorType(tensor)) =
        input.r#type.as_ref().and_then(|kind| kind.value.as_ref())
    else {
        return Err(bad());
    };
    let kind = match DataType::try_from(tensor.elem_type) {
        Ok(DataType::Int64) => DatumType::I64,
        Ok(DataType::Int32) => DatumType::I32,
        _ => return Err(bad()),
    };
    let shape = tensor.shape.as_ref().ok_or_else(bad)?;
    let dimensions = shape.dim.iter().map(|dimension| match dimension.value {
        Some(Dimension::DimValue(size)) => match usize::try_from(size) {
            Ok(size) if size > 0 => Ok(Some(size)),
            _ => Err(bad()),
        },
        _ => Ok(None),
    });
    Ok((kind, dimensions.collect::<Result<_, _>>()?))
}

/// The graph with one output: the one called `logits`, else the first.
fn parsed(file: &ModelProto, graph: &GraphProto) -> TractResult<InferenceModel> {
    let logits = graph
        .output
        .iter()
        .position(|output| output.name == "logits");
    // What the file says of shapes within may name dimensions that are numbers here.
    let mut model = onnx()
        .with_ignore_value_info(true)
        .with_ignore_output_shapes(true)
        .with_ignore_output_types(true)
        .model_for_proto_model(file)?;
    let outputs = model.output_outlets()?;
    let Some(output) = outputs.get(logits.unwrap_or(0)).copied() else {
        bail!("the graph has no output");
    };
    model.select_output_outlets(&[output])?;
    Ok(model)
}

/// Runs what is in the hands of other libraries. They index slices by what a file says and panic
/// when it says wrong: a malformed graph, or a token beyond the embeddings, is an error here.
pub(super) fn guarded<T>(run: impl FnOnce() -> TractResult<T>) -> Result<T, String> {
    let message = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => format!("{error:#}"),
        Err(panic) => match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
            (Some(message), _) => message.clone(),
            (_, Some(message)) => (*message).to_owned(),
            _ => "it cannot be run".to_owned(),
        },
    };
    // Errors of a graph like to print tensors.
    const LONGEST: usize = 400;
    Err(match message.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message,
    })
}
