//! Keeps a graph from asking for more memory than its file is worth: a line of ONNX can name a
//! tensor of any size.

use tract_onnx::tract_hir::infer::Factoid;
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core::ops::konst::Const;

/// Bytes that tensors may take at once beside the file, for a file of so many bytes: enough for a
/// large transformer over some thousand tokens, and for weights stored in one byte each.
pub(super) fn budget(file_bytes: usize) -> u64 {
    (1 << 29) + 8 * file_bytes as u64
}

/// Works out types, shapes and constant values of all nodes, inputs before what they lead to, and
/// each shape before the value. An error when a value would be too large, or when a shape can
/// only be told by computing.
pub(super) fn analyse(model: &mut InferenceModel, budget: u64) -> TractResult<()> {
    let mut constants = 0_u64;
    for node in model.eval_order()? {
        let cloned = |facts: TVec<&InferenceFact>| facts.into_iter().cloned().collect::<TVec<_>>();
        let (inputs, outputs) = model.node_facts(node)?;
        let (inputs, outputs) = (cloned(inputs), cloned(outputs));
        let observed = model
            .node(node)
            .op
            .observe_outlets(model, model.node(node))?;
        let observed: TVec<InferenceFact> = observed
            .iter()
            .map(|outlet| model.outlet_fact(*outlet).cloned())
            .collect::<TractResult<_>>()?;
        let mut op = model.node(node).op.clone();
        let (found, shapes, _) = op.infer_facts(
            inputs.iter().collect(),
            outputs.iter().collect(),
            observed.iter().collect(),
        )?;
        // What has no inputs is in the file.
        let is_constant = !found.is_empty() && found.iter().all(|fact| fact.value.is_concrete());
        for shape in &shapes {
            let bytes = match fact_bytes(shape)? {
                Some(bytes) => bytes,
                None if is_constant => return unknown(model, node),
                None => continue,
            };
            if is_constant {
                constants = constants.saturating_add(bytes);
            }
            if !found.is_empty() && bytes.max(constants) > budget {
                return too_large(&model.node(node).name, budget);
            }
        }
        let (inputs, outputs, _) = op.infer(
            inputs.iter().collect(),
            outputs.iter().collect(),
            observed.iter().collect(),
        )?;
        let outlets = model.node(node).inputs.to_vec();
        for (outlet, fact) in outlets.into_iter().zip(inputs) {
            let fact = fact.unify(model.outlet_fact(outlet)?)?;
            model.set_outlet_fact(outlet, fact)?;
        }
        for (slot, fact) in outputs.into_iter().enumerate() {
            let outlet = OutletId::new(node, slot);
            let fact = fact.unify(model.outlet_fact(outlet)?)?;
            if fact_bytes(&fact)?.is_none() {
                return unknown(model, node);
            }
            model.set_outlet_fact(outlet, fact)?;
        }
        model.node_mut(node).op = op;
    }
    Ok(())
}

/// An error when the tensors that are there at once, constants left out, are too large.
pub(super) fn check(model: &TypedModel, budget: u64) -> TractResult<()> {
    let order = model.eval_order()?;
    let mut last_use = vec![0; model.nodes().len()];
    for (step, node) in order.iter().enumerate() {
        for input in &model.node(*node).inputs {
            last_use[input.node] = step;
        }
    }
    for output in model.output_outlets()? {
        last_use[output.node] = order.len();
    }
    let mut released = vec![0; order.len() + 1];
    let mut live: u64 = 0;
    for (step, node) in order.iter().enumerate() {
        let node = model.node(*node);
        if node.op_is::<Const>() {
            continue;
        }
        let mut bytes = 0_u64;
        for output in &node.outputs {
            let Some(shape) = output.fact.shape.as_concrete() else {
                bail!("the size of '{}' cannot be told beforehand", node.name);
            };
            let size = volume(shape.iter().copied(), output.fact.datum_type);
            bytes = bytes.saturating_add(size.unwrap_or(u64::MAX));
        }
        live = live.saturating_add(bytes);
        if live > budget {
            return too_large(&node.name, budget);
        }
        released[last_use[node.id].max(step)] += bytes;
        live -= released[step];
    }
    Ok(())
}

/// `None` where type or shape are not known; the most there is where the product has too many bits.
fn fact_bytes(fact: &InferenceFact) -> TractResult<Option<u64>> {
    let (Some(kind), Some(shape)) = (
        fact.datum_type.concretize(),
        fact.shape.as_concrete_finite()?,
    ) else {
        return Ok(None);
    };
    Ok(Some(
        volume(shape.iter().copied(), kind).unwrap_or(u64::MAX),
    ))
}

fn volume(shape: impl Iterator<Item = usize>, kind: DatumType) -> Option<u64> {
    shape
        .into_iter()
        .try_fold(kind.size_of() as u64, |bytes, dimension| {
            bytes.checked_mul(dimension as u64)
        })
}

fn unknown<T>(model: &InferenceModel, node: usize) -> TractResult<T> {
    let node = model.node(node);
    bail!(
        "the size of '{}' ({}) cannot be told beforehand",
        node.name,
        node.op.name()
    )
}

fn too_large<T>(name: &str, budget: u64) -> TractResult<T> {
    bail!("'{name}' would take more than {} MiB", budget >> 20)
}
