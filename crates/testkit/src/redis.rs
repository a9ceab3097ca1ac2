//! Throw-away Redis: a server, a cluster, a master with its replica and sentinels. Each in folders of its own, on loopback
//! alone, ended when dropped.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use redis::{FromRedisValue, RedisResult};
use rustix::process::Signal;
use tempfile::TempDir;

use self::process::{Process, ask, free_port, wait_for};
use self::tls::Certificates;

mod cluster;
mod process;
mod sentinels;
mod tls;

pub use self::cluster::RedisCluster;
pub use self::sentinels::RedisSentinels;

/// So many ports are tried: another process may be faster.
const PORTS_MOST: usize = 10;

/// How a server is set up. By default it keeps nothing on disk, and is reached through a socket alone.
#[derive(Debug, Clone, Default)]
pub struct RedisSetup {
    /// How it is reached.
    pub reach: Reach,
    /// The password of its default user.
    pub password: Option<String>,
    /// The database that its address names.
    pub database: u32,
    /// Whether it keeps what it holds, and how soon.
    pub keep: Keep,
    /// More arguments of redis-server, names with `--` and values.
    pub more: Vec<String>,
}

/// How a server is reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reach {
    /// A socket in its folder.
    #[default]
    Socket,
    /// A port of 127.0.0.1.
    Tcp,
    /// A port of 127.0.0.1 that speaks TLS: [`RedisServer::authority`] signed its certificate.
    Tls,
}

/// Whether a server keeps what it holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Keep {
    /// It does not.
    #[default]
    Nothing,
    /// In an append-only file that is written through every second.
    EverySecond,
    /// In an append-only file that is written through before it answers.
    Always,
}

/// A running server.
#[derive(Debug)]
pub struct RedisServer {
    process: Option<Process>,
    folder: TempDir,
    setup: RedisSetup,
    port: u16,
    certificates: Option<Arc<Certificates>>,
}

impl RedisSetup {
    /// Starts such a server and waits until it answers.
    ///
    /// # Panics
    /// As [`RedisServer::start`].
    pub fn start(self) -> RedisServer {
        let tls = self.reach == Reach::Tls;
        let certificates = tls.then(|| Arc::new(Certificates::make()));
        self.start_with(certificates)
    }

    /// The same, with certificates that others have too.
    fn start_with(self, certificates: Option<Arc<Certificates>>) -> RedisServer {
        let folder = tempfile::tempdir().expect("a folder for redis-server");
        let mut server = RedisServer {
            process: None,
            folder,
            setup: self,
            port: 0,
            certificates,
        };
        for _ in 0..PORTS_MOST {
            if server.setup.reach != Reach::Socket {
                server.port = free_port();
            }
            if server.run() {
                return server;
            }
        }
        panic!("redis-server ends at once, whatever its port");
    }
}

impl RedisServer {
    /// Starts a server that keeps nothing on disk and waits until it answers.
    ///
    /// # Panics
    /// When redis-server is not installed, or does not answer within 30 seconds.
    pub fn start() -> Self {
        RedisSetup::default().start()
    }

    /// Where it listens, as an address with password and database.
    pub fn url(&self) -> String {
        let login = self.password();
        let login = login.map_or_else(String::new, |password| format!(":{password}@"));
        let (port, database) = (self.port, self.setup.database);
        match self.setup.reach {
            Reach::Socket => self.socket_url(database),
            Reach::Tcp => format!("redis://{login}127.0.0.1:{port}/{database}"),
            Reach::Tls => format!("rediss://{login}localhost:{port}/{database}"),
        }
    }

    /// Its port; 0 when a socket is all it has.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whose signature its certificate has, as a file in PEM form, when it speaks TLS.
    pub fn authority(&self) -> Option<PathBuf> {
        Some(self.certificates.as_ref()?.authority.clone())
    }

    /// What it answers to a command, asked beside whatever else is connected.
    ///
    /// # Errors
    /// The server's, and when it cannot be reached.
    pub fn ask<T: FromRedisValue>(&self, words: &[&str]) -> RedisResult<T> {
        ask(&self.socket_url(self.setup.database), words)
    }

    /// Ends the server at once; what it did not keep is lost.
    pub fn kill(&mut self) {
        self.process = None;
        let _ = fs::remove_file(self.socket());
    }

    /// Starts the server anew at the same address, empty.
    ///
    /// # Panics
    /// As [`RedisServer::start`].
    pub fn restart(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(self.folder.path().join("appendonlydir"));
        // Before Redis 7 it is one file.
        let _ = fs::remove_file(self.folder.path().join("appendonly.aof"));
        self.restart_keeping();
    }

    /// Starts the server anew at the same address, with what it kept.
    ///
    /// # Panics
    /// As [`RedisServer::start`].
    pub fn restart_keeping(&mut self) {
        self.kill();
        assert!(self.run(), "redis-server ends at once");
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
        self.process
            .as_ref()
            .expect("the server runs")
            .signal(signal);
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    /// The password as a URL has it.
    fn password(&self) -> Option<String> {
        self.setup.password.as_deref().map(encoded)
    }

    fn socket_url(&self, database: u32) -> String {
        let path = self.socket();
        let mut url = format!("redis+unix://{}", path.display());
        let password = self.password().map(|password| format!("pass={password}"));
        let database = (database > 0).then(|| format!("db={database}"));
        let options: Vec<_> = password.into_iter().chain(database).collect();
        if !options.is_empty() {
            url = format!("{url}?{}", options.join("&"));
        }
        url
    }

    /// Runs it and waits until it answers. False: it ended.
    fn run(&mut self) -> bool {
        let process = Process::start(&self.arguments(), self.folder.path());
        self.process = Some(process);
        wait_for("redis-server answers", || {
            let pong: RedisResult<String> = ask(&self.socket_url(0), &["PING"]);
            let ended = self.process.as_mut().and_then(Process::ended);
            pong.is_ok().then_some(true).or(ended.map(|_| false))
        })
    }

    fn arguments(&self) -> Vec<String> {
        let port = match self.setup.reach {
            Reach::Tcp => self.port,
            Reach::Socket | Reach::Tls => 0,
        };
        let (append, through) = match self.setup.keep {
            Keep::Nothing => ("no", "no"),
            Keep::EverySecond => ("yes", "everysec"),
            Keep::Always => ("yes", "always"),
        };
        let text = format!(
            "--bind 127.0.0.1 --port {port} --unixsocket {} --dir {} --appendonly {append} --appendfsync {through} \
             --daemonize no --loglevel warning --save",
            self.socket().display(),
            self.folder.path().display(),
        );
        let mut arguments: Vec<String> = text.split(' ').map(str::to_owned).collect();
        arguments.push(String::new());
        if let Some(password) = &self.setup.password {
            arguments.extend(["--requirepass".to_owned(), password.clone()]);
        }
        if let Some(made) = &self.certificates {
            for [name, value] in made.settings(self.port) {
                arguments.extend([format!("--{name}"), value]);
            }
        }
        arguments.extend(self.setup.more.iter().cloned());
        arguments
    }
}

/// Text as a URL has it.
fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
