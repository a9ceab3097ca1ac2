//! The service behind nginx.

use std::net::SocketAddr;

use tempfile::TempDir;

use crate::proxy::{Nginx, directives};
use crate::run::Running;

/// The admin token, as [`Running`] sets it.
pub(crate) const ADMIN: &str = "X-Admin-Token: a-token-for-tests-0123456789abcdef";

/// A service, and nginx in front of it.
pub(crate) struct Site {
    pub(crate) nginx: Nginx,
    /// The service itself, past nginx.
    pub(crate) service: SocketAddr,
    _running: Running,
    _folder: TempDir,
}

impl Site {
    /// With these settings beside `TRUSTED_PROXIES`, as docs/plesk.md says.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_with(settings, &directives())
    }

    /// The same with directives that somebody has changed.
    pub(crate) fn start_with(settings: &[(&str, &str)], directives: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let proxies = [("TRUSTED_PROXIES", "127.0.0.1")];
        let all: Vec<_> = proxies.iter().chain(settings).copied().collect();
        let mut running = Running::start(folder.path(), &all);
        let line = running.until(&["listens on http://"]);
        let address = line.rsplit("http://").next().unwrap();
        let service: SocketAddr = address.trim().parse().unwrap();
        Self {
            nginx: Nginx::start(service.port(), directives),
            service,
            _running: running,
            _folder: folder,
        }
    }
}
