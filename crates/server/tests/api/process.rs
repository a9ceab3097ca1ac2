//! The built binary: its start, its words, its end.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

pub(crate) fn binary(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_caller-id"));
    command.current_dir(folder).env_clear();
    command
        .env("HOME", folder)
        .env("DATA_DIR", folder.join("data"))
        .env("AGI_LISTEN", "127.0.0.1:0");
    command
}

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

pub(crate) fn run(command: &mut Command) -> Output {
    command.output().expect("it runs")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// Ends the service also when the test fails.
pub(crate) struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Served {
    /// Starts the service and reads its banner up to the line that begins with `last`.
    pub(crate) fn start(command: &mut Command, last: &str) -> (Self, String) {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut banner = String::new();
        let served = Self(child);
        loop {
            let line = lines.next().expect("a whole banner").expect("text");
            banner.push_str(&line);
            banner.push('\n');
            if line.starts_with(last) {
                return (served, banner);
            }
        }
    }

    #[cfg(unix)]
    pub(crate) fn terminate(self) -> (Option<i32>, String) {
        self.end("-TERM")
    }

    #[cfg(unix)]
    fn end(mut self, signal: &str) -> (Option<i32>, String) {
        let told = Command::new("kill")
            .args([signal, &self.0.id().to_string()])
            .status();
        assert!(told.expect("kill runs").success());
        let status = self.0.wait().expect("it ends");
        let mut log = String::new();
        self.0
            .stderr
            .take()
            .expect("piped")
            .read_to_string(&mut log)
            .expect("text");
        (status.code(), log)
    }
}

#[test]
fn a_wrong_setting_is_one_line_and_exit_code_2() {
    let cases = [
        (
            "API_PORT",
            "abc",
            "API_PORT: `abc` is not valid: expected a port from 1 to 65535\n",
        ),
        (
            "AGENT_RATE_LIMIT_PER_MIN",
            "-1",
            "AGENT_RATE_LIMIT_PER_MIN: `-1` is not valid: expected a whole number from 0 to 1000000\n",
        ),
        (
            "REDIS_TENANT",
            "a}b",
            "REDIS_TENANT: `a}b` is not valid: expected at most 64 letters, digits, `-`, `_` and `.`\n",
        ),
        (
            "DATABASE_URL",
            "mysql://u:pass@db/x",
            "DATABASE_URL: `mysql://(hidden)@db/x` is not valid: expected sqlite:<file>, as in sqlite:caller-id.db or sqlite:///var/lib/caller-id/caller-id.db, or postgres://user:password@host:5432/database\n",
        ),
        (
            "JWT_ALGORITHM",
            "none",
            "JWT_ALGORITHM: `none` is not valid: expected HS256\n",
        ),
        (
            "TIMEZONE",
            "Mars/Base",
            "TIMEZONE: `Mars/Base` is not valid: time zone `Mars/Base` is unknown, expected an IANA name like America/New_York\n",
        ),
    ];
    for command in ["serve", "check-config"] {
        for (name, value, line) in cases {
            let folder = folder();
            let output = run(binary(folder.path()).arg(command).env(name, value));
            assert_eq!(
                (output.status.code(), text(&output.stderr).as_str()),
                (Some(2), line),
                "{command} {name}"
            );
        }
    }
}

/// What the whole binary makes of an environment and a `.env`: the settings hold, or one line says which does not.
#[cfg(unix)]
#[test]
fn a_setting_that_cannot_be_read_stops_the_start_and_is_not_shown() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = folder();
    let no_text = OsStr::from_bytes(b"10.0.0.0/8\xff");
    let output = run(binary(folder.path())
        .arg("serve")
        .env("IP_WHITELIST", no_text));
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        "IP_WHITELIST: the value given (hidden) is not valid: expected text in UTF-8\n"
    );
    let dot_env = "DIALER_KEYS=key-1-of-two, key-2-of-two\napi_port=9000\nADMIN_TOKEN=\"horse";
    std::fs::write(folder.path().join(".env"), dot_env).expect("written");
    let output = run(binary(folder.path()).arg("serve"));
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        ".env: `line 3: ADMIN_TOKEN` is not valid: expected the quote to be closed on its line\n"
    );
}

