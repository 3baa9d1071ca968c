//! `tamis sql` as a person or a script calls it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// The command in this directory, with nothing of the caller's settings.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tamis"));
        command
            .arg("sql")
            .args(arguments)
            .current_dir(self.path())
            .stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("TAMIS_") || name.starts_with("AWS_") {
                command.env_remove(&*name);
            }
        }
        command
            .env("HOME", self.path())
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }

    fn sql(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }

    fn sql_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        Ran::from(child.wait_with_output().unwrap())
    }
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ran {
    /// The output of a command that must have worked.
    fn done(self) -> String {
        assert_eq!(self.code, 0, "{}", self.err);
        self.out
    }

    /// The message of a command that must have failed with this code.
    fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        assert!(self.err.starts_with("error: "), "{}", self.err);
        self.err
    }
}

const CSV: &str = "id,text,lang\n1,hello,en\n2,你好,zh\n3,,en\n";

#[test]
fn a_path_in_quotes_is_a_table_in_every_format() {
    let place = Place::new();
    place.write("t.csv", CSV);
    let query = "SELECT id, text FROM 't.csv' ORDER BY id";
    let table = place.sql(&[query]).done();
    assert!(
        table.contains("│  1 ┆ hello │") && table.contains("│  3 ┆ NULL  │"),
        "{table}"
    );
    assert_eq!(
        place.sql(&[query, "--format", "csv"]).done(),
        "id,text\n1,hello\n2,你好\n3,\n"
    );
    assert_eq!(
        place.sql(&[query, "--format", "ndjson"]).done(),
        "{\"id\":1,\"text\":\"hello\"}\n{\"id\":2,\"text\":\"你好\"}\n{\"id\":3,\"text\":null}\n"
    );
    let json: serde_json::Value =
        serde_json::from_str(&place.sql(&[query, "--format", "json"]).done()).unwrap();
    assert_eq!(json[1]["text"], "你好");
    let markdown = place.sql(&[query, "--format", "markdown"]).done();
    assert!(
        markdown.starts_with("| id | text |\n| ---: | --- |\n| 1 | hello |\n"),
        "{markdown}"
    );
    assert!(
        place
            .sql(&[query, "--format", "html"])
            .done()
            .contains("<td>你好</td>")
    );
    for name in [
        "out.parquet",
        "out.arrow",
        "out.ndjson",
        "out.json",
        "out.csv",
    ] {
        place.sql(&[query, "-o", name]).done();
        let back = format!("SELECT id, text FROM '{name}' ORDER BY id");
        assert_eq!(
            place.sql(&[&back, "--format", "csv"]).done(),
            "id,text\n1,hello\n2,你好\n3,\n",
            "{name}"
        );
    }
    let piped = place
        .command(&[query, "--format", "parquet"])
        .output()
        .unwrap();
    assert!(piped.stdout.starts_with(b"PAR1") && piped.stdout.ends_with(b"PAR1"));
}

#[test]
fn the_functions_are_there() {
    let place = Place::new();
    let query = "SELECT license_id('GPL-2.0+') AS a, license_check('CC-BY-4.0')['verdict'] AS b, \
                 normalize_text('ＡＢ') AS c";
    assert_eq!(
        place.sql(&[query, "--format", "csv"]).done(),
        "a,b,c\nGPL-2.0-or-later,allow,ab\n"
    );
    let query = "select source_verdict(value <= 50)['verdict'] a, \
                 source_verdict(value <= 51)['verdict'] b from generate_series(1, 1000)";
    assert_eq!(
        place.sql(&[query, "--format", "csv"]).done(),
        "a,b\naccept,reject\n"
    );
}

#[test]
fn of_several_statements_the_last_result_is_written() {
    let place = Place::new();
    place.write("t.csv", CSV);
    let text = "CREATE VIEW v AS SELECT * FROM 't.csv';\nSELECT 'not this';\n\
                SELECT count(*) AS n FROM v;\nSET datafusion.execution.batch_size = 100;";
    place.write("q.sql", text);
    assert_eq!(
        place.sql(&["-f", "q.sql", "--format", "csv"]).done(),
        "n\n3\n"
    );
    assert_eq!(
        place.sql_with_input(&["-", "--format", "csv"], text).done(),
        "n\n3\n"
    );
    assert_eq!(
        place.sql_with_input(&["--format", "csv"], text).done(),
        "n\n3\n"
    );
}

