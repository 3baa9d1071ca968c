use super::*;
use crate::thresholds::Thresholds;

/// Scores of one risk; the rest score 0.
fn rows(risk: usize, scored: &[(f64, bool)]) -> Vec<ScoredRow> {
    scored
        .iter()
        .map(|&(score, positive)| {
            let mut scores = vec![0.0; Taxonomy::builtin().risks().len()];
            scores[risk] = score;
            ScoredRow {
                scores,
                risks: if positive { vec![risk] } else { vec![] },
            }
        })
        .collect()
}

/// A hundred texts; the higher the score the likelier the risk.
fn graded() -> Vec<(f64, bool)> {
    (0..100)
        .map(|at| (f64::from(at) / 100.0 + 0.005, at % 10 < at / 10))
        .collect()
}

fn calibrated(scored: &[(f64, bool)], target: Target) -> Calibration {
    calibrate(&rows(3, scored), &Taxonomy::builtin(), target, 0.5).expect("valid")
}

#[test]
fn every_target_is_met_and_barely() {
    let texts: Vec<ScoredText> = graded()
        .into_iter()
        .map(|(score, positive)| ScoredText { score, positive })
        .collect();
    for target in [
        Target::Precision(0.7),
        Target::Recall(0.6),
        Target::PassRate(0.8),
        Target::BestF1,
    ] {
        let calibration = calibrated(&graded(), target);
        let point = calibration.risks()[0].choice.as_ref().expect("reachable");
        let here = Confusion::at(&texts, point.threshold);
        assert_eq!(here, point.confusion, "{target}");
        let others = Curve::new(&texts);
        let others = others.points();
        let passes = |counts: &Confusion| counts.true_negatives + counts.false_negatives;
        match target {
            Target::Precision(least) => {
                assert!(here.precision() >= least);
                assert!(others.iter().all(|other| {
                    other.threshold >= point.threshold || other.confusion.precision() < least
                }));
            }
            Target::Recall(least) => {
                assert!(here.recall() >= least);
                assert!(others.iter().all(|other| {
                    other.confusion == here
                        || other.threshold < point.threshold
                        || other.confusion.recall() < least
                }));
            }
            Target::PassRate(_) => assert_eq!(passes(&here), 80),
            Target::BestF1 => {
                assert!(others.iter().all(|other| other.confusion.f1() <= here.f1()));
            }
        }
    }
}

#[test]
fn the_file_is_read_as_thresholds() {
    let taxonomy = Taxonomy::builtin();
    let calibration = calibrated(&graded(), Target::Recall(0.6));
    let toml = calibration.to_toml("2026-11");
    let thresholds = Thresholds::from_toml("t.toml", &toml, &taxonomy).expect("valid");
    let chosen = calibration.risks()[0].choice.as_ref().expect("reachable");
    assert_eq!(thresholds.get(3), chosen.threshold);
    assert_eq!(thresholds.get(0), 0.5);
    assert_eq!(thresholds.identity().version, "2026-11");
    assert!(calibration.to_string().contains("A1d: 45 texts, threshold"));
}

#[test]
fn what_cannot_be_met_keeps_the_default_and_says_why() {
    let mut scored = graded();
    scored.iter_mut().for_each(|text| text.0 = 1.0 - text.0);
    let calibration = calibrated(&scored, Target::Precision(0.9));
    let toml = calibration.to_toml("");
    assert!(
        toml.contains(
            "# A1d keeps the default: no threshold with 10 texts found has precision 0.9"
        )
    );
    let thresholds = Thresholds::from_toml("t.toml", &toml, &Taxonomy::builtin()).expect("valid");
    assert_eq!(thresholds.get(3), 0.5);
    let zeros = calibrated(&[(0.0, true), (0.0, false)], Target::Recall(1.0));
    assert!(zeros.risks()[0].choice.is_err(), "0 is no threshold");
    let clean = calibrated(&[(0.3, false)], Target::BestF1);
    assert!(clean.risks().is_empty());
}

#[test]
fn judged_texts_have_a_score_for_every_risk() {
    let lexicon = crate::lexicon::Lexicon::builtin();
    let judge = Judge::new(
        Taxonomy::builtin(),
        Arc::clone(&lexicon),
        Thresholds::builtin(),
    );
    let judge = judge.expect("built in");
    let term = lexicon
        .entries()
        .iter()
        .find(|entry| entry.risk != crate::lexicon::ALLOW)
        .expect("an entry with a risk");
    let texts = [term.term.as_str(), "今天天气很好", ""].map(|text| LabelledText {
        text: text.to_owned(),
        risks: vec![1],
    });
    let rows = score_rows(&judge, &texts).expect("answers");
    let risk = judge
        .taxonomy()
        .index(&term.risk)
        .expect("a risk of the taxonomy");
    assert!(rows[0].scores[risk] >= term.weight && rows[0].risks == [1]);
    assert_eq!(
        (&rows[1].scores, &rows[2].scores),
        (&vec![0.0; 31], &vec![0.0; 31])
    );
    assert!(calibrate(&rows, judge.taxonomy(), Target::BestF1, 0.5).is_ok());
}

#[test]
fn bad_questions_are_errors() {
    let taxonomy = Taxonomy::builtin();
    let error = |rows: &[ScoredRow], target, default| {
        calibrate(rows, &taxonomy, target, default)
            .expect_err("cannot be")
            .to_string()
    };
    let good = rows(0, &[(0.5, true)]);
    assert!(error(&good, Target::Recall(0.0), 0.5).contains("recall 0 is not in (0, 1]"));
    assert!(error(&good, Target::BestF1, 1.5).contains("default: 1.5"));
    assert!(error(&[], Target::BestF1, 0.5).contains("rows: there are none"));
    let mut short = good;
    short[0].scores.pop();
    assert!(error(&short, Target::BestF1, 0.5).contains("row 1: a score for each of 31"));
}

#[test]
fn bins_hold_every_text_once() {
    let texts: Vec<ScoredText> = [(0.0, false), (0.05, true), (0.95, true), (1.0, true)]
        .map(|(score, positive)| ScoredText { score, positive })
        .to_vec();
    let bins = reliability(&texts, 10);
    assert_eq!(bins.iter().map(|bin| bin.count).sum::<usize>(), 4);
    assert_eq!(
        (bins[0].count, bins[0].mean_score, bins[0].share),
        (2, 0.025, 0.5)
    );
    assert_eq!((bins[9].count, bins[9].share, bins[9].from), (2, 1.0, 0.9));
    let svg = reliability_svg("a < b", &bins);
    assert_eq!(svg.matches("<circle").count(), 2);
    assert!(svg.contains("a &lt; b") && svg.trim_end().ends_with("</svg>"));
    let plots = calibrated(&graded(), Target::BestF1).plots();
    assert_eq!(plots[0].0, "A1d");
}
