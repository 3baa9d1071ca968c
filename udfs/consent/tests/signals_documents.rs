//! The conformance tables of TDMRep, RSL, C2PA and the head of a page: every row runs, and the
//! pages under `docs/opt-out` show the same rows. `TAMIS_REWRITE_DOCS=1` rewrites the pages.

use std::path::{Path, PathBuf};

use tamis_consent::signals::{
    HtmlSignals, TdmRules, c2pa_training, html_signals, rsl_allowed, rsl_permission, tdm,
    tdm_reserved,
};
use toml::{Table, Value};

struct Row(Table);

impl Row {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.as_str().expect(name))
    }

    fn text(&self, name: &str) -> &str {
        self.get(name)
            .unwrap_or_else(|| panic!("{name} is missing in {:?}", self.0))
    }
}

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn rows(table: &str) -> Vec<Row> {
    let path = file(&format!("tests/signals/{table}.toml"));
    let text = std::fs::read_to_string(&path).expect("the table");
    let mut document: Table = text.parse().expect("TOML");
    let Some(Value::Array(rows)) = document.remove("row") else {
        panic!("no rows in {}", path.display());
    };
    let rows: Vec<Row> = rows
        .into_iter()
        .map(|row| match row {
            Value::Table(row) => Row(row),
            _ => panic!("a row is a table"),
        })
        .collect();
    assert!(rows.len() >= 30, "{table} has only {} rows", rows.len());
    rows
}

/// Runs all rows and names every one that fails.
fn check(table: &str, run: impl Fn(&Row) -> String, expected: impl Fn(&Row) -> String) {
    let failures: Vec<String> = rows(table)
        .iter()
        .filter_map(|row| {
            let (found, expected) = (run(row), expected(row));
            (found != expected).then(|| format!("{:?}\n  found {found}", row.0))
        })
        .collect();
    assert!(failures.is_empty(), "{table}:\n{}", failures.join("\n"));
}

/// The page of a table: its prose, kept, and the rows.
fn check_page(page: &str, table: &str, columns: &[&str], cell: impl Fn(&Row, &str) -> String) {
    const MARK: &str = "<!-- rows -->\n";
    let path = file(&format!("../../docs/opt-out/{page}.md"));
    let text = std::fs::read_to_string(&path).expect("the page");
    let (prose, _) = text.split_once(MARK).expect("a mark before the rows");
    let mut wanted = format!("{prose}{MARK}\n| section | ");
    wanted.push_str(&columns.join(" | "));
    wanted.push_str(" | expected | |\n|---|");
    wanted.push_str(&"---|".repeat(columns.len() + 2));
    for row in rows(table) {
        let mut cells = vec![row.text("section").to_owned()];
        cells.extend(columns.iter().map(|column| cell(&row, column)));
        cells.push(match &row.0["expected"] {
            Value::Array(lines) if lines.is_empty() => "nothing".to_owned(),
            Value::Array(lines) => {
                let lines = lines.iter().map(|line| code(line.as_str().expect("text")));
                lines.collect::<Vec<_>>().join("<br>")
            }
            value => value.as_str().expect("text").to_owned(),
        });
        cells.push(row.text("note").to_owned());
        wanted.push_str(&format!("\n| {} |", cells.join(" | ")));
    }
    wanted.push('\n');
    if std::env::var_os("TAMIS_REWRITE_DOCS").is_some() {
        std::fs::write(&path, wanted).expect("the page is written");
    } else {
        let hint = "run with TAMIS_REWRITE_DOCS=1";
        assert!(
            text == wanted,
            "{} is not {table}.toml: {hint}",
            path.display()
        );
    }
}

/// A code span in a table's cell.
fn code(text: &str) -> String {
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let mut shown = String::new();
    for c in text.chars() {
        match c {
            '|' => shown.push_str("\\|"),
            c if c.is_control() => shown.extend(c.escape_default()),
            c => shown.push(c),
        }
    }
    format!("`{shown}`")
}

fn code_or_nothing(row: &Row, column: &str) -> String {
    row.get(column).map_or_else(String::new, code)
}

fn expected(row: &Row) -> String {
    row.text("expected").to_owned()
}

