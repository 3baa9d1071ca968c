//! From a path as a person writes it to the files it means: one file, a directory, or a glob,
//! local or in a bucket.
//!
//! Globs are those of a shell: `*`, `?` and `[…]` stay within one directory, `**` crosses
//! directories. Below the fixed part of a path, names that begin with `_` or `.` are no data
//! (markers, receipts, temporary files) unless the path names them; `_name=value` is a partition.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use glob::{MatchOptions, Pattern};
use object_store::path::{Path, PathPart};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use url::Url;

use super::problems::{StoreProblem, diagnose, explain, explain_head};
use super::stores::{Location, StoreError, Stores};

/// Names looked at when searching a near one for a message.
const MOST_NAMES_FOR_A_HINT: usize = 1_000;

/// Wildcards stay within one directory, as in a shell.
const AS_A_SHELL: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// Why a path does not lead to files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FilesError {
    /// Nothing is there.
    #[error("{uri}: no such file or directory{hint}")]
    NotFound {
        /// The path as given.
        uri: String,
        /// What is near it; empty, or begins with punctuation.
        hint: String,
    },
    /// The glob matches nothing.
    #[error("{uri}: nothing matches{hint}")]
    NoMatch {
        /// The path as given.
        uri: String,
        /// How far it leads; empty, or begins with punctuation.
        hint: String,
    },
    /// The directory holds no file.
    #[error("{uri}: the directory is empty{hint}")]
    EmptyDirectory {
        /// The path as given.
        uri: String,
        /// Whether there are hidden files; empty, or begins with punctuation.
        hint: String,
    },
    /// The glob does not parse.
    #[error("{uri}: not a usable pattern ({message})")]
    BadPattern {
        /// The path as given.
        uri: String,
        /// What the parser says.
        message: String,
    },
    /// The store failed; the message says what and what to do.
    #[error("{0}")]
    Store(String),
    /// The path is no address.
    #[error(transparent)]
    Address(#[from] StoreError),
}

/// The files a path means.
#[derive(Debug, Clone)]
pub struct FoundFiles {
    /// The store that holds them.
    pub store: Arc<dyn ObjectStore>,
    /// `file:///` or `s3://bucket/`.
    pub store_url: Url,
    /// The part of the path before the first wildcard, or the directory; directories below it
    /// can be partitions. For a single file its own directory.
    pub root: Path,
    /// The files, ordered by path.
    pub files: Vec<ObjectMeta>,
    /// Whether the path names exactly one file, so that nothing about it is guessed.
    pub single: bool,
}

impl FoundFiles {
    /// The address of one of the files, as a person would write it.
    pub fn address(&self, path: &Path) -> String {
        address(&self.store_url, path)
    }

    /// The names of the directories between the root and a file.
    pub fn directories_below_root(&self, path: &Path) -> Vec<String> {
        let mut names: Vec<String> = names_below(&self.root, path);
        names.pop();
        names
    }
}

/// The address of a key in a store, as a person would write it.
fn address(store_url: &Url, path: &Path) -> String {
    match (store_url.scheme(), store_url.host_str()) {
        ("file", _) => format!("/{path}"),
        (scheme, host) => format!("{scheme}://{}/{path}", host.unwrap_or_default()),
    }
}

/// Whether some name of `path` below `root` begins with `_` or `.` and is no partition.
pub fn is_hidden_below(root: &Path, path: &Path) -> bool {
    names_below(root, path).iter().any(|name| is_hidden(name))
}

fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || (name.starts_with('_') && !name.contains('='))
}

