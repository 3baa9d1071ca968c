//! Whether a file has the columns a table needs.

use std::collections::HashSet;

use tamis_resource::nearest;

use super::{Column, Problem};

/// Checks the header of a file and returns the names of columns that are not used.
///
/// An unknown column whose name is almost that of an absent one is refused: a misspelt
/// `withdrawn_at` would otherwise be a registry in which nobody ever withdraws.
pub(super) fn header(names: &[String], columns: &[Column]) -> Result<Vec<String>, Problem> {
    let mut seen = HashSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(Problem::new(
            "header",
            format!("column {twice} stands twice"),
        ));
    }
    let absent: Vec<&Column> = columns
        .iter()
        .filter(|column| !seen.contains(column.name))
        .collect();
    let unknown: Vec<&String> = names
        .iter()
        .filter(|name| columns.iter().all(|column| column.name != name.as_str()))
        .collect();
    for name in &unknown {
        if let Some(meant) = nearest(name, absent.iter().map(|column| column.name)) {
            let message = format!("unknown column {name}: did you mean {meant}?");
            return Err(Problem::new("header", message));
        }
    }
    if let Some(column) = absent.iter().find(|column| column.required) {
        let required: Vec<&str> = columns
            .iter()
            .filter(|column| column.required)
            .map(|column| column.name)
            .collect();
        let message = format!(
            "column {} is missing (needed: {})",
            column.name,
            required.join(", ")
        );
        return Err(Problem::new("header", message));
    }
    Ok(unknown.into_iter().cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Kind;

    const COLUMNS: &[Column] = &[
        Column::required("subject_id", Kind::Text),
        Column::required("withdrawn_at", Kind::Time),
        Column::optional("evidence_uri", Kind::Text),
    ];

    fn check(names: &[&str]) -> Result<Vec<String>, String> {
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        header(&names, COLUMNS).map_err(|problem| problem.message)
    }

    #[test]
    fn unused_columns_are_named() {
        assert_eq!(
            check(&["withdrawn_at", "country", "subject_id"]),
            Ok(vec!["country".to_owned()])
        );
        assert_eq!(
            check(&["subject_id", "withdrawn_at", "evidence_uri"]),
            Ok(vec![])
        );
    }

    #[test]
    fn missing_and_misspelt_columns_are_refused() {
        assert_eq!(
            check(&["subject_id"]),
            Err("column withdrawn_at is missing (needed: subject_id, withdrawn_at)".to_owned())
        );
        assert_eq!(
            check(&["subject_id", "withdrawn"]),
            Err("unknown column withdrawn: did you mean withdrawn_at?".to_owned())
        );
        assert_eq!(
            check(&["subject_id", "withdrawn_at", "evidence_url"]),
            Err("unknown column evidence_url: did you mean evidence_uri?".to_owned())
        );
        assert_eq!(
            check(&["subject_id", "withdrawn_at", "subject_id"]),
            Err("column subject_id stands twice".to_owned())
        );
    }
}
