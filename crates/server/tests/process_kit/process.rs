//! The built binary as a process of its own, on a port of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use crate::client::{Client, PATIENCE};
use crate::inventory::{AGENT_LIMIT, COOLDOWN_S, RESERVATION_S};

/// The binary that is tested.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_caller-id");
/// The admin token of every service here.
pub(crate) const TOKEN: &str = "horse-battery-staple-7";

/// Gives `command` the settings of the service whose data is in `folder`, and nothing of this process's environment.
pub(crate) fn configured(mut command: Command, folder: &Path) -> Command {
    command
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("DATA_DIR", folder)
        .env("API_PORT", "0")
        .env("AGI_LISTEN", "off")
        .env("ADMIN_TOKEN", TOKEN)
        .env("LOG_LEVEL", "warn")
        .env("RESERVATION_TTL_SECONDS", RESERVATION_S.to_string())
        .env("CALLER_ID_COOLDOWN_SECONDS", COOLDOWN_S.to_string())
        .env("AGENT_RATE_LIMIT_PER_MIN", AGENT_LIMIT.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// Starts the service on the data in `folder`.
pub(crate) fn serve(folder: &Path) -> Command {
    let mut command = Command::new(BINARY);
    command.arg("serve");
    configured(command, folder)
}

/// A running service; killed when dropped, so also when a test fails.
pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
    /// Kept open: whoever prints into a closed pipe fails.
    stdout: Option<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts it and comes back when it listens.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().expect("it starts");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let Some((banner, stdout)) = first_line(stdout) else {
            let _ = child.kill();
            panic!("it does not say in {PATIENCE:?} that it listens");
        };
        let address = banner
            .trim()
            .rsplit_once("http://")
            .unwrap_or_else(|| panic!("no address in its banner `{banner}`"))
            .1
            .parse()
            .expect("an address");
        Self {
            child,
            address,
            stdout: Some(stdout),
        }
    }

    /// A new connection to it.
    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address())
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it at once, as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Asks it to end, as `kill -TERM` does.
    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Sends it that signal, as `kill` does.
    pub(crate) fn signal(&self, name: &str) {
        let told = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status();
        assert!(told.expect("kill runs").success());
    }

    /// Waits for its end and gives its exit code; none when a signal ended it.
    ///
    /// # Panics
    /// It does not end in time.
    pub(crate) fn exit_code(mut self) -> Option<i32> {
        let mut stdout = self.stdout.take().expect("taken once");
        let (told, ended) = mpsc::channel();
        thread::spawn(move || told.send(stdout.read_to_end(&mut Vec::new()).is_ok()));
        // The end of its output is its own end: it shares it with nobody.
        let ended = ended.recv_timeout(PATIENCE);
        assert!(
            ended.is_ok(),
            "it was told to end and has not in {PATIENCE:?}"
        );
        self.child.wait().expect("it ends").code()
    }
}

/// The first line and what comes after it; none when it does not come in time.
fn first_line(mut stdout: BufReader<ChildStdout>) -> Option<(String, BufReader<ChildStdout>)> {
    let (told, line) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        let read = stdout.read_line(&mut line);
        told.send(read.map(|_| (line, stdout)))
    });
    let line = line.recv_timeout(PATIENCE).ok()?;
    Some(line.expect("text"))
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already when the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
