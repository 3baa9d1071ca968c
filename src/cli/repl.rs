//! The prompt of `tamis sql`.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper, Highlighter, Hinter};
use tamis_functions::KEYS;

use super::error::CliError;
use super::output::{Destination, Format, Look, OutputError, writer};
use super::sql::{
    DeliveryError, Engine, Numbered, Outcome, cut_message, deliver, message_of, most_rows, split,
    table_names, thousands,
};

const PROMPT: &str = "tamis> ";
const MOST_HISTORY: usize = 10_000;
const HELP: &str = "\
Statements end with a semicolon and may take several lines. Paths in quotes are tables:
  SELECT * FROM 'corpus/*.parquet' LIMIT 10;
  SET tamis.lexicon = 'words.csv';   SHOW tamis.lexicon;
  \\d          tables and views         \\d NAME     columns of a table or a path
  \\timing     time of results on, off  \\?          this help
  \\q, Ctrl-D  leave                    Ctrl-C      stop the statement, clear the line
Tab completes functions, tables, keywords, settings, and paths inside quotes.";

/// Words that begin or join the parts of a statement.
const KEYWORDS: &[&str] = &[
    "ALL",
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "COPY",
    "CREATE",
    "CROSS",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "DROP",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "EXTERNAL",
    "FALSE",
    "FILTER",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "ILIKE",
    "IN",
    "INNER",
    "INSERT",
    "INTERSECT",
    "INTO",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "LOCATION",
    "NOT",
    "NULL",
    "NULLS",
    "OFFSET",
    "ON",
    "OPTIONS",
    "OR",
    "ORDER",
    "OVER",
    "PARTITION",
    "PARTITIONED",
    "RESET",
    "RIGHT",
    "SELECT",
    "SET",
    "SHOW",
    "STORED",
    "TABLE",
    "TABLES",
    "THEN",
    "TO",
    "TRUE",
    "UNION",
    "USING",
    "VALUES",
    "VIEW",
    "WHEN",
    "WHERE",
    "WITH",
];

/// Reads and runs statements until the end of input.
///
/// # Errors
/// [`CliError::Failed`] when the terminal cannot be read. Errors of statements are printed and do
/// not end the prompt.
pub async fn run(
    mut engine: Engine,
    format: Format,
    max_rows: Option<usize>,
) -> Result<(), CliError> {
    let failed = |error: ReadlineError| CliError::Failed(format!("the terminal: {error}"));
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .history_ignore_space(true)
        .max_history_size(MOST_HISTORY)
        .map_err(failed)?
        .auto_add_history(true)
        .build();
    let mut editor: Editor<Assistant, FileHistory> = Editor::with_config(config).map_err(failed)?;
    let words = Arc::new(Mutex::new(Vec::new()));
    editor.set_helper(Some(Assistant {
        words: Arc::clone(&words),
    }));
    let history = history_file(|name| std::env::var_os(name).map(PathBuf::from));
    if let Some(path) = &history {
        // The first time there is none.
        let _ = editor.load_history(path);
    }
    println!(
        "Tamis {}. \\? for help, \\q to leave.",
        env!("CARGO_PKG_VERSION")
    );
    let mut prompt = Prompt {
        format,
        max_rows,
        timing: true,
    };
    loop {
        if let Ok(mut words) = words.lock() {
            *words = words_of(&engine);
        }
        let line = match tokio::task::block_in_place(|| editor.readline(PROMPT)) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(failed(error)),
        };
        if let Some(path) = &history {
            save_history(&mut editor, path);
        }
        match Command::of(&line) {
            Command::Nothing => {}
            Command::Leave => break,
            Command::Help => println!("{HELP}"),
            Command::Timing => {
                prompt.timing = !prompt.timing;
                println!("timing is {}", if prompt.timing { "on" } else { "off" });
            }
            Command::Unknown(name) => {
                eprintln!("error: there is no {name}; \\? shows what there is")
            }
            Command::Tables => {
                let names = table_names(engine.context());
                if names.is_empty() {
                    println!("no tables; a path in quotes is one: SELECT * FROM 'data.parquet';");
                }
                for name in names {
                    println!("{name}");
                }
            }
            Command::Sql(text) => prompt.run(&mut engine, &text).await,
        }
    }
    Ok(())
}

fn save_history(editor: &mut Editor<Assistant, FileHistory>, path: &std::path::Path) {
    // Saved after each line, so that a killed prompt forgets nothing. A history that cannot be
    // kept is no reason to stop.
    if let Some(directory) = path.parent()
        && std::fs::create_dir_all(directory).is_ok()
    {
        let _ = editor.save_history(path);
    }
}

