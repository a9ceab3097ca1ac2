//! Documents of the project that are made from the code: compared, or written with `make docs`.

use std::path::Path;

use axum::body::Body;
use axum::http::Request;
use caller_id::app::App;
use caller_id::cli::{Cli, Command, dialplan, reference, serve_settings};
use caller_id::config::describe::{env_example, markdown, package_env, settings};
use caller_id::http::Peer;
use caller_id::metrics;
use caller_id_core::SystemClock;
use clap::Parser;
use http_body_util::BodyExt;
use serde_json::Value;

#[expect(
    clippy::disallowed_methods,
    reason = "tells the test to write, it is no setting of the service"
)]
fn update() -> bool {
    std::env::var_os("CALLER_ID_UPDATE_DOCS").is_some()
}

/// Compares the file at `path`, from the root of the project, with what the code says; or writes it.
fn check(path: &str, said: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path);
    if update() {
        std::fs::write(&file, said).expect("written");
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == said,
        "{path} is not what the code says: run `make docs`"
    );
}

#[test]
fn the_page_of_settings_is_what_the_program_says() {
    check("docs/CONFIG.md", &markdown());
}

#[test]
fn the_page_of_commands_is_the_help_of_the_program() {
    check("docs/commands.md", &reference::markdown());
}

#[test]
fn the_page_of_metrics_is_what_the_program_has() {
    check("docs/metrics.md", &metrics::markdown());
}

#[test]
fn the_example_of_settings_is_what_the_program_says() {
    check(".env.example", &env_example());
}

#[test]
fn the_settings_of_the_package_are_what_the_program_says() {
    check("deploy/systemd/caller-id.env", &package_env());
}

#[tokio::test]
async fn the_openapi_document_is_what_the_service_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("a plain path");
    let settings = serve_settings(&[("DATA_DIR", path)]).expect("good settings");
    let app = App::open(&settings, std::sync::Arc::new(SystemClock::new()))
        .await
        .expect("a service");
    let request = Request::get("/openapi.json")
        .body(Body::empty())
        .expect("a request");
    let answer = app
        .dispatch()
        .answer(request, Peer([127, 0, 0, 1].into()))
        .await;
    let text = answer
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    let document: Value = serde_json::from_slice(&text).expect("JSON");
    let pretty = serde_json::to_string_pretty(&document).expect("JSON");
    check("docs/openapi.json", &format!("{pretty}\n"));
}

/// The lines that the pages on VICIdial and Asterisk show, and what they are printed for.
const DIALPLANS: [(&str, &[&str]); 5] = [
    ("vicidial-agi", &["--peer", "mycarrier"]),
    (
        "vicidial-agi-two-nodes",
        &[
            "--peer",
            "mycarrier",
            "--trunk",
            "pjsip",
            "--host",
            "10.0.0.5,10.0.0.6",
            "--key",
            "KEY",
        ],
    ),
    (
        "vicidial-curl-13",
        &["--peer", "mycarrier", "--via", "curl", "--asterisk", "13"],
    ),
    (
        "vicidial-curl-two-nodes",
        &[
            "--peer",
            "mycarrier",
            "--via",
            "curl",
            "--host",
            "https://cid.example.com,10.0.0.6",
            "--key",
            "KEY",
        ],
    ),
    (
        "asterisk-curl",
        &[
            "--peer",
            "mycarrier",
            "--via",
            "curl",
            "--asterisk",
            "22",
            "--trunk",
            "pjsip",
            "--prefix",
            "",
            "--plain",
            "--campaign",
            "SALES",
        ],
    ),
];

#[test]
fn the_dialplans_shown_are_what_the_program_prints() {
    for (name, arguments) in DIALPLANS {
        let words = ["caller-id", "dialplan"]
            .into_iter()
            .chain(arguments.iter().copied());
        let line = Cli::try_parse_from(words).expect("good arguments");
        let Command::Dialplan(args) = line.command else {
            panic!("{name}: another command");
        };
        let printed = dialplan::text(&args).expect("arguments that go together");
        check(&format!("docs/dialplan/{name}.conf"), &printed);
    }
}

