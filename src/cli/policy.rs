//! `tamis policy`: the built-in policy packs, copied out to be read or changed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::job::pack::{FILES, Pack};

use super::error::CliError;

/// Arguments of `tamis policy`.
#[derive(Debug, Args)]
pub struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// List the built-in packs
    List,
    /// Copy a built-in pack into a new folder, to change it and name it in `[policy] pack`
    #[command(after_help = "Example:\n  tamis policy export gb45654 my-policy/")]
    Export {
        /// The pack
        #[arg(default_value = "gb45654")]
        pack: String,
        /// The folder; default: the pack's name. Existing files are not overwritten
        folder: Option<PathBuf>,
    },
}

/// Lists or exports packs.
pub fn run(args: PolicyArgs) -> Result<(), CliError> {
    match args.command {
        PolicyCommand::List => {
            for name in Pack::builtin_names() {
                let pack = Pack::load(name)?;
                println!(
                    "{name}  {} ({})  {}",
                    pack.standard, pack.edition, pack.identity
                );
            }
            Ok(())
        }
        PolicyCommand::Export { pack, folder } => export(&pack, folder),
    }
}

fn export(name: &str, folder: Option<PathBuf>) -> Result<(), CliError> {
    let pack = Pack::load(name)?;
    let folder = folder.unwrap_or_else(|| PathBuf::from(&pack.name));
    let failed = |error: std::io::Error| CliError::Failed(format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let taken: Vec<&str> = FILES
        .into_iter()
        .filter(|file| folder.join(file).exists())
        .collect();
    if !taken.is_empty() {
        return Err(CliError::Usage(format!(
            "{} holds {} already; name another folder",
            folder.display(),
            taken.join(", ")
        )));
    }
    for file in FILES {
        std::fs::write(folder.join(file), pack.file(file)).map_err(failed)?;
    }
    println!(
        "Wrote {} to {}. Use it with: [policy] pack = \"{}\"",
        FILES.join(", "),
        folder.display(),
        folder.display()
    );
    Ok(())
}
