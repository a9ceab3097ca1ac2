//! Whether what is shown is of now.

use std::sync::Arc;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::service::{Service, TOKEN, assert_sound};
use caller_id_testkit::browser::Browser;

/// Something between the browser and the service, that passes nothing on while it is told so: to the browser the service hangs.
struct Between {
    base: String,
    passes: Arc<watch::Sender<bool>>,
}

impl Between {
    async fn start(service: &Service) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let service = service.base.trim_start_matches("http://").to_owned();
        let passes = Arc::new(watch::Sender::new(true));
        let told = passes.clone();
        tokio::spawn(async move {
            while let Ok((browser, _)) = listener.accept().await {
                let service = TcpStream::connect(&service).await.unwrap();
                let (read, write) = browser.into_split();
                let (answers, asks) = service.into_split();
                tokio::spawn(pass(read, asks, told.subscribe()));
                tokio::spawn(pass(answers, write, told.subscribe()));
            }
        });
        Self { base, passes }
    }
}

async fn pass(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut passes: watch::Receiver<bool>,
) {
    let mut some = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut some).await {
        if passes.wait_for(|passes| *passes).await.is_err() {
            return;
        }
        if to.write_all(&some[..read]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_hangs_is_said_not_to_be_live_until_it_goes_on() {
    let service = Service::start().await;
    let between = Between::start(&service).await;
    let browser = Browser::start(&between.base).await;
    browser.open("/dashboard").await;
    browser.fill("input[name=token]", TOKEN).await;
    browser.click("main form button").await;
    browser.find("[data-live=yes]").await;
    between.passes.send_replace(false);
    // No connection is closed, and no error comes: that nothing comes is all that can be seen.
    browser.find("[data-live=no]").await;
    browser.reads("not live: the service does not answer").await;
    between.passes.send_replace(true);
    browser.find("[data-live=yes]").await;
    assert_sound(&browser, "a page that is live again").await;
    browser.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_whose_session_ended_elsewhere_leads_to_the_sign_in_and_back() {
    let service = Service::start().await;
    let browser = service.signed_in(&service.key("viewer").await).await;
    browser.find("[data-live=yes]").await;
    let keys = service.order("GET", "/api/v1/keys", &Value::Null).await;
    let key = format!("/api/v1/keys/{}", keys["keys"][0]["id"].as_str().unwrap());
    service.order("DELETE", &key, &Value::Null).await;
    browser.find("input[name=token]").await;
    assert_eq!(browser.path().await, "/sign-in?return_to=%2Fdashboard");
    browser.fill("input[name=token]", TOKEN).await;
    browser.click("main form button").await;
    browser.find("[data-live=yes]").await;
    assert_eq!(browser.path().await, "/dashboard");
    browser.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_with_too_many_live_pages_is_told_so() {
    let service = Service::start().await;
    let browser = service.signed_in(TOKEN).await;
    browser.find("[data-live=yes]").await;
    let more = "window.more = [1, 2, 3, 4].map(() => new EventSource('/dashboard/live'))";
    browser.run(more).await;
    browser
        .sees("return window.more.every((one) => one.readyState === EventSource.OPEN)")
        .await;
    browser.open_beside("/dashboard").await;
    browser.reads("too many pages are open").await;
    assert_eq!(browser.count("[data-live=no]").await, 1);
    assert_sound(&browser, "one page too many").await;
    browser.close().await;
    service.stop().await;
}
