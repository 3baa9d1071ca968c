use super::*;
use proptest::prelude::*;

const SOFTMAX: &[u8] = include_bytes!("../../tests/fixtures/fasttext/softmax.bin");
const OVA: &[u8] = include_bytes!("../../tests/fixtures/fasttext/ova.bin");

fn read(bytes: &[u8], options: &ModelOptions) -> Result<Model> {
    Model::from_bytes("m.bin", bytes, &Taxonomy::builtin(), options)
}

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(label, meaning)| ((*label).to_owned(), (*meaning).to_owned()))
        .collect()
}

fn probabilities(model: &Model, text: &str) -> Vec<f64> {
    let mut found = Vec::new();
    model
        .probabilities(&[text], &mut |_, probabilities| {
            found = probabilities.to_vec();
        })
        .expect("answers");
    found
}

#[test]
fn labels_are_risks_of_the_taxonomy() {
    let taxonomy = Taxonomy::builtin();
    let model = read(SOFTMAX, &ModelOptions::default()).expect("valid");
    let ids: Vec<&str> = model
        .risks()
        .iter()
        .map(|risk| taxonomy.risks()[*risk].id.as_str())
        .collect();
    assert_eq!(ids, ["A2d", "A4a"]);
    assert_eq!(model.operating_points(), [0.5, 0.5]);
    let found = probabilities(&model, "他 们 都 该 打");
    assert!((found[1] - 0.973).abs() < 0.001 && (found[0] - 0.0153).abs() < 0.001);
    let class = model.classify(&["他 们 都 该 打"]).expect("answers")[0];
    assert_eq!(
        (class.risk, class.probability),
        (model.risks()[1], found[1])
    );
}

#[test]
fn labels_for_one_risk_add_up_when_they_exclude_each_other() {
    let options = ModelOptions {
        labels: labels(&[("A2d", "A4a")]),
        ..ModelOptions::default()
    };
    let text = "外 地 骗 子 该 打";
    for (bytes, adds) in [(SOFTMAX, true), (OVA, false)] {
        let apart = probabilities(&read(bytes, &ModelOptions::default()).expect("valid"), text);
        let together = probabilities(&read(bytes, &options).expect("valid"), text);
        let expected = if adds {
            apart[0] + apart[1]
        } else {
            apart[0].max(apart[1])
        };
        assert_eq!(together, [expected.min(1.0)]);
    }
}

#[test]
fn labels_nobody_knows_are_errors_that_name_them() {
    let error = |options: &ModelOptions| {
        read(SOFTMAX, options)
            .expect_err("labels are wrong")
            .to_string()
    };
    let with = |pairs: &[(&str, &str)]| ModelOptions {
        labels: labels(pairs),
        ..ModelOptions::default()
    };
    assert_eq!(
        error(&with(&[("A4a", "A4z")])),
        "m.bin, label __label__A4a: unknown risk 'A4z' (did you mean 'A4a'?); say which risk id \
         or 'clean' the label stands for"
    );
    assert!(error(&with(&[("toxic", "A4a")])).contains("label __label__toxic: the model has no"));
    assert!(error(&with(&[("A4a", "clean"), ("A2d", "clean")])).contains("no label stands for"));
    let whole = ModelOptions {
        risk: Some("A4a".to_owned()),
        ..ModelOptions::default()
    };
    assert!(error(&whole).contains("needs two labels"));
}

#[test]
fn options_and_metadata_are_in_the_identity() {
    let plain = read(SOFTMAX, &ModelOptions::default()).expect("valid");
    let options = ModelOptions {
        segmentation: Some(Segmentation::Characters),
        window: Some(64),
        ..ModelOptions::default()
    };
    let cut = read(SOFTMAX, &options).expect("valid");
    assert_ne!(plain.identity().sha256, cut.identity().sha256);
    let metadata = ModelMetadata {
        version: "3".to_owned(),
        segmentation: Segmentation::Characters,
        window: 64,
        operating_points: BTreeMap::from([("A4a".to_owned(), 0.25)]),
        ..ModelMetadata::default()
    };
    let file = with_metadata(SOFTMAX, &metadata);
    let stated = read(&file, &ModelOptions::default()).expect("valid");
    assert_eq!(stated.metadata(), &metadata);
    assert_eq!(stated.operating_points(), [0.5, 0.25]);
    assert_eq!(stated.identity().version, "3");
    assert_eq!(
        with_metadata(&file, &metadata),
        file,
        "replaced, not repeated"
    );
    // Cut and folded, so full width and missing spaces do not matter.
    let expected = probabilities(&plain, "他 们 都 该 打");
    assert_eq!(probabilities(&cut, "他们都该打"), expected);
    assert_eq!(probabilities(&stated, "他们都\u{200b}该打"), expected);
    assert!(
        stated
            .to_string()
            .contains("A4a: A4a, meant from 0.2500 on")
    );
}

#[test]
fn metadata_that_cannot_be_is_an_error() {
    let mut metadata = ModelMetadata::default();
    metadata.operating_points.insert("A4a".to_owned(), 1.0);
    let error = |bytes: &[u8]| {
        read(bytes, &ModelOptions::default())
            .expect_err("metadata is wrong")
            .to_string()
    };
    assert!(error(&with_metadata(SOFTMAX, &metadata)).contains("operating point of A4a"));
    metadata.operating_points = BTreeMap::from([("A1a".to_owned(), 0.5)]);
    assert!(error(&with_metadata(SOFTMAX, &metadata)).contains("does not know the risk"));
    let unknown = [SOFTMAX, b"colour = 1", &10_u32.to_le_bytes(), b"TAMISMD1"].concat();
    assert!(error(&unknown).contains("metadata: unknown field"));
    assert!(error(b"PAR1").contains("neither a fastText model"));
}

#[test]
fn harm_is_not_diluted() {
    let options = ModelOptions {
        segmentation: Some(Segmentation::Characters),
        window: Some(16),
        ..ModelOptions::default()
    };
    let model = read(SOFTMAX, &options).expect("valid");
    let short = probabilities(&model, "他们都该打。他们都该打。")[1];
    let long = format!("他们都该打。他们都该打。{}", "今天天气很好。".repeat(50));
    assert!(probabilities(&model, &long)[1] >= short - 1e-12);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(
        start in 0usize..3, cut in 0usize..15000, noise in proptest::collection::vec(any::<(usize, u8)>(), 0..8),
    ) {
        let mut bytes = match start {
            0 => SOFTMAX.to_vec(),
            1 => include_bytes!("../../tests/fixtures/fasttext/pruned.bin").to_vec(),
            _ => with_metadata(OVA, &ModelMetadata { window: 9, ..ModelMetadata::default() }),
        };
        if cut < bytes.len() / 2 {
            bytes.truncate(cut);
        }
        for (at, byte) in noise {
            // Mostly in the header, where it matters.
            let at = if at % 2 == 0 { at % 200 } else { at % 16000 };
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        if let Ok(model) = read(&bytes, &ModelOptions::default()) {
            for probability in probabilities(&model, "他 们 都 extraordinary") {
                prop_assert!((0.0..=1.0).contains(&probability));
            }
        }
    }
}
