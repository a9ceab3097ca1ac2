//! The service as a process of its own, in a folder of its own, on a free port.

use std::fs::File;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use caller_id_core::{NumberFormat, PhoneNumber};
use tempfile::TempDir;

use crate::stopwatch::Stopwatch;

/// The admin token of every service that is measured.
pub(crate) const TOKEN: &str = "a-token-for-benchmarks-only";
const START_SECONDS: f64 = 60.0;
/// Longer than a stop may take by the settings.
const END_SECONDS: f64 = 30.0;

/// A folder with a database, and the commands that work on it.
pub(crate) struct Site {
    folder: TempDir,
    settings: Vec<(String, String)>,
}

impl Site {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self {
            folder: tempfile::tempdir()?,
            settings: Vec::new(),
        })
    }

    /// From now on commands have this setting.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// A setting that commands have, where one was made.
    pub(crate) fn setting(&self, name: &str) -> Option<&str> {
        let mut settings = self.settings.iter().rev();
        let found = settings.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Where all that is.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("caller-id.db")
    }

    /// The path of a file of this name in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What services here had to say, all that ever ran.
    pub(crate) fn log(&self) -> PathBuf {
        self.path("serve.log")
    }

    /// Writes a CSV file with these numbers, without limits that a benchmark could reach.
    pub(crate) fn csv(&self, numbers: &[PhoneNumber]) -> anyhow::Result<PathBuf> {
        let path = self
            .folder
            .path()
            .join(format!("numbers-{}.csv", numbers.len()));
        let mut file = std::io::BufWriter::new(File::create(&path)?);
        writeln!(file, "caller_id,carrier,area_code,daily_limit,hourly_limit")?;
        for number in numbers {
            let national = number.format(NumberFormat::National);
            writeln!(
                file,
                "{national},carrier,{},1000000,1000000",
                &national[..3]
            )?;
        }
        file.flush()?;
        Ok(path)
    }

    /// `caller-id import` of a file, with more arguments; gives the seconds it took.
    pub(crate) fn import(&self, csv: &Path, arguments: &[&str]) -> anyhow::Result<f64> {
        let watch = Stopwatch::start();
        let done = self
            .command("import")
            .arg("--csv")
            .arg(csv)
            .args(arguments)
            .output()?;
        let seconds = watch.seconds();
        if !done.status.success() {
            bail!("import failed: {}", String::from_utf8_lossy(&done.stderr));
        }
        Ok(seconds)
    }

    /// As [`Site::import`]; gives the most memory that it took, too, in MB of 1,000,000 bytes.
    pub(crate) fn import_watched(
        &self,
        csv: &Path,
        arguments: &[&str],
    ) -> anyhow::Result<(f64, f64)> {
        let (watch, mut peak) = (Stopwatch::start(), 0.0);
        let mut command = self.command("import");
        command.arg("--csv").arg(csv).args(arguments);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            // It may end just now: then what was seen last is the most.
            peak = status_mb(child.id(), "VmHWM:").unwrap_or(peak);
            std::thread::sleep(Duration::from_millis(20));
        };
        let seconds = watch.seconds();
        if !status.success() {
            bail!("import ended with {status}");
        }
        Ok((seconds, peak))
    }

    fn command(&self, command: &str) -> Command {
        let mut process = Command::new(binary());
        process.arg(command).current_dir(self.folder.path());
        process.env(
            "DATABASE_URL",
            format!("sqlite:{}", self.database().display()),
        );
        process.env("ADMIN_TOKEN", TOKEN);
        let settings = self.settings.iter();
        process.envs(settings.map(|(name, value)| (name, value)));
        process
    }

    /// Starts the service with more settings, and waits until it is ready.
    pub(crate) fn serve(&self, settings: &[(&str, &str)]) -> anyhow::Result<Server> {
        let address = free_address()?;
        let mut command = self.command("serve");
        command
            .env("API_HOST", "127.0.0.1")
            .env("API_PORT", address.port().to_string())
            .env("AGI_LISTEN", "off");
        command
            .env("LOG_LEVEL", "warn")
            .envs(settings.iter().copied());
        let mut log = File::options();
        let log = log.append(true).create(true).open(self.log())?;
        command.stdout(Stdio::null()).stderr(log);
        Server::spawn(command, address, "/ready")
    }
}

