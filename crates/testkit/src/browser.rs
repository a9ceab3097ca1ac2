//! A real browser without a screen: Chromium, driven over WebDriver, ended when the test ends. Where it is not installed a test
//! that needs it fails.

mod commands;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::actions::{InputSource, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};
use fantoccini::elements::Element;
use fantoccini::wd::Locator;
use fantoccini::{Client, ClientBuilder};
use serde_json::{Value, json};

use self::commands::{BrowserLog, Chromes};
use crate::npm::Packages;

const AXE: Packages = Packages {
    name: "axe",
    package: include_str!("../axe/package.json"),
    lock: include_str!("../axe/package-lock.json"),
};
/// Machines that test are busy: nothing here is about how long a browser takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// Where pictures of pages are kept, under the target folder.
const PICTURES: &str = "screenshots";

/// A window of a browser of its own, that knows nobody.
pub struct Browser {
    driver: Child,
    client: Client,
    base: String,
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromium ends with its driver's session, and at the latest with the driver.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Browser {
    /// Starts one that looks at the service at `base`, like `http://127.0.0.1:8000`.
    ///
    /// # Panics
    /// When Chromium or its driver is not installed, or does not start.
    pub async fn start(base: &str) -> Self {
        let (driver, port) = start_driver();
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--window-size=1400,1000",
            "--lang=en-US",
        ];
        let capabilities = json!({
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let Value::Object(capabilities) = capabilities else {
            unreachable!("it is an object")
        };
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("a browser starts");
        Self {
            driver,
            client,
            base: base.to_owned(),
        }
    }

    /// Shows the page at `path`.
    pub async fn open(&self, path: &str) {
        let url = format!("{}{path}", self.base);
        self.client.goto(&url).await.expect("a page");
    }

    /// Where it is: the path and the query.
    pub async fn path(&self) -> String {
        let url = self.client.current_url().await.expect("an address");
        let query = url.query().map(|query| format!("?{query}"));
        format!("{}{}", url.path(), query.unwrap_or_default())
    }

    /// The first element that `selector` (CSS) finds; waits for it.
    ///
    /// # Panics
    /// When there is none in time.
    pub async fn find(&self, selector: &str) -> Element {
        let wait = self.client.wait().at_most(PATIENCE);
        let found = wait.for_element(Locator::Css(selector)).await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("no {selector}: {error}; the page is {}", self.text().await),
        }
    }

    /// How many elements `selector` finds now.
    pub async fn count(&self, selector: &str) -> usize {
        let found = self.client.find_all(Locator::Css(selector)).await;
        found.expect("a page").len()
    }

    /// Clicks on what `selector` finds.
    pub async fn click(&self, selector: &str) {
        let clicked = self.find(selector).await.click().await;
        clicked.unwrap_or_else(|error| panic!("{selector} cannot be clicked: {error}"));
    }

    /// Clicks on a link or a button with these words.
    pub async fn press(&self, words: &str) {
        let path = format!("//*[self::a or self::button][normalize-space(.)='{words}']");
        let wait = self.client.wait().at_most(PATIENCE);
        let found = wait.for_element(Locator::XPath(&path)).await;
        let Ok(element) = found else {
            panic!("nothing says {words}; the page is {}", self.text().await);
        };
        let pressed = element.click().await;
        pressed.unwrap_or_else(|error| panic!("`{words}` cannot be pressed: {error}"));
    }

    /// Presses the button of the mouse on what `selector` finds, and keeps it down until [`Browser::let_go`].
    pub async fn hold(&self, selector: &str) {
        let element = self.find(selector).await;
        let moved = PointerAction::MoveToElement {
            element,
            duration: None,
            x: 0.0,
            y: 0.0,
        };
        let button = MOUSE_BUTTON_LEFT;
        let hand = MouseActions::new("hand".to_owned()).then(moved);
        let hand = hand.then(PointerAction::Down { button });
        let held = self.client.perform_actions(hand).await;
        held.unwrap_or_else(|error| panic!("{selector} cannot be pressed: {error}"));
    }

    /// Lets go what is held.
    pub async fn let_go(&self) {
        let button = MOUSE_BUTTON_LEFT;
        let hand = MouseActions::new("hand".to_owned()).then(PointerAction::Up { button });
        self.client.perform_actions(hand).await.expect("a mouse");
    }

    /// Goes back to the page before.
    pub async fn back(&self) {
        self.client.back().await.expect("a page before");
    }

    /// Shows the page at `path` in another tab; the one before stays open.
    pub async fn open_beside(&self, path: &str) {
        let tab = self.client.new_window(true).await.expect("another tab");
        let there = self.client.switch_to_window(tab.handle).await;
        there.expect("the other tab");
        self.open(path).await;
    }

    /// Runs no script of a page from now on, like a browser of somebody who wants none.
    pub async fn without_scripts(&self) {
        let command = Chromes {
            command: "Emulation.setScriptExecutionDisabled",
            parameters: json!({"value": true}),
        };
        self.client.issue_cmd(command).await.expect("Chromium");
    }

    /// Fills in a field; what was in it is gone.
    pub async fn fill(&self, selector: &str, text: &str) {
        let field = self.find(selector).await;
        field.clear().await.expect("a field that can be cleared");
        field.send_keys(text).await.expect("a field");
    }

    /// Gives a file to a field for files.
    pub async fn give_file(&self, selector: &str, path: &Path) {
        let path = path.to_str().expect("a path that is text");
        let field = self.find(selector).await;
        field.send_keys(path).await.expect("a field for files");
    }

