//! SPDX licence expressions in canonical form.

use std::fmt;

/// A licence expression. Operands keep their order; an operator never holds itself or one
/// operand twice, so equal meaning written with other parentheses is equal here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expression {
    Term(Term),
    And(Vec<Expression>),
    Or(Vec<Expression>),
}

/// One licence, possibly with an exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) license: License,
    pub(crate) exception: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum License {
    /// An id of the SPDX list; `or_later` is the `+` behind it.
    Listed { id: &'static str, or_later: bool },
    /// `LicenseRef-…` or `DocumentRef-…:LicenseRef-…`.
    Reference(String),
}

/// How two expressions are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    And,
    Or,
}

impl Expression {
    pub(crate) fn listed(id: &'static str) -> Self {
        Self::license(License::Listed {
            id,
            or_later: false,
        })
    }

    pub(crate) fn reference(reference: String) -> Self {
        Self::license(License::Reference(reference))
    }

    fn license(license: License) -> Self {
        Self::Term(Term {
            license,
            exception: None,
        })
    }

    /// Joins operands; one operand alone is itself. `operands` is never empty.
    pub(crate) fn join(operator: Operator, operands: Vec<Expression>) -> Self {
        let mut flat: Vec<Expression> = Vec::with_capacity(operands.len());
        let mut add = |operand: Expression| {
            if !flat.contains(&operand) {
                flat.push(operand);
            }
        };
        for operand in operands {
            match (operator, operand) {
                (Operator::And, Self::And(inner)) | (Operator::Or, Self::Or(inner)) => {
                    inner.into_iter().for_each(&mut add);
                }
                (_, operand) => add(operand),
            }
        }
        if flat.len() == 1 {
            return flat.swap_remove(0);
        }
        match operator {
            Operator::And => Self::And(flat),
            Operator::Or => Self::Or(flat),
        }
    }

    /// This licence "or any later version"; `None` where that cannot be said.
    pub(crate) fn or_later(&self) -> Option<Self> {
        let Self::Term(Term {
            license:
                License::Listed {
                    id,
                    or_later: false,
                },
            exception: None,
        }) = self
        else {
            return None;
        };
        // GNU licences say it with ids of their own, which are read before this.
        if id.ends_with("-only") || id.ends_with("-or-later") {
            return None;
        }
        Some(Self::license(License::Listed { id, or_later: true }))
    }

    /// This licence with an exception; `None` for anything but one licence without one.
    pub(crate) fn with(&self, exception: &str) -> Option<Self> {
        let Self::Term(Term {
            license,
            exception: None,
        }) = self
        else {
            return None;
        };
        Some(Self::Term(Term {
            license: license.clone(),
            exception: Some(exception.to_owned()),
        }))
    }
}

impl fmt::Display for Expression {
    /// Operators in capitals; every AND or OR inside another operator in parentheses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (operator, operands) = match self {
            Self::Term(term) => return term.fmt(f),
            Self::And(operands) => (" AND ", operands),
            Self::Or(operands) => (" OR ", operands),
        };
        for (index, operand) in operands.iter().enumerate() {
            if index > 0 {
                f.write_str(operator)?;
            }
            match operand {
                Self::Term(term) => term.fmt(f)?,
                compound => write!(f, "({compound})")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.license {
            License::Listed { id, or_later } => {
                f.write_str(id)?;
                if *or_later {
                    f.write_str("+")?;
                }
            }
            License::Reference(reference) => f.write_str(reference)?,
        }
        match &self.exception {
            Some(exception) => write!(f, " WITH {exception}"),
            None => Ok(()),
        }
    }
}
