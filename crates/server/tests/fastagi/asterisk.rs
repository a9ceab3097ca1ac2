//! A channel of a fake Asterisk: it says what Asterisk says, and does what it is told.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, split};
use tokio::net::TcpStream;

/// What does not come within this time never comes.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("in time")
}

/// A call that VICIdial dials by itself.
pub(crate) const AUTO_DIALED: &str = "V1221530450000012345";

/// A channel that runs `AGI(agi://host/…)`.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    script: String,
    name: String,
    extension: String,
    unique_id: String,
    arguments: Vec<String>,
    variables: HashMap<String, String>,
    hang_up_at: Option<usize>,
    cut_at: Option<usize>,
    refused: Option<&'static str>,
    byte_by_byte: bool,
}

/// What a channel was told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Every command, without its line feed.
    pub(crate) commands: Vec<String>,
    /// What was set.
    set: HashMap<String, String>,
}

impl Told {
    pub(crate) fn get(&self, variable: &str) -> &str {
        self.set.get(variable).map_or("", String::as_str)
    }

    pub(crate) fn status(&self) -> &str {
        self.get("CIDROT_STATUS")
    }

    pub(crate) fn caller_id(&self) -> &str {
        self.get("CALLERID(num)")
    }

    /// Asserts that nothing was set but the status.
    pub(crate) fn only(&self, status: &str) {
        assert_eq!((self.status(), self.set.len()), (status, 1), "{self:?}");
    }
}

impl Channel {
    /// A channel with VICIdial's auto-dialed call to Chicago.
    pub(crate) fn asks(script: &str) -> Self {
        Self {
            script: script.to_owned(),
            name: AUTO_DIALED.to_owned(),
            extension: "913125550123".to_owned(),
            unique_id: "1795348800.1".to_owned(),
            arguments: Vec::new(),
            variables: HashMap::from([("CAMPCUST".to_owned(), "SOLAR".to_owned())]),
            hang_up_at: None,
            cut_at: None,
            refused: None,
            byte_by_byte: false,
        }
    }

    pub(crate) fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    pub(crate) fn to(mut self, extension: &str) -> Self {
        extension.clone_into(&mut self.extension);
        self
    }

    pub(crate) fn unique_id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.unique_id);
        self
    }

    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments = arguments.iter().map(|&text| text.to_owned()).collect();
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The caller hangs up before the reply to this command; 0 is before the dialog.
    pub(crate) fn hang_up_at(mut self, command: usize) -> Self {
        self.hang_up_at = Some(command);
        self
    }

    /// The connection is cut instead of the reply to this command; 0 is after the request.
    pub(crate) fn cut_at(mut self, command: usize) -> Self {
        self.cut_at = Some(command);
        self
    }

    /// Asterisk does not set this variable.
    pub(crate) fn refuses(mut self, variable: &'static str) -> Self {
        self.refused = Some(variable);
        self
    }

    pub(crate) fn byte_by_byte(mut self) -> Self {
        self.byte_by_byte = true;
        self
    }

    /// The lines before the dialog.
    pub(crate) fn request(&self) -> String {
        let arguments = self.arguments.iter().zip(1..);
        let arguments: String = arguments
            .map(|(text, place)| format!("agi_arg_{place}: {text}\n"))
            .collect();
        format!(
            "agi_network: yes\nagi_network_script: {script}\nagi_request: agi://127.0.0.1/{script}\n\
             agi_channel: Local/{extension}@default-00000001;2\nagi_language: en\nagi_type: Local\n\
             agi_uniqueid: {unique}\nagi_version: 16.28.0\nagi_callerid: 8005550199\nagi_calleridname: {name}\n\
             agi_callingpres: 0\nagi_context: default\nagi_extension: {extension}\nagi_priority: 3\nagi_enhanced: 0.0\n\
             agi_accountcode: \nagi_threadid: 139\n{arguments}\n",
            script = self.script,
            extension = self.extension,
            unique = self.unique_id,
            name = self.name,
        )
    }

    /// Runs the dialog over a connection of its own.
    pub(crate) async fn run(self, address: SocketAddr) -> Told {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        within(self.talk(stream)).await
    }

    /// Runs the dialog until the other side closes, or this one is cut.
    pub(crate) async fn talk(mut self, stream: impl AsyncRead + AsyncWrite) -> Told {
        let (from, mut to) = split(stream);
        let mut from = BufReader::new(from).lines();
        let mut told = Told::default();
        self.say(&mut to, &self.request()).await;
        if self.hang_up_at == Some(0) {
            self.say(&mut to, "HANGUP\n").await;
        }
        if self.cut_at == Some(0) {
            return told;
        }
        // A reset is an end like any other.
        while let Ok(Some(line)) = from.next_line().await {
            assert!(!line.contains('\r'), "{line}");
            told.commands.push(line.clone());
            let place = told.commands.len();
            if self.cut_at == Some(place) {
                return told;
            }
            if self.hang_up_at == Some(place) {
                self.say(&mut to, "HANGUP\n").await;
            }
            let reply = self.reply(&line, &mut told);
            self.say(&mut to, &reply).await;
        }
        told
    }

    fn reply(&mut self, line: &str, told: &mut Told) -> String {
        if let Some(name) = line.strip_prefix("GET VARIABLE ") {
            return match self.variables.get(name.trim_matches('"')) {
                Some(value) => format!("200 result=1 ({value})\n"),
                None => "200 result=0\n".to_owned(),
            };
        }
        let set = line.strip_prefix("SET VARIABLE ").expect("a known command");
        let (name, value) = set.split_once(' ').expect("a value");
        if self.refused == Some(name) {
            return "511 Command Not Permitted on a dead channel\n".to_owned();
        }
        let before = told.set.insert(name.to_owned(), value.to_owned());
        assert_eq!(before, None, "{name} is set once");
        "200 result=1\n".to_owned()
    }

    /// The other side may be gone: then there is nobody to tell.
    async fn say(&self, to: &mut (impl AsyncWrite + Unpin), text: &str) {
        if !self.byte_by_byte {
            let _ = to.write_all(text.as_bytes()).await;
            return;
        }
        for byte in text.bytes() {
            let _ = to.write_all(&[byte]).await;
            tokio::task::yield_now().await;
        }
    }
}
