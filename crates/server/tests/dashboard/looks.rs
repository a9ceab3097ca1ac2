//! Every page, as everybody sees it: in light, in the dark, on a phone.

use crate::pages;
use crate::service::{Service, TOKEN};

fn is_id(part: &str) -> bool {
    part.len() == 36 && part.matches('-').count() == 4
}

/// The name of a picture. Ids are others in each run.
fn name(page: &str) -> String {
    let parts = page.trim_matches('/').split('/');
    let parts = parts.map(|part| if is_id(part) { "one" } else { part });
    let name: Vec<_> = parts.collect();
    name.join("-")
        .replace(|letter: char| !letter.is_ascii_alphanumeric(), "-")
}

async fn look(kind: &str, is_dark: bool, width: u32) {
    let service = Service::start().await;
    let pages = pages::all(&service).await;
    let browser = service.signed_in(TOKEN).await;
    browser.prefer_dark(is_dark).await;
    browser.resize(width, 1000).await;
    let mut amiss = Vec::new();
    for page in pages {
        browser.open(&page).await;
        browser.find("h1").await;
        let found = match is_dark {
            true => browser.faint().await,
            false => browser.barriers().await,
        };
        let found = found.into_iter();
        let told = browser.complaints().await;
        amiss.extend(found.chain(told).map(|what| format!("{page}: {what}")));
        let scrolls = "return document.documentElement.scrollWidth > window.innerWidth";
        if browser.run(scrolls).await != false {
            amiss.push(format!("{page} is wider than the window"));
        }
        if width < 400 {
            // The narrowest phone, or a window at four times the size.
            browser.resize(320, 1000).await;
            if browser.run(scrolls).await != false {
                amiss.push(format!("{page} is wider than 320 px"));
            }
            browser.resize(width, 1000).await;
        }
        let name = name(&page);
        browser.picture(&format!("{name}-{kind}")).await;
    }
    assert!(amiss.is_empty(), "{kind}: {amiss:#?}");
    browser.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_be_used_by_everybody_in_light() {
    look("light", false, 1400).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_be_read_by_everybody_in_the_dark() {
    look("dark", true, 1400).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_be_used_by_everybody_on_a_phone() {
    look("phone", false, 390).await;
}
