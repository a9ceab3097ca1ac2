//! Lines of a client that may send anything: bounded, whatever it sends.

use thiserror::Error;

/// Most bytes of one line.
pub const LINE_MOST: usize = 8 * 1024;

/// Most bytes of a whole dialog.
pub const DIALOG_MOST: usize = 64 * 1024;

/// A client sent more than any Asterisk sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TooMuch {
    /// In one line.
    #[error("a line is longer than {LINE_MOST} bytes")]
    Line,
    /// In all.
    #[error("more than {DIALOG_MOST} bytes were sent")]
    Dialog,
}

/// What has come and is not read yet; never more than [`DIALOG_MOST`] bytes.
#[derive(Debug, Default)]
pub struct Lines {
    buffer: Vec<u8>,
    /// So much of the buffer is read.
    read: usize,
    /// So much of the buffer is known to have no line feed that is not read.
    looked: usize,
    /// So many bytes have come in all.
    came: usize,
}

impl Lines {
    /// Takes what has come.
    ///
    /// # Errors
    /// [`TooMuch::Dialog`]; nothing is taken then.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), TooMuch> {
        self.came = self.came.saturating_add(bytes.len());
        if self.came > DIALOG_MOST {
            return Err(TooMuch::Dialog);
        }
        if self.read == self.buffer.len() {
            self.buffer.clear();
            self.read = 0;
            self.looked = 0;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// The next whole line, without its end (LF, or CR and LF); none when it has not come yet.
    ///
    /// # Errors
    /// [`TooMuch::Line`], as soon as that is known.
    pub fn next_line(&mut self) -> Result<Option<&[u8]>, TooMuch> {
        let end = self.buffer[self.looked..]
            .iter()
            .position(|&byte| byte == b'\n');
        let end = end.map(|place| self.looked + place);
        self.looked = end.map_or(self.buffer.len(), |end| end + 1);
        let start = self.read;
        if end.unwrap_or(self.buffer.len()) - start > LINE_MOST {
            return Err(TooMuch::Line);
        }
        let Some(end) = end else { return Ok(None) };
        self.read = end + 1;
        let line = &self.buffer[start..end];
        Ok(Some(line.strip_suffix(b"\r").unwrap_or(line)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All lines of `bytes`, given in pieces of `piece` bytes.
    fn lines(bytes: &[u8], piece: usize) -> Result<Vec<Vec<u8>>, TooMuch> {
        let (mut lines, mut all) = (Lines::default(), Vec::new());
        for part in bytes.chunks(piece) {
            lines.push(part)?;
            while let Some(line) = lines.next_line()? {
                all.push(line.to_vec());
            }
            assert!(lines.buffer.len() <= DIALOG_MOST);
        }
        Ok(all)
    }

    #[test]
    fn a_line_ends_with_a_line_feed_and_a_cr_before_it_is_no_part_of_it() {
        let bytes = b"one\ntwo\r\n\nhalf";
        let read = lines(bytes, bytes.len());
        assert_eq!(
            read,
            Ok(vec![b"one".to_vec(), b"two".to_vec(), b"".to_vec()])
        );
    }

    #[test]
    fn a_line_that_is_too_long_is_known_before_its_end() {
        assert_eq!(lines(&[b'x'; LINE_MOST + 1], 100), Err(TooMuch::Line));
        let mut longest = vec![b'x'; LINE_MOST];
        longest.push(b'\n');
        assert_eq!(
            lines(&longest, 7).map(|lines| lines[0].len()),
            Ok(LINE_MOST)
        );
    }

    #[test]
    fn a_dialog_that_is_too_long_is_refused_although_each_line_is_short() {
        assert_eq!(
            lines(&b"a line\n".repeat(10_000), 512),
            Err(TooMuch::Dialog)
        );
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_are_the_same_lines(
            bytes in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..600),
            piece in 1_usize..100,
        ) {
            let whole: Vec<Vec<u8>> = {
                let mut parts: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
                parts.pop();
                parts.iter().map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec()).collect()
            };
            prop_assert_eq!(lines(&bytes, piece), Ok(whole));
        }
    }
}
