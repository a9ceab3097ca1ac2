//! A throw-away redis-server: on a unix socket, in a folder of its own, ended when dropped.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// So often it is looked whether the server answers.
const LOOKS_MOST: u32 = 1_000;
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A running server that keeps nothing on disk.
#[derive(Debug)]
pub struct RedisServer {
    child: Option<Child>,
    folder: TempDir,
}

impl RedisServer {
    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    /// When redis-server is not installed, or does not answer within ten seconds.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder for redis-server");
        let mut server = Self {
            child: None,
            folder,
        };
        server.restart();
        server
    }

    /// Where it listens, as an address.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// Ends the server at once; what it held is lost.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = std::fs::remove_file(self.socket());
    }

    /// Starts the server anew at the same address, empty.
    ///
    /// # Panics
    /// As [`RedisServer::start`].
    pub fn restart(&mut self) {
        self.kill();
        let child = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no"])
            .args(["--daemonize", "no", "--loglevel", "warning"])
            .arg("--unixsocket")
            .arg(self.socket())
            .arg("--dir")
            .arg(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = child.unwrap_or_else(|error| {
            panic!("redis-server does not start ({error}); install it: apt-get install redis-server, or make deps")
        });
        self.child = Some(child);
        self.wait_until_it_answers();
    }

    /// Stops it in its tracks: connections stay open, nothing is answered.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on after [`RedisServer::pause`].
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("the server runs");
        kill_process(Pid::from_child(child), signal).expect("the server takes signals");
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    fn wait_until_it_answers(&mut self) {
        let socket = self.socket();
        for _ in 0..LOOKS_MOST {
            if answers(&socket) {
                return;
            }
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok());
            if let Some(Some(status)) = ended {
                panic!("redis-server ended at once: {status}");
            }
            thread::sleep(LOOK_EVERY);
        }
        panic!("redis-server does not answer at {}", socket.display());
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn answers(socket: &Path) -> bool {
    let asked = UnixStream::connect(socket).and_then(|mut stream| {
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).map(|()| answer)
    });
    asked.is_ok_and(|answer| &answer == b"+PONG")
}
