//! The built binary as a process, and every line that it says.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// A line that does not come within this time never comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A service; ended when dropped.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    /// Every line so far, of standard output and standard error.
    pub(crate) said: Vec<String>,
}

impl Running {
    /// Starts `caller-id serve` with these settings and no others, on a port that the system chooses.
    pub(crate) fn start(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_caller-id"));
        command.env_clear().current_dir(folder).arg("serve");
        command.env("DATA_DIR", folder).env("API_PORT", "0");
        command.env("AGI_LISTEN", "127.0.0.1:0");
        command.env("ADMIN_TOKEN", "a-token-for-tests-0123456789abcdef");
        command.envs(variables.iter().copied()).stdin(Stdio::null());
        let (out, err) = (Stdio::piped(), Stdio::piped());
        let mut child = command.stdout(out).stderr(err).spawn().unwrap();
        let (told, lines) = mpsc::channel();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let to = told.clone();
        std::thread::spawn(move || tell(BufReader::new(out), &to));
        std::thread::spawn(move || tell(BufReader::new(err), &told));
        Self {
            child,
            lines,
            said: Vec::new(),
        }
    }

    /// Waits for a line that has all of `parts`.
    pub(crate) fn until(&mut self, parts: &[&str]) -> String {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if parts.iter().all(|part| line.contains(part)) {
                        return line;
                    }
                }
                Err(_) => panic!("no line has {parts:?}:\n{}", self.said.join("\n")),
            }
        }
    }

    /// Stops it as systemd does, and reads the rest. Its exit code.
    pub(crate) fn stop(mut self) -> (Option<i32>, Vec<String>) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.end()
    }

    /// Waits until it ends by itself. Its exit code, and all it said.
    pub(crate) fn end(&mut self) -> (Option<i32>, Vec<String>) {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => self.said.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end: {:?}", self.said),
            }
        }
        let code = self.child.wait().unwrap().code();
        (code, self.said.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn tell(lines: impl BufRead, to: &mpsc::Sender<String>) {
    for line in lines.lines().map_while(Result::ok) {
        if to.send(line).is_err() {
            return;
        }
    }
}
