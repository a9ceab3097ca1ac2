//! What kind of file it is, told from its first bytes.

use std::io::{self, BufReader, Chain, Cursor, Read};

use flate2::read::MultiGzDecoder;

use super::file_error::FileError;

const BUFFER_BYTES: usize = 64 * 1024;
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZIP: &[u8] = b"PK\x03\x04";
const BOM: &[u8] = b"\xef\xbb\xbf";
const UTF16: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

type Whole<R> = Chain<Cursor<Vec<u8>>, R>;
type Unpacked<R> = MultiGzDecoder<BufReader<Whole<R>>>;

/// A stream of CSV text, unpacked where it was packed, its byte order mark removed.
pub(super) enum Source<R> {
    Plain(BufReader<Whole<R>>),
    Gzip(Box<BufReader<Whole<Unpacked<R>>>>),
}

impl<R: Read> Source<R> {
    pub(super) fn open(mut reader: R) -> Result<Self, FileError> {
        let start = first_bytes(&mut reader).map_err(read_error)?;
        if start.starts_with(GZIP) {
            let packed = BufReader::with_capacity(BUFFER_BYTES, Cursor::new(start).chain(reader));
            let mut unpacked = MultiGzDecoder::new(packed);
            let start = first_bytes(&mut unpacked).map_err(gzip_error)?;
            let text = Cursor::new(text_start(start)?).chain(unpacked);
            return Ok(Self::Gzip(Box::new(BufReader::with_capacity(
                BUFFER_BYTES,
                text,
            ))));
        }
        let text = Cursor::new(text_start(start)?).chain(reader);
        Ok(Self::Plain(BufReader::with_capacity(BUFFER_BYTES, text)))
    }

    /// The error for `source`, which happened after `line`.
    pub(super) fn error(&self, line: u64, source: io::Error) -> FileError {
        let damaged = matches!(
            source.kind(),
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof
        );
        match self {
            Self::Gzip(_) if damaged => FileError::Gzip { line, source },
            _ => FileError::Read { line, source },
        }
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(text) => text.read(buffer),
            Self::Gzip(text) => text.read(buffer),
        }
    }
}

impl<R: Read> io::BufRead for Source<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Plain(text) => text.fill_buf(),
            Self::Gzip(text) => text.fill_buf(),
        }
    }

    fn consume(&mut self, bytes: usize) {
        match self {
            Self::Plain(text) => text.consume(bytes),
            Self::Gzip(text) => text.consume(bytes),
        }
    }
}

/// The first four bytes, fewer where the file has fewer.
fn first_bytes(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut start = Vec::with_capacity(4);
    reader.take(4).read_to_end(&mut start)?;
    Ok(start)
}

/// What the text starts with, the mark removed; refuses what cannot be CSV.
fn text_start(mut start: Vec<u8>) -> Result<Vec<u8>, FileError> {
    if start.is_empty() {
        return Err(FileError::Empty);
    }
    if start.starts_with(ZIP) {
        return Err(FileError::NotCsv("a ZIP archive or an Excel workbook"));
    }
    if UTF16.iter().any(|mark| start.starts_with(mark)) {
        return Err(FileError::NotCsv("text in UTF-16"));
    }
    if start.starts_with(GZIP) {
        return Err(FileError::NotCsv("gzip data that was packed twice"));
    }
    if start.starts_with(BOM) {
        start.drain(..BOM.len());
    }
    Ok(start)
}

fn read_error(source: io::Error) -> FileError {
    FileError::Read { line: 0, source }
}

fn gzip_error(source: io::Error) -> FileError {
    match source.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => {
            FileError::Gzip { line: 0, source }
        }
        _ => read_error(source),
    }
}
