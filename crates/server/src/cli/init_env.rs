//! `caller-id init-env`: a file of settings with secrets that nobody else has.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};

use super::show::out;
use crate::config::describe::env_example;

/// How `init-env` is called.
pub const EXAMPLES: &str = "Examples:
  caller-id init-env
  caller-id init-env --alone --file /srv/caller-id/.env
  docker run --rm --user \"$(id -u):$(id -g)\" --volume \"$PWD:/here\" --workdir /here caller-id:0.1.0 init-env";

const RANDOM_BYTES: usize = 32;
/// Secrets of the service itself.
const OWN: [&str; 2] = ["ADMIN_TOKEN", "DIALER_KEYS"];
/// Secrets of the servers beside it, in `docker-compose.yml`.
const BESIDE: [&str; 2] = ["POSTGRES_PASSWORD", "REDIS_PASSWORD"];

/// What `init-env` takes. There is no JWT_SECRET among its secrets: each is one more way in, and this one is for who signs tokens.
#[derive(Debug, clap::Args)]
pub struct InitEnvArgs {
    /// The file that is written; one that is there is never touched
    #[arg(long, value_name = "FILE", default_value = ".env")]
    pub file: PathBuf,
    /// For a service without PostgreSQL and Redis: makes no passwords for them
    #[arg(long)]
    pub alone: bool,
}

/// Writes the file, and tells what to do next.
///
/// # Errors
/// The file is there, or cannot be written.
pub fn run(args: &InitEnvArgs) -> anyhow::Result<ExitCode> {
    let secrets: Vec<&str> = match args.alone {
        true => OWN.to_vec(),
        false => OWN.into_iter().chain(BESIDE).collect(),
    };
    let file = args.file.display();
    match write(&args.file, &filled(&env_example(), &secrets, secret)) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!(
                "{file} is there, and stays as it is: remove it first, or name another with --file"
            )
        }
        written => written.with_context(|| format!("cannot write {file}"))?,
    }
    out::line(&next(&args.file, args.alone))?;
    Ok(ExitCode::SUCCESS)
}

fn next(file: &Path, alone: bool) -> String {
    let file = file.display();
    let start = match alone {
        true => {
            "  caller-id serve                          in the folder of that file\n  \
             docker compose up --detach embedded      or in a container, alone"
        }
        false => {
            "  docker compose up --detach               the service with PostgreSQL and Redis\n  \
             docker compose up --detach embedded      or alone, with files of its own"
        }
    };
    format!(
        "{file} is written; only its owner can read it. It has fresh secrets, ADMIN_TOKEN among them, and for dialers DIALER_KEYS.\n\
         Next:\n{start}\n  \
         curl http://127.0.0.1:8000/health        is it well?\n\
         What else can be set: docs/CONFIG.md"
    )
}

/// The example, in which `secrets` have values of `make`.
fn filled(example: &str, secrets: &[&str], mut make: impl FnMut() -> String) -> String {
    let mut text = String::new();
    for line in example.lines() {
        text.push_str(line);
        if secrets
            .iter()
            .any(|name| line.strip_suffix('=') == Some(name))
        {
            text.push_str(&make());
        }
        text.push('\n');
    }
    text
}

/// Digits and letters alone: they mean the same in a URL, in a shell, in `.env`.
fn secret() -> String {
    let bytes: [u8; RANDOM_BYTES] = rand::random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a new file that only its owner can read; whole, or not at all.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a file would only keep the next try from writing a whole one.
        let _ = fs::remove_file(path);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::serve_settings;

    #[test]
    fn every_secret_gets_a_value_of_its_own_and_nothing_else_is_changed() {
        let all: Vec<&str> = OWN.into_iter().chain(BESIDE).collect();
        let mut made = 0;
        let text = filled(&env_example(), &all, || {
            made += 1;
            format!("secret-{made}")
        });
        assert_eq!(made, all.len());
        let example = env_example();
        let differ = text
            .lines()
            .zip(example.lines())
            .filter(|(new, old)| new != old);
        let names: Vec<&str> = differ.map(|(_, old)| old.trim_end_matches('=')).collect();
        assert_eq!(names.len(), all.len());
        assert!(all.iter().all(|name| names.contains(name)), "{names:?}");
    }

    #[test]
    fn secrets_are_long_and_differ() {
        assert_ne!(secret(), secret());
        assert_eq!(secret().len(), 64);
        let made = secret();
        serve_settings(&[("ADMIN_TOKEN", &made), ("DIALER_KEYS", &made)])
            .expect("secrets that the settings take");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_there_is_never_touched_and_a_new_one_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        write(&path, "A=1\n").unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = write(&path, "A=2\n").unwrap_err();
        assert_eq!(again.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "A=1\n");
    }
}
