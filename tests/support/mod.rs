//! What the command tests share: running the binary, making corpora, comparing outputs.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

/// The folder of the project.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The command, in the project's folder, with nothing of the caller's S3 or Tamis settings.
pub fn tamis() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tamis"));
    command.current_dir(project());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("AWS_")
            || (text.starts_with("TAMIS_") && !text.starts_with("TAMIS_TEST_"))
        {
            command.env_remove(&name);
        }
    }
    command
}

/// Says that a test did not run, and writes it down for `tests/run.sh`.
pub fn skipped(test: &str, why: &str) {
    eprintln!("SKIPPED {test}: {why}; tests/run.sh starts one");
    if let Ok(file) = std::env::var("TAMIS_TEST_SKIPPED_FILE") {
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(file)
            .unwrap();
        writeln!(file, "{test}").unwrap();
    }
}

/// Runs with arguments and gives the exit code, standard output and standard error.
pub fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = tamis().args(arguments).output().expect("the binary runs");
    parts(&output)
}

pub fn parts(output: &Output) -> (i32, String, String) {
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// Runs and demands an exit code.
#[track_caller]
pub fn run_ok(arguments: &[&str], code: i32) -> String {
    let (found, stdout, stderr) = run(arguments);
    assert_eq!(found, code, "tamis {arguments:?}\n{stdout}\n{stderr}");
    stdout
}

/// One CSV value: the first of the first row.
#[track_caller]
pub fn query(sql: &str) -> String {
    let text = run_ok(&["sql", "--format", "csv", sql], 0);
    text.lines().nth(1).unwrap_or_default().to_owned()
}

/// Runs the quickstart into `output`.
#[track_caller]
pub fn quickstart(output: &Path) -> String {
    run_ok(
        &[
            "run",
            "examples/quickstart/job.toml",
            "--output",
            path(output),
        ],
        0,
    )
}

pub fn path(path: &Path) -> &str {
    path.to_str().expect("a test path is UTF-8")
}

/// Every file below a folder, relative name to bytes.
pub fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("folder reads") {
            let entry = entry.expect("entry reads").path();
            if entry.is_dir() {
                folders.push(entry);
            } else {
                let name = entry
                    .strip_prefix(root)
                    .expect("below root")
                    .to_str()
                    .expect("UTF-8")
                    .to_owned();
                found.insert(name, std::fs::read(&entry).expect("file reads"));
            }
        }
    }
    found
}

/// A corpus in a temporary folder with a source registry and a job file.
pub struct Corpus {
    pub folder: tempfile::TempDir,
}

impl Corpus {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        std::fs::create_dir(folder.path().join("corpus")).expect("corpus folder");
        let corpus = Self { folder };
        corpus.write(
            "sources.csv",
            "source_id,acquisition_mode,origin_region,license,license_evidence_uri,license_evidence_sha256,contract_id,contract_valid_from,contract_valid_to,commitment_source,commitment_quality,commitment_security,audit_status,audit_date,crawl_record_uri,authorization_record_uri,is_link_list,gen_model,gen_model_version,vertical\n\
             books,open_source,cn,MIT,evidence/books.txt,0000000000000000000000000000000000000000000000000000000000000000,,,,,,,,,,,false,,,\n",
        );
        corpus
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.at(name), text).expect("file writes");
    }

    /// Writes `corpus/<name>` in row groups of `group` rows.
    pub fn parquet(&self, name: &str, columns: Vec<(&str, ArrayRef)>, group: usize) {
        let batch = RecordBatch::try_from_iter(columns).expect("columns fit");
        let file = std::fs::File::create(self.at("corpus").join(name)).expect("file opens");
        let properties = WriterProperties::builder()
            .set_max_row_group_row_count(Some(group))
            .build();
        let mut writer =
            ArrowWriter::try_new(file, batch.schema(), Some(properties)).expect("writer");
        writer.write(&batch).expect("rows write");
        writer.close().expect("file closes");
    }

    /// `rows` clean rows of the source `books` in `corpus/<name>`.
    pub fn clean(&self, name: &str, rows: usize, group: usize) {
        let text: Vec<String> = (0..rows)
            .map(|row| format!("A plain sentence, number {row} of {name}."))
            .collect();
        self.parquet(
            name,
            vec![
                ("body", strings(text)),
                ("source", same("books", rows)),
                ("license", same("MIT", rows)),
            ],
            group,
        );
    }

    /// A job file over the corpus; `more` is appended.
    pub fn job(&self, more: &str) -> String {
        let text = format!(
            "[corpus]\nuri = \"{corpus}\"\ncolumns = {{ text = \"body\", source = \"source\", license = \"license\" }}\n\
             [policy]\nas_of = \"2026-11-01\"\n[resources]\nsources = \"{sources}\"\n[output]\nuri = \"{out}\"\n{more}",
            corpus = path(&self.at("corpus")),
            sources = path(&self.at("sources.csv")),
            out = path(&self.at("out")),
        );
        self.write("job.toml", &text);
        path(&self.at("job.toml")).to_owned()
    }

    /// Runs the job; exit code, standard output, standard error.
    pub fn run(&self, more: &str, arguments: &[&str]) -> (i32, String, String) {
        let job = self.job(more);
        let mut all = vec!["run", job.as_str()];
        all.extend(arguments);
        run(&all)
    }

    /// Rows of a folder of the output.
    pub fn count(&self, folder: &str) -> u64 {
        query(&format!(
            "select count(*) from '{}/'",
            path(&self.at("out").join(folder))
        ))
        .parse()
        .expect("a number")
    }
}

pub fn strings<T: AsRef<str>>(values: Vec<T>) -> ArrayRef {
    Arc::new(
        values
            .iter()
            .map(|value| Some(value.as_ref()))
            .collect::<StringArray>(),
    )
}

pub fn same(value: &str, rows: usize) -> ArrayRef {
    Arc::new(StringArray::from(vec![value; rows]))
}
