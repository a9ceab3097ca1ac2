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
