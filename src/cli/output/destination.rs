//! Where a result goes: standard output, or a file that appears whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::Sink;

/// Bytes gathered before a write.
const BUFFER: usize = 256 * 1024;

/// An open destination. Dropped before [`Destination::commit`], a file is left as it was.
#[derive(Debug)]
pub enum Destination {
    /// Standard output.
    Stdout,
    /// A regular file, written beside its place and moved there at the end.
    File {
        /// Where it will be.
        path: PathBuf,
        /// Where it is written.
        partial: PathBuf,
        /// Whether it was moved.
        committed: bool,
    },
    /// A pipe or device, written as it is.
    Special(PathBuf),
}

impl Destination {
    /// Standard output for none and `-`, else a file.
    pub fn new(path: Option<&Path>) -> Self {
        match path {
            None => Self::Stdout,
            Some(path) if path == Path::new("-") => Self::Stdout,
            Some(path) => match path.metadata() {
                Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => {
                    Self::Special(path.to_owned())
                }
                // Through a link, so that the link stays and its file is replaced.
                _ => {
                    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
                    let name = path
                        .file_name()
                        .unwrap_or_default()
                        .to_string_lossy()
                        .into_owned();
                    let partial =
                        path.with_file_name(format!(".{name}.{}.partial", std::process::id()));
                    Self::File {
                        path,
                        partial,
                        committed: false,
                    }
                }
            },
        }
    }

    /// Whether a person looks at it.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Stdout) && io::stdout().is_terminal()
    }

    /// Opens it for writing.
    ///
    /// # Errors
    /// When the file cannot be made, naming it.
    pub fn open(&self) -> io::Result<Sink> {
        let named = |path: &Path, result: io::Result<File>| {
            result.map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {error}", path.display()))
            })
        };
        Ok(match self {
            Self::Stdout => Box::new(BufWriter::with_capacity(BUFFER, io::stdout())),
            Self::File { path, partial, .. } => {
                if path.is_dir() {
                    let message = format!("{} is a directory", path.display());
                    return Err(io::Error::new(io::ErrorKind::IsADirectory, message));
                }
                let file = named(path, File::create(partial))?;
                Box::new(BufWriter::with_capacity(BUFFER, file))
            }
            Self::Special(path) => {
                let file = named(path, File::options().write(true).open(path))?;
                Box::new(BufWriter::with_capacity(BUFFER, file))
            }
        })
    }

    /// Puts a file in its place. The sink must be flushed.
    ///
    /// # Errors
    /// When the file cannot be moved.
    pub fn commit(mut self) -> io::Result<()> {
        if let Self::File {
            path,
            partial,
            committed,
        } = &mut self
        {
            std::fs::rename(&*partial, &*path)?;
            *committed = true;
        }
        io::stdout().flush()
    }
}

impl Drop for Destination {
    fn drop(&mut self) {
        if let Self::File {
            partial,
            committed: false,
            ..
        } = self
        {
            // It may never have been made.
            let _ = std::fs::remove_file(partial);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.csv");
        std::fs::write(&path, "old").unwrap();

        let dropped = Destination::new(Some(&path));
        dropped.open().unwrap().write_all(b"half").unwrap();
        drop(dropped);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);

        let kept = Destination::new(Some(&path));
        let mut sink = kept.open().unwrap();
        sink.write_all(b"new").unwrap();
        sink.flush().unwrap();
        kept.commit().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("no/such/out.csv");
        let error = Destination::new(Some(&missing)).open().err().unwrap();
        assert!(error.to_string().contains("no/such/out.csv"), "{error}");
        let error = Destination::new(Some(directory.path()))
            .open()
            .err()
            .unwrap();
        assert!(error.to_string().contains("is a directory"), "{error}");
    }
}
