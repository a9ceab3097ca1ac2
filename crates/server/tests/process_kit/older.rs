//! The build that is upgraded from.

use std::path::PathBuf;

use crate::process::BINARY;

/// Names the binary of an older build; `make test-upgrade` makes one. Without it, this build is restarted.
const OLDER: &str = "CALLER_ID_OLDER_BINARY";

/// The older build.
#[expect(
    clippy::disallowed_methods,
    reason = "tells tests which build they upgrade from, it is no setting of the service"
)]
pub(crate) fn older() -> PathBuf {
    let named = std::env::var_os(OLDER).filter(|name| !name.is_empty());
    named.map_or_else(|| PathBuf::from(BINARY), PathBuf::from)
}