fn names_below(root: &Path, path: &Path) -> Vec<String> {
    let below = if root.as_ref().is_empty() {
        Some(path.as_ref())
    } else {
        path.as_ref()
            .strip_prefix(root.as_ref())
            .and_then(|rest| rest.strip_prefix('/'))
    };
    let below = below.unwrap_or_default();
    below
        .split('/')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Lists what `uri` means: a file, all files of a directory and its directories, or what a glob
/// matches (a matched directory stands for all its files). At least one file is returned.
///
/// # Errors
/// When nothing is there, with what is near; when the store refuses or cannot be reached.
pub async fn find_files(stores: &Stores, uri: &str) -> Result<FoundFiles, FilesError> {
    if has_wildcard(uri) && !names_existing_file(uri) {
        return find_matches(stores, uri).await;
    }
    let location = stores.locate(uri)?;
    let asked_for_directory = location.url.path().ends_with('/');
    if !asked_for_directory {
        match location.store.head(&location.path).await {
            Ok(file) => {
                return Ok(FoundFiles {
                    store_url: location.store_url(),
                    store: location.store,
                    root: parent(&location.path),
                    files: vec![file],
                    single: true,
                });
            }
            // A bucket has no directories: the name may still begin others. Where listing is
            // allowed and reading this name is not, listing finds out.
            Err(error) if diagnose(&error) == StoreProblem::NoSuchObject => {}
            Err(error) => {
                let store = location.store.as_ref();
                return Err(FilesError::Store(
                    explain_head(&error, store, &location.path, uri).await,
                ));
            }
        }
    }
    if location.local.as_ref().is_some_and(|path| !path.exists()) {
        return Err(not_found(&location, uri).await);
    }
    let files = list_below(&location.store, &location.path, uri).await?;
    if files.is_empty() {
        if location.local.is_none() {
            return Err(not_found(&location, uri).await);
        }
        let hidden = location
            .store
            .list(Some(&location.path))
            .try_next()
            .await
            .is_ok_and(|first| first.is_some());
        return Err(FilesError::EmptyDirectory {
            uri: uri.to_owned(),
            hint: if hidden {
                ": all its names begin with _ or ., which are not read unless named".to_owned()
            } else {
                String::new()
            },
        });
    }
    Ok(FoundFiles {
        store_url: location.store_url(),
        store: location.store,
        root: location.path,
        files,
        single: false,
    })
}

/// Whether the path holds a wildcard.
pub fn has_wildcard(uri: &str) -> bool {
    uri.contains(['*', '?', '['])
}

/// A local file may have a name that looks like a glob.
fn names_existing_file(uri: &str) -> bool {
    super::stores::split_scheme(uri).is_none() && std::path::Path::new(uri).exists()
}

async fn find_matches(stores: &Stores, uri: &str) -> Result<FoundFiles, FilesError> {
    // Everything up to the last slash before the first wildcard is fixed.
    let first = uri.find(['*', '?', '[']).unwrap_or(uri.len());
    let scheme_end = uri.find("://").map_or(0, |at| at + 3);
    let cut = uri[..first]
        .rfind('/')
        .map_or(0, |at| at + 1)
        .max(scheme_end);
    let (fixed, pattern) = uri.split_at(cut);
    let location = match fixed {
        "" => stores.locate("./")?,
        _ if cut == scheme_end && cut != 0 => {
            return Err(FilesError::BadPattern {
                uri: uri.to_owned(),
                message: "the bucket cannot hold a wildcard".to_owned(),
            });
        }
        fixed => stores.locate(fixed)?,
    };
    let mut segments = Vec::new();
    for segment in pattern.split('/').filter(|segment| !segment.is_empty()) {
        segments.push(
            Pattern::new(segment).map_err(|error| FilesError::BadPattern {
                uri: uri.to_owned(),
                message: error.msg.to_owned(),
            })?,
        );
    }
    let mut files = matches_below(&location.store, &location.path, &segments, uri).await?;
    if files.is_empty() {
        let there = location.local.as_ref().is_none_or(|path| path.is_dir());
        let hint = if there {
            format!(" in {}", shown(&location))
        } else {
            format!(": {} is no directory", shown(&location))
        };
        return Err(FilesError::NoMatch {
            uri: uri.to_owned(),
            hint,
        });
    }
    files.sort_by(|a, b| a.location.cmp(&b.location));
    files.dedup_by(|a, b| a.location == b.location);
    Ok(FoundFiles {
        store_url: location.store_url(),
        store: location.store,
        root: location.path,
        files,
        single: false,
    })
}

/// Follows a glob directory by directory, so that only directories that can match are listed.
async fn matches_below(
    store: &Arc<dyn ObjectStore>,
    root: &Path,
    segments: &[Pattern],
    uri: &str,
) -> Result<Vec<ObjectMeta>, FilesError> {
    let mut found = Vec::new();
    let mut open: Vec<(Path, usize)> = vec![(root.clone(), 0)];
    while let Some((directory, index)) = open.pop() {
        let Some(segment) = segments.get(index) else {
            continue;
        };
        if segment.as_str() == "**" {
            let rest: Vec<&str> = segments[index..].iter().map(Pattern::as_str).collect();
            let whole = Pattern::new(&rest.join("/")).map_err(|error| FilesError::BadPattern {
                uri: uri.to_owned(),
                message: error.msg.to_owned(),
            })?;
            let below = list_below(store, &directory, uri).await?;
            found.extend(below.into_iter().filter(|file| {
                let names = names_below(&directory, &file.location).join("/");
                whole.matches_with(&names, AS_A_SHELL)
            }));
            continue;
        }
        let last = index + 1 == segments.len();
        let names_hidden = segment.as_str().starts_with(['_', '.']);
        let matches = |name: &str| {
            (names_hidden || !is_hidden(name)) && segment.matches_with(name, AS_A_SHELL)
        };
        let listing = match store.list_with_delimiter(Some(&directory)).await {
            Ok(listing) => listing,
            Err(error) if diagnose(&error) == StoreProblem::NoSuchObject => continue,
            Err(error) => return Err(FilesError::Store(explain(&error, uri))),
        };
        if last {
            let files = listing.objects.into_iter();
            found.extend(files.filter(|file| file.location.filename().is_some_and(matches)));
        }
        for path in listing.common_prefixes {
            if !path.filename().is_some_and(matches) {
                continue;
            }
            if last {
                found.extend(list_below(store, &path, uri).await?);
            } else {
                open.push((path, index + 1));
            }
        }
    }
    Ok(found)
}

/// All files below a directory except hidden ones, ordered by path.
async fn list_below(
    store: &Arc<dyn ObjectStore>,
    directory: &Path,
    uri: &str,
) -> Result<Vec<ObjectMeta>, FilesError> {
    let listing = store
        .list(Some(directory))
        .try_filter(|file| std::future::ready(!is_hidden_below(directory, &file.location)));
    let mut files: Vec<ObjectMeta> = match listing.try_collect().await {
        Ok(files) => files,
        Err(error) if diagnose(&error) == StoreProblem::NoSuchObject => Vec::new(),
        Err(error) => return Err(FilesError::Store(explain(&error, uri))),
    };
    files.sort_by(|a, b| a.location.cmp(&b.location));
    Ok(files)
}

/// The message for a path that leads nowhere: how far it leads, and the nearest name there.
async fn not_found(location: &Location, uri: &str) -> FilesError {
    let parts: Vec<PathPart<'_>> = location.path.parts().collect();
    // From the deepest directory that has names up to the root of the store.
    for depth in (0..parts.len()).rev() {
        let directory = Path::from_iter(parts[..depth].iter().cloned());
        let names = names_in(&location.store, &directory).await;
        let names = match names {
            Ok(names) if names.is_empty() && depth > 0 => continue,
            Ok(names) => names,
            Err(error) if diagnose(&error) == StoreProblem::NoSuchObject => continue,
            Err(error) => return FilesError::Store(explain(&error, uri)),
        };
        let missing = parts[depth].as_ref();
        let place = address(&location.store_url(), &directory);
        let nearest = tamis_resource::nearest(missing, names.iter().map(String::as_str));
        let hint = match nearest {
            Some(near) if depth + 1 == parts.len() => {
                format!("; did you mean '{near}' in {place}?")
            }
            Some(near) => format!("; {place} has no '{missing}', did you mean '{near}'?"),
            None if depth + 1 == parts.len() => String::new(),
            None => format!("; {place} has no '{missing}'"),
        };
        return FilesError::NotFound {
            uri: uri.to_owned(),
            hint,
        };
    }
    let hint = if location.path.as_ref().is_empty() {
        "; the bucket is empty".to_owned()
    } else {
        String::new()
    };
    FilesError::NotFound {
        uri: uri.to_owned(),
        hint,
    }
}

async fn names_in(
    store: &Arc<dyn ObjectStore>,
    directory: &Path,
) -> object_store::Result<Vec<String>> {
    let listing = store.list_with_delimiter(Some(directory)).await?;
    let files = listing.objects.iter().map(|file| &file.location);
    let names = listing.common_prefixes.iter().chain(files);
    Ok(names
        .filter_map(|path| path.filename().map(str::to_owned))
        .take(MOST_NAMES_FOR_A_HINT)
        .collect())
}

fn parent(path: &Path) -> Path {
    let parts: Vec<PathPart<'_>> = path.parts().collect();
    Path::from_iter(parts[..parts.len().saturating_sub(1)].iter().cloned())
}

fn shown(location: &Location) -> String {
    location.display()
}

/// The first bytes of an object, at most `length`.
pub(crate) async fn read_start(
    store: &Arc<dyn ObjectStore>,
    path: &Path,
    length: usize,
) -> object_store::Result<Vec<u8>> {
    let mut stream = store.get(path).await?.into_stream();
    let mut start = Vec::new();
    while start.len() < length {
        match stream.next().await {
            Some(chunk) => start.extend_from_slice(&chunk?),
            None => break,
        }
    }
    start.truncate(length);
    Ok(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Tree {
        directory: tempfile::TempDir,
        stores: Stores,
    }

    impl Tree {
        fn new(files: &[&str]) -> Self {
            let directory = tempfile::tempdir().unwrap();
            for file in files {
                let path = directory.path().join(file);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, "x").unwrap();
            }
            Self {
                directory,
                stores: Stores::default(),
            }
        }

        fn uri(&self, rest: &str) -> String {
            format!("{}/{rest}", self.directory.path().display())
        }

        async fn find(&self, rest: &str) -> Result<Vec<String>, String> {
            let found = find_files(&self.stores, &self.uri(rest)).await;
            let found = found.map_err(|error| error.to_string())?;
            let root = format!("{}/", self.directory.path().display());
            Ok(found
                .files
                .iter()
                .map(|file| found.address(&file.location).replace(&root, ""))
                .collect())
        }
    }

    #[tokio::test]
    async fn globs_are_those_of_a_shell() {
        let tree = Tree::new(&[
            "a.csv",
            "b.csv",
            "c.txt",
            "d/e.csv",
            "d/f/g.csv",
            "_h.csv",
            "_i/j.csv",
            "k=1/l.csv",
        ]);
        let cases: &[(&str, &[&str])] = &[
            ("*.csv", &["a.csv", "b.csv"]),
            ("?.csv", &["a.csv", "b.csv"]),
            ("[ac].*", &["a.csv", "c.txt"]),
            ("*/*.csv", &["d/e.csv", "k=1/l.csv"]),
            (
                "**/*.csv",
                &["a.csv", "b.csv", "d/e.csv", "d/f/g.csv", "k=1/l.csv"],
            ),
            ("d*", &["d/e.csv", "d/f/g.csv"]),
            ("k=*/l.csv", &["k=1/l.csv"]),
            ("_*.csv", &["_h.csv"]),
            ("d", &["d/e.csv", "d/f/g.csv"]),
            ("d/", &["d/e.csv", "d/f/g.csv"]),
            ("_i/", &["_i/j.csv"]),
            ("a.csv", &["a.csv"]),
        ];
        for (uri, expected) in cases {
            assert_eq!(tree.find(uri).await.unwrap(), *expected, "{uri}");
        }
    }

    #[tokio::test]
    async fn what_is_not_there_is_named_with_what_is_near() {
        let tree = Tree::new(&["data/corpus.parquet", "only/_hidden"]);
        std::fs::create_dir(tree.directory.path().join("empty")).unwrap();
        let near = tree.find("data/corpus.parqet").await.unwrap_err();
        assert!(
            near.contains("corpus.parqet: no such file or directory"),
            "{near}"
        );
        assert!(near.contains("did you mean 'corpus.parquet'"), "{near}");
        let far = tree.find("dta/corpus.parquet").await.unwrap_err();
        assert!(far.contains("has no 'dta', did you mean 'data'?"), "{far}");
        let empty = tree.find("empty/").await.unwrap_err();
        assert!(empty.contains("the directory is empty"), "{empty}");
        let hidden = tree.find("only").await.unwrap_err();
        assert!(hidden.contains("begin with _ or ."), "{hidden}");
        let none = tree.find("data/*.csv").await.unwrap_err();
        assert!(none.contains("nothing matches in"), "{none}");
        let bad = tree.find("data/[.csv").await.unwrap_err();
        assert!(bad.contains("not a usable pattern"), "{bad}");
    }

    #[tokio::test]
    async fn a_name_that_looks_like_a_glob_is_a_file_when_it_exists() {
        let tree = Tree::new(&["odd[1].csv", "odd1.csv", "中文 目录/数据%20.csv"]);
        assert_eq!(tree.find("odd[1].csv").await.unwrap(), ["odd[1].csv"]);
        assert_eq!(
            tree.find("中文 目录/").await.unwrap(),
            ["中文 目录/数据%20.csv"]
        );
        assert_eq!(
            tree.find("中文 目录/数据%20.csv").await.unwrap(),
            ["中文 目录/数据%20.csv"]
        );
    }

    #[test]
    fn partitions_are_not_hidden() {
        let root = Path::from("a/_b");
        assert!(!is_hidden_below(&root, &Path::from("a/_b/_c=1/d")));
        assert!(is_hidden_below(&root, &Path::from("a/_b/_c/d")));
        assert!(is_hidden_below(&root, &Path::from("a/_b/.d")));
        assert!(!is_hidden_below(&root, &Path::from("a/_b/d_e")));
        assert!(is_hidden_below(&Path::ROOT, &Path::from("_a/b")));
    }
}
