//! What `SHOW FUNCTIONS` and generated references say about the functions.

use datafusion::logical_expr::{DocSection, Documentation, DocumentationBuilder};

const SECTION: DocSection = DocSection {
    include: true,
    label: "Tamis Functions",
    description: Some(
        "Judging text, licences, sources and consents. One page per function in docs/functions.",
    ),
};

/// The text argument most functions have.
pub(crate) const TEXT: (&str, &str) = ("text", "The text, of any string type.");

/// Documentation with the arguments in order.
pub(crate) fn document(
    description: &str,
    syntax: &str,
    arguments: &[(&str, &str)],
) -> Documentation {
    arguments
        .iter()
        .fold(
            DocumentationBuilder::new_with_details(SECTION, description, syntax),
            |builder, (name, meaning)| builder.with_argument(*name, *meaning),
        )
        .build()
}
