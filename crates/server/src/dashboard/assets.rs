//! The files that pages load: ours and those of others, all in the binary.

use std::io::Write;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, VARY,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;
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
    "live.js": "text/javascript; charset=utf-8" = "live.js",
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

/// Each file in gzip, in the order of [`ASSETS`]: made once, when the first browser comes, in a hundredth of a second.
static COMPRESSED: LazyLock<Vec<Bytes>> =
    LazyLock::new(|| ASSETS.iter().map(Asset::compressed).collect());

impl Asset {
    /// The file in gzip; as it is where that is no shorter.
    fn compressed(&self) -> Bytes {
        let mut file = GzEncoder::new(Vec::new(), Compression::best());
        let written = file.write_all(self.bytes).and_then(|()| file.finish());
        let shorter = written.ok().filter(|some| some.len() < self.bytes.len());
        shorter.map_or(Bytes::from_static(self.bytes), Bytes::from)
    }
}

/// Where a file is.
pub(super) fn url(name: &str) -> String {
    let version = &*VERSION;
    format!("/dashboard/assets/{version}/{name}")
}

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new().route("/dashboard/assets/{version}/{name}", get(asset))
}

/// Anybody may have them: the sign-in page looks like the others. Of another version is what a page of an older node asks for,
/// and nobody should keep that for long under its name.
async fn asset(Path((version, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let Some(place) = ASSETS.iter().position(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let asset = &ASSETS[place];
    let kept = match version == *VERSION {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    let sent = match takes_gzip(&headers) {
        true => COMPRESSED[place].clone(),
        false => Bytes::from_static(asset.bytes),
    };
    let is_compressed = sent.as_ptr() != asset.bytes.as_ptr();
    let said = [
        (CONTENT_TYPE, asset.kind),
        (CACHE_CONTROL, kept),
        (VARY, "accept-encoding"),
    ];
    let mut answer = (said, sent).into_response();
    if is_compressed {
        let gzip = HeaderValue::from_static("gzip");
        answer.headers_mut().insert(CONTENT_ENCODING, gzip);
    }
    answer
}

/// Whether a browser says that it reads gzip: it names it, or everything, and not with `q=0`.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT_ENCODING).iter();
    let words: Vec<&str> = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .collect();
    let said = |name: &str| {
        words.iter().find_map(|word| {
            let (coding, weight) = word.split_once(';').unwrap_or((word, ""));
            let is_meant = coding.trim().eq_ignore_ascii_case(name);
            is_meant.then(|| is_wanted(weight))
        })
    };
    said("gzip").or_else(|| said("*")).unwrap_or(false)
}

/// Whether a weight (`q=0.5`, or nothing) is more than nothing.
fn is_wanted(weight: &str) -> bool {
    let weight = weight.trim().trim_start_matches(['q', 'Q', '=']);
    weight.parse().unwrap_or(1.0) > 0.0
}

#[cfg(test)]
mod style;

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn takes(said: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(said));
        takes_gzip(&headers)
    }

    #[test]
    fn files_are_compressed_for_who_says_so() {
        for said in ["gzip", "deflate, GZIP;q=0.5, br", "*", "gzip;q=1.0"] {
            assert!(takes(said), "{said}");
        }
        for said in ["", "br", "gzip;q=0", "gzip; q=0.000, *", "gzipped", "*;q=0"] {
            assert!(!takes(said), "{said}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn a_compressed_file_is_the_same_file() {
        for (asset, sent) in ASSETS.iter().zip(&*COMPRESSED) {
            let mut text = Vec::new();
            if sent.as_ptr() == asset.bytes.as_ptr() {
                continue;
            }
            let mut file = flate2::read::GzDecoder::new(&sent[..]);
            file.read_to_end(&mut text).expect("gzip");
            assert_eq!(text, asset.bytes, "{}", asset.name);
            assert!(sent.len() < asset.bytes.len());
        }
    }
}
