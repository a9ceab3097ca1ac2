//! Reads a backup, and believes nothing of it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Take};

use caller_id_core::audit::Link;
use caller_id_core::takeover::HourPlace;
use caller_id_core::{AllocationId, PhoneNumber};
use flate2::bufread::GzDecoder;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::record::{Line, Part, Record, Said};
use super::ties::Ties;
use super::{End, FORMAT, HEAD_MOST, Head, LINE_MOST, seal};

/// The first bytes of every backup: what [`super::builder`] writes.
const MAGIC: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Why a file is no backup, or not a whole one.
#[derive(Debug, Error)]
pub enum Fault {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It is something else.
    #[error("it is no backup of caller-id")]
    Foreign,
    /// A newer program wrote it.
    #[error(
        "a newer caller-id wrote it, in form {0}; this one knows up to {FORMAT}: use a newer caller-id"
    )]
    Newer(u32),
    /// It is not as it was written.
    #[error("it is broken or was changed: {0}")]
    Broken(String),
}

fn broken(why: impl Into<String>) -> Fault {
    Fault::Broken(why.into())
}

/// A backup that is read from its beginning to its end. Only after the end is it known that all of it is as it was written.
pub struct Unpacker {
    content: BufReader<GzDecoder<BufReader<Hashed>>>,
    head: Head,
    seal: Vec<u8>,
    lines: u64,
    line: Vec<u8>,
    counted: End,
    last: Option<Place>,
    part: Part,
    ties: Ties,
    log: Result<(i64, Link), i64>,
    ended: bool,
}

/// By what records of one part are in order.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Place {
    Number(PhoneNumber),
    Call(AllocationId),
    Hour(HourPlace),
    Day((i64, PhoneNumber)),
    Entry(i64),
}

/// The one member of a head that every form has.
#[derive(Deserialize)]
struct Form {
    #[serde(rename = "caller-id backup")]
    format: u32,
}