const URL: &str = "https://provider.com/page";

#[test]
fn tdm_rows() {
    let run = |row: &Row| {
        let (headers, html) = (row.get("headers"), row.get("html"));
        let (well_known, url) = (row.get("well_known"), row.get("url").unwrap_or(URL));
        let found = tdm(headers, html, well_known, url);
        assert_eq!(
            tdm_reserved(headers, html, well_known, url),
            found.as_ref().map(|found| found.reserved)
        );
        let Some(found) = found else {
            return "none".to_owned();
        };
        let word = if found.reserved { "reserved" } else { "open" };
        let policy = found.policy.map(|policy| format!(", policy {policy}"));
        format!(
            "{word} via {}{}",
            found.via.as_str(),
            policy.unwrap_or_default()
        )
    };
    check("tdm", run, expected);
    let columns = ["headers", "html", "well_known", "url"];
    check_page("tdmrep", "tdm", &columns, code_or_nothing);
}

#[test]
fn tdm_rules_read_once_say_the_same() {
    for row in rows("tdm") {
        let Some(file) = row.get("well_known") else {
            continue;
        };
        let url = row.get("url").unwrap_or(URL);
        let rules = TdmRules::parse(file.as_bytes());
        assert_eq!(rules.reserved(url), tdm(None, None, Some(file), url));
        if rules.is_malformed() {
            assert!(rules.reserved("/anything").expect("a reading").reserved);
        }
    }
    assert!(TdmRules::parse(b"[{\"location\": \"/\xff\"}]").is_malformed());
}

fn rsl_document(row: &Row) -> String {
    match row.get("xml") {
        Some(xml) => format!("<rsl xmlns=\"https://rslstandard.org/rsl\">{xml}</rsl>"),
        None => row.text("document").to_owned(),
    }
}

#[test]
fn rsl_rows() {
    let run = |row: &Row| {
        let xml = rsl_document(row);
        let url = row.get("url").unwrap_or(URL);
        let usage = row.get("usage").unwrap_or("ai-train");
        let found = rsl_permission(&xml, url, usage);
        let allowed = found.map(|found| found.as_str() == "allowed");
        assert_eq!(rsl_allowed(&xml, url, usage), allowed);
        found.map_or("none", |found| found.as_str()).to_owned()
    };
    check("rsl", run, expected);
    let columns = ["document", "url", "usage"];
    check_page("rsl", "rsl", &columns, |row, column| match column {
        "document" => code(row.get("xml").unwrap_or_else(|| row.text("document"))),
        _ => code_or_nothing(row, column),
    });
}

#[test]
fn c2pa_rows() {
    let run = |row: &Row| {
        let found = c2pa_training(row.text("input"));
        found.map_or("none", |found| found.as_str()).to_owned()
    };
    check("c2pa", run, expected);
    check_page("c2pa", "c2pa", &["input"], code_or_nothing);
}

fn lines(signals: HtmlSignals) -> Vec<String> {
    let robots = signals.robots.iter();
    let mut lines: Vec<String> = robots
        .map(|(name, content)| format!("robots: {name} = {content}"))
        .collect();
    let named = |name, values: Vec<String>| {
        values
            .into_iter()
            .map(move |value| format!("{name}: {value}"))
    };
    lines.extend(named(
        "tdm_reservation",
        Vec::from_iter(signals.tdm_reservation),
    ));
    lines.extend(named("tdm_policy", Vec::from_iter(signals.tdm_policy)));
    lines.extend(named("rsl_link", signals.rsl_links));
    lines.extend(named("rsl_inline", signals.rsl_inline));
    lines.extend(named("content_usage", signals.content_usage));
    lines.extend(signals.truncated.then(|| "truncated".to_owned()));
    lines
}

#[test]
fn html_rows() {
    let run = |row: &Row| format!("{:?}", lines(html_signals(row.text("html").as_bytes())));
    let expected = |row: &Row| {
        let lines = row.0["expected"].as_array().expect("a list").iter();
        let lines: Vec<&str> = lines.map(|line| line.as_str().expect("text")).collect();
        format!("{lines:?}")
    };
    check("html", run, expected);
    check_page("html", "html", &["html"], code_or_nothing);
}
