//! Numbers from a file, and to one.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use clap::ValueEnum;
use serde::Serialize;

use super::filter::FilterArgs;
use crate::cli::admin::{jobs, sayings};
use crate::cli::ask::{Pairs, ServiceArgs, pairs, path};
use crate::cli::import::console::warn;
use crate::config::source::Environment;
use crate::rows;

/// How `numbers import` is called.
pub(super) const IMPORT_EXAMPLES: &str = "Examples:
  caller-id numbers import numbers.csv --dry-run           every bad row is told, nothing is written
  caller-id numbers import numbers.csv --on-duplicate update
  zcat numbers.ndjson.gz | caller-id numbers import - --format ndjson

Of very large files, or with a report of all bad rows: `caller-id import`.";
/// How `numbers export` is called.
pub(super) const EXPORT_EXAMPLES: &str = "Examples:
  caller-id numbers export all.csv
  caller-id numbers export --status retired --format ndjson | jq -r .number";

/// What a file has in its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileFormat {
    /// Cells with commas between, a header first
    Csv,
    /// One JSON object a line
    Ndjson,
}

impl FileFormat {
    /// What is said, or what the name of the file says.
    fn of(said: Option<Self>, file: &Path) -> Self {
        let name = file.to_string_lossy().to_ascii_lowercase();
        let name = name.trim_end_matches(".gz");
        said.unwrap_or(
            match [".ndjson", ".jsonl", ".json"]
                .iter()
                .any(|end| name.ends_with(end))
            {
                true => Self::Ndjson,
                false => Self::Csv,
            },
        )
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

/// What `numbers import` takes.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// The file; `-` reads the standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Write nothing; tell what would be written
    #[arg(long)]
    pub dry_run: bool,
    /// What to do with numbers that are there: `skip` keeps them, `update` takes the row's values (columns that the file has
    /// not keep theirs), `fail` makes it a bad row
    #[arg(long, value_name = "skip|update|fail", default_value = "skip", value_parser = on_duplicate)]
    pub on_duplicate: String,
    /// What the file has in its lines. Default: what its name says, else csv
    #[arg(long, value_enum)]
    pub format: Option<FileFormat>,
    /// The service.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// What `numbers export` takes.
#[derive(Debug, clap::Args, Serialize)]
pub struct ExportArgs {
    /// The file to write, replaced as a whole when all is well; `-` is the standard output
    #[arg(value_name = "FILE", default_value = "-")]
    #[serde(skip)]
    pub file: PathBuf,
    /// What the file has in its lines. Default: what its name says, else csv
    #[arg(long, value_enum)]
    #[serde(skip)]
    pub format: Option<FileFormat>,
    /// Which.
    #[command(flatten)]
    #[serde(flatten)]
    pub filter: FilterArgs,
    /// The service.
    #[command(flatten)]
    #[serde(skip)]
    pub service: ServiceArgs,
}

pub(super) fn import(args: &ImportArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let format = FileFormat::of(args.format, &args.file);
    let file = open(&args.file)?;
    let service = args.service.service(environment)?;
    let path = path(&["numbers", "import"]);
    let query: Pairs = vec![
        ("on_duplicate".to_owned(), args.on_duplicate.clone()),
        ("dry_run".to_owned(), args.dry_run.to_string()),
    ];
    let answer = service.upload(&path, &query, (format.media_type(), file))?;
    let words = &service.words;
    if !service.is_json {
        jobs::bad_rows(&answer.value, words);
    }
    sayings::line(&service, &answer, |done| {
        let tally = jobs::tally(done, words);
        match args.dry_run {
            true => format!("dry run, nothing written: {tally}"),
            false => tally,
        }
    })?;
    Ok(match answer.value["failed"].as_u64() {
        Some(0) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

pub(super) fn export(args: &ExportArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let format = FileFormat::of(args.format, &args.file);
    let service = args.service.service(environment)?;
    let mut query = pairs(args);
    let word = match format {
        FileFormat::Csv => "csv",
        FileFormat::Ndjson => "ndjson",
    };
    query.push(("format".to_owned(), word.to_owned()));
    let path = path(&["numbers", "export"]);
    let bytes = service.save(&path, &query, &args.file)?;
    if args.file.as_os_str() != "-" {
        let bytes = crate::digits::grouped(bytes);
        warn(&format!(
            "{} is written: {bytes} bytes",
            args.file.display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn open(path: &Path) -> anyhow::Result<Box<dyn Read>> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin()));
    }
    let cannot = || format!("cannot read {}", path.display());
    let file = File::open(path).with_context(cannot)?;
    let is_folder = file.metadata().with_context(cannot)?.is_dir();
    ensure!(
        !is_folder,
        "{} is a folder, a file expected",
        path.display()
    );
    Ok(Box::new(file))
}

/// The words that the service takes.
fn on_duplicate(text: &str) -> Result<String, String> {
    let read = rows::parse_on_duplicate(text)?;
    Ok(rows::on_duplicate_word(read).to_owned())
}