/// `$XDG_STATE_HOME/tamis/history`, else `~/.local/state/tamis/history`.
fn history_file(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|path| path.is_absolute());
    let state =
        set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local").join("state")))?;
    Some(state.join("tamis").join("history"))
}

/// A line of the prompt.
#[derive(Debug, PartialEq, Eq)]
enum Command {
    Nothing,
    Leave,
    Help,
    Timing,
    Tables,
    Unknown(String),
    Sql(String),
}

impl Command {
    fn of(line: &str) -> Self {
        let line = line.trim();
        let bare = line.trim_end_matches(';').trim_end();
        if bare.is_empty() {
            return Self::Nothing;
        }
        if bare.eq_ignore_ascii_case("quit") || bare.eq_ignore_ascii_case("exit") {
            return Self::Leave;
        }
        let Some(command) = bare.strip_prefix('\\') else {
            return Self::Sql(line.to_owned());
        };
        let (name, argument) = command
            .split_once(char::is_whitespace)
            .unwrap_or((command, ""));
        match (name, argument.trim()) {
            ("q", "") => Self::Leave,
            ("?" | "h", "") => Self::Help,
            ("timing", "") => Self::Timing,
            ("d", "") => Self::Tables,
            ("d", table) => Self::Sql(format!("DESCRIBE {}", as_table(table))),
            _ => Self::Unknown(format!("\\{command}")),
        }
    }
}

/// A name as it is, a path in quotes.
fn as_table(name: &str) -> String {
    let quoted = name.starts_with(['\'', '"']);
    let is_name = name
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
        && !std::path::Path::new(name).exists();
    if quoted || is_name {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "''"))
    }
}

struct Prompt {
    format: Format,
    max_rows: Option<usize>,
    timing: bool,
}

impl Prompt {
    /// Runs the statements of a line and shows every result. Ctrl-C stops them.
    async fn run(&mut self, engine: &mut Engine, text: &str) {
        let statements = match split(text, &engine.context().copied_config()) {
            Ok(statements) => statements,
            Err(error) => return eprintln!("error: {}", error.message),
        };
        for statement in &statements {
            let start = Instant::now();
            let shown = tokio::select! {
                shown = self.show(engine, statement) => shown,
                _ = tokio::signal::ctrl_c() => {
                    eprintln!("stopped");
                    return;
                }
            };
            match shown {
                Ok(rows) if self.timing => {
                    let seconds = start.elapsed().as_secs_f64();
                    match rows {
                        Some(1) => println!("1 row in {seconds:.3} s"),
                        Some(rows) => println!("{} rows in {seconds:.3} s", thousands(rows)),
                        None => println!("done in {seconds:.3} s"),
                    }
                }
                Ok(_) => {}
                Err(message) => {
                    eprintln!("error: {message}");
                    return;
                }
            }
        }
    }

    async fn show(
        &self,
        engine: &mut Engine,
        statement: &Numbered,
    ) -> Result<Option<usize>, String> {
        let rows = match engine.run(statement).await? {
            Outcome::Done => return Ok(None),
            Outcome::Rows(rows) => rows,
        };
        let destination = Destination::Stdout;
        let on_terminal = destination.is_terminal();
        let look = Look {
            width: on_terminal.then(super::terminal_width),
            max_rows: most_rows(self.max_rows, on_terminal),
            keeps_lines: statement.is_explain(),
        };
        let format = if self.format.is_binary() && on_terminal {
            Format::Table
        } else {
            self.format
        };
        let sink = destination.open().map_err(|error| error.to_string())?;
        let writer = writer(format, &rows.schema, sink, look).map_err(|error| error.to_string())?;
        match deliver(rows, Some(writer), on_terminal && format != Format::Table).await {
            Ok(written) => {
                let _ = std::io::stdout().flush();
                if written.cut {
                    println!("{}", cut_message(written.rows));
                }
                Ok(Some(written.rows))
            }
            Err(DeliveryError::Output(OutputError::Closed)) => Ok(None),
            Err(error) => Err(message_of(error)),
        }
    }
}

/// Completes words and asks for more lines until a statement is whole.
#[derive(Helper, Hinter, Highlighter)]
struct Assistant {
    words: Arc<Mutex<Vec<String>>>,
}

