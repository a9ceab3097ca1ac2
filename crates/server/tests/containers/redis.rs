//! The command that starts Redis in its container, run for real.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::{stack, texts};

const PASSWORD: &str = "a-password-of-tests";

struct Redis(Child, PathBuf);

impl Redis {
    /// As the container runs it, but for its folder and where it listens.
    fn start(folder: &Path) -> Self {
        let stack = stack();
        let command = texts(&stack["services"]["redis"]["command"]);
        let [shell, flag, script] = command[..] else {
            panic!("three words, found {command:?}");
        };
        let socket = folder.join("redis.sock");
        let place = format!(
            "redis-server - --port 0 --unixsocket {} --daemonize no",
            socket.display()
        );
        assert!(script.contains("redis-server -") && script.contains("--dir /data"));
        let script = script.replace("redis-server -", &place);
        let script = script.replace("--dir /data", &format!("--dir {}", folder.display()));
        // What Compose makes of it.
        let script = script.replace("$$", "$");
        let process = Command::new(shell)
            .args([flag, &script])
            .env("REDISCLI_AUTH", PASSWORD)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        Self(process, socket)
    }

    fn connect(&mut self) -> UnixStream {
        for _ in 0..300 {
            if let Ok(stream) = UnixStream::connect(&self.1) {
                let patience = Some(Duration::from_secs(30));
                stream.set_read_timeout(patience).unwrap();
                return stream;
            }
            let ended = self.0.try_wait().unwrap();
            assert!(ended.is_none(), "redis-server ended: {ended:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("redis-server does not listen within 30 s");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn ask(stream: &mut UnixStream, line: &str) -> String {
    stream.write_all(format!("{line}\r\n").as_bytes()).unwrap();
    let mut answer = [0; 1_000];
    let length = stream.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

#[test]
fn it_wants_the_password_keeps_what_it_must_and_ends_when_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut redis = Redis::start(folder.path());
    let mut stream = redis.connect();
    assert!(ask(&mut stream, "PING").starts_with("-NOAUTH"));
    assert_eq!(ask(&mut stream, &format!("AUTH {PASSWORD}")), "+OK\r\n");
    for (name, value) in [
        ("appendonly", "yes"),
        ("appendfsync", "everysec"),
        ("auto-aof-rewrite-percentage", "100"),
        ("maxmemory-policy", "noeviction"),
    ] {
        let answer = ask(&mut stream, &format!("CONFIG GET {name}"));
        assert!(answer.contains(&format!("\r\n{value}\r\n")), "{answer}");
    }
    // The shell is no more: the signal of `docker stop` reaches the server.
    kill_process(Pid::from_child(&redis.0), Signal::TERM).unwrap();
    let ended = redis.0.wait().unwrap();
    assert_eq!(ended.code(), Some(0), "in order: {ended}");
}
