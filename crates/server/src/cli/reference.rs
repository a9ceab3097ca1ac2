//! The page `docs/commands.md`: the help of every command.

use clap::{Arg, Command, CommandFactory};

use super::Cli;
use super::parsing::asks_a_service;
use crate::config::describe::settings;

const WIDTH: usize = 100;
/// What stands in front of the help.
const BEGINNING: &str = "\
# Commands

Written by `make docs`; a test compares it with the program. `caller-id help numbers bulk` tells the same in a terminal,
`caller-id man` makes pages for `man`, `caller-id completions bash|zsh|fish` what the shell completes.

`serve`, `export`, `migrate`, `backup`, `restore`, `check-config`, `doctor`, `alert test` and `import --mode db` take the settings of
[CONFIG.md](CONFIG.md) as flags, and work where the service runs, in its folder: what `CALLER_ID_URL` names is nothing to them. All
commands below that have *the service that is asked* among their flags, `health`, and `import` without a mode ask a running service over
its API, from any machine:

    export CALLER_ID_URL=https://cid.example.com
    export CALLER_ID_KEY=cid_…                     # or --key-file FILE; never on the command line, where `ps` shows it
    caller-id whoami

| what | where it comes from, the first that is there |
|---|---|
| the service | `--url` (`import`: `--api-url`); `CALLER_ID_URL`; `http://127.0.0.1:8000`, with the `API_PORT` of the settings here |
| the key: an API key, the admin token, or a signed token ([access.md](access.md)) | `--key-file` (`import`: `--admin-token`); `CALLER_ID_KEY`; of a service on this machine also `ADMIN_TOKEN`, or the file `admin-token` beside its database (of the package: in `/var/lib/caller-id`), for whoever may read it |
| certificates of your own authority, trusted instead of the public ones | `--ca-file`; `CALLER_ID_CA_FILE` |

`caller-id health --local` asks the service beside it, whatever `CALLER_ID_URL` says: so do containers.

`CALLER_ID_…` count in the environment alone, not in a file `.env`: that is of the folder one happens to be in.

Instants are shown on the clock of this machine, and dates (`--since 2026-11-23`) are days there. With `--json` the answer of the API
comes as it is, for programs; lists with `--all` give one object a line. Where something goes that does not come back you are asked;
`--yes` says that it is meant. A change is made to what was seen: whoever else changed it meanwhile is not overwritten.

| exit code | means |
|---|---|
| 0 | done |
| 1 | the service refused it, could not be asked, or some of it failed; one line on standard error says why |
| 2 | it was typed wrongly: flags, values, no key |
";

/// The page.
pub fn markdown() -> String {
    let mut command = Cli::command()
        .term_width(WIDTH)
        .disable_help_subcommand(true);
    command.build();
    let shared = shared(&command);
    let mut page = BEGINNING.to_owned();
    page.push_str("\n## The service that is asked\n\n");
    page.push_str(&block(&shared));
    for top in listed(&command) {
        page.push_str(&format!("\n## {}\n\n", title(top)));
        page.push_str(&block(&help(top)));
        for below in listed(top) {
            page.push_str(&format!("\n### {}\n\n", title(below)));
            page.push_str(&block(&help(below)));
        }
    }
    page
}

fn listed(command: &Command) -> impl Iterator<Item = &Command> {
    let all = command.get_subcommands();
    all.filter(|command| command.get_name() != "help")
}

fn title(command: &Command) -> String {
    let name = command.get_bin_name().unwrap_or(command.get_name());
    format!("`{name}`")
}

/// The help, without what is told elsewhere: settings, flags that all share, and `--help` itself.
fn help(command: &Command) -> String {
    let settings: Vec<String> = settings().into_iter().map(|setting| setting.flag).collect();
    let takes_settings = !asks_a_service(command);
    let is_setting = |arg: &Arg| {
        let flag = arg.get_long().unwrap_or_default();
        takes_settings && settings.iter().any(|setting| setting == flag)
    };
    let mut shown = command.clone().mut_args(|arg| {
        let is_help = arg.get_id() == "help";
        match is_setting(&arg) || is_shared(&arg) || is_help {
            true => arg.hide(true),
            false => arg,
        }
    });
    shown.render_long_help().to_string()
}

fn is_shared(arg: &Arg) -> bool {
    arg.get_help_heading() == Some(super::ask::HEADING)
}

/// The flags that all commands share which ask a service.
fn shared(command: &Command) -> String {
    let one = command.find_subcommand("whoami");
    let args = one.into_iter().flat_map(Command::get_arguments);
    let mut flags = Command::new("caller-id")
        .term_width(WIDTH)
        .disable_help_flag(true)
        .help_template("{options}")
        .args(
            args.filter(|arg| is_shared(arg))
                .cloned()
                .map(|arg| arg.help_heading("Options")),
        );
    flags.render_long_help().to_string()
}

fn block(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    format!("```text\n{}\n```\n", lines.join("\n").trim_end())
}