#[test]
fn check_config_shows_every_setting_with_its_source_and_no_secret() {
    let folder = folder();
    let dot_env = "API_PORT=9000\nADMIN_TOKEN=horse-battery-7\nDIALER_KEYS=key-of-dialer-1\nRESERVATION_TTL_SECOND=5\n";
    std::fs::write(folder.path().join(".env"), dot_env).expect("written");
    let output = run(binary(folder.path())
        .args(["check-config", "--timezone=America/Chicago"])
        .env("LADDER", "any"));
    let (said, warned) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{warned}");
    let line = |name: &str| {
        let line = said
            .lines()
            .find(|line| line.split(' ').next() == Some(name))
            .expect("a line");
        line.split_whitespace()
            .skip(1)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(line("API_PORT"), "= 9000 [.env]");
    assert_eq!(line("TIMEZONE"), "= America/Chicago [flag]");
    assert_eq!(line("LADDER"), "= any [environment]");
    assert_eq!(line("RESERVATION_TTL_SECONDS"), "= 300 [default]");
    assert_eq!(line("ADMIN_TOKEN"), "= (hidden) [.env]");
    assert_eq!(line("JWT_SECRET"), "= (not set) [default]");
    let database = std::fs::canonicalize(folder.path()).expect("the folder");
    let database = database.join("data/caller-id.db");
    let shown = said.lines().last().expect("a line");
    assert_eq!(shown.split_whitespace().last(), database.to_str());
    assert!(!said.contains("horse") && !said.contains("dialer-1") && !warned.contains("horse"));
    assert!(
        warned.contains(
            "`RESERVATION_TTL_SECOND` is no setting; is `RESERVATION_TTL_SECONDS` meant?"
        ),
        "{warned}"
    );
}

#[cfg(unix)]
#[test]
fn fault_17_it_starts_with_its_own_example_of_settings_and_sigterm_ends_it_with_0() {
    let folder = folder();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.env.example");
    std::fs::copy(example, folder.path().join(".env")).expect("copied");
    let (served, banner) = Served::start(
        binary(folder.path()).args(["serve", "--api-port=0"]),
        "The admin token is kept",
    );
    let token = std::fs::read_to_string(folder.path().join("data/admin-token")).expect("a token");
    assert!(
        !banner.contains(token.trim()),
        "no terminal, so a journal may keep it: {banner}"
    );
    let (code, log) = served.terminate();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains(token.trim()), "{log}");

    let (served, banner) = Served::start(
        binary(folder.path()).args(["serve", "--api-port=0", "--show-token"]),
        "The admin token is kept",
    );
    assert!(
        banner.contains(&format!("Admin token: {}", token.trim())),
        "{banner}"
    );
    let link = format!("/sign-in#token={}", token.trim());
    assert!(banner.contains(&link), "{banner}");
    assert_eq!(served.terminate().0, Some(0));
}