#[test]
fn an_error_names_statement_and_line() {
    let place = Place::new();
    place.write("q.sql", "SELECT 1;\n\nSELECT nope\nFROM (SELECT 2 AS n);");
    let error = place.sql(&["-f", "q.sql", "-o", "out.csv"]).failed(1);
    assert!(
        error.contains("statement 2 (line 3): ") && error.contains("nope"),
        "{error}"
    );
    assert!(!place.path().join("out.csv").exists());
    let error = place.sql(&["SELECT 1; SELEC 2"]).failed(1);
    assert!(
        error.contains("statement 2 (line 1): ") && error.contains("SELEC"),
        "{error}"
    );
    let error = place.sql(&["SELECT * FROM corpsu"]).failed(1);
    assert!(
        error.contains("no table 'corpsu'; to read a file"),
        "{error}"
    );
    let error = place.sql(&["SELECT * FROM 'missing.parquet'"]).failed(1);
    assert!(
        error.contains("missing.parquet: no such file or directory"),
        "{error}"
    );
    place.write("t.csv", CSV);
    let error = place
        .sql(&["SELECT id / 0 FROM 't.csv'", "-o", "out.csv"])
        .failed(1);
    assert!(error.contains("Divide by zero"), "{error}");
    assert_eq!(
        std::fs::read_dir(place.path()).unwrap().count(),
        2,
        "a partial file is left"
    );
}

#[test]
fn wrong_flags_and_settings_end_with_two() {
    let place = Place::new();
    let error = place
        .sql(&["SELECT 1", "--set", "tamis.lexicn=x"])
        .failed(2);
    assert!(error.contains("did you mean 'tamis.lexicon'?"), "{error}");
    let error = place
        .sql(&["SELECT 1", "--set", "datafusion.execution.batch_siz=1"])
        .failed(2);
    assert!(
        error.contains("did you mean 'datafusion.execution.batch_size'?"),
        "{error}"
    );
    let error = place
        .sql(&["SELECT 1", "--set", "datafusion.execution.batch_size=many"])
        .failed(2);
    assert!(error.contains("does not take 'many'"), "{error}");
    let error = place
        .sql(&["SELECT 1", "--set", "lexicon=missing.csv"])
        .failed(2);
    assert!(error.contains("missing.csv"), "{error}");
    let error = place.sql(&["", "--format", "csv"]).failed(2);
    assert!(error.contains("no statement"), "{error}");
    let error = place
        .sql(&["CREATE VIEW v AS SELECT 1", "-o", "x.csv"])
        .failed(2);
    assert!(error.contains("no statement has a result"), "{error}");
    let error = place
        .sql(&["SELECT 1", "-o", "s3://bucket/x.csv"])
        .failed(2);
    assert!(error.contains("COPY"), "{error}");
    assert_eq!(place.sql(&["SELECT 1", "--format", "xls"]).code, 2);
    assert_eq!(place.sql(&["SELECT 1", "-f", "q.sql"]).code, 2);
    assert_eq!(place.sql(&["-f", "missing.sql"]).code, 2);
}

#[test]
fn settings_come_from_flag_environment_and_file() {
    let place = Place::new();
    place.write(
        "tamis.toml",
        "[policy]\npurpose = 'from-file'\nuse = 'train-research'\n[print]\nformat = 'csv'\n",
    );
    let show = "SHOW tamis.purpose";
    assert_eq!(
        place.sql(&[show]).done(),
        "name,value\ntamis.purpose,from-file\n"
    );
    let out = place
        .command(&[show])
        .env("TAMIS_PURPOSE", "from-environment")
        .output()
        .unwrap();
    assert_eq!(
        Ran::from(out).done(),
        "name,value\ntamis.purpose,from-environment\n"
    );
    let out = place
        .command(&[show, "--set", "tamis.purpose=from-flag"])
        .env("TAMIS_PURPOSE", "from-environment")
        .output()
        .unwrap();
    assert_eq!(
        Ran::from(out).done(),
        "name,value\ntamis.purpose,from-flag\n"
    );
    let out = place
        .command(&[show])
        .env("TAMIS_LEXCON", "x")
        .output()
        .unwrap();
    assert!(
        Ran::from(out)
            .failed(2)
            .contains("did you mean TAMIS_LEXICON?")
    );
    place.write("tamis.toml", "[resources]\nlexicn = 'x'\n");
    assert!(
        place
            .sql(&[show])
            .failed(2)
            .contains("did you mean 'lexicon'?")
    );
}

