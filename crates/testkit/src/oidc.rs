//! A throw-away identity provider: the npm package `oidc-provider`, run by node, reached on a port of this machine, ended when
//! dropped. Where node is not installed a test that needs it fails.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::npm::{Packages, missing};

const PACKAGES: Packages = Packages {
    name: "oidc",
    package: include_str!("../oidc/package.json"),
    lock: include_str!("../oidc/package-lock.json"),
};
const SCRIPT: &str = include_str!("../oidc/provider.mjs");

/// A running provider.
#[derive(Debug)]
pub struct IdentityProvider {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    issuer: String,
}

impl IdentityProvider {
    /// Starts one with these settings and waits until it listens. `clients` is a list of client metadata, `people` what each is
    /// said to be by name; `algorithm` is RS256 unless it says ES256; with `claimsAtUserinfo` the ID token has no names and
    /// groups.
    ///
    /// # Panics
    /// When node or npm is not installed, or packages cannot be fetched.
    pub fn start(settings: &Value) -> Self {
        let folder = PACKAGES.folder();
        let process = Command::new("node")
            .args(["--input-type=module", "--eval", SCRIPT, "--"])
            .arg(&folder)
            .args(["0", &settings.to_string()])
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn();
        let mut process = process.unwrap_or_else(|error| missing("node", &error));
        let orders = process.stdin.take().expect("it is piped");
        let answers = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut provider = Self {
            process,
            orders,
            answers,
            issuer: String::new(),
        };
        let said = provider.answer();
        let issuer = said.strip_prefix("at ");
        provider.issuer = issuer.expect("it says where it is").to_owned();
        provider
    }

    /// What it calls itself.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Signs with other keys from now on, and publishes only those. Whoever was signed in there is not any more.
    pub fn rotate(&mut self) {
        self.order("rotate");
    }

    /// Listens no more.
    pub fn away(&mut self) {
        self.order("away");
    }

    /// Listens again, where it did.
    pub fn back(&mut self) {
        self.order("back");
    }

    fn order(&mut self, word: &str) {
        writeln!(self.orders, "{word}").expect("it reads");
        assert_eq!(self.answer(), word);
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("it answers");
        line.trim_end().to_owned()
    }
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
