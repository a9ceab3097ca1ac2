//! Something that listens, says what it is told to say, and keeps what it was asked.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};

use crate::rig::{Told, run};

/// One answer for each connection, in order.
pub(crate) struct Stub {
    url: String,
    /// The requests as they came, heads and bodies.
    pub(crate) asked: Receiver<String>,
}

impl Stub {
    pub(crate) fn start(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (told, asked) = mpsc::channel();
        std::thread::spawn(move || {
            for (stream, answer) in listener.incoming().flatten().zip(answers) {
                let mut stream = stream;
                let request = request(&mut stream);
                // The command may have ended by itself.
                let _ = stream.write_all(answer.as_bytes());
                let _ = told.send(request);
            }
        });
        Self { url, asked }
    }

    pub(crate) async fn ask(&self, words: &[&str]) -> Told {
        let variables = [
            ("CALLER_ID_URL", self.url.as_str()),
            ("CALLER_ID_KEY", "the-key"),
        ];
        run(words, &variables).await
    }
}

/// An answer that ends its connection.
pub(crate) fn answer(status: &str, body: &str, headers: &str) -> String {
    let bytes = body.len();
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {bytes}\r\n{headers}\r\n{body}"
    )
}

fn request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut piece = [0; 4_096];
    loop {
        let read = stream.read(&mut piece).unwrap_or(0);
        text.push_str(&String::from_utf8_lossy(&piece[..read]));
        if read == 0 || is_whole(&text) {
            return text;
        }
    }
}

fn is_whole(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.to_ascii_lowercase();
    let length = length
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length.map_or(0, |length| length.trim().parse().unwrap());
    body.len() >= length
}
