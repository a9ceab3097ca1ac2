//! A throw-away PgBouncer before a throw-away PostgreSQL: reached through a socket, ended when dropped.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::postgres::Postgres;

/// How often, and how many times, it is looked whether it listens: 30 seconds in all.
const LOOK_EVERY: Duration = Duration::from_millis(5);
const LOOKS: u32 = 6_000;
/// A socket is named after it.
const PORT: u16 = 6432;
/// Room for two nodes in each database.
const SESSIONS: u32 = 24;

/// For how long a session of the server is lent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lends {
    /// For as long as the client stays.
    Sessions,
    /// From the begin of a transaction to its end.
    Transactions,
}

/// A running PgBouncer.
#[derive(Debug)]
pub struct PgBouncer {
    folder: TempDir,
    process: Child,
}

impl PgBouncer {
    /// Starts one before every database of the server, and waits until it listens.
    ///
    /// # Panics
    /// When it is not installed, or does not start.
    pub fn start(server: &Postgres, lends: Lends) -> Self {
        let folder = tempfile::tempdir().expect("a folder for pgbouncer");
        let mode = match lends {
            Lends::Sessions => "session",
            Lends::Transactions => "transaction",
        };
        let settings = format!(
            "[databases]\n* = user=postgres host={}\n[pgbouncer]\nunix_socket_dir = {}\nlisten_port = {PORT}\nauth_type = any\n\
             pool_mode = {mode}\ndefault_pool_size = {SESSIONS}\nlogfile = {}\n",
            server.folder().display(),
            folder.path().display(),
            folder.path().join("log").display(),
        );
        let file = folder.path().join("pgbouncer.ini");
        fs::write(&file, settings).expect("the settings can be written");
        // Not every account has /usr/sbin in its PATH, where Debian puts it.
        let debian = "/usr/sbin/pgbouncer";
        let program = if Path::new(debian).exists() {
            debian
        } else {
            "pgbouncer"
        };
        let mut program = Command::new(program);
        program.arg("-q").arg(&file).stdin(Stdio::null());
        program.stdout(Stdio::null()).stderr(Stdio::null());
        server.lend_account(folder.path(), &mut program);
        let process = program.spawn().unwrap_or_else(|error| {
            panic!("pgbouncer cannot be run ({error}): install it with `make deps` or `sudo apt-get install pgbouncer`")
        });
        let bouncer = Self { folder, process };
        bouncer.wait();
        bouncer
    }

    /// The URL of a database through it.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://postgres:secret@localhost:{PORT}/{database}?host={}",
            self.folder.path().display()
        )
    }

    fn wait(&self) {
        let socket = self.folder.path().join(format!(".s.PGSQL.{PORT}"));
        for _ in 0..LOOKS {
            if UnixStream::connect(&socket).is_ok() {
                return;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        panic!("pgbouncer did not start: {log}");
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
