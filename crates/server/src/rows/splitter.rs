//! Splits lines into fields, line by line, so that a quoted field can go on for several of them.

/// Where in a record the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Place {
    /// Before a field's first byte.
    #[default]
    Start,
    /// In a field without quotes.
    Bare,
    /// Between quotes.
    Quoted,
    /// After a quote that closes the field, unless another one follows.
    QuoteInQuoted,
    /// After the closing quote and a blank.
    Closed,
}

/// How far a record is after a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// It ended with the line.
    Whole,
    /// A quote is open.
    Open,
    /// It is no CSV.
    Broken(&'static str),
}

/// The fields of one record.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    delimiter: u8,
    place: Place,
    /// The fields' text, quotes taken off, one after the other.
    text: Vec<u8>,
    /// Where in `text` each field ends.
    ends: Vec<usize>,
}

impl Splitter {
    pub(super) fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            ..Self::default()
        }
    }

    /// Begins a new record.
    pub(super) fn begin(&mut self) {
        self.place = Place::Start;
        self.text.clear();
        self.ends.clear();
    }

    /// How many fields the record has.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// One field, quotes taken off.
    pub(super) fn field(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.text[start..end])
    }

    /// Whether any byte of the record is NUL.
    pub(super) fn has_nul(&self) -> bool {
        self.text.contains(&0)
    }

    /// Takes the record's next line, terminator included.
    pub(super) fn push(&mut self, line: &[u8]) -> Progress {
        let content = without_terminator(line);
        for &byte in content {
            if let Err(reason) = self.take(byte) {
                self.end_field();
                return Progress::Broken(reason);
            }
        }
        if self.place == Place::Quoted {
            self.text.extend_from_slice(&line[content.len()..]);
            return Progress::Open;
        }
        self.end_field();
        Progress::Whole
    }

    /// Ends a field that stays unfinished, so that it can be shown.
    pub(super) fn give_up(&mut self) {
        self.end_field();
    }

    fn take(&mut self, byte: u8) -> Result<(), &'static str> {
        self.place = match self.place {
            Place::Quoted if byte == b'"' => Place::QuoteInQuoted,
            Place::Quoted => {
                self.text.push(byte);
                Place::Quoted
            }
            Place::QuoteInQuoted if byte == b'"' => {
                self.text.push(byte);
                Place::Quoted
            }
            _ if byte == self.delimiter => {
                self.end_field();
                Place::Start
            }
            Place::Start if byte == b'"' => Place::Quoted,
            Place::Start | Place::Bare => {
                self.text.push(byte);
                Place::Bare
            }
            Place::QuoteInQuoted | Place::Closed if byte == b' ' => Place::Closed,
            Place::QuoteInQuoted | Place::Closed => {
                return Err(
                    "has text after a closing quote, a quote in quoted text is written twice",
                );
            }
        };
        Ok(())
    }

    fn end_field(&mut self) {
        self.ends.push(self.text.len());
    }
}

fn without_terminator(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> (Progress, Vec<String>) {
        let mut splitter = Splitter::new(b',');
        splitter.begin();
        let progress = splitter.push(line.as_bytes());
        let fields = (0..splitter.len())
            .filter_map(|index| splitter.field(index))
            .map(|field| String::from_utf8_lossy(field).into_owned())
            .collect();
        (progress, fields)
    }

    #[test]
    fn quotes_hold_delimiters_and_doubled_quotes() {
        let (progress, fields) = split("a,\"b, \"\"c\"\"\" ,,d\r\n");
        assert_eq!(progress, Progress::Whole);
        assert_eq!(fields, ["a", "b, \"c\"", "", "d"]);
    }

    #[test]
    fn a_quote_inside_a_bare_field_is_text() {
        let (progress, fields) = split("5\" pipe,{\"a\":1}\n");
        assert_eq!(progress, Progress::Whole);
        assert_eq!(fields, ["5\" pipe", "{\"a\":1}"]);
    }

    #[test]
    fn text_after_a_closing_quote_breaks_the_record() {
        assert!(matches!(split("a,\"b\"c\n").0, Progress::Broken(_)));
    }

    #[test]
    fn an_open_quote_goes_on_in_the_next_line() {
        assert_eq!(split("a,\"b\n").0, Progress::Open);
    }
}