/// Functions, tables and settings of the session.
fn words_of(engine: &Engine) -> Vec<String> {
    let state = engine.context().state();
    let functions = state
        .scalar_functions()
        .keys()
        .chain(state.aggregate_functions().keys());
    let functions = functions
        .chain(state.window_functions().keys())
        .chain(state.table_functions().keys());
    let mut words: Vec<String> = functions.map(|name| format!("{name}(")).collect();
    words.extend(table_names(engine.context()));
    words.extend(KEYS.iter().map(|(name, _)| format!("tamis.{name}")));
    words.extend(
        state
            .config_options()
            .entries()
            .into_iter()
            .map(|entry| entry.key),
    );
    words.sort();
    words.dedup();
    words
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let words = match self.words.lock() {
            Ok(words) => words.clone(),
            Err(_) => Vec::new(),
        };
        Ok(complete(line, position, &words))
    }
}

/// Where the word under the cursor begins, and what it may become.
fn complete(line: &str, position: usize, words: &[String]) -> (usize, Vec<Pair>) {
    let before = &line[..position];
    if let Scan::Quoted { start } = scan(before) {
        return complete_path(&before[start..], start);
    }
    let start = before
        .rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '\\')))
        .map_or(0, |at| {
            at + before[at..].chars().next().map_or(1, char::len_utf8)
        });
    let word = &before[start..];
    if word.is_empty() {
        return (start, Vec::new());
    }
    let lower = word.to_lowercase();
    let mut pairs: Vec<Pair> = words
        .iter()
        .filter(|candidate| candidate.to_lowercase().starts_with(&lower))
        .map(|candidate| Pair {
            display: candidate.clone(),
            replacement: candidate.clone(),
        })
        .collect();
    let keeps_case = word.chars().any(char::is_lowercase);
    pairs.extend(
        KEYWORDS
            .iter()
            .filter(|keyword| keyword.to_lowercase().starts_with(&lower))
            .map(|keyword| {
                let text = if keeps_case {
                    keyword.to_lowercase()
                } else {
                    (*keyword).to_owned()
                };
                Pair {
                    display: text.clone(),
                    replacement: format!("{text} "),
                }
            }),
    );
    (start, pairs)
}