#[test]
fn set_loads_another_resource_and_a_bad_one_changes_nothing() {
    let place = Place::new();
    let head = "term,risk,weight,match,lang,variants,note\n";
    place.write(
        "words.csv",
        &format!("{head}blorptangle,A1a,1.0,auto,en,,\n"),
    );
    place.write(
        "bad.csv",
        &format!("{head}blorptangle,no-such-risk,1.0,auto,en,,\n"),
    );
    let asked = "SELECT is_harmful('a blorptangle here') AS h";
    let harmful = |text: &str| place.sql(&[text, "--format", "csv"]);
    assert_eq!(harmful(asked).done(), "h\nfalse\n");
    assert_eq!(
        harmful(&format!("SET tamis.lexicon = 'words.csv'; {asked}")).done(),
        "h\ntrue\n"
    );
    assert_eq!(
        harmful(&format!(
            "SET tamis.lexicon = 'words.csv'; RESET tamis.lexicon; {asked}"
        ))
        .done(),
        "h\nfalse\n"
    );
    assert_eq!(
        harmful("SET tamis.lexicon = 'words.csv'; SHOW tamis.lexicon").done(),
        "name,value\ntamis.lexicon,words.csv\n"
    );
    let error = harmful(&format!(
        "SELECT 1;\nSET tamis.lexicon = 'bad.csv'; {asked}"
    ))
    .failed(1);
    assert!(
        error.contains("statement 2 (line 2): ") && error.contains("line 2"),
        "{error}"
    );
    let error = harmful("SET tamis.lexcon = 'words.csv'").failed(1);
    assert!(error.contains("did you mean 'tamis.lexicon'?"), "{error}");
    let error = harmful("SELECT consent_status('x')").failed(1);
    assert!(error.contains("tamis.consent"), "{error}");
}

#[test]
fn a_table_says_when_it_is_cut_and_other_formats_are_whole() {
    let place = Place::new();
    let query = "SELECT value FROM generate_series(1, 20000)";
    let cut = place.sql(&[query]);
    assert!(
        cut.err.contains("the first 10,000 rows; there are more"),
        "{}",
        cut.err
    );
    assert_eq!(cut.code, 0);
    assert_eq!(cut.out.lines().count(), 10_004);
    let cut = place.sql(&[query, "--max-rows", "5"]);
    assert!(cut.err.contains("the first 5 rows"), "{}", cut.err);
    let whole = place.sql(&[query, "--max-rows", "0"]);
    assert_eq!(
        (whole.err.as_str(), whole.out.lines().count()),
        ("", 20_004)
    );
    assert_eq!(
        place
            .sql(&[query, "--format", "csv"])
            .done()
            .lines()
            .count(),
        20_001
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::new();
    let query = "SELECT value, repeat('x', 1000) FROM generate_series(1, 300000)";
    for format in [
        "csv", "ndjson", "arrow", "parquet", "json", "html", "markdown",
    ] {
        let mut child = place
            .command(&[query, "--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{format}");
    }
}

#[test]
fn a_result_is_an_explained_plan_too() {
    let place = Place::new();
    place.write("t.csv", CSV);
    let plan = place
        .sql(&["EXPLAIN SELECT count(*) FROM 't.csv' WHERE lang = 'en'"])
        .done();
    assert!(
        plan.contains("DataSourceExec") && !plan.contains("\\n"),
        "{plan}"
    );
    let described = place.sql(&["DESCRIBE 't.csv'", "--format", "csv"]).done();
    assert!(described.contains("id,Int64,YES"), "{described}");
}

#[test]
fn without_credentials_a_bucket_says_what_to_give() {
    let place = Place::new();
    let error = place
        .sql(&["SELECT * FROM 's3://bucket/x.parquet'"])
        .failed(1);
    assert!(
        error.contains("no credentials found. Give AWS_ACCESS_KEY_ID"),
        "{error}"
    );
    let error = place
        .sql(&["SELECT 1 FROM 's3://bucket/x.parquet'", "--profile", "work"])
        .failed(1);
    assert!(error.contains("profile 'work': no such profile"), "{error}");
    assert_eq!(place.sql(&["SELECT 1", "--access-key-id", "A"]).code, 2);
}

#[test]
fn a_file_with_another_name_is_replaced_whole() {
    let place = Place::new();
    place.write("out.csv", "old");
    place.sql(&["SELECT 1 AS n", "-o", "out.csv"]).done();
    assert_eq!(place.read("out.csv"), "n\n1\n");
    let error = place
        .sql(&["SELECT 1 AS n", "-o", "no/such/out.csv"])
        .failed(1);
    assert!(error.contains("no/such"), "{error}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_and_leaves_no_file() {
    let place = Place::new();
    let query = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b \
                 WHERE a.value * b.value % 7 = 3";
    let child = place
        .command(&[query, "-o", "out.csv"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert!(ran.failed(1).contains("stopped by Ctrl-C"));
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}
