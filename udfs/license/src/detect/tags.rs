//! `SPDX-License-Identifier:` tags.

use crate::names::Name;
use crate::parse::{self, Reading};

use super::words::floor;

/// What stands before and behind the word "License" of a tag.
const BEFORE: &str = "spdx-";
const BEHIND: &str = "license-identifier";
/// A tag's expression is read no further.
const MAX_BYTES: usize = 512;

/// Reads the tag whose word "License" starts at `start`: its expression and where it ends.
/// One that is read takes one from `budget`.
pub(super) fn read(text: &str, start: usize, budget: &mut usize) -> Option<(String, usize)> {
    let bytes = text.as_bytes();
    let is = |from: usize, word: &str| {
        bytes
            .get(from..from + word.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()))
    };
    if !(is(start.checked_sub(BEFORE.len())?, BEFORE) && is(start, BEHIND)) {
        return None;
    }
    *budget = budget.checked_sub(1)?;
    let mut at = start + BEHIND.len();
    // `"SPDX-License-Identifier": "MIT"`, `… = 'MIT'`.
    at += bytes
        .get(at)
        .is_some_and(|b| matches!(b, b'"' | b'\'' | b'`')) as usize;
    let rest = &text[floor(text, at)..floor(text, at + MAX_BYTES)];
    let rest = rest.trim_start_matches([' ', '\t']);
    let rest = rest.strip_prefix([':', '='])?;
    let line = rest.lines().next()?;
    let line = line.trim_start_matches([' ', '\t', '"', '\'', '`']);
    // An expression is letters, digits and these; anything else closes it.
    let is_part = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '+' | ':' | '(' | ')' | ' ' | '\t')
    };
    let line = &line[..line.find(|c| !is_part(c)).unwrap_or(line.len())];
    let words: Vec<&str> = line.split_whitespace().take(32).collect();
    // The longest run of words that is an expression; comment closers and prose may follow it,
    // an operator may not: then the rest of it was not understood.
    for count in (1..=words.len()).rev() {
        let next = words.get(count).copied().unwrap_or_default();
        if ["and", "or", "with"]
            .iter()
            .any(|o| next.eq_ignore_ascii_case(o))
        {
            return None;
        }
        let tried = words[..count].join(" ");
        let tried = tried.trim_end_matches(['-', '.', ':']);
        let tried = match tried.matches(')').count() > tried.matches('(').count() {
            true => tried.strip_suffix(')').unwrap_or(tried),
            false => tried,
        };
        if let Reading::Named(Name::Expression(expression)) = parse::read(tried) {
            let end = floor(text, at + line.len());
            return Some((expression.to_string(), end));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(text: &str) -> Option<String> {
        let start = text.to_ascii_lowercase().find("license-identifier")?;
        read(text, start, &mut 1).map(|(expression, _)| expression)
    }

    #[test]
    fn any_comment_may_hold_a_tag() {
        for (text, expected) in [
            ("// SPDX-License-Identifier: MIT", "MIT"),
            (
                "/* SPDX-License-Identifier: GPL-2.0+ */",
                "GPL-2.0-or-later",
            ),
            ("<!-- SPDX-License-Identifier: CC-BY-4.0-->", "CC-BY-4.0"),
            ("# spdx-license-identifier: apache-2.0", "Apache-2.0"),
            ("(* SPDX-License-Identifier: ISC *)", "ISC"),
            ("(SPDX-License-Identifier: ISC)", "ISC"),
            (
                "{- SPDX-License-Identifier: BSD-3-Clause -}",
                "BSD-3-Clause",
            ),
            (
                "SPDX-License-Identifier: (MIT OR Apache-2.0) AND CC0-1.0",
                "(MIT OR Apache-2.0) AND CC0-1.0",
            ),
            (
                "; SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note\r\nnext",
                "GPL-2.0-only WITH Linux-syscall-note",
            ),
            ("\"SPDX-License-Identifier\": \"MIT\",", "MIT"),
            (
                "SPDX-License-Identifier: MIT Copyright 2020 Somebody",
                "MIT",
            ),
            ("`SPDX-License-Identifier: MPL-2.0`.", "MPL-2.0"),
            (
                "SPDX-License-Identifier: LicenseRef-Acme",
                "LicenseRef-Acme",
            ),
        ] {
            assert_eq!(tag(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_no_tag() {
        for text in [
            "SPDX-License-Identifier: <license>",
            "SPDX-License-Identifier:",
            "SPDX-License-Identifier: NONE",
            "SPDX-License-Identifier: NOASSERTION",
            "SPDX-License-Identifier: MIT OR something",
            "SPDX-License-Identifier MIT",
            "X-License-Identifier: MIT",
            "SPDX-License-Identifier: GPL",
            "SPDX-License-Identifier: 许可证",
        ] {
            assert_eq!(tag(text), None, "{text}");
        }
    }
}
