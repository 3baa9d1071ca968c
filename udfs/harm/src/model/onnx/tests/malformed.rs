use super::graph::{floats, integers};
use super::*;

fn error(bytes: &[u8]) -> String {
    let error = read(bytes).expect_err("malformed").to_string();
    assert!(error.starts_with("m.onnx, "), "{error}");
    error
}

fn error_of(graph: &Graph) -> String {
    error(&packed(graph, &packing()))
}

/// A graph to whose outputs something is added before they are given.
fn with_addition(nodes: Vec<Vec<u8>>, tensors: Vec<Vec<u8>>) -> Graph {
    let mut graph = Graph::mean_of_embeddings();
    graph.tensors.extend(tensors);
    graph.nodes.extend(nodes);
    graph
        .nodes
        .push(node("Add", &["logits", "more"], "changed", &[]));
    graph.outputs = vec!["changed"];
    graph
}

fn assert_contains(error: &str, part: &str) {
    assert!(error.contains(part), "{error}");
}

#[test]
fn a_file_cut_off_anywhere_is_an_error() {
    let bytes = packed(&Graph::mean_of_embeddings(), &packing());
    for end in (0..bytes.len()).step_by(7) {
        error(&bytes[..end]);
    }
    assert_contains(
        &error(&bytes[..bytes.len() - 1]),
        "the file ends within field 14",
    );
    assert_contains(&error(&bytes[..400]), "the file ends within field 7");
    assert_contains(&error(b"PAR1"), "neither a fastText model (.bin) nor");
}

#[test]
fn a_network_alone_says_what_to_run() {
    assert_contains(
        &error(&Graph::mean_of_embeddings().file()),
        "put one in with 'tamis model import --onnx FILE --tokenizer tokenizer.json",
    );
}

#[test]
fn what_is_packed_must_fit_the_network() {
    let graph = Graph::mean_of_embeddings();
    let error_with = |change: &dyn Fn(&mut OnnxPacking)| {
        let mut changed = packing();
        change(&mut changed);
        error(&packed(&graph, &changed))
    };
    let two = |packing: &mut OnnxPacking| packing.labels.truncate(2);
    assert_contains(
        &error_with(&two),
        "gives [3] numbers for a text, the file has 2 labels",
    );
    let twice = |packing: &mut OnnxPacking| packing.labels[0] = "A4a".to_owned();
    assert_contains(&error_with(&twice), "tamis.labels: no labels, or one twice");
    let none = |packing: &mut OnnxPacking| packing.max_tokens = 0;
    assert_contains(
        &error_with(&none),
        "tamis.max_tokens: '0' is not a number from 1",
    );
    let few = |packing: &mut OnnxPacking| packing.max_tokens = 2;
    assert_contains(
        &error_with(&few),
        "tamis.tokenizer: it adds 2 tokens, of 2 in all",
    );
    let other = |packing: &mut OnnxPacking| packing.tokenizer = "{}".to_owned();
    assert_contains(&error_with(&other), "m.onnx, tamis.tokenizer: ");
    let unknown = |packing: &mut OnnxPacking| packing.labels[0] = "toxic".to_owned();
    assert_contains(&error_with(&unknown), "unknown risk 'toxic'");
    let one = |packing: &mut OnnxPacking| packing.labels.truncate(1);
    assert_contains(&error_with(&one), "softmax needs two labels");
    let words = |packing: &mut OnnxPacking| {
        packing.tokenizer = packing
            .tokenizer
            .replace("\"huge\":8", "\"huge\":8,\"more\":9");
    };
    assert_contains(
        &error_with(&words),
        "does not run on 8 tokens with the id 9",
    );
    let mut fixed = Graph::mean_of_embeddings();
    fixed.length = 7;
    assert_contains(&error_of(&fixed), "takes 7 tokens, not the 8 the file says");
}

#[test]
fn weights_must_be_numbers_and_as_many_as_the_file_says() {
    let mut graph = Graph::mean_of_embeddings();
    for (tensor, message) in [
        (
            floats("biases", &[3], &[0.5, f32::NAN, 0.0]),
            "tensor 'biases': it holds NaN",
        ),
        (
            floats("biases", &[4], &BIASES),
            "more or fewer numbers than its dimensions",
        ),
        (
            floats("biases", &[1 << 40], &BIASES),
            "more or fewer numbers than its dimensions",
        ),
        (
            floats("biases", &[u64::MAX], &BIASES),
            "its dimensions cannot be",
        ),
        (
            floats("biases", &[1 << 62, 1 << 62], &BIASES),
            "its dimensions cannot be",
        ),
    ] {
        graph.tensors[2] = tensor;
        assert_contains(&error_of(&graph), message);
    }
}