#[test]
fn the_dialplan_of_the_readme_is_what_its_command_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = std::fs::read_to_string(root.join("README.md")).expect("the page");
    let command = "caller-id dialplan --peer mycarrier";
    assert!(readme.contains(&format!("\n    {command}\n")), "{command}");
    let shown = readme.split("```asterisk\n").nth(1).expect("a block");
    let shown = shown.split("```").next().expect("its lines");
    let line = Cli::try_parse_from(command.split(' ')).expect("good arguments");
    let Command::Dialplan(args) = line.command else {
        panic!("another command");
    };
    let printed = dialplan::text(&args).expect("arguments that go together");
    assert_eq!(shown, printed, "README.md");
    assert!(readme.lines().count() < 150, "it is short");
}

#[test]
fn every_name_of_the_reference_is_a_setting() {
    let names: Vec<String> = settings().into_iter().map(|setting| setting.name).collect();
    let reference = "APP_NAME ENVIRONMENT API_HOST API_PORT DATABASE_URL REDIS_URL REDIS_PASSWORD POSTGRES_DB \
        POSTGRES_USER POSTGRES_PASSWORD ADMIN_TOKEN JWT_SECRET JWT_ALGORITHM RESERVATION_TTL_SECONDS \
        AGENT_RATE_LIMIT_PER_MIN CALLER_ID_COOLDOWN_SECONDS REQUEST_LOG_LIMIT IP_WHITELIST ALLOWED_ORIGINS LOG_LEVEL";
    for name in reference.split_whitespace() {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
}

/// `docker compose exec` runs what it is told, `run` gives it to the entry point of the image.
#[test]
fn commands_for_containers_name_the_program_where_the_entry_point_does_not() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let made = std::fs::read_to_string(root.join("Dockerfile")).expect("the Dockerfile");
    assert!(
        made.lines()
            .any(|line| line == "ENTRYPOINT [\"caller-id\"]")
    );
    let mut seen = [0, 0];
    let pages = std::fs::read_dir(root.join("docs")).expect("a folder");
    let pages = pages.map(|page| page.expect("an entry").path());
    for path in pages.filter(|path| path.extension().is_some_and(|end| end == "md")) {
        let name = path.display();
        for line in std::fs::read_to_string(&path).expect("a page").lines() {
            let words: Vec<_> = line.split_whitespace().collect();
            let Some(place) = words.iter().position(|word| *word == "api") else {
                continue;
            };
            let named = words.get(place + 1) == Some(&"caller-id");
            if words.starts_with(&["docker", "compose", "exec"]) {
                assert!(named, "{name}: {line}");
                seen[0] += 1;
            } else if words.starts_with(&["docker", "compose", "run"]) {
                assert!(!named, "{name}: {line}");
                let asked = ["caller-id", words[place + 1], "--help"];
                let help = Cli::try_parse_from(asked).expect_err("a help");
                assert_eq!(help.kind(), clap::error::ErrorKind::DisplayHelp, "{line}");
                seen[1] += 1;
            }
        }
    }
    assert!(seen[0] > 4 && seen[1] > 0, "{seen:?}");
}

#[test]
fn the_unit_of_backups_runs_a_command_that_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let unit = std::fs::read_to_string(root.join("deploy/systemd/caller-id-backup.service"));
    let unit = unit.expect("the unit");
    let mut command = unit
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart=/usr/bin/"))
        .expect("a command")
        .to_owned();
    let own = unit
        .lines()
        .find_map(|line| line.strip_prefix("Environment="));
    for pair in own.expect("its own variables").split(' ') {
        let (name, value) = pair.split_once('=').expect("a value");
        command = command.replace(&format!("${{{name}}}"), value);
    }
    let parsed = Cli::try_parse_from(command.split(' ')).expect("a command");
    let Command::Backup(args) = parsed.command else {
        panic!("{command}");
    };
    assert_eq!(args.keep.map(std::num::NonZeroUsize::get), Some(14));
    let to = args.to.expect("a folder");
    assert_eq!(to, Path::new("/var/lib/caller-id/backups/"));
}
