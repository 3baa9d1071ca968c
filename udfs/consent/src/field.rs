//! Checks on single fields of a registry row, shared by both registries.

/// The most characters of a bad value that an error repeats.
const SHOWN: usize = 40;

/// Says what is wrong with an identifying field, or nothing.
///
/// White space around a name would make it match nothing, and a withdrawal that matches
/// nothing is a withdrawal overlooked: such a row is refused instead. The value is never
/// repeated, it may be personal.
pub(crate) fn name_problem(column: &str, value: &str) -> Option<String> {
    // Ten million rows pass here, nearly all with ASCII at both ends.
    let ends = [value.as_bytes().first(), value.as_bytes().last()];
    if ends.iter().all(|end| end.is_some_and(u8::is_ascii_graphic)) {
        None
    } else if value.trim().is_empty() {
        Some(format!("{column} is empty"))
    } else if value.trim() != value {
        Some(format!("{column} has white space around it"))
    } else {
        None
    }
}

/// A bad value as an error shows it: quoted, escaped and cut.
pub(crate) fn shown(value: &str) -> String {
    let mut characters = value.chars();
    let head: String = characters.by_ref().take(SHOWN).collect();
    let more = if characters.next().is_some() {
        "..."
    } else {
        ""
    };
    format!("{head:?}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["a", "a b", "用户 1", "用户"] {
            assert_eq!(name_problem("id", name), None);
        }
        assert_eq!(name_problem("id", ""), Some("id is empty".into()));
        assert_eq!(name_problem("id", "\u{3000}"), Some("id is empty".into()));
        for padded in ["secret ", " secret", "secret\n", "\u{3000}用户"] {
            let problem = name_problem("id", padded);
            assert_eq!(problem.as_deref(), Some("id has white space around it"));
        }
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(shown("a\"b"), "\"a\\\"b\"");
        let long = "汉".repeat(50);
        assert_eq!(shown(&long), format!("\"{}\"...", "汉".repeat(40)));
    }
}
