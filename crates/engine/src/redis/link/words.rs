//! What a server says of its own accord to whom it does not let in, before it hangs up: in protected mode, or with as many
//! clients as it takes. Whoever speaks first to such a server often sees nothing but a broken pipe.

use std::time::Duration;

use redis::ErrorKind;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpStream;

use super::address::Node;
use super::dial::Dialer;
use super::error::Unreachable;

/// It says so at once, or not at all.
const PATIENCE: Duration = Duration::from_millis(250);
/// No line of it is longer.
const BYTES_MOST: u64 = 4 * 1024;
/// From here on it says what to do about it, at length: what we advise is shorter.
const ADVICE: &str = " If you want to connect";

impl Dialer {
    /// Why a connection could not be made, in the server's own words where it has some, and with what to do where that is known.
    pub(super) async fn told(&self, node: &Node, why: Unreachable) -> Unreachable {
        let why = self.in_its_words(node, why).await;
        self.advised(why)
    }

    async fn in_its_words(&self, node: &Node, why: Unreachable) -> Unreachable {
        let broke =
            matches!(&why, Unreachable::Refused { error, .. } if error.kind() == ErrorKind::Io);
        let (true, None, Node::Tcp(host, port)) = (broke, &self.tls, node) else {
            return why;
        };
        match tokio::time::timeout(PATIENCE, greeting(host, *port)).await {
            Ok(Some(what)) => Unreachable::TurnedAway {
                at: self.name(node),
                what,
            },
            Ok(None) | Err(_) => why,
        }
    }
}

/// The error that a server says first.
async fn greeting(host: &str, port: u16) -> Option<String> {
    let stream = TcpStream::connect((host, port)).await.ok()?;
    let mut line = Vec::new();
    let mut said = BufReader::new(stream.take(BYTES_MOST));
    said.read_until(b'\n', &mut line).await.ok()?;
    let line = String::from_utf8_lossy(&line);
    let what = line.trim_end().strip_prefix('-')?;
    let what = what.split_once(ADVICE).map_or(what, |(what, _)| what);
    Some(what.to_owned())
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::super::super::Settings;
    use super::super::super::keys::Keys;
    use super::super::find::Finder;

    /// As Redis does it: it says why, and hangs up without having read a word.
    async fn turned_away(words: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                stream.write_all(words.as_bytes()).await.unwrap();
            }
        });
        let settings = Settings::at(&format!("redis://127.0.0.1:{port}"));
        let (mut finder, _) = Finder::of(&settings, &Keys::of("t")).unwrap();
        let why = finder.find().await.err().unwrap().to_string();
        server.abort();
        assert!(
            why.starts_with(&format!("redis at 127.0.0.1:{port} ")),
            "{why}"
        );
        why
    }

    #[tokio::test]
    async fn a_server_in_protected_mode_is_told_in_its_own_words_with_what_to_do() {
        let why = turned_away(
            "-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the \
             default user. In this mode connections are only accepted from the loopback interface. If you want to connect \
             from external computers to Redis you may adopt one of the following solutions: 1) Just disable it\r\n",
        )
        .await;
        assert!(
            why.contains("DENIED Redis is running in protected mode"),
            "{why}"
        );
        assert!(
            why.contains("-> set requirepass in its redis.conf"),
            "{why}"
        );
        assert!(!why.contains("1) Just"), "{why}");
    }

    #[tokio::test]
    async fn a_server_with_too_many_clients_is_told_in_its_own_words_with_what_to_do() {
        let why = turned_away("-ERR max number of clients reached\r\n").await;
        assert!(why.contains("max number of clients reached"), "{why}");
        assert!(why.contains("-> raise maxclients"), "{why}");
    }
}
