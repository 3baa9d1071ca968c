//! From a raw licence string to what it names.

use crate::expression::{Expression, Operator};
use crate::fold::fold;
use crate::names::{self, Found, Name};

/// Longer strings are not licence names; they are not read at all.
pub(crate) const MAX_BYTES: usize = 4_096;
/// A single name is no longer than this.
const MAX_NAME_BYTES: usize = 300;
/// Words of one name inside an expression.
const MAX_NAME_WORDS: usize = 24;
const MAX_DEPTH: usize = 32;
const MAX_TOKENS: usize = 1_024;

/// What a raw string turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Nothing but space.
    Blank,
    /// More than [`MAX_BYTES`].
    TooLong,
    /// Holds control characters other than line ends and tabs.
    Control,
    /// Names something.
    Named(Name),
    /// Names nothing known.
    Unknown,
}

/// Reads a raw licence string. Bounded in time and memory whatever the input.
pub(crate) fn read(raw: &str) -> Reading {
    explain(raw).0
}

/// The same, with how a single name was read.
pub(crate) fn explain(raw: &str) -> (Reading, Option<Found>) {
    if raw.len() > MAX_BYTES {
        return (Reading::TooLong, None);
    }
    let folded = fold(raw);
    let text = folded.trim();
    if text.is_empty() {
        return (Reading::Blank, None);
    }
    if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return (Reading::Control, None);
    }
    if text.len() <= MAX_NAME_BYTES
        && let Some(found) = names::find(text)
    {
        return (Reading::Named(found.name.clone()), Some(found));
    }
    (read_compound(text), None)
}

fn read_compound(text: &str) -> Reading {
    match read_expression(text) {
        // Short spellings may stand for long ones; what comes out must go in again.
        Some(Name::Expression(expression)) if expression.to_string().len() > MAX_BYTES => {
            Reading::Unknown
        }
        Some(name) => Reading::Named(name),
        None => Reading::Unknown,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Open,
    Close,
    Operator(Operator),
    With,
    Word(&'a str),
}

impl<'a> Token<'a> {
    fn of(word: &'a str) -> Self {
        let is = |forms: &[&str]| forms.iter().any(|form| word.eq_ignore_ascii_case(form));
        if is(&[
            "and", "&", "&&", "和", "及", "与", "且", "以及", "並且", "并且",
        ]) {
            Self::Operator(Operator::And)
        } else if is(&["or", "|", "||", "或", "或者"]) {
            Self::Operator(Operator::Or)
        } else if is(&["with", "w/"]) {
            Self::With
        } else {
            Self::Word(word)
        }
    }
}

/// A token and where it stands, so that a name is read as it was written.
struct Placed<'a> {
    token: Token<'a>,
    start: usize,
    end: usize,
}

fn tokens(text: &str) -> Option<Vec<Placed<'_>>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if tokens.len() == MAX_TOKENS {
            return None;
        }
        let rest = &text[at..];
        let first = rest.chars().next()?;
        let (length, token) = match first {
            space if space.is_whitespace() => {
                at += space.len_utf8();
                continue;
            }
            // "(>= 2)" belongs to the name before it.
            '(' if rest[1..].trim_start().starts_with(">=") => {
                let length = rest.find(')')? + 1;
                (length, Token::Word(&rest[..length]))
            }
            '(' => (1, Token::Open),
            ')' => (1, Token::Close),
            '|' | '&' => {
                let length = rest.len() - rest.trim_start_matches(first).len();
                (length, Token::of(&rest[..length]))
            }
            _ => {
                let length = rest
                    .find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '|' | '&'))
                    .unwrap_or(rest.len());
                (length, Token::of(&rest[..length]))
            }
        };
        tokens.push(Placed {
            token,
            start: at,
            end: at + length,
        });
        at += length;
    }
    Some(tokens)
}

/// Reads an expression whose operands may be names. Where one of them is only a family, so is
/// the whole.
fn read_expression(text: &str) -> Option<Name> {
    let tokens = tokens(text)?;
    let mut parser = Parser {
        text,
        tokens: &tokens,
        at: 0,
        family: None,
    };
    let expression = parser.any(0)?;
    if parser.at < tokens.len() {
        return None;
    }
    Some(match parser.family {
        Some(family) => Name::Family(family),
        None => Name::Expression(expression),
    })
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Placed<'a>],
    at: usize,
    /// The first operand that names a family only.
    family: Option<String>,
}

