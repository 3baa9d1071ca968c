//! COLD, a set of labelled Chinese comments (Deng et al., 2022) that is not part of the project:
//! read where it lies beside it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// One comment.
#[derive(Debug, Clone)]
pub struct Comment {
    /// `race`, `gender` or `region`.
    pub topic: String,
    /// Whether it is labelled offensive.
    pub offensive: bool,
    pub text: String,
}

/// The folder: `TAMIS_COLD`, or `../shared/data/cold` beside the project; `None`, said on standard
/// error, where it is absent.
pub fn folder() -> Option<PathBuf> {
    let folder = match std::env::var_os("TAMIS_COLD") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/cold"),
    };
    if folder.join("dev.csv").is_file() {
        return Some(folder);
    }
    eprintln!("SKIPPED: no COLD data in {}", folder.display());
    None
}

fn read(path: &Path) -> Vec<Comment> {
    let bytes = std::fs::read(path).expect("the file reads");
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers().expect("a header").clone();
    let column = |name: &str| header.iter().position(|known| known == name).expect(name);
    let (topic, label, text) = (column("topic"), column("label"), column("TEXT"));
    let record = |record: csv::Result<csv::StringRecord>| {
        let record = record.expect("a record");
        Comment {
            topic: record[topic].to_owned(),
            offensive: &record[label] == "1",
            text: record[text].to_owned(),
        }
    };
    reader.records().map(record).collect()
}

/// The two parts, train and dev, each text once, and none of dev that stands in train.
pub fn train_and_dev(folder: &Path) -> (Vec<Comment>, Vec<Comment>) {
    let mut seen = HashSet::new();
    let mut once = |comment: &Comment| seen.insert(comment.text.clone());
    let mut train = read(&folder.join("train.csv"));
    train.retain(&mut once);
    let mut dev = read(&folder.join("dev.csv"));
    dev.retain(&mut once);
    (train, dev)
}
