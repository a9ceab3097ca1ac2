//! A throw-away identity provider: the npm package `oidc-provider`, run by node, reached on a port of this machine, ended when
//! dropped. Where node is not installed a test that needs it fails.

use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

const PACKAGE: &str = include_str!("../oidc/package.json");
const LOCK: &str = include_str!("../oidc/package-lock.json");
const SCRIPT: &str = include_str!("../oidc/provider.mjs");
/// Is there once all packages are.
const WHOLE: &str = "installed";

/// A running provider.
#[derive(Debug)]
pub struct IdentityProvider {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    issuer: String,
}

impl IdentityProvider {
    /// Starts one with these settings and waits until it listens. `clients` is a list of client metadata, `people` what each is
    /// said to be by name; `algorithm` is RS256 unless it says ES256; with `claimsAtUserinfo` the ID token has no names and
    /// groups.
    ///
    /// # Panics
    /// When node or npm is not installed, or packages cannot be fetched.
    pub fn start(settings: &Value) -> Self {
        let folder = packages();
        let process = Command::new("node")
            .args(["--input-type=module", "--eval", SCRIPT, "--"])
            .arg(&folder)
            .args(["0", &settings.to_string()])
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn();
        let mut process = process.unwrap_or_else(|error| missing("node", &error));
        let orders = process.stdin.take().expect("it is piped");
        let answers = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut provider = Self {
            process,
            orders,
            answers,
            issuer: String::new(),
        };
        let said = provider.answer();
        let issuer = said.strip_prefix("at ");
        provider.issuer = issuer.expect("it says where it is").to_owned();
        provider
    }

    /// What it calls itself.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Signs with other keys from now on, and publishes only those. Whoever was signed in there is not any more.
    pub fn rotate(&mut self) {
        self.order("rotate");
    }

    /// Listens no more.
    pub fn away(&mut self) {
        self.order("away");
    }

    /// Listens again, where it did.
    pub fn back(&mut self) {
        self.order("back");
    }

    fn order(&mut self, word: &str) {
        writeln!(self.orders, "{word}").expect("it reads");
        assert_eq!(self.answer(), word);
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("it answers");
        line.trim_end().to_owned()
    }
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The folder with the packages: outside of the source tree, one for each list of versions, fetched by the first who comes.
fn packages() -> PathBuf {
    let mut hasher = DefaultHasher::new();
    (PACKAGE, LOCK).hash(&mut hasher);
    let user = rustix::process::getuid().as_raw();
    let name = format!("caller-id-oidc-{user}-{:016x}", hasher.finish());
    let folder = std::env::temp_dir().join(name);
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder);
    made.expect("a folder for packages");
    let owner = fs::metadata(&folder).expect("it is there").uid();
    assert_eq!(owner, user, "{} is somebody else's", folder.display());
    // Tests run as many processes at once.
    let lock = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("lock"));
    let lock: File = lock.expect("a file to lock");
    lock.lock().expect("locked");
    if !folder.join(WHOLE).exists() {
        install(&folder);
        fs::write(folder.join(WHOLE), "").expect("written");
    }
    folder
}

fn install(folder: &Path) {
    fs::write(folder.join("package.json"), PACKAGE).expect("written");
    fs::write(folder.join("package-lock.json"), LOCK).expect("written");
    let installed = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output();
    let installed = installed.unwrap_or_else(|error| missing("npm", &error));
    let said = String::from_utf8_lossy(&installed.stderr);
    assert!(installed.status.success(), "npm ci failed: {said}");
}

fn missing(program: &str, error: &std::io::Error) -> ! {
    panic!(
        "{program} cannot be run ({error}): install it with `make deps` or `sudo apt-get install nodejs npm`"
    )
}