#[test]
fn memory_is_bounded_by_the_file() {
    let size = integers("size", &[1], &[2_000_000_000]);
    let constant = node("ConstantOfShape", &["size"], "large", &[]);
    let sum = node("ReduceSum", &["large"], "more", &[]);
    assert_contains(
        &error_of(&with_addition(vec![constant, sum], vec![size])),
        "MiB",
    );

    let size = integers("size", &[3], &[1 << 20, 1 << 20, 3]);
    let expand = node("Expand", &["logits", "size"], "large", &[]);
    let sum = node("ReduceSum", &["large"], "more", &[]);
    assert_contains(
        &error_of(&with_addition(vec![expand, sum], vec![size])),
        "MiB",
    );

    let repeats = integers("repeats", &[2], &[1, i64::MAX]);
    let tile = node("Tile", &["logits", "repeats"], "more", &[]);
    error_of(&with_addition(vec![tile], vec![repeats]));

    let bounds = ["start", "end", "step"].iter().zip([0, i64::MAX, 1]);
    let bounds = bounds
        .map(|(name, number)| integers(name, &[], &[number]))
        .collect();
    let range = node("Range", &["start", "end", "step"], "more", &[]);
    error_of(&with_addition(vec![range], bounds));

    // Every tensor twice as long as the one before.
    let names: Vec<String> = (0..60).map(|step| format!("twice_{step}")).collect();
    for first in ["logits", "weights"] {
        let mut last = first;
        let mut nodes = Vec::new();
        for name in &names {
            nodes.push(node("Concat", &[last, last], name, &[("axis", 0)]));
            last = name;
        }
        nodes.push(node("ReduceSum", &[last], "more", &[]));
        assert_contains(&error_of(&with_addition(nodes, Vec::new())), "MiB");
    }

    // Many that are each small enough, all there at once.
    let size = integers("size", &[1], &[100_000_000]);
    let mut nodes: Vec<Vec<u8>> = names
        .iter()
        .map(|name| node("ConstantOfShape", &["size"], name, &[]))
        .collect();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    nodes.push(node("Sum", &all, "all", &[]));
    nodes.push(node("ReduceSum", &["all"], "more", &[]));
    assert_contains(&error_of(&with_addition(nodes, vec![size])), "MiB");
}

#[test]
fn graphs_that_lead_nowhere_are_errors() {
    let mut graph = Graph::mean_of_embeddings();
    graph.outputs = vec!["elsewhere"];
    assert_contains(&error_of(&graph), "nothing in the graph gives 'elsewhere'");
    graph.outputs = Vec::new();
    assert_contains(&error_of(&graph), "the graph has no output");
    graph = Graph::mean_of_embeddings();
    graph.nodes.remove(3);
    assert_contains(&error_of(&graph), "nothing in the graph gives 'masked'");
    graph = Graph::mean_of_embeddings();
    graph.nodes[0] = node("Gather", &["mean", "input_ids"], "rows", &[]);
    error_of(&graph);
    for operator in ["Loop", "RandomNormalLike", "NonZero", "MyOwn"] {
        graph.nodes[0] = node(operator, &["embeddings", "input_ids"], "rows", &[]);
        assert_contains(
            &error_of(&graph),
            &format!("the operator {operator} is not taken"),
        );
    }
}

#[test]
fn inputs_are_those_a_tokenizer_gives() {
    let mut graph = Graph::mean_of_embeddings();
    graph.inputs.push("pixels");
    assert_contains(&error_of(&graph), "the network has an input 'pixels'");
    graph.inputs = vec!["input_ids"];
    graph
        .tensors
        .push(integers("attention_mask", &[1, 1], &[1]));
    assert_contains(
        &error_of(&graph),
        "the network has not one input 'attention_mask'",
    );
    graph.inputs = vec!["attention_mask", "attention_mask"];
    error_of(&graph);
}
