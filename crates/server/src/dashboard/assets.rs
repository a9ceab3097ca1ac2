//! The files that pages load: ours and those of others, all in the binary.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

use super::Dashboard;

/// A file by its name.
struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

macro_rules! assets {
    ($($name:literal: $kind:literal = $path:literal),* $(,)?) => {
        &[
            Asset { name: "app.css", kind: "text/css; charset=utf-8", bytes: STYLE.as_bytes() },
            $(Asset { name: $name, kind: $kind, bytes: include_bytes!(concat!("../../assets/", $path)) }),*
        ]
    };
}

macro_rules! chapters {
    ($($name:literal),* $(,)?) => {
        concat!($(include_str!(concat!("../../assets/css/", $name))),*)
    };
}

/// How pages look: one file for browsers, a chapter each for people.
const STYLE: &str = chapters![
    "1-ground.css",
    "2-frame.css",
    "3-tables.css",
    "4-forms.css",
    "5-drawings.css",
    "6-pages.css",
];

const ASSETS: &[Asset] = assets! {
    "app.js": "text/javascript; charset=utf-8" = "app.js",
    "chart.js": "text/javascript; charset=utf-8" = "chart.js",
    "theme.js": "text/javascript; charset=utf-8" = "theme.js",
    "icon.svg": "image/svg+xml" = "icon.svg",
    "inter.woff2": "font/woff2" = "vendor/inter.woff2",
    "htmx.js": "text/javascript; charset=utf-8" = "vendor/htmx.min.js",
    "htmx-sse.js": "text/javascript; charset=utf-8" = "vendor/htmx-sse.min.js",
    "uplot.js": "text/javascript; charset=utf-8" = "vendor/uplot.min.js",
    "uplot.css": "text/css; charset=utf-8" = "vendor/uplot.min.css",
};

/// What is in them, shortly: with another version browsers load them anew, and not before.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut all = Sha256::new();
    for asset in ASSETS {
        all.update(asset.bytes);
    }
    let digest = all.finalize();
    digest[..6]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
});

/// Where a file is.
pub(super) fn url(name: &str) -> String {
    let version = &*VERSION;
    format!("/dashboard/assets/{version}/{name}")
}

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new().route("/dashboard/assets/{version}/{name}", get(asset))
}

/// Anybody may have them: the sign-in page looks like the others. Of another version is what a page of an older node asks for.
async fn asset(Path((_, name)): Path<(String, String)>) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let year = "public, max-age=31536000, immutable";
    let headers = [(CONTENT_TYPE, asset.kind), (CACHE_CONTROL, year)];
    (headers, asset.bytes).into_response()
}
