//! `harm_class(text)`: what the classifier alone says of a text.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_harm::{Model, Taxonomy};

use crate::arguments::Argument;
use crate::documentation::{TEXT, document};
use crate::harm::{answered, unanswered};
use crate::judging::Judging;
use crate::pinned::Pinned;
use crate::resources::Resources;
use crate::results::{harm_class_fields, harm_class_type, struct_array};
use crate::strings::{map_texts, text_array};

/// The classifier, and the names of its risks.
pub(crate) struct Classifier {
    model: Arc<Model>,
    taxonomy: Arc<Taxonomy>,
}

/// `harm_class(text)`: Struct{risk, probability}; NULL for NULL, and without an answer of
/// the classifier.
pub(crate) struct HarmClass;

impl Judging for HarmClass {
    const NAME: &'static str = "harm_class";
    const ARGUMENTS: &'static [Argument] = &[Argument::Text("text")];
    const STRICT: bool = true;
    type Resource = Classifier;

    fn pin(resources: &Resources) -> Pinned<Classifier> {
        let classifier = resources.judge.model().map(|model| Classifier {
            model: Arc::clone(model),
            taxonomy: Arc::clone(&resources.taxonomy),
        });
        let digest = classifier
            .as_ref()
            .map(|classifier| classifier.model.identity().sha256.clone());
        Pinned::new(
            Self::NAME,
            classifier.map(Arc::new),
            digest.unwrap_or_default(),
            &["model"],
            &resources.settings,
        )
    }

    fn result_type() -> DataType {
        harm_class_type()
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "The risk the classifier finds most probable in a text, and its probability; the lexicon has no \
                 say in it.",
                "harm_class(text)",
                &[TEXT],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(classifier: &Classifier, arguments: &[ArrayRef]) -> Result<ArrayRef> {
        map_texts(&arguments[0], &|documents| {
            answered(documents, &Self::result_type(), &|documents| {
                classes(classifier, documents)
            })
        })
    }
}

fn classes(classifier: &Classifier, documents: &[&str]) -> Result<ArrayRef> {
    let classes = classifier.model.classify(documents).map_err(unanswered)?;
    let risks = classifier.taxonomy.risks();
    struct_array(
        harm_class_fields(),
        vec![
            text_array(
                classes
                    .iter()
                    .map(|class| Some(risks[class.risk].id.as_str())),
            ),
            Arc::new(Float64Array::from_iter_values(
                classes.iter().map(|class| class.probability),
            )),
        ],
    )
}
