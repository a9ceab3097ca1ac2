//! Writes a backup.

use std::io::{self, BufWriter, Write};

use anyhow::{Context, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use super::record::{Line, Record};
use super::{End, Head, LINE_MOST, builder, seal};

/// Text that repeats itself much: more effort makes it hardly smaller.
const EFFORT: u32 = 4;

/// A backup that is being written.
pub struct Packer<W: Write> {
    member: GzEncoder<Hashed<W>>,
    end: End,
    line: Vec<u8>,
}

/// What was written.
#[derive(Debug)]
pub struct Packed<W> {
    /// Where to.
    pub output: W,
    /// How many records.
    pub end: End,
    /// How many bytes.
    pub bytes: u64,
    /// SHA-256 of all but the last line, as `zcat` shows it there.
    pub sha256: [u8; 32],
}

impl<W: Write> Packer<W> {
    /// Begins with the head.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(output: W, head: &Head) -> anyhow::Result<Self> {
        let output = Hashed {
            output: BufWriter::new(output),
            hash: Sha256::new(),
            bytes: 0,
        };
        let mut packer = Self {
            member: builder().write(output, Compression::new(EFFORT)),
            end: End::default(),
            line: Vec::new(),
        };
        packer.write(head)?;
        Ok(packer)
    }

    /// Adds a record; they come part by part.
    ///
    /// # Errors
    /// When it cannot be written, or is longer than anybody reads.
    pub fn add(&mut self, record: &Record) -> anyhow::Result<()> {
        self.end.count(record.part());
        self.write(&Line::of(record))
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> anyhow::Result<Packed<W>> {
        let end = self.end;
        self.write(&Line::End(end))?;
        let Hashed {
            mut output,
            hash,
            bytes,
        } = self.member.finish()?;
        let sha256 = hash.finalize().into();
        let seal = seal(sha256);
        output.write_all(&seal)?;
        Ok(Packed {
            output: output
                .into_inner()
                .map_err(io::IntoInnerError::into_error)?,
            end,
            bytes: bytes + seal.len() as u64,
            sha256,
        })
    }

    fn write(&mut self, line: &impl serde::Serialize) -> anyhow::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line).context("a record cannot be written")?;
        self.line.push(b'\n');
        ensure!(
            self.line.len() <= LINE_MOST,
            "a record has {} bytes, at most {LINE_MOST} expected",
            self.line.len()
        );
        Ok(self.member.write_all(&self.line)?)
    }
}

/// Counts and hashes what goes through.
struct Hashed<W: Write> {
    output: BufWriter<W>,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
