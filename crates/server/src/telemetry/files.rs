//! The log in files: begun anew each day and when they are full, the oldest removed.
//!
//! Whoever logs never waits: lines go through a queue that is bounded to a thread of its own. What finds no room there, or
//! none on the disk, is dropped and counted.

mod rotated;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use caller_id_core::Clock;
use tracing_subscriber::fmt::MakeWriter;

use self::rotated::Rotated;
use super::counts;

/// So many lines may wait for the disk.
const LINES_MOST: usize = 8_192;
/// So many bytes are written at once, at least those of one line.
const BYTES_AT_ONCE: usize = 64 * 1024;
/// The end of the process waits so long for the last lines.
const END_WITHIN: Duration = Duration::from_secs(2);

/// Where the files are, and how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The folder; made when it is missing.
    pub folder: PathBuf,
    /// A file that is larger is full, in bytes.
    pub bytes_most: u64,
    /// So many are kept, that which is written to included.
    pub files_most: usize,
}

/// Takes lines for the files.
#[derive(Debug, Clone)]
pub struct LogFiles(SyncSender<Message>);

#[derive(Debug)]
enum Message {
    Line(Vec<u8>),
    End,
}

/// The thread that writes; ended when this is dropped, after the lines that wait.
#[derive(Debug)]
pub struct Writing {
    messages: SyncSender<Message>,
    ended: Receiver<()>,
}

impl LogFiles {
    /// Starts the thread.
    ///
    /// # Errors
    /// The folder cannot be made, or no file in it: that is told at the start. Later the service goes on without.
    pub fn start(place: Place, clock: Arc<dyn Clock>) -> io::Result<(Self, Writing)> {
        let mut files = Rotated::new(place, clock);
        files.open()?;
        let (messages, waiting) = sync_channel(LINES_MOST);
        let (tell, ended) = sync_channel(1);
        std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || {
                write(&mut files, &waiting);
                let _ = tell.send(());
            })?;
        let writing = Writing {
            messages: messages.clone(),
            ended,
        };
        Ok((Self(messages), writing))
    }

    /// Takes a line, or drops it where too many wait.
    fn take(&self, line: &[u8]) {
        let sent = self.0.try_send(Message::Line(line.to_vec()));
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = sent {
            counts::dropped(1);
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        const TRIES: u32 = 100;
        for _ in 0..TRIES {
            // A queue that is full is being written, or never will be.
            let _ = self.messages.try_send(Message::End);
            if self.ended.recv_timeout(END_WITHIN / TRIES) != Err(RecvTimeoutError::Timeout) {
                break;
            }
        }
    }
}

fn write(files: &mut Rotated, waiting: &Receiver<Message>) {
    while let Ok(Message::Line(line)) = waiting.recv() {
        let (mut bytes, mut lines, mut is_end) = (line, 1, false);
        while bytes.len() < BYTES_AT_ONCE {
            match waiting.try_recv() {
                Ok(Message::Line(line)) => {
                    bytes.extend(line);
                    lines += 1;
                }
                Ok(Message::End) => {
                    is_end = true;
                    break;
                }
                Err(_) => break,
            }
        }
        if let Err(error) = files.write(&bytes) {
            counts::dropped(lines);
            counts::tell_files_failed(&error);
        }
        if is_end {
            return;
        }
    }
}

/// One line, as the log writes it: at once.
#[derive(Debug)]
pub struct Line<'a>(&'a LogFiles);

impl io::Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.take(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogFiles {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use caller_id_core::{ManualClock, Timestamp};

    use super::*;

    fn place(folder: &std::path::Path) -> Place {
        Place {
            folder: folder.to_owned(),
            bytes_most: 1_000_000,
            files_most: 3,
        }
    }

    fn clock() -> Arc<ManualClock> {
        Arc::new(ManualClock::at(Timestamp::from_ms(1_795_348_800_000)))
    }

    #[test]
    fn the_last_lines_are_written_before_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let (files, writing) = LogFiles::start(place(folder.path()), clock()).unwrap();
        for line in 0..1_000 {
            writeln!(files.make_writer(), "line {line}").unwrap();
        }
        drop(writing);
        let text = std::fs::read_to_string(folder.path().join("caller-id.log")).unwrap();
        assert_eq!(text.lines().count(), 1_000);
        assert!(text.ends_with("line 999\n"), "{text}");
    }

    #[test]
    fn nobody_waits_for_a_disk_that_takes_nothing_and_what_is_dropped_is_counted() {
        let before = counts::dropped_until_now();
        // Nobody reads this queue.
        let (messages, _waiting) = sync_channel(2);
        let files = LogFiles(messages);
        for _ in 0..10 {
            writeln!(files.make_writer(), "a line").unwrap();
        }
        assert!(counts::dropped_until_now() >= before + 8);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_told_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(LogFiles::start(place(&file.join("logs")), clock()).is_err());
    }
}