#[cfg(unix)]
#[test]
fn the_line_that_the_banner_shows_works_when_pasted() {
    let folder = folder();
    let (served, banner) = Served::start(
        binary(folder.path()).args(["serve", "--api-port=0", "--show-token"]),
        "  curl",
    );
    let url = banner.split('\'').nth(1).expect("a quoted URL").to_owned();
    let (host, path) = url
        .trim_start_matches("http://")
        .split_once('/')
        .expect("host and path");
    let mut stream = std::net::TcpStream::connect(host).expect("a connection");
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    std::io::Write::write_all(&mut stream, request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(
        answer.starts_with("HTTP/1.1 404") && answer.contains("No caller IDs available"),
        "{answer}"
    );
    assert_eq!(served.terminate().0, Some(0));
}

#[cfg(unix)]
#[test]
fn a_page_that_is_kept_up_to_date_holds_no_stop_up() {
    let folder = folder();
    let (served, banner) = Served::start(
        binary(folder.path())
            .args(["serve", "--api-port=0", "--show-token"])
            .env("SHUTDOWN_TIMEOUT_SECONDS", "600"),
        "  curl",
    );
    let link = banner.split("Sign in: http://").nth(1).expect("a link");
    let (host, token) = link.split_once("/sign-in#token=").expect("a token");
    let token = token.lines().next().expect("a line");
    let mut stream = std::net::TcpStream::connect(host).expect("a connection");
    let request =
        format!("GET /dashboard/live HTTP/1.1\r\nhost: {host}\r\nx-admin-token: {token}\r\n\r\n");
    std::io::Write::write_all(&mut stream, request.as_bytes()).expect("sent");
    let mut lines = BufReader::new(stream).lines();
    assert!(
        lines.any(|line| line.expect("a line").starts_with("event: ")),
        "it is kept up to date"
    );
    // Were it waited for, no test would have the time.
    assert_eq!(served.terminate().0, Some(0));
}

#[cfg(unix)]
#[test]
fn a_second_service_on_the_same_data_is_refused() {
    let folder = folder();
    let (served, _) = Served::start(
        binary(folder.path()).args(["serve", "--api-port=0"]),
        "The admin token is kept",
    );
    let second = run(binary(folder.path()).args(["serve", "--api-port=0"]));
    let said = text(&second.stderr);
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot open the database"), "{said}");
    served.terminate();
}

#[cfg(unix)]
#[test]
fn a_closed_terminal_ends_it_in_order() {
    let folder = folder();
    let (served, _) = Served::start(
        binary(folder.path()).args(["serve", "--api-port=0"]),
        "The admin token is kept",
    );
    let (code, log) = served.end("-HUP");
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("stopping"), "{log}");
}

/// Connects, again and again until the service listens.
#[cfg(unix)]
fn connect(port: u16) -> std::net::TcpStream {
    for _ in 0..2_000 {
        if let Ok(stream) = std::net::TcpStream::connect(("127.0.0.1", port)) {
            return stream;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("nobody listens on {port}");
}

#[cfg(unix)]
fn live(stream: &mut std::net::TcpStream) -> String {
    let request = b"GET /live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    std::io::Write::write_all(stream, request).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[cfg(target_os = "linux")]
#[test]
fn it_serves_although_nothing_can_be_printed() {
    let folder = folder();
    let full = || {
        std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .expect("Linux has it")
    };
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let mut served = binary(folder.path());
    served.args(["serve", &format!("--api-port={port}")]);
    let served = served.stdout(full()).stderr(full()).spawn();
    let _served = Served(served.expect("it starts"));
    assert!(live(&mut connect(port)).starts_with("HTTP/1.1 200"));
}

#[cfg(unix)]
#[test]
fn with_few_files_slow_connections_stop_nobody_and_the_log_stays_short() {
    let folder = folder();
    let mut shell = Command::new("/bin/sh");
    shell.args([
        "-c",
        "ulimit -n 200; exec \"$0\" serve --api-port=0 --agi-listen=off --show-token",
    ]);
    shell.arg(env!("CARGO_BIN_EXE_caller-id"));
    shell
        .current_dir(folder.path())
        .env_clear()
        .env("HOME", folder.path());
    let (served, banner) = Served::start(shell.env("DATA_DIR", folder.path()), "  curl");
    let port = banner
        .split("127.0.0.1:")
        .nth(1)
        .and_then(|rest| rest.lines().next());
    let port = port.expect("a port").trim().parse().expect("a number");
    let mut slow = Vec::new();
    for _ in 0..230 {
        let mut stream = connect(port);
        std::io::Write::write_all(&mut stream, b"GET /x").expect("sent");
        slow.push(stream);
        // Each new client is answered, however many are slow.
        if slow.len() % 23 == 0 {
            assert!(live(&mut connect(port)).starts_with("HTTP/1.1 200"));
        }
    }
    drop(slow);
    let (code, log) = served.terminate();
    assert_eq!(code, Some(0), "{log}");
    let warnings = log.lines().filter(|line| line.contains("WARN"));
    assert_eq!(warnings.count(), 1, "{log}");
    assert!(log.contains("at most 136 connections"), "{log}");
}