impl Unpacker {
    /// Reads the head of a file, from its beginning.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn new(mut file: File) -> Result<Self, Fault> {
        let bytes = file.metadata()?.len();
        file.rewind()?;
        let mut magic = Vec::new();
        (&mut file)
            .take(MAGIC.len() as u64)
            .read_to_end(&mut magic)?;
        file.rewind()?;
        if magic != MAGIC || is_of_others(&file) {
            return Err(Fault::Foreign);
        }
        let mut seal = seal([0; 32]);
        let content = bytes.checked_sub(seal.len() as u64);
        let content = content.ok_or_else(|| broken("it ends too early"))?;
        file.seek(SeekFrom::Start(content))?;
        file.read_exact(&mut seal)?;
        file.rewind()?;
        let raw = Hashed {
            file: file.take(content),
            hash: Sha256::new(),
        };
        let mut unpacker = Self {
            content: BufReader::new(GzDecoder::new(BufReader::with_capacity(1 << 16, raw))),
            head: Head {
                format: 0,
                version: String::new(),
                source: super::Kind::Sqlite,
                schema: 0,
                at: caller_id_core::Timestamp::ZERO,
                numbers: 0,
            },
            seal,
            lines: 0,
            line: Vec::new(),
            counted: End::default(),
            last: None,
            part: Part::Pool,
            ties: Ties::default(),
            log: Ok((0, Link::START)),
            ended: false,
        };
        unpacker.read_head()?;
        Ok(unpacker)
    }

    /// What it says of itself.
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// How many records were read; at the end: how many there are.
    pub const fn counted(&self) -> &End {
        &self.counted
    }

    /// The first place at which the audit log that was read does not hold.
    pub const fn log_breaks_at(&self) -> Option<i64> {
        match self.log {
            Ok(_) => None,
            Err(place) => Some(place),
        }
    }

    fn read_head(&mut self) -> Result<(), Fault> {
        // Of another file in the same packing nothing is known, not even that it has lines.
        if !self.next_line(HEAD_MOST)? {
            return Err(broken("it ends too early"));
        }
        let form: Form = serde_json::from_slice(&self.line).map_err(|_| Fault::Foreign)?;
        if form.format > FORMAT {
            return Err(Fault::Newer(form.format));
        }
        let head = serde_json::from_slice(&self.line);
        self.head = head.map_err(|cause| broken(format!("its head: {cause}")))?;
        Ok(())
    }

    /// The next record. None only where the whole file, from its first byte to its last, is as it was written.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn next_record(&mut self) -> Result<Option<Record>, Fault> {
        if self.ended {
            return Ok(None);
        }
        if !self.next_line(LINE_MOST)? {
            return Err(broken(format!(
                "it ends too early, after line {}",
                self.lines
            )));
        }
        let at = |why: String| broken(format!("line {}: {why}", self.lines));
        let line: Line = serde_json::from_slice(&self.line).map_err(|why| at(why.to_string()))?;
        match line.read().map_err(at)? {
            Said::Record(record) => {
                self.look_at(&record)?;
                Ok(Some(record))
            }
            Said::End(end) => {
                self.check_end(&end)?;
                self.ended = true;
                Ok(None)
            }
        }
    }

    fn look_at(&mut self, record: &Record) -> Result<(), Fault> {
        let at = self.lines;
        let part = record.part();
        if part < self.part {
            return Err(broken(format!("line {at}: it is not in its place")));
        }
        let place = match record {
            Record::Number(number) => Some(Place::Number(number.number)),
            Record::Call(past) => Some(Place::Call(past.record.id)),
            Record::Deleted(removed) => Some(Place::Number(removed.number)),
            Record::Hour(sum) => Some(Place::Hour(sum.place.clone())),
            Record::Day(sum) => Some(Place::Day(sum.place)),
            Record::Entry(entry) => {
                self.log = self.log.and_then(|last| match entry.follows(last) {
                    true => Ok((entry.place, entry.link)),
                    false => Err(entry.place),
                });
                Some(Place::Entry(entry.place))
            }
            Record::Pool(_) | Record::Campaign(_) | Record::Key(_) | Record::Marks(_) => None,
        };
        let rises = match (&self.last, &place) {
            (Some(last), Some(place)) if part == self.part => last < place,
            _ => true,
        };
        if !rises {
            return Err(broken(format!(
                "line {at}: it does not follow the one before"
            )));
        }
        let tied = self.ties.take(record);
        tied.map_err(|why| broken(format!("line {at}: {why}")))?;
        (self.part, self.last) = (part, place);
        self.counted.count(part);
        Ok(())
    }

    fn check_end(&mut self, end: &End) -> Result<(), Fault> {
        let counted = &self.counted;
        if end != counted || end.marks != 1 || end.numbers != self.head.numbers || end.pools == 0 {
            return Err(broken(format!(
                "its head and its end tell of other records than it has: {end:?}, {} numbers, and it has {counted:?}",
                self.head.numbers
            )));
        }
        if self.next_line(LINE_MOST)? {
            return Err(broken("something is behind its end"));
        }
        let raw = self.content.get_mut().get_mut();
        if !raw.fill_buf()?.is_empty() {
            return Err(broken("something is behind its end"));
        }
        let hash = std::mem::take(&mut raw.get_mut().hash);
        if seal(hash.finalize().into()) != self.seal {
            return Err(broken("its checksum is another"));
        }
        Ok(())
    }

    /// Reads a line; false at the end.
    fn next_line(&mut self, most: usize) -> Result<bool, Fault> {
        self.line.clear();
        let mut line = (&mut self.content).take(most as u64 + 1);
        let read = line.read_until(b'\n', &mut self.line);
        let read = read.map_err(|cause| match cause.kind() {
            // What the packing says of bytes that are none of it.
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => broken(cause.to_string()),
            io::ErrorKind::UnexpectedEof => broken("it ends too early"),
            _ => Fault::Io(cause),
        })?;
        if read == 0 {
            return Ok(false);
        }
        self.lines += 1;
        match self.line.last() {
            Some(b'\n') => Ok(true),
            _ if read > most => Err(match self.lines {
                1 => Fault::Foreign,
                line => broken(format!("line {line} is longer than {most} bytes")),
            }),
            _ => Err(broken("it ends in the middle of a line")),
        }
    }
}

/// Whether it is packed as a backup is, and something else is in it.
fn is_of_others(file: &File) -> bool {
    let mut line = Vec::new();
    let content = BufReader::new(GzDecoder::new(BufReader::new(file)));
    let read = content.take(HEAD_MOST as u64).read_until(b'\n', &mut line);
    // Of one that cannot be unpacked nobody knows what it was.
    read.is_ok() && serde_json::from_slice::<Form>(&line).is_err()
}

/// Hashes what goes through.
struct Hashed {
    file: Take<File>,
    hash: Sha256,
}

impl Read for Hashed {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(bytes)?;
        self.hash.update(&bytes[..read]);
        Ok(read)
    }
}
