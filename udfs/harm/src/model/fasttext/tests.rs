use super::*;

/// Models and answers of the official implementation, made by `make.py` beside them.
macro_rules! fixtures {
    ($($name:literal),*) => {
        [$((
            $name,
            &include_bytes!(concat!("../../../tests/fixtures/fasttext/", $name, ".bin"))[..],
            include_str!(concat!("../../../tests/fixtures/fasttext/", $name, ".tsv")),
        )),*]
    };
}

fn all() -> [(&'static str, &'static [u8], &'static str); 9] {
    fixtures![
        "softmax",
        "words",
        "subwords",
        "ova",
        "ns",
        "hs",
        "quantised",
        "quantised-norm",
        "pruned"
    ]
}

fn ask(model: &FastText, text: &str) -> Vec<f64> {
    let mut probabilities = Vec::new();
    model.probabilities(text, &mut Buffers::default(), &mut probabilities);
    ["A4a", "A2d", "clean"]
        .map(|label| {
            let at = model.labels().iter().position(|known| known == label);
            probabilities[at.expect("a label of the fixture")]
        })
        .to_vec()
}

#[test]
fn answers_are_those_of_the_official_implementation() {
    for (name, bytes, answers) in all() {
        let model = FastText::read(bytes).expect(name);
        // The official sigmoid is a table of 512 values, and its logarithm adds 1e-5.
        let tolerance = if matches!(name, "ova" | "ns") {
            0.01
        } else {
            3e-5
        };
        let mut compared = 0;
        for line in answers.lines() {
            let (text, expected) = line.split_once('\t').expect("text and probabilities");
            let expected = expected
                .split('\t')
                .map(|value| value.parse::<f64>().expect("a probability"));
            for (found, expected) in ask(&model, text).into_iter().zip(expected) {
                assert!(
                    (found - expected).abs() <= tolerance,
                    "{name}, {text:?}: {found} is not {expected}"
                );
                compared += 1;
            }
        }
        assert_eq!(compared, 3 * 26, "{name}");
    }
}

#[test]
fn a_text_cannot_hide_behind_marks_of_the_format() {
    let (_, bytes, _) = all()[0];
    let model = FastText::read(bytes).expect("valid");
    let plain = ask(&model, "他 们 都 该 打");
    assert_eq!(ask(&model, "</s> 他 们 都 该 打"), plain);
    assert_eq!(ask(&model, "他 们 </s>\n都 该 打\n"), plain);
    assert_ne!(ask(&model, "__label__A4a 他 们"), ask(&model, "他 们"));
}

#[test]
fn every_cut_and_every_trailing_byte_is_an_error() {
    for (name, bytes, _) in all() {
        for length in 0..bytes.len() {
            assert!(FastText::read(&bytes[..length]).is_err(), "{name} {length}");
        }
        let longer = [bytes, &[0]].concat();
        let error = FastText::read(&longer).expect_err("a trailing byte");
        assert_eq!(error.message, "1 bytes follow the model");
    }
}

#[test]
fn sizes_are_checked_against_the_file_before_anything_is_made() {
    let (_, bytes, _) = all()[0];
    let with = |at: usize, value: &[u8]| {
        let mut changed = bytes.to_vec();
        changed[at..at + value.len()].copy_from_slice(value);
        FastText::read(&changed).expect_err("malformed").message
    };
    let largest = i32::MAX.to_le_bytes();
    assert_eq!(with(0, b"PAR1"), "not a fastText model");
    assert!(with(4, &10_i32.to_le_bytes()).contains("version 10"));
    assert!(with(8, &largest).contains("its model needs"), "dimensions");
    assert!(with(8, &[0; 4]).contains("no dimensions"));
    assert!(with(28, &largest).contains("n-grams longer than 32"));
    assert!(with(32, &9_i32.to_le_bytes()).contains("unknown number 9"));
    assert!(with(36, &1_i32.to_le_bytes()).contains("word vectors only"));
    assert!(with(40, &largest).contains("its model needs"), "buckets");
    assert!(with(64, &largest).contains("do not add up"), "dictionary");
    assert!(with(64, &(-1_i32).to_le_bytes()).contains("negative"));
    let end = bytes.len() - 4;
    assert!(with(end, &f32::NAN.to_le_bytes()).contains("no weight"));
}

#[test]
fn the_tree_gives_the_rare_labels_the_long_ways() {
    let (_, bytes, _) = all()[5];
    let model = FastText::read(bytes).expect("valid");
    let sum: f64 = ask(&model, "今 天").iter().sum();
    assert!((sum - 1.0).abs() < 1e-12);
}
