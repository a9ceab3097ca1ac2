//! `caller-id init-env`, a start with what it writes, and `caller-id health`.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use caller_id::config::describe::settings;

use crate::run::Running;

fn command(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_caller-id"));
    command.env_clear().current_dir(folder).args(words);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_service_starts_with_the_file_as_it_is_written_and_is_well() {
    for words in [&["init-env"][..], &["init-env", "--alone"]] {
        let folder = tempfile::tempdir().unwrap();
        let made = command(folder.path(), words);
        assert!(made.status.success(), "{}", text(&made.stderr));
        let next = ["docker compose up", "caller-id serve"][words.len() - 1];
        assert!(text(&made.stdout).contains(next), "{words:?}");
        let file = folder.path().join(".env");
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        let mut service = Running::start(folder.path(), &[]);
        let line = service.until(&["listens on"]);
        let url = &line[line.find("http://").unwrap()..];
        let well = command(folder.path(), &["health", "--url", url]);
        assert!(well.status.success(), "{}", text(&well.stderr));
        assert!(text(&well.stdout).contains("\"status\":\"ok\""));
        let lives = command(folder.path(), &["health", "--live", "--url", url]);
        assert_eq!(text(&lives.stdout), "ok\n");
        let (code, said) = service.stop();
        assert_eq!(code, Some(0));
        assert!(!said.iter().any(|line| line.contains("WARN")), "{said:?}");

        let gone = command(folder.path(), &["health", "--url", url]);
        assert_eq!(gone.status.code(), Some(1));
        assert!(text(&gone.stderr).contains("gives no answer"));
    }
}

/// As a whole, and so that whoever leaves out lines is warned of none of those that stay.
#[test]
fn nothing_that_we_write_into_the_file_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    assert!(command(folder.path(), &["init-env"]).status.success());
    let warned = |what: &str| {
        let checked = command(folder.path(), &["check-config"]);
        assert!(
            checked.status.success(),
            "{what}: {}",
            text(&checked.stderr)
        );
        assert_eq!(text(&checked.stderr), "", "{what}");
    };
    warned("the whole file");
    let file = folder.path().join(".env");
    let whole = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.lines().filter(|line| line.contains('=')).collect();
    let names = lines.iter().map(|line| line.split('=').next().unwrap());
    let settings = settings();
    let known: Vec<&str> = settings.iter().map(|setting| &*setting.name).collect();
    assert_eq!(names.collect::<Vec<_>>(), known, "a line for each setting");
    for line in lines {
        std::fs::write(&file, line).unwrap();
        warned(line);
    }
}

#[test]
fn a_file_with_secrets_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    assert!(command(folder.path(), &["init-env"]).status.success());
    let file = folder.path().join(".env");
    let before = std::fs::read_to_string(&file).unwrap();
    let again = command(folder.path(), &["init-env"]);
    assert_eq!(again.status.code(), Some(1));
    let why = text(&again.stderr);
    assert!(why.contains(".env is there, and stays as it is"), "{why}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
}

#[test]
fn a_service_that_accepts_and_says_nothing_is_not_well() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let words = ["health", "--within", "1", "--url", &url];
    let asked = command(folder.path(), &words);
    assert_eq!(asked.status.code(), Some(1));
    assert!(text(&asked.stderr).contains("timeout"), "{asked:?}");
}
