//! Asterisk's manager interface, as VICIdial's dialer uses it.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use crate::client::PATIENCE;

/// A connection to it.
pub(crate) struct Manager {
    stream: BufReader<TcpStream>,
    actions: u32,
}

impl Manager {
    /// Connects and logs in; none while Asterisk does not listen.
    pub(crate) fn reach(port: u16) -> Option<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let mut manager = Self {
            stream: BufReader::new(stream),
            actions: 0,
        };
        let mut greeting = String::new();
        manager.stream.read_line(&mut greeting).ok()?;
        assert!(
            greeting.starts_with("Asterisk Call Manager"),
            "port {port} is somebody else's: {greeting}"
        );
        manager.act(&[
            ("Action", "Login"),
            ("Username", "rig"),
            ("Secret", "rig"),
            ("Events", "off"),
        ]);
        Some(manager)
    }

    /// Places a call as VICIdial does: a Local channel into the carrier's context; who answers there is sent to 8368.
    pub(crate) fn originate(&mut self, channel: &str, caller_id: &str) {
        self.act(&[
            ("Action", "Originate"),
            ("Channel", channel),
            ("Context", "default"),
            ("Exten", "8368"),
            ("Priority", "1"),
            ("Callerid", caller_id),
            ("Timeout", "40000"),
            ("Async", "true"),
        ]);
    }

    /// What the command line of Asterisk answers.
    pub(crate) fn command(&mut self, command: &str) -> String {
        self.act(&[("Action", "Command"), ("Command", command)])
            .join("\n")
    }

    /// Hangs up every channel whose name matches.
    pub(crate) fn hang_up(&mut self, pattern: &str) {
        self.act(&[("Action", "Hangup"), ("Channel", pattern)]);
    }

    /// How many channels there are.
    pub(crate) fn channels(&mut self) -> usize {
        let said = self.command("core show channels count");
        let line = said.lines().find_map(|line| {
            let (count, _) = line.split_once(" active channel")?;
            count.rsplit(' ').next()?.parse().ok()
        });
        line.unwrap_or_else(|| panic!("no count of channels in {said}"))
    }

    fn act(&mut self, fields: &[(&str, &str)]) -> Vec<String> {
        self.actions += 1;
        let mut action: String = fields
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        action.push_str(&format!("ActionID: {}\r\n\r\n", self.actions));
        self.stream
            .get_mut()
            .write_all(action.as_bytes())
            .expect("asterisk listens");
        let id = format!("ActionID: {}", self.actions);
        loop {
            let message = self.message();
            if message.contains(&id) {
                let failed = message.iter().any(|line| line == "Response: Error");
                assert!(!failed, "{action} is answered {message:?}");
                return message;
            }
        }
    }

    fn message(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            let bytes = self.stream.read_line(&mut line).expect("asterisk answers");
            assert!(bytes > 0, "asterisk closed its manager interface");
            match line.trim_end() {
                "" => return lines,
                line => lines.push(line.to_owned()),
            }
        }
    }
}