fn binary() -> PathBuf {
    let own = std::env::current_exe().expect("the running program has a path");
    own.with_file_name("caller-id")
}

/// An address on loopback that nobody listens on.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// A running process that listens; ended when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From spawning to the first good answer.
    pub(crate) start_seconds: f64,
}

impl Server {
    /// Spawns a process and waits until `path` answers 200.
    pub(crate) fn spawn(command: Command, address: SocketAddr, path: &str) -> anyhow::Result<Self> {
        Self::spawn_until(command, address, |address| answers(address, path))
    }

    /// Spawns a process and waits until it is ready.
    pub(crate) fn spawn_until(
        mut command: Command,
        address: SocketAddr,
        is_ready: impl Fn(SocketAddr) -> bool,
    ) -> anyhow::Result<Self> {
        let watch = Stopwatch::start();
        let child = command
            .spawn()
            .with_context(|| format!("cannot run {:?}", command.get_program()))?;
        let mut server = Self {
            child,
            address,
            start_seconds: 0.0,
        };
        while !is_ready(address) {
            if let Some(status) = server.child.try_wait()? {
                bail!("{:?} ended with {status}", command.get_program());
            }
            if watch.seconds() > START_SECONDS {
                bail!(
                    "{:?} is not ready after {START_SECONDS} s",
                    command.get_program()
                );
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        server.start_seconds = watch.seconds();
        Ok(server)
    }

    /// What it answers to one request, which must be a good one.
    pub(crate) fn body(&self, path: &str) -> anyhow::Result<String> {
        let answer = ask(self.address, path)?;
        match answer.split_once("\r\n\r\n") {
            Some((head, body)) if head.starts_with("HTTP/1.1 200") => Ok(body.to_owned()),
            _ => bail!("{path}: {answer}"),
        }
    }

    /// How many files and connections it has open.
    pub(crate) fn handles(&self) -> anyhow::Result<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.child.id()))?.count())
    }

    /// Sends it a signal, as `kill` does.
    pub(crate) fn signal(&self, name: &str) -> anyhow::Result<()> {
        let process = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &process]).status()?;
        ensure!(sent.success(), "kill {name} {process}: {sent}");
        Ok(())
    }

    /// Tells it to end; gives its exit code, none where it does not end in time.
    pub(crate) fn end(mut self) -> anyhow::Result<Option<i32>> {
        self.signal("-TERM")?;
        let watch = Stopwatch::start();
        while watch.seconds() < END_SECONDS {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.code());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(None)
    }

    /// Resident memory now, in MB of 1,000,000 bytes.
    pub(crate) fn memory_mb(&self) -> anyhow::Result<f64> {
        status_mb(self.child.id(), "VmRSS:")
    }

    /// The most resident memory since its start, in the same unit.
    pub(crate) fn peak_mb(&self) -> anyhow::Result<f64> {
        status_mb(self.child.id(), "VmHWM:")
    }
}

/// What the kernel says of a process's memory, in MB of 1,000,000 bytes.
fn status_mb(process: u32, name: &str) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib: f64 = line
        .with_context(|| format!("no {name}"))?
        .trim()
        .trim_end_matches(" kB")
        .parse()?;
    Ok(kib * 1_024.0 / 1_000_000.0)
}

impl Server {
    /// Processor time used so far, in seconds, of all its threads.
    pub(crate) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        /// The kernel counts in hundredths of a second.
        const TICKS_A_SECOND: f64 = 100.0;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in brackets may hold blanks; user and system time are the 12th and 13th field after it.
        let after = stat.rsplit(')').next().context("no name")?;
        let fields: Vec<&str> = after.split_whitespace().collect();
        let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        Ok(ticks / TICKS_A_SECOND)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn answers(address: SocketAddr, path: &str) -> bool {
    ask(address, path).is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// The whole answer to one request, head and body.
fn ask(address: SocketAddr, path: &str) -> std::io::Result<String> {
    use std::io::Read;
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
