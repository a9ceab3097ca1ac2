//! Packages of npm that tests work with: fetched once for each list of versions.

use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Is there once all packages are.
const WHOLE: &str = "installed";

/// Some packages in their exact versions.
pub(crate) struct Packages {
    /// A word for the folder.
    pub(crate) name: &'static str,
    /// The text of `package.json`.
    pub(crate) package: &'static str,
    /// The text of `package-lock.json`.
    pub(crate) lock: &'static str,
}

impl Packages {
    /// The folder with the packages: outside of the source tree, one for each list of versions, fetched by the first who comes.
    ///
    /// # Panics
    /// When npm is not installed, or packages cannot be fetched.
    pub(crate) fn folder(&self) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        (self.package, self.lock).hash(&mut hasher);
        let user = rustix::process::getuid().as_raw();
        let name = format!("caller-id-{}-{user}-{:016x}", self.name, hasher.finish());
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
            self.install(&folder);
            fs::write(folder.join(WHOLE), "").expect("written");
        }
        folder
    }

    fn install(&self, folder: &Path) {
        fs::write(folder.join("package.json"), self.package).expect("written");
        fs::write(folder.join("package-lock.json"), self.lock).expect("written");
        let installed = Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .output();
        let installed = installed.unwrap_or_else(|error| missing("npm", &error));
        let said = String::from_utf8_lossy(&installed.stderr);
        assert!(installed.status.success(), "npm ci failed: {said}");
    }
}

/// A program that tests need is not there.
pub(crate) fn missing(program: &str, error: &std::io::Error) -> ! {
    panic!(
        "{program} cannot be run ({error}): install it with `make deps` or `sudo apt-get install nodejs npm`"
    )
}
