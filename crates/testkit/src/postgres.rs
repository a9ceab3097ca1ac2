//! A throw-away PostgreSQL: made in a temporary folder, reached through a socket in it, gone when dropped.
//!
//! It trusts whoever reaches the socket and never syncs. A test that needs it fails where PostgreSQL is not installed.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tempfile::TempDir;

use crate::small_disk::SmallDisk;

/// How often, and how many times, it is looked whether the server is ready: 60 seconds in all.
const LOOK_EVERY: Duration = Duration::from_millis(10);
const LOOKS: u32 = 6_000;

/// The server runs for as long as this script does; the end of its input, however the test ends, ends both.
const GUARD: &str =
    r#"exec 3<&0; "$@" </dev/null & server=$!; read -r _ <&3; kill -QUIT $server; wait $server"#;

/// A running server.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    account: Option<Account>,
    settings: Vec<String>,
    server: Mutex<Option<Child>>,
    databases: AtomicUsize,
}

/// Whom the server runs as when we are root: it refuses to be.
#[derive(Debug, Clone, Copy)]
struct Account {
    user: u32,
    group: u32,
}

impl Postgres {
    /// The server that all tests of this process share: started by the first, ended when the last has dropped it.
    ///
    /// # Panics
    /// When PostgreSQL is not installed, or does not start.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Self::start());
            *shared = Arc::downgrade(&server);
            server
        })
    }

    /// A server of its own.
    ///
    /// # Panics
    /// When PostgreSQL is not installed, or does not start.
    pub fn start() -> Self {
        Self::start_with(&[], &[])
    }

    /// A server of its own, with more settings (`ssl=on`) and more files in its data folder (`server.key`).
    ///
    /// # Panics
    /// When PostgreSQL is not installed, or does not start.
    pub fn start_with(settings: &[&str], files: &[(&str, &str)]) -> Self {
        let account = account();
        let folder = tempfile::Builder::new()
            .prefix("caller-id-pg")
            .tempdir()
            .expect("a temporary folder can be made");
        own(folder.path(), account).expect("the folder can be given away");
        copy(&template(account), &folder.path().join("data"), account)
            .expect("the template can be copied");
        let server = Self {
            folder,
            account,
            settings: settings.iter().map(|&setting| setting.into()).collect(),
            server: Mutex::new(None),
            databases: AtomicUsize::new(0),
        };
        for (name, text) in files {
            let path = server.data().join(name);
            fs::write(&path, text).expect("the data folder can be written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))
                .expect("the file is ours");
            own(&path, account).expect("the file can be given away");
        }
        server.up();
        server
    }

    /// Starts it again after [`Postgres::down`].
    ///
    /// # Panics
    /// When it does not start.
    pub fn up(&self) {
        let mut guard = Command::new("sh");
        guard.args(["-c", GUARD, "sh"]);
        guard.arg(program("postgres")).arg("-D").arg(self.data());
        guard.arg("-k").arg(self.folder.path());
        for setting in [
            "listen_addresses=",
            "fsync=off",
            "shared_buffers=16MB",
            "max_wal_size=256MB",
            "log_min_messages=fatal",
        ] {
            guard.args(["-c", setting]);
        }
        for setting in &self.settings {
            guard.args(["-c", setting]);
        }
        let log = fs::File::create(self.folder.path().join("log")).expect("a log can be made");
        guard
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("the log can be shared"))
            .stderr(log);
        let child = run_as(&mut guard, self.account)
            .spawn()
            .expect("a shell can be started");
        *self.server() = Some(child);
        for _ in 0..LOOKS {
            let status = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
            if status.lines().any(|line| line.trim() == "ready") {
                return;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        panic!("PostgreSQL did not start: {log}");
    }

    /// Ends it at once, as a crash would.
    pub fn down(&self) {
        if let Some(mut child) = self.server().take() {
            drop(child.stdin.take());
            if let Err(error) = child.wait() {
                eprintln!("PostgreSQL was not ended: {error}");
            }
            let _ = fs::remove_file(self.data().join("postmaster.pid"));
        }
    }

    /// Makes an empty database and gives its name.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.psql("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// Makes an empty database whose tables are on a disk of their own, of so many megabytes, and gives the disk and the name.
    /// None, and a line that says so, where this process may not mount. The disk is to be dropped before the server.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn database_on_small_disk(&self, megabytes: u32) -> Option<(SmallDisk, String)> {
        let folder = self.folder.path().join("small-disk");
        fs::create_dir(&folder).expect("a folder can be made");
        let disk = SmallDisk::mount_on(&folder, megabytes)?;
        own(&folder, self.account).expect("the folder can be given away");
        let place = folder.display();
        self.psql(
            "postgres",
            &format!("CREATE TABLESPACE small_disk LOCATION '{place}'"),
        );
        self.psql("postgres", "CREATE DATABASE small TABLESPACE small_disk");
        Some((disk, "small".to_owned()))
    }

    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://postgres:secret@localhost/{database}?host={}",
            self.folder.path().display()
        )
    }

    /// Runs statements as a stranger would, and gives what they print.
    ///
    /// # Panics
    /// When they fail.
    pub fn psql(&self, database: &str, sql: &str) -> String {
        self.psql_on(5432, database, sql)
    }

    /// The same where the server's settings name another port: the socket is named after it.
    ///
    /// # Panics
    /// When they fail.
    pub fn psql_on(&self, port: u16, database: &str, sql: &str) -> String {
        let output = Command::new(program("psql"))
            .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres"])
            .args(["-p", &port.to_string()])
            .args(["-d", database, "-c", sql, "-h"])
            .arg(self.folder.path())
            .output();
        done(output, "psql")
    }

    /// The folder that its socket is in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Gives a folder to the account that the server runs as, and lets a program of its kin run as that.
    pub(crate) fn lend_account(&self, folder: &Path, program: &mut Command) {
        own(folder, self.account).expect("the folder can be given away");
        run_as(program, self.account);
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn server(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.down();
    }
}

