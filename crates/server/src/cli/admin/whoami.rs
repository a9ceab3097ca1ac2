//! `caller-id whoami`.

use std::process::ExitCode;

use super::sayings;
use crate::cli::ask::{ServiceArgs, path};
use crate::cli::show::facts;
use crate::config::source::Environment;

/// What `whoami` takes.
#[derive(Debug, clap::Args)]
pub struct WhoamiArgs {
    /// The service.
    #[command(flatten)]
    pub service: ServiceArgs,
}

pub(super) fn run(args: &WhoamiArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let service = args.service.service(environment)?;
    let answer = service.get(&path(&["me"]), &Vec::new())?;
    sayings::answer(&service, &answer, |me| {
        let words = &service.words;
        facts(&[
            ("name", words.text(&me["name"])),
            ("role", words.text(&me["role"])),
            ("known by", words.text(&me["kind"])),
            ("until", words.instant(&me["expires_at"])),
            ("at", service.place().to_owned()),
        ])
    })
}
