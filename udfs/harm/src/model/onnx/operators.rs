//! Looks at a graph before anything is made of it: that it holds what it says, and nothing a
//! text classifier has no use for.

use std::collections::HashSet;

use tract_onnx::pb::tensor_proto::{DataLocation, DataType};
use tract_onnx::pb::{GraphProto, ModelProto, TensorProto};

/// Operators that text classifiers are made of. Left out are those with graphs of their own, whose
/// results are random, and whose sizes depend on values.
const OPERATORS: &[&str] = &[
    "Abs",
    "Add",
    "And",
    "ArgMax",
    "ArgMin",
    "AveragePool",
    "BatchNormalization",
    "Cast",
    "Ceil",
    "Celu",
    "Clip",
    "Concat",
    "Constant",
    "ConstantOfShape",
    "Conv",
    "Cos",
    "CumSum",
    "DequantizeLinear",
    "Div",
    "Dropout",
    "DynamicQuantizeLinear",
    "Einsum",
    "Elu",
    "Equal",
    "Erf",
    "Exp",
    "Expand",
    "Flatten",
    "Floor",
    "GRU",
    "Gather",
    "GatherElements",
    "GatherND",
    "Gelu",
    "Gemm",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "Greater",
    "GreaterOrEqual",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "InstanceNormalization",
    "IsInf",
    "IsNaN",
    "LSTM",
    "LayerNormalization",
    "LeakyRelu",
    "Less",
    "LessOrEqual",
    "Log",
    "LogSoftmax",
    "MatMul",
    "MatMulInteger",
    "Max",
    "MaxPool",
    "Mean",
    "Min",
    "Mish",
    "Mod",
    "Mul",
    "Neg",
    "Not",
    "OneHot",
    "Or",
    "PRelu",
    "Pad",
    "Pow",
    "QLinearMatMul",
    "QuantizeLinear",
    "RMSNormalization",
    "RNN",
    "Range",
    "Reciprocal",
    "ReduceL1",
    "ReduceL2",
    "ReduceLogSumExp",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSum",
    "ReduceSumSquare",
    "Relu",
    "Reshape",
    "Round",
    "Selu",
    "Shape",
    "Sigmoid",
    "Sign",
    "Sin",
    "Size",
    "Slice",
    "Softmax",
    "Softplus",
    "Softsign",
    "Split",
    "Sqrt",
    "Squeeze",
    "Sub",
    "Sum",
    "Tanh",
    "ThresholdedRelu",
    "Tile",
    "TopK",
    "Transpose",
    "Trilu",
    "Unsqueeze",
    "Where",
    "Xor",
];

/// The graph, when it can be used: operators of the list, tensors that hold as many numbers as
/// their dimensions say and none that is no number, names that lead somewhere.
pub(super) fn checked(model: &ModelProto) -> Result<&GraphProto, String> {
    let Some(graph) = &model.graph else {
        return Err("the file has no graph".to_owned());
    };
    if !model.functions.is_empty() || !graph.sparse_initializer.is_empty() {
        return Err("functions and sparse tensors are not read".to_owned());
    }
    let mut names: HashSet<&str> = graph.input.iter().map(|input| &*input.name).collect();
    for tensor in &graph.initializer {
        check_tensor(tensor)?;
        names.insert(&tensor.name);
    }
    for node in &graph.node {
        let operator = node.op_type.as_str();
        if !matches!(node.domain.as_str(), "" | "ai.onnx") || !OPERATORS.contains(&operator) {
            let domain = match node.domain.as_str() {
                "" => String::new(),
                domain => format!(" of {domain}"),
            };
            return Err(format!("the operator {operator}{domain} is not taken"));
        }
        for attribute in &node.attribute {
            if attribute.g.is_some()
                || !attribute.graphs.is_empty()
                || attribute.sparse_tensor.is_some()
                || !attribute.sparse_tensors.is_empty()
            {
                return Err(format!("{operator} holds a graph or a sparse tensor"));
            }
            for tensor in attribute.t.iter().chain(&attribute.tensors) {
                check_tensor(tensor)?;
            }
        }
        names.extend(node.output.iter().map(String::as_str));
    }
    let used = graph.node.iter().flat_map(|node| &node.input);
    let outputs = graph.output.iter().map(|output| &output.name);
    for name in used.filter(|name| !name.is_empty()).chain(outputs) {
        if !names.contains(name.as_str()) {
            return Err(format!("nothing in the graph gives '{name}'"));
        }
    }
    Ok(graph)
}

fn check_tensor(tensor: &TensorProto) -> Result<(), String> {
    let bad = |message: &str| Err(format!("tensor '{}': {message}", tensor.name));
    if tensor.data_location == Some(DataLocation::External as i32)
        || !tensor.external_data.is_empty()
    {
        return bad("its numbers are in another file; save the model as one file");
    }
    let Some(count) = tensor.dims.iter().try_fold(1_usize, |count, dimension| {
        count.checked_mul(usize::try_from(*dimension).ok()?)
    }) else {
        return bad("its dimensions cannot be");
    };
    let Ok(kind) = DataType::try_from(tensor.data_type) else {
        return bad("its type is unknown");
    };
    // Bytes of one number, and how many there are where they are not stored as bytes.
    let (size, typed) = match kind {
        DataType::Float => (4, tensor.float_data.len()),
        DataType::Double => (8, tensor.double_data.len()),
        DataType::Int64 => (8, tensor.int64_data.len()),
        DataType::Int32 => (4, tensor.int32_data.len()),
        DataType::Uint8 | DataType::Int8 | DataType::Bool => (1, tensor.int32_data.len()),
        DataType::Float16 | DataType::Uint16 | DataType::Int16 => (2, tensor.int32_data.len()),
        _ => return bad("numbers of its type are not read"),
    };
    let stored = match tensor.raw_data.len() {
        0 => Some(typed),
        bytes => (bytes % size == 0).then_some(bytes / size),
    };
    if stored != Some(count) {
        return bad("it holds more or fewer numbers than its dimensions say");
    }
    // Infinity stands in masks, so only what it leads to can be wrong.
    let raw = &tensor.raw_data;
    let no_number = match kind {
        DataType::Float => {
            tensor.float_data.iter().any(|number| number.is_nan())
                || raw
                    .as_chunks()
                    .0
                    .iter()
                    .any(|bytes| f32::from_le_bytes(*bytes).is_nan())
        }
        DataType::Double => {
            tensor.double_data.iter().any(|number| number.is_nan())
                || raw
                    .as_chunks()
                    .0
                    .iter()
                    .any(|bytes| f64::from_le_bytes(*bytes).is_nan())
        }
        DataType::Float16 => {
            let is_nan = |bits: u16| bits & 0x7fff > 0x7c00;
            tensor.int32_data.iter().any(|bits| is_nan(*bits as u16))
                || raw
                    .as_chunks()
                    .0
                    .iter()
                    .any(|bytes| is_nan(u16::from_le_bytes(*bytes)))
        }
        _ => false,
    };
    if no_number {
        return bad("it holds NaN, which is no weight");
    }
    Ok(())
}
