use super::*;

fn header(outputs: &[&str]) -> Header {
    Header {
        ngrams: 2,
        outputs: outputs.iter().map(|label| (*label).to_owned()).collect(),
        metadata: ModelMetadata::default(),
    }
}

/// A model that knows these n-grams, the last n-gram of each text, with these weights.
fn model(outputs: &[&str], known: &[(&str, &[f32])], biases: &[f64]) -> Vec<u8> {
    let mut rows: Vec<(u64, &[f32])> = known
        .iter()
        .map(|(text, weights)| {
            let mut last = 0;
            each_ngram(text, 2, |hash| last = hash);
            (last, *weights)
        })
        .collect();
    rows.sort_unstable_by_key(|row| row.0);
    let weights = Weights {
        hashes: rows.iter().map(|row| row.0).collect(),
        weights: rows.iter().flat_map(|row| row.1).copied().collect(),
        biases: biases.to_vec(),
    };
    write(&header(outputs), &weights)
}

fn ask(bytes: &[u8], texts: &[&str]) -> Vec<Vec<f64>> {
    let (linear, _) = Linear::read(bytes).expect("valid");
    let mut buffers = Buffers::default();
    let mut probabilities = Vec::new();
    texts
        .iter()
        .map(|text| {
            linear.probabilities(text, &mut buffers, &mut probabilities);
            probabilities.clone()
        })
        .collect()
}

#[test]
fn known_ngrams_count_once() {
    let bytes = model(&["A4a"], &[("坏", &[1.0]), ("坏人", &[0.5])], &[-1.0]);
    let found = ask(&bytes, &["坏", "坏坏坏", "坏人", "好", "", "好坏"]);
    let expected = [0.0, 0.0, 0.5].map(sigmoid);
    assert_eq!(found[0], [expected[0]]);
    assert_eq!(found[1], [expected[1]], "repeats count once");
    assert_eq!(found[2], [expected[2]]);
    assert_eq!(found[3], [0.0], "nothing known");
    assert_eq!(found[4], [0.0]);
    assert_eq!(found[5], found[0], "a text leaves nothing behind");
}

#[test]
fn outputs_have_weights_of_their_own() {
    let bytes = model(
        &["A4a", "A2d"],
        &[("坏", &[1.0, -1.0]), ("省", &[0.0, 3.0])],
        &[0.0, 0.5],
    );
    let found = ask(&bytes, &["坏省"]);
    assert_eq!(found[0], [sigmoid(1.0), sigmoid(2.5)]);
}

#[test]
fn malformed_files_are_errors() {
    let bytes = model(&["A4a"], &[("坏", &[1.0]), ("坏人", &[0.5])], &[0.0]);
    for length in 0..bytes.len() {
        assert!(Linear::read(&bytes[..length]).is_err(), "{length} bytes");
    }
    let error = |bytes: &[u8]| Linear::read(bytes).expect_err("malformed").message;
    assert_eq!(
        error(&[&bytes[..], &[0]].concat()),
        "1 bytes follow the model"
    );
    assert_eq!(error(b"PAR1PAR1"), "not a linear model");
    let count_at = 12 + u32::from_le_bytes(bytes[8..12].try_into().expect("four")) as usize;
    let with = |at: usize, value: &[u8]| {
        let mut changed = bytes.clone();
        changed[at..at + value.len()].copy_from_slice(value);
        error(&changed)
    };
    assert!(with(count_at, &u64::MAX.to_le_bytes()).contains("too many"));
    assert!(with(count_at, &(1_u64 << 28).to_le_bytes()).contains("the file ends"));
    assert_eq!(with(count_at + 8, &[255; 8]), "the n-grams do not ascend");
    assert!(with(8, &u32::MAX.to_le_bytes()).contains("the file ends"));
    assert!(with(bytes.len() - 8, &f64::NAN.to_le_bytes()).contains("bias"));
    let weights = Weights {
        hashes: (0..5000).collect(),
        weights: vec![0.0; 5000],
        biases: vec![0.0],
    };
    assert!(error(&write(&header(&["A4a"]), &weights)).contains("fall together"));
    let weights = Weights {
        hashes: vec![],
        weights: vec![],
        biases: vec![],
    };
    assert!(error(&write(&header(&[]), &weights)).contains("labels are needed"));
    let mut header = header(&["A4a"]);
    header.ngrams = 9;
    assert!(error(&write(&header, &weights)).contains("1 to 8 units"));
}
