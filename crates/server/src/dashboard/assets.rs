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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::render::TEMPLATES;
    use super::*;

    /// Classes whose end a page fills in, as `fill-{{ colour }}`.
    const FILLED_IN: [&str; 2] = ["fill-", "step-"];

    fn is_of_name(letter: char) -> bool {
        letter.is_ascii_alphanumeric() || letter == '-' || letter == '_'
    }

    /// The classes that the style has rules for.
    fn styled() -> BTreeSet<&'static str> {
        let mut classes = BTreeSet::new();
        // Selectors stand before each brace; what begins with a digit there is a number.
        for part in STYLE.split('{') {
            let selectors = part.rsplit(['}', ';', '/']).next().unwrap_or_default();
            for after in selectors.split('.').skip(1) {
                let name = after.split(|letter| !is_of_name(letter)).next();
                classes.extend(name.filter(|name| name.starts_with(char::is_alphabetic)));
            }
        }
        classes
    }

    /// What pages and scripts say, without comments of the style.
    fn said() -> Vec<&'static str> {
        let scripts = [
            include_str!("../../assets/app.js"),
            include_str!("../../assets/chart.js"),
        ];
        let pages = TEMPLATES.iter().map(|(_, text)| *text);
        pages.chain(scripts).collect()
    }

    /// Without what the page fills in.
    fn literal(mut class: &str) -> String {
        let mut text = String::new();
        while let Some((before, rest)) = class.split_once('{') {
            text.push_str(before);
            let end = if rest.starts_with('{') { "}}" } else { "%}" };
            class = rest.split_once(end).map_or("", |(_, after)| after);
        }
        text + class
    }

    #[test]
    fn every_class_of_the_style_is_used() {
        let words: BTreeSet<&str> = said()
            .into_iter()
            .flat_map(|text| text.split(|letter| !is_of_name(letter)))
            .collect();
        let is_used = |class: &&str| {
            words.contains(class) || FILLED_IN.iter().any(|begin| class.starts_with(begin))
        };
        let unused: Vec<&str> = styled()
            .into_iter()
            .filter(|class| !is_used(class))
            .collect();
        assert!(unused.is_empty(), "no page uses {unused:?}");
    }

    #[test]
    fn every_class_of_a_page_has_a_style() {
        let styled = styled();
        let mut unstyled = BTreeSet::new();
        for (name, text) in TEMPLATES {
            for attribute in text.split("class=\"").skip(1) {
                let class = literal(attribute.split("\">").next().unwrap_or_default());
                let class = class.split('"').next().unwrap_or_default();
                for word in class.split_whitespace() {
                    if !styled.contains(word) && !FILLED_IN.contains(&word) {
                        unstyled.insert(format!("{name}: {word}"));
                    }
                }
            }
        }
        assert!(unstyled.is_empty(), "no style for {unstyled:?}");
    }
}
