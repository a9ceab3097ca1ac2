//! A person's requests to the API, one after the other on one connection.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use crate::server::TOKEN;
use crate::stopwatch::Stopwatch;

/// Longer than anything that is measured here.
const PATIENCE: Duration = Duration::from_secs(300);

/// A connection that is kept.
pub(crate) struct Client {
    stream: TcpStream,
    /// What of the next answer came with the last one.
    ahead: Vec<u8>,
    /// A header that says who asks.
    who: String,
}

/// What was answered, and when its last byte was there.
pub(crate) struct Answered {
    pub(crate) body: Value,
    pub(crate) ms: f64,
}

/// An answer as it came.
pub(crate) struct Raw {
    /// Its status and its headers.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) ms: f64,
}

impl Client {
    /// To the service, as its admin by the token.
    pub(crate) fn of(address: SocketAddr) -> anyhow::Result<Self> {
        Self::within(address, PATIENCE)
    }

    /// The same for one who waits no longer than that for more of an answer.
    pub(crate) fn within(address: SocketAddr, patience: Duration) -> anyhow::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, patience)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Ok(Self {
            stream,
            ahead: Vec::new(),
            who: format!("Authorization: Bearer {TOKEN}"),
        })
    }

    /// To the service, as its admin in front of a browser.
    pub(crate) fn signed_in(address: SocketAddr) -> anyhow::Result<Self> {
        Self::signed_in_within(address, PATIENCE)
    }

    /// The same for one who waits no longer than that.
    pub(crate) fn signed_in_within(
        address: SocketAddr,
        patience: Duration,
    ) -> anyhow::Result<Self> {
        let mut client = Self::within(address, patience)?;
        client.who = "Accept: text/html".to_owned();
        let form = client.exchange("GET /sign-in", "", b"")?;
        let proof = String::from_utf8_lossy(&form.body).into_owned();
        let proof = between(&proof, "name=\"csrf_token\" value=\"", "\"");
        let proof = proof.context("a form that proves nothing")?.to_owned();
        client.who += &format!("\r\nCookie: {}", form.cookies().join("; "));
        let sent = format!("token={TOKEN}&csrf_token={proof}");
        let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
        let entered = client.exchange("POST /sign-in", kind, sent.as_bytes())?;
        ensure!(entered.head.starts_with("HTTP/1.1 303"), "{}", entered.head);
        client.who = format!(
            "Accept: text/html\r\nCookie: {}",
            entered.cookies().join("; ")
        );
        Ok(client)
    }

    /// The headers that say who asks.
    pub(crate) fn who(&self) -> &str {
        &self.who
    }

    /// What it answers to `GET path`, which must be 200.
    pub(crate) fn get(&mut self, path: &str) -> anyhow::Result<Answered> {
        let raw = self.page(path, "")?;
        let body = serde_json::from_slice(&raw.body)?;
        Ok(Answered { body, ms: raw.ms })
    }

    /// The same as it came, asked with more headers, each with its end of line.
    pub(crate) fn page(&mut self, path: &str, headers: &str) -> anyhow::Result<Raw> {
        let raw = self.exchange(&format!("GET {path}"), headers, b"")?;
        raw.good().with_context(|| path.to_owned())
    }

    /// The status and the body of whatever it answers, null where that is no JSON.
    pub(crate) fn status_of(&mut self, line: &str, body: &str) -> anyhow::Result<(u16, Value)> {
        let kind = match body.starts_with('{') {
            true => "Content-Type: application/json\r\n",
            false => "Content-Type: text/csv\r\n",
        };
        let raw = self.exchange(line, kind, body.as_bytes())?;
        let status = raw
            .head
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok());
        let body = serde_json::from_slice(&raw.body).unwrap_or_default();
        Ok((status.context("an answer without a status")?, body))
    }

    /// Has something done with a body of JSON.
    pub(crate) fn order(&mut self, line: &str, body: &Value) -> anyhow::Result<()> {
        let json = "Content-Type: application/json\r\n";
        let raw = self.exchange(line, json, body.to_string().as_bytes())?;
        raw.good().with_context(|| line.to_owned())?;
        Ok(())
    }

    /// Sends a CSV file in one request to be imported; gives the answer.
    pub(crate) fn import(&mut self, csv: &Path) -> anyhow::Result<Answered> {
        let mut file = File::open(csv)?;
        let length = file.metadata()?.len();
        let watch = Stopwatch::start();
        self.ask(
            "POST /api/v1/numbers/import",
            &format!("Content-Type: text/csv\r\nContent-Length: {length}\r\n"),
            b"",
        )?;
        std::io::copy(&mut file, &mut self.stream)?;
        let raw = self.answer(&watch)?.good().context("import")?;
        let body = serde_json::from_slice(&raw.body)?;
        Ok(Answered { body, ms: raw.ms })
    }

    fn exchange(&mut self, line: &str, headers: &str, body: &[u8]) -> anyhow::Result<Raw> {
        let watch = Stopwatch::start();
        let length = match body.len() {
            0 => String::new(),
            length => format!("Content-Length: {length}\r\n"),
        };
        self.ask(line, &format!("{headers}{length}"), body)?;
        self.answer(&watch).with_context(|| line.to_owned())
    }

    /// A short body goes out with its head: a service that does not read it could close the connection before it comes.
    fn ask(&mut self, line: &str, more: &str, body: &[u8]) -> anyhow::Result<()> {
        let who = &self.who;
        let head = format!("{line} HTTP/1.1\r\nHost: bench\r\n{who}\r\n{more}\r\n");
        Ok(self.stream.write_all(&[head.as_bytes(), body].concat())?)
    }

    fn answer(&mut self, watch: &Stopwatch) -> anyhow::Result<Raw> {
        let head = loop {
            match self.ahead.windows(4).position(|some| some == b"\r\n\r\n") {
                Some(end) => break end,
                None => self.more()?,
            }
        };
        let given = String::from_utf8_lossy(&self.ahead[..head]).into_owned();
        let length = given
            .lines()
            .find_map(|line| {
                let (name, value) = line.split_once(':')?;
                let is_length = name.eq_ignore_ascii_case("content-length");
                is_length.then(|| value.trim().to_owned())
            })
            .context("an answer without content-length")?;
        let end = head + 4 + length.parse::<usize>()?;
        while self.ahead.len() < end {
            self.more()?;
        }
        let rest = self.ahead.split_off(end);
        let body = std::mem::replace(&mut self.ahead, rest).split_off(head + 4);
        let ms = watch.seconds() * 1_000.0;
        Ok(Raw {
            head: given,
            body,
            ms,
        })
    }

    fn more(&mut self) -> anyhow::Result<()> {
        let mut some = [0; 64 * 1_024];
        match self.stream.read(&mut some)? {
            0 => bail!("the server closed the connection"),
            read => self.ahead.extend_from_slice(&some[..read]),
        }
        Ok(())
    }
}

impl Raw {
    fn good(self) -> anyhow::Result<Self> {
        if !self.head.starts_with("HTTP/1.1 2") {
            bail!("{}: {}", self.head, String::from_utf8_lossy(&self.body));
        }
        Ok(self)
    }

    /// What the browser is to send back: names with their values.
    fn cookies(&self) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let set = lines.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
        let pairs = set.filter_map(|(_, value)| value.split(';').next());
        pairs.filter(|pair| !pair.ends_with('=')).collect()
    }
}

/// What stands between two texts, the first time.
pub(crate) fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}
