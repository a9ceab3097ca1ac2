//! Commands whose reader goes away (`| head`): no panic, no complaint, exit code 0.

use std::path::Path;
use std::process::{Command, Output, Stdio};

#[test]
fn what_a_command_found_is_told_by_its_exit_code_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut doctor = command(folder.path(), "doctor");
    // Nobody listens there.
    doctor.env("DATABASE_URL", "postgres://a:b@127.0.0.1:1/c");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = doctor.stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

fn command(folder: &Path, words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_caller-id"));
    command.env_clear().current_dir(folder).env("DATA_DIR", ".");
    command.args(words.split(' '));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command that nobody reads, whose end of the pipe is closed before it writes.
fn unread(folder: &Path, words: &str) -> Output {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command(folder, words).stdout(writer).output().unwrap()
}

#[test]
fn who_stops_to_read_is_no_fault_of_commands_that_work_by_themselves() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("a.csv"),
        "caller_id,pool\n3125550100,default\n",
    )
    .unwrap();
    let filled = command(folder.path(), "import --mode db --csv a.csv").output();
    assert!(filled.unwrap().status.success());
    for words in [
        "check-config",
        "doctor",
        "doctor --json",
        "dialplan --peer a",
        "export",
        "audit verify",
        "audit export",
        "completions bash",
        "man numbers",
        "init-env",
    ] {
        let read = command(folder.path(), words).output().unwrap();
        let wrote = !read.stdout.is_empty();
        assert!(read.status.success() && wrote, "{words}: {read:?}");
        // It makes its file once.
        let _ = std::fs::remove_file(folder.path().join(".env"));
        let output = unread(folder.path(), words);
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{words}: {err}");
        assert!(
            !err.contains("panicked") && !err.contains("caller-id:"),
            "{words}: {err}"
        );
        let _ = std::fs::remove_file(folder.path().join(".env"));
    }
}
