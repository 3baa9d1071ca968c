use std::collections::BTreeMap;
use std::fmt;

use tamis_resource::Result;

use super::Model;
use super::train::LabelledText;
use crate::evaluation::{Confusion, Curve, ScoredText};
use crate::taxonomy::Taxonomy;

/// How a model does on labelled texts.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelEvaluation {
    /// Texts judged.
    pub texts: usize,
    /// Every risk the model knows: its id and how it did, in taxonomy order.
    pub risks: Vec<(String, RiskEvaluation)>,
    /// Whether the model means some risk, against whether a text carries one it may not even
    /// know.
    pub any: Confusion,
    /// Texts with risks the model does not know, by id: nothing is said of these risks.
    pub unknown: BTreeMap<String, usize>,
}

/// How a model does for one risk.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskEvaluation {
    /// From which probability the model means the risk.
    pub operating_point: f64,
    /// Counts at that probability.
    pub confusion: Confusion,
    /// Precision and recall at every threshold.
    pub curve: Curve,
}

/// Judges labelled texts by a model alone and compares. Nothing is left out: texts the model was
/// trained on are for the caller to keep away, see [`crate::train`].
///
/// # Errors
/// As for [`Model::probabilities`].
pub fn evaluate(
    model: &Model,
    texts: &[LabelledText],
    taxonomy: &Taxonomy,
) -> Result<ModelEvaluation> {
    let documents: Vec<&str> = texts.iter().map(|text| text.text.as_str()).collect();
    let mut scored = vec![Vec::with_capacity(texts.len()); model.risks().len()];
    let mut any = Vec::with_capacity(texts.len());
    model.probabilities(&documents, &mut |document, probabilities| {
        let risks = &texts[document].risks;
        for ((scored, risk), probability) in scored.iter_mut().zip(model.risks()).zip(probabilities)
        {
            scored.push(ScoredText {
                score: *probability,
                positive: risks.contains(risk),
            });
        }
        let points = model.operating_points();
        let meant = probabilities
            .iter()
            .zip(points)
            .any(|(p, point)| p >= point);
        any.push((meant, !risks.is_empty()));
    })?;
    let id = |risk: usize| taxonomy.risks()[risk].id.clone();
    let mut unknown = BTreeMap::new();
    for risk in texts.iter().flat_map(|text| &text.risks) {
        if model.risks().binary_search(risk).is_err() {
            *unknown.entry(id(*risk)).or_insert(0) += 1;
        }
    }
    let risks = scored
        .iter()
        .zip(model.risks().iter().zip(model.operating_points()))
        .map(|(scored, (risk, point))| {
            let evaluation = RiskEvaluation {
                operating_point: *point,
                confusion: Confusion::at(scored, *point),
                curve: Curve::new(scored),
            };
            (id(*risk), evaluation)
        })
        .collect();
    Ok(ModelEvaluation {
        texts: texts.len(),
        risks,
        any: Confusion::of(any),
        unknown,
    })
}

/// For every risk a line and ten points of its curve, then what holds for any risk.
impl fmt::Display for ModelEvaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} texts", self.texts)?;
        for (id, risk) in &self.risks {
            writeln!(
                f,
                "{id} from {:.4} on: {}, average precision {:.4}",
                risk.operating_point,
                risk.confusion,
                risk.curve.average_precision()
            )?;
            for point in risk.curve.sample(10) {
                writeln!(f, "  from {:.4} on: {}", point.threshold, point.confusion)?;
            }
        }
        writeln!(f, "any risk: {}", self.any)?;
        for (id, count) in &self.unknown {
            writeln!(
                f,
                "{id}: {count} texts carry it, the model does not know it"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ModelOptions;

    #[test]
    fn every_text_counts_for_every_risk_the_model_knows() {
        let taxonomy = Taxonomy::builtin();
        let bytes = include_bytes!("../../tests/fixtures/fasttext/softmax.bin");
        let model =
            Model::from_bytes("m.bin", bytes, &taxonomy, &ModelOptions::default()).expect("valid");
        let texts: Vec<LabelledText> = [
            ("他 们 都 该 打", vec!["A4a"]),
            ("外 地 人 不 准 进 来", vec!["A2d"]),
            ("今 天 天 气 很 好", vec![]),
            ("我 们 去 公 园 散 步", vec!["A1a", "A4a"]),
        ]
        .into_iter()
        .map(|(text, ids)| LabelledText {
            text: text.to_owned(),
            risks: ids.iter().filter_map(|id| taxonomy.index(id)).collect(),
        })
        .collect();
        let evaluation = evaluate(&model, &texts, &taxonomy).expect("answers");
        let found: Vec<(&str, usize, usize)> = evaluation
            .risks
            .iter()
            .map(|(id, risk)| {
                let counts = risk.confusion;
                (id.as_str(), counts.true_positives, counts.false_negatives)
            })
            .collect();
        assert_eq!(found, [("A2d", 1, 0), ("A4a", 1, 1)]);
        assert!(
            evaluation
                .risks
                .iter()
                .all(|risk| risk.1.confusion.total() == 4)
        );
        let any = evaluation.any;
        assert_eq!(
            (any.true_positives, any.false_negatives, any.true_negatives),
            (2, 1, 1)
        );
        assert_eq!(evaluation.unknown, BTreeMap::from([("A1a".to_owned(), 1)]));
        let shown = evaluation.to_string();
        assert!(shown.contains("A4a from 0.5000 on: precision 1.0000, recall 0.5000"));
        assert!(shown.contains("A1a: 1 texts carry it, the model does not know it"));
    }
}