    /// Chooses what has this value, or says so where it has no other.
    pub async fn choose(&self, selector: &str, value: &str) {
        let field = self.find(selector).await;
        let path = format!(".//option[@value='{value}' or normalize-space(.)='{value}']");
        let choice = field.find(Locator::XPath(&path)).await;
        choice
            .expect("a choice")
            .click()
            .await
            .expect("it is chosen");
    }

    /// Presses keys, as somebody without a mouse does, wherever the focus is.
    pub async fn keys(&self, keys: &str) {
        let focused = self.client.active_element().await.expect("a focus");
        focused.send_keys(keys).await.expect("keys are taken");
    }

    /// Says yes, or no, to the question that the page asks.
    pub async fn answer(&self, yes: bool) {
        let button = match yes {
            true => "dialog[open] [data-agrees]",
            false => "dialog[open] button:not([data-agrees])",
        };
        self.click(button).await;
    }

    /// All that can be read on the page.
    pub async fn text(&self) -> String {
        let text = self.run("return document.body.innerText").await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until these words can be read on the page.
    ///
    /// # Panics
    /// When they cannot, in time.
    pub async fn reads(&self, words: &str) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !self.text().await.contains(words) {
            assert!(
                tokio::time::Instant::now() < deadline,
                "`{words}` is not in {}",
                self.text().await
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until a script in the page returns true.
    ///
    /// # Panics
    /// When it does not, in time.
    pub async fn sees(&self, script: &str) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while self.run(script).await != true {
            let is_late = tokio::time::Instant::now() > deadline;
            assert!(!is_late, "`{script}` is not so: {}", self.text().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Runs a script in the page; what it returns.
    pub async fn run(&self, script: &str) -> Value {
        let ran = self.client.execute(script, Vec::new()).await;
        ran.expect("a script that runs")
    }

    /// What the console of the page was told since this was asked last, without what is said for developers alone.
    pub async fn complaints(&self) -> Vec<String> {
        let said = self.client.issue_cmd(BrowserLog).await.expect("a log");
        let lines = said.as_array().cloned().unwrap_or_default();
        let bad = lines.iter().filter(|line| {
            let level = line["level"].as_str().unwrap_or_default();
            matches!(level, "SEVERE" | "WARNING")
        });
        bad.map(|line| line["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// What axe-core finds in the way of people who see or move otherwise (WCAG 2.2 A and AA, and good practice): empty where it
    /// finds nothing.
    pub async fn barriers(&self) -> Vec<String> {
        self.found_by_axe("{}").await
    }

    /// What axe-core finds too faint to read: other colours change nothing else.
    pub async fn faint(&self) -> Vec<String> {
        self.found_by_axe("{runOnly: ['color-contrast']}").await
    }

    async fn found_by_axe(&self, options: &str) -> Vec<String> {
        let script = AXE.folder().join("node_modules/axe-core/axe.min.js");
        let script = std::fs::read_to_string(script).expect("axe-core");
        self.run(&script).await;
        let ask = format!(
            "const done = arguments[arguments.length - 1];\
            axe.run({options}).then((found) => done(found.violations.map((one) => \
            one.id + \": \" + one.nodes.map((node) => node.html + \" \" + node.failureSummary).join(\" | \"))));"
        );
        let found = self.client.execute_async(&ask, Vec::new()).await;
        let found = found.expect("axe-core runs");
        let lines = found.as_array().expect("a list").iter();
        lines
            .map(|line| line.as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Makes the window as wide as that, and so high.
    pub async fn resize(&self, width: u32, height: u32) {
        let resized = self.client.set_window_size(width, height).await;
        resized.expect("a window");
    }

    /// Says that whoever looks likes it dark, or light.
    pub async fn prefer_dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let features = json!([{"name": "prefers-color-scheme", "value": value}]);
        let command = Chromes {
            command: "Emulation.setEmulatedMedia",
            parameters: json!({"features": features}),
        };
        self.client.issue_cmd(command).await.expect("Chromium");
    }

    /// Keeps a picture of the page, for people to look at.
    pub async fn picture(&self, name: &str) {
        let folder = pictures();
        std::fs::create_dir_all(&folder).expect("a folder");
        let picture = self.client.screenshot().await.expect("a picture");
        std::fs::write(folder.join(format!("{name}.png")), picture).expect("written");
    }

    /// Ends it.
    pub async fn close(self) {
        // What a test found is said already.
        let _ = self.client.clone().close().await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "where Cargo builds is said in its environment"
)]
fn pictures() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"),
        PathBuf::from,
    );
    target.join(PICTURES)
}

/// A driver takes one free port at two addresses, and ends where somebody has it at one of them.
const PORTS_TRIED: usize = 20;

fn start_driver() -> (Child, u16) {
    let started = (0..PORTS_TRIED).find_map(|_| {
        let mut driver = run_driver();
        let port = said_port(&mut driver);
        if port.is_none() {
            let _ = driver.wait();
        }
        Some((driver, port?))
    });
    started.expect("chromedriver finds a free port")
}

fn run_driver() -> Child {
    let driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    driver.unwrap_or_else(|error| {
        panic!(
            "chromedriver cannot be run ({error}): install it with `make deps` or `sudo apt-get install chromium chromium-driver`"
        )
    })
}

fn said_port(driver: &mut Child) -> Option<u16> {
    let mut lines = BufReader::new(driver.stdout.take().expect("it is piped")).lines();
    lines.find_map(|line| {
        let line = line.ok()?;
        let (_, port) = line.split_once("successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    })
}
