//! One dialog with Asterisk: its request, then one command and one reply after the other, until the deadline.

use std::io;
use std::pin::pin;

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

use crate::timer::Timer;

use super::lines::{Lines, TooMuch};
use super::protocol::{self, Reply};
use super::request::{Request, Step};

/// So much is read at once: a request of Asterisk is about 900 bytes.
const CHUNK: usize = 2_048;

/// Why a dialog ends before its end.
#[derive(Debug, Error)]
pub enum Broken {
    /// The other end closed the connection.
    #[error("the other end closed the connection")]
    Closed,
    /// The network failed.
    #[error(transparent)]
    Network(#[from] io::Error),
    /// There is no more time.
    #[error("the deadline passed")]
    Deadline,
    /// More came than any Asterisk sends.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
    /// No Asterisk speaks so.
    #[error("that is not FastAGI")]
    Nonsense,
    /// Asterisk does not set this variable.
    #[error("Asterisk refuses to set {0}")]
    Refused(&'static str),
    /// The caller is gone.
    #[error("the caller hung up")]
    HungUp,
}

/// A connection of Asterisk's, with all its time.
#[derive(Debug)]
pub struct Dialog<S> {
    stream: S,
    lines: Lines,
    timer: Timer,
    deadline: Instant,
    hung_up: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Dialog<S> {
    /// A dialog that ends at `deadline`.
    pub fn new(stream: S, deadline: Instant) -> Self {
        Self {
            stream,
            lines: Lines::default(),
            timer: Timer::default(),
            deadline,
            hung_up: false,
        }
    }

    /// Whether Asterisk has said that the caller is gone.
    pub fn is_hung_up(&self) -> bool {
        self.hung_up
    }

    /// When it ends, whatever happens.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The timer of the connection, for other waits of the same dialog.
    pub fn timer(&self) -> &Timer {
        &self.timer
    }

    /// What Asterisk says first.
    ///
    /// # Errors
    /// [`Broken`].
    pub async fn request(&mut self) -> Result<Request, Broken> {
        let mut request = Request::default();
        loop {
            while let Some(line) = self.lines.next_line()? {
                match request.take(line) {
                    Step::More => {}
                    Step::Nonsense => return Err(Broken::Nonsense),
                    Step::Whole => {
                        self.hung_up = request.hung_up;
                        return Ok(request);
                    }
                }
            }
            self.read_more().await?;
        }
    }

    /// The value of a channel variable or function; none where it is not set, empty, or not known to this Asterisk.
    ///
    /// # Errors
    /// [`Broken`].
    pub async fn get(&mut self, variable: &str) -> Result<Option<String>, Broken> {
        let answer = self.command(&protocol::get(variable)).await?;
        let value = answer.flatten().map(|value| value.trim().to_owned());
        Ok(value.filter(|value| !value.is_empty()))
    }

    /// Sets a channel variable, or writes to a function.
    ///
    /// # Errors
    /// [`Broken`]; only with [`Broken::Refused`] is it sure that it is not set.
    pub async fn set(&mut self, variable: &'static str, value: &str) -> Result<(), Broken> {
        let answer = self.command(&protocol::set(variable, value)).await?;
        answer.map(drop).ok_or(Broken::Refused(variable))
    }

    /// Sends a command and waits for its reply; none when Asterisk refuses it.
    async fn command(&mut self, line: &str) -> Result<Option<Option<String>>, Broken> {
        let mut sending = pin!(self.stream.write_all(line.as_bytes()));
        let sent = self.timer.until(self.deadline, &mut sending).await;
        sent.ok_or(Broken::Deadline)??;
        let (mut half, mut is_refused) = (Vec::new(), false);
        loop {
            while let Some(line) = self.lines.next_line()? {
                let reply = if half.is_empty() {
                    Reply::read(line)
                } else {
                    half.push(b'\n');
                    half.extend_from_slice(line);
                    Reply::read(&half)
                };
                match reply {
                    Reply::Done(value) => return Ok(Some(value)),
                    Reply::Refused => return Ok(None),
                    Reply::RefusalBegins => is_refused = true,
                    Reply::GoesOn if half.is_empty() => half.extend_from_slice(line),
                    Reply::GoesOn | Reply::Trying => {}
                    Reply::Hangup => self.hung_up = true,
                    // How to use a command is told in words, until the last line of the refusal.
                    Reply::Nonsense if is_refused => {}
                    Reply::Nonsense => return Err(Broken::Nonsense),
                }
            }
            self.read_more().await?;
        }
    }

    async fn read_more(&mut self) -> Result<(), Broken> {
        let mut chunk = [0; CHUNK];
        let mut reading = pin!(self.stream.read(&mut chunk));
        let read = self.timer.until(self.deadline, &mut reading).await;
        match read.ok_or(Broken::Deadline)?? {
            0 => Err(Broken::Closed),
            count => Ok(self.lines.push(&chunk[..count])?),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{DuplexStream, duplex};

    use super::*;

    /// A dialog in which Asterisk has said `said` already.
    async fn dialog(said: &[u8]) -> (Dialog<DuplexStream>, DuplexStream) {
        let (ours, mut theirs) = duplex(100_000);
        theirs.write_all(said).await.unwrap();
        let deadline = Instant::now() + Duration::from_millis(150);
        (Dialog::new(ours, deadline), theirs)
    }

    #[tokio::test]
    async fn a_value_with_line_feeds_in_it_is_one_value() {
        let (mut dialog, _asterisk) =
            dialog(b"200 result=1 (a\nHANGUP\n(b))\n200 result=1\n").await;
        assert_eq!(
            dialog.get("A").await.unwrap().as_deref(),
            Some("a\nHANGUP\n(b)")
        );
        assert!(!dialog.is_hung_up());
        dialog.set("A", "b").await.unwrap();
    }

    #[tokio::test]
    async fn a_hang_up_between_command_and_reply_is_noted() {
        let (mut dialog, _asterisk) = dialog(b"HANGUP\n200 result=1\n").await;
        dialog.set("A", "b").await.unwrap();
        assert!(dialog.is_hung_up());
    }

    #[tokio::test]
    async fn a_refusal_is_read_to_its_last_line() {
        let said = b"520-Invalid command syntax.  Proper usage follows:\nUsage: SET VARIABLE <name> <value>\n\n520 End of proper usage.\n\
            511 Command Not Permitted on a dead channel\n200 result=0\n";
        let (mut dialog, _asterisk) = dialog(said).await;
        assert!(matches!(
            dialog.set("A", "b").await,
            Err(Broken::Refused("A"))
        ));
        assert_eq!(dialog.get("A").await.unwrap(), None);
        assert_eq!(dialog.get("A").await.unwrap(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_is_waited_for_until_the_deadline() {
        let (mut dialog, _asterisk) = dialog(b"agi_network: yes\n").await;
        let start = Instant::now();
        assert!(matches!(dialog.request().await, Err(Broken::Deadline)));
        assert_eq!(start.elapsed().as_millis(), 150);
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_waited_for_until_the_deadline() {
        let (ours, _asterisk) = duplex(4);
        let mut dialog = Dialog::new(ours, Instant::now() + Duration::from_millis(150));
        assert!(matches!(dialog.set("A", "b").await, Err(Broken::Deadline)));
    }
}
