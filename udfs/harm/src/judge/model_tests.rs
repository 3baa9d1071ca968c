use std::collections::BTreeMap;

use super::tests::{assess, auto, judge};
use super::*;
use crate::model::ModelOptions;

fn model(taxonomy: &Taxonomy) -> Arc<Model> {
    let bytes = include_bytes!("../../tests/fixtures/fasttext/softmax.bin");
    Arc::new(Model::from_bytes("m.bin", bytes, taxonomy, &ModelOptions::default()).expect("valid"))
}

fn with_model() -> Judge {
    judge(vec![auto("坏", "A4a", 0.25), auto("省", "A2d", 0.25)])
        .with_model(model(&Taxonomy::builtin()))
        .expect("the same taxonomy")
}

const TEXTS: [&str; 5] = [
    "他 们 都 该 打",
    "今 天 天 气 很 好",
    "坏 今 天 天 气 很 好",
    "",
    "unseen",
];

#[test]
fn terms_and_classifier_are_reasons_beside_each_other() {
    let (with, without) = (with_model(), judge(vec![auto("坏", "A4a", 0.25)]));
    let taxonomy = Taxonomy::builtin();
    let bad = taxonomy.index("A4a").expect("known");
    let classes = with
        .model()
        .expect("given")
        .classify(&TEXTS)
        .expect("answers");
    for (text, (assessment, class)) in TEXTS.iter().zip(assess(&with, &TEXTS).iter().zip(classes)) {
        assert_eq!(assessment.model, Some(class), "{text}");
        let alone = assess(&without, &[text])[0].score;
        assert!(assessment.score >= alone && assessment.score <= 1.0);
        // The operating point is 0.5, so evidence is the probability.
        if class.risk == bad {
            let expected = alone + class.probability * (1.0 - alone);
            assert!((assessment.score - expected).abs() < 1e-12, "{text}");
        }
    }
    let first = &assess(&with, &TEXTS[..1])[0];
    assert_eq!(
        (first.top_risk, first.risks.as_slice()),
        (Some(bad), &[bad][..])
    );
    assert!(assess(&without, &TEXTS)[0].model.is_none());
}

#[test]
fn all_ways_to_ask_agree() {
    let judge = with_model();
    let assessments = assess(&judge, &TEXTS);
    let scores: Vec<f64> = assessments.iter().map(|found| found.score).collect();
    assert_eq!(judge.scores(&TEXTS).expect("answers"), scores);
    let by_risk: Vec<bool> = assessments
        .iter()
        .map(|found| !found.risks.is_empty())
        .collect();
    assert_eq!(judge.is_harmful(&TEXTS, None).expect("answers"), by_risk);
    for threshold in [0.0, 0.2, 0.5, 0.9, 1.0] {
        let expected: Vec<bool> = scores.iter().map(|score| *score >= threshold).collect();
        assert_eq!(
            judge.is_harmful(&TEXTS, Some(threshold)).expect("answers"),
            expected
        );
    }
    let alone: Vec<f64> = TEXTS
        .iter()
        .map(|text| judge.scores(&[text]).expect("answers")[0])
        .collect();
    assert_eq!(alone, scores, "the batch changes nothing");
}

#[test]
fn the_model_is_in_the_digest_and_of_the_same_taxonomy() {
    let plain = judge(vec![auto("坏", "A4a", 0.25)]);
    let digest = plain.digest().to_owned();
    let with = plain
        .with_model(model(&Taxonomy::builtin()))
        .expect("the same taxonomy");
    assert_ne!(with.digest(), digest);
    let other = Taxonomy::from_toml(
        "t.toml",
        "[[risk]]\nid='A4a'\ngroup='g'\nzh='z'\nen='e'\n[[risk]]\nid='A2d'\ngroup='g'\nzh='z'\nen='e'",
    )
    .expect("valid");
    let error = judge(vec![auto("坏", "A4a", 0.25)])
        .with_model(model(&other))
        .expect_err("another taxonomy");
    assert!(
        error
            .to_string()
            .contains("m.bin, risk ids: read for another taxonomy")
    );
    let options = ModelOptions {
        labels: BTreeMap::from([("A2d".to_owned(), "clean".to_owned())]),
        ..ModelOptions::default()
    };
    let bytes = include_bytes!("../../tests/fixtures/fasttext/softmax.bin");
    let narrower =
        Model::from_bytes("m.bin", bytes, &Taxonomy::builtin(), &options).expect("valid");
    let narrower = judge(vec![auto("坏", "A4a", 0.25)])
        .with_model(Arc::new(narrower))
        .expect("the same taxonomy");
    assert_ne!(narrower.digest(), with.digest());
}