/// Names in the local directory that a path leads to.
fn complete_path(path: &str, start: usize) -> (usize, Vec<Pair>) {
    if path.contains("://") {
        return (start, Vec::new());
    }
    let (directory, name) = match path.rfind('/') {
        Some(at) => path.split_at(at + 1),
        None => ("", path),
    };
    let listed = std::fs::read_dir(if directory.is_empty() { "." } else { directory });
    let mut pairs: Vec<Pair> = listed
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let mut found = entry.file_name().into_string().ok()?;
            let wanted =
                found.starts_with(name) && (!found.starts_with('.') || name.starts_with('.'));
            if !wanted {
                return None;
            }
            // Through links, so that a linked directory completes as one.
            if entry.path().is_dir() {
                found.push('/');
            }
            // A quote in a name is doubled inside quotes.
            Some(Pair {
                display: found.clone(),
                replacement: found.replace('\'', "''"),
            })
        })
        .collect();
    pairs.sort_by(|a, b| a.display.cmp(&b.display));
    (start + directory.len(), pairs)
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if is_complete(context.input()) {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

/// Whether a line can be run: a command, nothing, or statements up to a semicolon outside of
/// quotes and comments.
fn is_complete(input: &str) -> bool {
    let trimmed = input.trim();
    let is_word = trimmed.eq_ignore_ascii_case("quit") || trimmed.eq_ignore_ascii_case("exit");
    trimmed.is_empty() || trimmed.starts_with('\\') || is_word || scan(input) == Scan::Ended
}

/// What stands at the end of a text.
#[derive(Debug, PartialEq, Eq)]
enum Scan {
    /// A semicolon, and after it only space and comments.
    Ended,
    /// The inside of a quote that begins at this byte.
    Quoted { start: usize },
    /// The inside of a block comment.
    Comment,
    /// Anything else.
    Open,
}

fn scan(text: &str) -> Scan {
    let bytes = text.as_bytes();
    let mut ended = false;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied();
        match byte {
            b'\'' | b'"' => {
                let start = at + 1;
                at = start;
                // A doubled quote closes and opens again, which comes to the same.
                match text[start..].find(char::from(byte)) {
                    Some(length) => at += length + 1,
                    None => return Scan::Quoted { start },
                }
                ended = false;
            }
            b'-' if next == Some(b'-') => {
                at += text[at..].find('\n').unwrap_or(text.len() - at);
            }
            b'/' if next == Some(b'*') => match text[at + 2..].find("*/") {
                Some(length) => at += length + 4,
                None => return Scan::Comment,
            },
            b';' => {
                ended = true;
                at += 1;
            }
            space if space.is_ascii_whitespace() => at += 1,
            _ => {
                ended = false;
                at += 1;
            }
        }
    }
    if ended { Scan::Ended } else { Scan::Open }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_whole_at_its_semicolon() {
        let whole = [
            "SELECT 1;",
            "SELECT ';'; -- done",
            "SELECT 1; /* ; */ ",
            "\\d",
            "",
            "  ",
            "quit",
            "SELECT '中文；';",
        ];
        for text in whole {
            assert!(is_complete(text), "{text}");
        }
        let open = [
            "SELECT 1",
            "SELECT ';",
            "SELECT \"a;",
            "SELECT 1 -- ;",
            "SELECT 1 /* ;",
            "SELECT 1; SELECT 2",
            "SELECT 'it''s;",
        ];
        for text in open {
            assert!(!is_complete(text), "{text}");
        }
    }

    #[test]
    fn words_complete_by_their_beginning() {
        let words: Vec<String> = ["harm(", "harm_score(", "tamis.lexicon", "corpus"]
            .map(str::to_owned)
            .to_vec();
        let texts = |line: &str| {
            let (start, pairs) = complete(line, line.len(), &words);
            (
                start,
                pairs
                    .into_iter()
                    .map(|pair| pair.replacement)
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(
            texts("SELECT har"),
            (7, vec!["harm(".to_owned(), "harm_score(".to_owned()])
        );
        assert_eq!(texts("SET tamis.l"), (4, vec!["tamis.lexicon".to_owned()]));
        assert_eq!(texts("sel"), (0, vec!["select ".to_owned()]));
        assert_eq!(texts("SEL"), (0, vec!["SELECT ".to_owned()]));
        assert_eq!(texts("SELECT * FROM cor"), (14, vec!["corpus".to_owned()]));
        assert_eq!(texts("SELECT 中har"), (7, vec![]));
        assert_eq!(texts("SELECT "), (7, vec![]));
    }

    #[test]
    fn paths_complete_inside_quotes() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("it's.csv"), "").unwrap();
        std::fs::write(directory.path().join("other.csv"), "").unwrap();
        std::fs::create_dir(directory.path().join("items")).unwrap();
        std::fs::write(directory.path().join(".hidden"), "").unwrap();
        let root = directory.path().display();
        let line = format!("SELECT * FROM '{root}/it");
        let (start, pairs) = complete(&line, line.len(), &[]);
        assert_eq!(&line[start..], "it");
        let texts: Vec<_> = pairs.iter().map(|pair| pair.replacement.as_str()).collect();
        assert_eq!(texts, ["it''s.csv", "items/"]);
        let line = format!("SELECT * FROM '{root}/");
        assert_eq!(complete(&line, line.len(), &[]).1.len(), 3);
        let line = "SELECT * FROM 's3://bucket/";
        assert!(complete(line, line.len(), &[]).1.is_empty());
    }

    #[test]
    fn commands_are_told_from_statements() {
        assert_eq!(Command::of(" \\q "), Command::Leave);
        assert_eq!(Command::of("exit;"), Command::Leave);
        assert_eq!(Command::of("\\d"), Command::Tables);
        assert_eq!(
            Command::of("\\d corpus"),
            Command::Sql("DESCRIBE corpus".to_owned())
        );
        assert_eq!(
            Command::of("\\d a/b.csv;"),
            Command::Sql("DESCRIBE 'a/b.csv'".to_owned())
        );
        assert_eq!(Command::of("\\x"), Command::Unknown("\\x".to_owned()));
        assert_eq!(Command::of(";"), Command::Nothing);
        assert_eq!(
            Command::of("SELECT 1;"),
            Command::Sql("SELECT 1;".to_owned())
        );
    }

    #[test]
    fn the_history_lies_in_the_state_directory() {
        let from = |pairs: &'static [(&'static str, &'static str)]| {
            history_file(|name| {
                pairs
                    .iter()
                    .find(|pair| pair.0 == name)
                    .map(|pair| PathBuf::from(pair.1))
            })
        };
        assert_eq!(
            from(&[("XDG_STATE_HOME", "/s"), ("HOME", "/h")]),
            Some("/s/tamis/history".into())
        );
        assert_eq!(
            from(&[("HOME", "/h")]),
            Some("/h/.local/state/tamis/history".into())
        );
        assert_eq!(from(&[("XDG_STATE_HOME", "relative")]), None);
    }
}