impl Parser<'_> {
    fn take(&mut self, wanted: Token<'_>) -> bool {
        let found = self
            .tokens
            .get(self.at)
            .is_some_and(|placed| placed.token == wanted);
        self.at += usize::from(found);
        found
    }

    /// Operands joined by OR, which binds weakest.
    fn any(&mut self, depth: usize) -> Option<Expression> {
        let mut operands = vec![self.all(depth)?];
        while self.take(Token::Operator(Operator::Or)) {
            operands.push(self.all(depth)?);
        }
        Some(Expression::join(Operator::Or, operands))
    }

    fn all(&mut self, depth: usize) -> Option<Expression> {
        let mut operands = vec![self.operand(depth)?];
        while self.take(Token::Operator(Operator::And)) {
            operands.push(self.operand(depth)?);
        }
        Some(Expression::join(Operator::And, operands))
    }

    fn operand(&mut self, depth: usize) -> Option<Expression> {
        if self.take(Token::Open) {
            if depth == MAX_DEPTH {
                return None;
            }
            let inner = self.any(depth + 1)?;
            return self.take(Token::Close).then_some(inner);
        }
        let license = self.longest(|text| match names::read(text)? {
            Name::Expression(expression) => Some(Ok(expression)),
            Name::Family(family) => Some(Err(family)),
            Name::Reserved | Name::Unasserted => None,
        })?;
        let license = match license {
            Ok(expression) => expression,
            Err(family) => {
                // Never shown: the whole is a family now. Parsing goes on for its syntax.
                self.family.get_or_insert(family);
                Expression::reference(String::new())
            }
        };
        if self.take(Token::With) {
            let exception = self.longest(names::exception)?;
            return license.with(&exception);
        }
        Some(license)
    }

    /// Reads the longest run of tokens that `read` knows, ending before an operator, a
    /// parenthesis or the end: names may hold "and", "or" and "with" themselves.
    fn longest<T>(&mut self, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let start = self.tokens.get(self.at)?.start;
        let run = self.tokens[self.at..]
            .iter()
            .take_while(|placed| !matches!(placed.token, Token::Open | Token::Close))
            .count();
        for length in (1..=run.min(MAX_NAME_WORDS)).rev() {
            let end = self.at + length;
            let stops =
                length == run || matches!(self.tokens[end].token, Token::Operator(_) | Token::With);
            let text = &self.text[start..self.tokens[end - 1].end];
            if !stops || text.len() > MAX_NAME_BYTES {
                continue;
            }
            if let Some(found) = read(text) {
                self.at = end;
                return Some(found);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(raw: &str) -> String {
        match read(raw) {
            Reading::Named(Name::Expression(expression)) => expression.to_string(),
            Reading::Named(Name::Family(family)) => format!("family {family}"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn operators_bind_as_spdx_says() {
        assert_eq!(shown("MIT or ISC and Zlib"), "MIT OR (ISC AND Zlib)");
        assert_eq!(shown("(MIT or ISC) And Zlib"), "(MIT OR ISC) AND Zlib");
        assert_eq!(shown("((MIT) OR (ISC OR (MIT)))"), "MIT OR ISC");
        assert_eq!(
            shown("gpl-2.0+ with classpath-exception-2.0 or mit license"),
            "GPL-2.0-or-later WITH Classpath-exception-2.0 OR MIT"
        );
    }

    #[test]
    fn names_may_hold_operators() {
        assert_eq!(shown("GPL-2|GPL-3"), "GPL-2.0-only OR GPL-3.0-only");
        assert_eq!(shown("GPL (>= 2) | MIT"), "GPL-2.0-or-later OR MIT");
        assert_eq!(shown("GPL v2 or later and MIT"), "GPL-2.0-or-later AND MIT");
        assert_eq!(shown("MIT OR CC BY"), "family CC-BY");
    }

    #[test]
    fn broken_expressions_name_nothing() {
        for raw in [
            "MIT OR",
            "OR MIT",
            "MIT ISC",
            "(MIT",
            "MIT)",
            "()",
            "MIT WITH",
            "MIT WITH nothing",
            "(MIT OR ISC) WITH LLVM-exception",
            "MIT OR AND ISC",
            "MIT/Apache-2.0",
            "MIT, ISC",
            "GPL-2.0-only+",
            "MIT OR something else",
        ] {
            assert_eq!(shown(raw), "Unknown", "{raw}");
        }
    }

    #[test]
    fn size_depth_and_control_characters_are_bounded() {
        assert_eq!(read(&"x".repeat(MAX_BYTES + 1)), Reading::TooLong);
        assert_eq!(read(&"(".repeat(10_000)), Reading::TooLong);
        let deep = |depth: usize| format!("{}MIT{}", "(".repeat(depth), ")".repeat(depth));
        assert_eq!(shown(&deep(MAX_DEPTH)), "MIT");
        assert_eq!(read(&deep(2_000)), Reading::Unknown);
        assert_eq!(read("MIT\0"), Reading::Control);
        assert_eq!(read(" \t\n\u{3000}"), Reading::Blank);
        assert_eq!(shown("MIT\n"), "MIT");
    }
}
