//! SQL text cut into statements that know their place.

use datafusion::error::DataFusionError;
use datafusion::logical_expr::sqlparser::ast::{
    Expr, ObjectName, Set, Statement as SqlStatement, UnaryOperator, Value,
};
use datafusion::logical_expr::sqlparser::dialect::dialect_from_str;
use datafusion::logical_expr::sqlparser::tokenizer::Token;
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::{DFParserBuilder, ResetStatement, Statement};

use super::errors::describe;

/// One statement of a text.
#[derive(Debug, Clone)]
pub struct Numbered {
    /// Counted from 1.
    pub number: usize,
    /// The line it begins on, counted from 1.
    pub line: u64,
    /// What to do.
    pub action: Action,
}

/// What a statement asks for.
#[derive(Debug, Clone)]
pub enum Action {
    /// `SET tamis.key = value`, or `RESET tamis.key` for no value.
    SetTamis {
        /// The name without `tamis.`, in lower case.
        key: String,
        /// The value; `None` is the default.
        value: Option<String>,
    },
    /// `SET datafusion.key = …`: the engine does it, the name is checked before.
    SetEngine {
        /// The name with `datafusion.`.
        key: String,
        /// The statement.
        statement: Box<Statement>,
    },
    /// Anything else.
    Engine(Box<Statement>),
}

/// A text that does not parse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The statement, counted from 1.
    pub number: usize,
    /// The line it begins on.
    pub line: u64,
    /// What is wrong, with line and column.
    pub message: String,
}

/// Cuts a text at its semicolons, in the dialect of the session. Nothing runs when a part does
/// not parse.
///
/// # Errors
/// [`SyntaxError`] for the first statement that does not parse.
pub fn split(sql: &str, config: &SessionConfig) -> Result<Vec<Numbered>, SyntaxError> {
    let options = &config.options().sql_parser;
    let failed = |number: usize, line: u64, error: &DataFusionError| SyntaxError {
        number,
        line,
        message: describe(error),
    };
    let dialect = dialect_from_str(options.dialect)
        .or_else(|| dialect_from_str("generic"))
        .ok_or_else(|| SyntaxError {
            number: 1,
            line: 1,
            message: format!("unknown SQL dialect '{}'", options.dialect),
        })?;
    let mut parser = DFParserBuilder::new(sql)
        .with_dialect(dialect.as_ref())
        .with_recursion_limit(options.recursion_limit.into())
        .build()
        .map_err(|error| failed(1, 1, &error))?;
    let mut statements: Vec<Numbered> = Vec::new();
    let mut delimited = true;
    loop {
        while parser.parser.consume_token(&Token::SemiColon) {
            delimited = true;
        }
        let next = parser.parser.peek_token();
        let number = statements.len() + 1;
        let line = next.span.start.line;
        if next.token == Token::EOF {
            return Ok(statements);
        }
        if !delimited {
            return Err(SyntaxError {
                number: number - 1,
                line: statements.last().map_or(1, |statement| statement.line),
                message: format!(
                    "expected a semicolon or the end, found: {} at {}",
                    next.token, next.span.start
                )
                .trim_end()
                .to_owned(),
            });
        }
        let statement = parser
            .parse_statement()
            .map_err(|error| failed(number, line, &error))?;
        let action = action(statement).map_err(|message| SyntaxError {
            number,
            line,
            message,
        })?;
        statements.push(Numbered {
            number,
            line,
            action,
        });
        delimited = false;
    }
}

impl Numbered {
    /// Whether the statement has a result to show: rows, a plan, or a count. Definitions and
    /// settings have none.
    pub fn gives_result(&self) -> bool {
        let Action::Engine(statement) = &self.action else {
            return false;
        };
        match statement.as_ref() {
            Statement::CopyTo(_) | Statement::Explain(_) => true,
            Statement::CreateExternalTable(_) | Statement::Reset(_) => false,
            Statement::Statement(statement) => !matches!(
                statement.as_ref(),
                SqlStatement::Set(_)
                    | SqlStatement::CreateTable(_)
                    | SqlStatement::CreateView { .. }
                    | SqlStatement::CreateSchema { .. }
                    | SqlStatement::CreateDatabase { .. }
                    | SqlStatement::CreateFunction(_)
                    | SqlStatement::CreateIndex(_)
                    | SqlStatement::Drop { .. }
                    | SqlStatement::DropFunction(_)
                    | SqlStatement::Prepare { .. }
                    | SqlStatement::Deallocate { .. }
                    | SqlStatement::StartTransaction { .. }
                    | SqlStatement::Commit { .. }
                    | SqlStatement::Rollback { .. }
            ),
        }
    }

    /// Whether its result has lines that belong together, as a plan has.
    pub fn is_explain(&self) -> bool {
        let Action::Engine(statement) = &self.action else {
            return false;
        };
        match statement.as_ref() {
            Statement::Explain(_) => true,
            Statement::Statement(statement) => matches!(
                statement.as_ref(),
                SqlStatement::Explain { .. } | SqlStatement::ShowCreate { .. }
            ),
            _ => false,
        }
    }
}

