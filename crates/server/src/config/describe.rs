//! What settings there are, read from the structs themselves: for `check-config`, `docs/CONFIG.md` and the search for typos.

use std::fmt::Write;

use clap::{Arg, Args, Command};

use super::Settings;

/// One setting.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The name in the environment: `API_PORT`.
    pub name: String,
    /// The flag without dashes: `api-port`.
    pub flag: String,
    /// The key that clap keeps it under.
    pub id: String,
    /// The chapter it stands in.
    pub chapter: String,
    /// What it is for.
    pub help: String,
    /// What holds when nobody says anything.
    pub default: Option<String>,
    /// Its value is never shown.
    pub secret: bool,
    /// Its value is a URL, which may have a password in it.
    pub url: bool,
    /// Its value is a URL whose path is a secret.
    pub webhook: bool,
}

/// All settings, in the order of the help text.
pub fn settings() -> Vec<Setting> {
    let command = Settings::augment_args(Command::new("settings"));
    command.get_arguments().filter_map(setting).collect()
}

fn setting(arg: &Arg) -> Option<Setting> {
    let flag = arg.get_long()?;
    let default = arg
        .get_default_values()
        .first()
        .map(|value| value.to_string_lossy().into_owned());
    let names = arg.get_value_names().unwrap_or_default();
    Some(Setting {
        name: environment_name(flag),
        flag: flag.to_owned(),
        id: arg.get_id().to_string(),
        chapter: arg.get_help_heading().unwrap_or("General").to_owned(),
        help: arg.get_help().map(ToString::to_string).unwrap_or_default(),
        default: default.filter(|value| !value.is_empty()),
        secret: names.iter().any(|name| name == "SECRET"),
        url: names.iter().any(|name| name == "URL"),
        webhook: names.iter().any(|name| name == "WEBHOOK"),
    })
}

/// The environment name of a flag: `api-port` is `API_PORT`.
pub fn environment_name(flag: &str) -> String {
    flag.trim_start_matches('-')
        .replace('-', "_")
        .to_ascii_uppercase()
}

/// The page `docs/CONFIG.md`.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Settings\n\n\
         Written by `make docs`; a test compares it with the program.\n\n\
         Each setting is a flag (`--api-port 8000`) and a name in the environment (`API_PORT=8000`), which may also stand in the\n\
         file `.env` of the working directory. The flag wins over the environment, the environment over `.env`, `.env` over the\n\
         default. An empty value is like none. In `.env` `${NAME}` is a variable, unless the value stands in single quotes.\n\
         `caller-id check-config` shows what holds, and why. Secrets are never shown. Give them in the environment or in `.env`, not as\n\
         flags: everybody on the machine can see those in the list of processes, and the service warns of it.\n",
    );
    let mut chapter = String::new();
    for setting in settings() {
        if setting.chapter != chapter {
            chapter.clone_from(&setting.chapter);
            let _ = write!(
                page,
                "\n## {chapter}\n\n| name | default | meaning |\n|---|---|---|\n"
            );
        }
        let default = setting
            .default
            .map(|value| format!("`{value}`"))
            .unwrap_or_default();
        let help = setting.help.replace('|', "\\|").replace('\n', " ");
        let _ = writeln!(page, "| `{}` | {default} | {help} |", setting.name);
    }
    page
}

/// The file `.env.example`: every setting with its default. Copied to `.env` as it is, the service starts.
pub fn env_example() -> String {
    let mut file = String::from(
        "# Settings of caller-id, each with its default; empty is like none. Copy to `.env` and change what you need.\n\
         # A value with `${`, or with a quote or ` #` in it, stands in single quotes.\n\
         # Written by `make docs`. What each is for: docs/CONFIG.md\n",
    );
    let mut chapter = String::new();
    for setting in settings() {
        if setting.chapter != chapter {
            chapter.clone_from(&setting.chapter);
            let _ = write!(file, "\n# {chapter}\n");
        }
        let default = setting.default.unwrap_or_default();
        let quote = if default.contains(' ') { "\"" } else { "" };
        let _ = writeln!(file, "{}={quote}{default}{quote}", setting.name);
    }
    file
}

/// The file `/etc/caller-id/caller-id.env` of the package: where the data is, and every other setting with its default, as a
/// remark. What is a remark follows the program when that is upgraded.
pub fn package_env() -> String {
    let mut file = String::from(
        "# Settings of caller-id on this machine: take the # away, and `systemctl restart caller-id`.\n\
         # A remark stands on a line of its own. What each is for, and what holds: `man caller-id-serve`,\n\
         # `sudo sh -c 'cd /var/lib/caller-id && caller-id check-config'`. Written by `make docs`.\n",
    );
    let mut chapter = String::new();
    for setting in settings() {
        if setting.chapter != chapter {
            chapter.clone_from(&setting.chapter);
            let _ = write!(file, "\n# {chapter}\n");
        }
        if setting.name == "DATA_DIR" {
            let _ = writeln!(file, "DATA_DIR={PACKAGE_DATA}");
            continue;
        }
        let default = setting.default.unwrap_or_default();
        let quote = if default.contains(' ') { "\"" } else { "" };
        let _ = writeln!(file, "#{}={quote}{default}{quote}", setting.name);
    }
    file
}

/// Where the service of the package keeps its data.
pub const PACKAGE_DATA: &str = "/var/lib/caller-id";