/// A data folder that `initdb` made, kept beside the test's executable: copying it is much faster.
fn template(account: Option<Account>) -> PathBuf {
    let executable = std::env::current_exe().expect("a test has an executable");
    let folder = executable.parent().expect("it is in a folder");
    let template = folder.join("postgres-template");
    if template.exists() {
        return template;
    }
    let made = tempfile::tempdir().expect("a temporary folder can be made");
    own(made.path(), account).expect("the folder can be given away");
    let data = made.path().join("data");
    let mut initdb = Command::new(program("initdb"));
    initdb
        .args(["--no-sync", "--auth=trust", "--username=postgres"])
        .args(["--locale=C", "--encoding=UTF8", "--wal-segsize=1", "-D"])
        .arg(&data)
        .current_dir("/");
    done(run_as(&mut initdb, account).output(), "initdb");
    // Another test may do the same now: whoever renames first wins.
    let half = tempfile::tempdir_in(folder).expect("a folder beside the executable can be made");
    copy(&data, &half.path().join("data"), None).expect("the template can be copied");
    match fs::rename(half.path().join("data"), &template) {
        Err(error) if !template.exists() => panic!("the template cannot be kept: {error}"),
        _ => template,
    }
}

/// Copies a data folder and gives it to the account.
fn copy(from: &Path, to: &Path, account: Option<Account>) -> io::Result<()> {
    fs::create_dir(to)?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o700))?;
    own(to, account)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to, account)?;
        } else {
            fs::copy(entry.path(), &to)?;
            own(&to, account)?;
        }
    }
    Ok(())
}

fn own(path: &Path, account: Option<Account>) -> io::Result<()> {
    match account {
        Some(account) => chown(path, Some(account.user), Some(account.group)),
        None => Ok(()),
    }
}

fn run_as(command: &mut Command, account: Option<Account>) -> &mut Command {
    match account {
        Some(account) => command.uid(account.user).gid(account.group),
        None => command,
    }
}

/// None unless we are root.
fn account() -> Option<Account> {
    let id = |arguments: &[&str]| -> u32 {
        let printed = done(Command::new("id").args(arguments).output(), "id");
        printed.trim().parse().expect("id prints a number")
    };
    (id(&["-u"]) == 0).then(|| Account {
        user: id(&["-u", "postgres"]),
        group: id(&["-g", "postgres"]),
    })
}

/// A program of PostgreSQL, from the newest version of those that Debian and its kin keep, else from PATH.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    versions
        .filter_map(|version| {
            let path = version.ok()?.path();
            let number: u32 = path.file_name()?.to_str()?.parse().ok()?;
            let program = path.join("bin").join(name);
            program.exists().then_some((number, program))
        })
        .max()
        .map_or_else(|| PathBuf::from(name), |(_, program)| program)
}

fn done(output: io::Result<Output>, name: &str) -> String {
    match output {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).into_owned()
        }
        Ok(output) => panic!(
            "{name} failed: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => panic!(
            "{name} cannot be run ({error}): these tests need PostgreSQL 14 or newer, install it with `make deps` or \
             `sudo apt-get install postgresql`"
        ),
    }
}