fn action(statement: Statement) -> Result<Action, String> {
    match &statement {
        Statement::Reset(ResetStatement::Variable(name)) => {
            if let Some(key) = tamis_key(name) {
                return Ok(Action::SetTamis { key, value: None });
            }
        }
        Statement::Statement(inner) => {
            if let SqlStatement::Set(Set::SingleAssignment {
                variable, values, ..
            }) = inner.as_ref()
            {
                if let Some(key) = tamis_key(variable) {
                    let value = match values.as_slice() {
                        [value] => literal(value),
                        _ => None,
                    };
                    let value = value.ok_or_else(|| {
                        format!("SET tamis.{key} takes one value in single quotes")
                    })?;
                    return Ok(Action::SetTamis { key, value });
                }
                let key = variable.to_string();
                if key.starts_with("datafusion.") {
                    return Ok(Action::SetEngine {
                        key,
                        statement: Box::new(statement),
                    });
                }
            }
        }
        _ => {}
    }
    Ok(Action::Engine(Box::new(statement)))
}

/// The part after `tamis.`.
fn tamis_key(name: &ObjectName) -> Option<String> {
    let parts: Option<Vec<String>> = name
        .0
        .iter()
        .map(|part| {
            part.as_ident()
                .map(|ident| ident.value.to_ascii_lowercase())
        })
        .collect();
    let parts = parts?;
    let (first, rest) = parts.split_first()?;
    (first == "tamis" && !rest.is_empty()).then(|| rest.join("."))
}

/// The text of a value; inside, `None` for DEFAULT and NULL.
fn literal(value: &Expr) -> Option<Option<String>> {
    match value {
        Expr::Value(value) => match &value.value {
            Value::Null => Some(None),
            Value::Number(number, _) => Some(Some(number.clone())),
            Value::Boolean(value) => Some(Some(value.to_string())),
            other => other.clone().into_string().map(Some),
        },
        Expr::Identifier(name)
            if name.quote_style.is_none() && name.value.eq_ignore_ascii_case("default") =>
        {
            Some(None)
        }
        Expr::Identifier(name) => Some(Some(name.value.clone())),
        // A licence use such as train-commercial, unquoted.
        Expr::BinaryOp { .. } | Expr::CompoundIdentifier(_) => None,
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => literal(expr)?.map(|number| Some(format!("-{number}"))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(sql: &str) -> Result<Vec<Numbered>, SyntaxError> {
        split(sql, &SessionConfig::new())
    }

    #[test]
    fn statements_know_number_and_line() {
        let statements =
            parsed("-- a; b\nSELECT ';';;\n\nCREATE VIEW v AS\nSELECT 1;\nSELECT 2").unwrap();
        let places: Vec<_> = statements
            .iter()
            .map(|s| (s.number, s.line, s.gives_result()))
            .collect();
        assert_eq!(places, [(1, 2, true), (2, 4, false), (3, 6, true)]);
        assert!(parsed("  -- nothing\n;").unwrap().is_empty());
    }

    #[test]
    fn the_statement_that_does_not_parse_is_named() {
        let error = parsed("SELECT 1;\nSELECT 2;\nSELEC 3").unwrap_err();
        assert_eq!((error.number, error.line), (3, 3));
        assert!(
            error.message.contains("SELEC") && error.message.contains("Line: 3"),
            "{error:?}"
        );
        let error = parsed("SELECT 1\nSELECT 2").unwrap_err();
        assert!(
            error.message.contains("Line: 2") || error.message.contains("line 2"),
            "{error:?}"
        );
        assert!(
            parsed("SELECT 'open")
                .unwrap_err()
                .message
                .contains("Unterminated")
        );
    }

    #[test]
    fn settings_of_ours_are_taken_out() {
        let set = |sql: &str| match parsed(sql).unwrap().remove(0).action {
            Action::SetTamis { key, value } => (key, value),
            other => panic!("{other:?}"),
        };
        let some = |value: &str| Some(value.to_owned());
        assert_eq!(
            set("SET tamis.lexicon = 'a b.csv'"),
            ("lexicon".to_owned(), some("a b.csv"))
        );
        assert_eq!(
            set("set TAMIS.Use TO research"),
            ("use".to_owned(), some("research"))
        );
        assert_eq!(
            set("SET tamis.lexicon = DEFAULT"),
            ("lexicon".to_owned(), None)
        );
        assert_eq!(
            set("SET tamis.lexicon = NULL"),
            ("lexicon".to_owned(), None)
        );
        assert_eq!(set("RESET tamis.lexicon"), ("lexicon".to_owned(), None));
        assert!(
            parsed("SET tamis.use = a-b")
                .unwrap_err()
                .message
                .contains("in single quotes")
        );
        let engine = parsed("SET datafusion.execution.batch_size = 10")
            .unwrap()
            .remove(0);
        assert!(
            matches!(engine.action, Action::SetEngine { key, .. } if key == "datafusion.execution.batch_size")
        );
    }
}
