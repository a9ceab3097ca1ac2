//! The header: which separator the file has, and which column is where.

use std::fmt;

use caller_id_core::store::Field;

use caller_id_core::text::shown;

/// The columns we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// The number itself; the only one that must be there.
    CallerId,
    /// Who carries its calls.
    Carrier,
    /// The area code it stands for, where that is not its own.
    AreaCode,
    /// Most uses a day.
    DailyLimit,
    /// Most uses an hour.
    HourlyLimit,
    /// The pool it is in.
    Pool,
    /// Its STIR/SHAKEN level.
    Attestation,
    /// Whether it may be presented.
    Status,
    /// What else its owner keeps with it.
    Meta,
}

impl Column {
    /// All of them, in the order in which an export writes them.
    pub const ALL: [Self; 9] = [
        Self::CallerId,
        Self::Carrier,
        Self::AreaCode,
        Self::DailyLimit,
        Self::HourlyLimit,
        Self::Pool,
        Self::Attestation,
        Self::Status,
        Self::Meta,
    ];

    /// Its name in a header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CallerId => "caller_id",
            Self::Carrier => "carrier",
            Self::AreaCode => "area_code",
            Self::DailyLimit => "daily_limit",
            Self::HourlyLimit => "hourly_limit",
            Self::Pool => "pool",
            Self::Attestation => "attestation",
            Self::Status => "status",
            Self::Meta => "meta",
        }
    }

    /// The column that people mean by `title`: any case, blanks and hyphens for underscores, and other names of the number.
    pub(super) fn from_title(title: &str) -> Option<Self> {
        let plain: String = title
            .chars()
            .filter(|character| !matches!(character, ' ' | '_' | '-'))
            .flat_map(char::to_lowercase)
            .collect();
        match plain.as_str() {
            "callerid" | "number" | "did" | "phonenumber" => Some(Self::CallerId),
            "areacode" | "npa" => Some(Self::AreaCode),
            "carrier" => Some(Self::Carrier),
            "dailylimit" => Some(Self::DailyLimit),
            "hourlylimit" => Some(Self::HourlyLimit),
            "pool" => Some(Self::Pool),
            "attestation" => Some(Self::Attestation),
            "status" => Some(Self::Status),
            "meta" => Some(Self::Meta),
            _ => None,
        }
    }
}

/// The field of a number that a column gives; none for the number itself.
pub(super) const fn field(column: Column) -> Option<Field> {
    Some(match column {
        Column::CallerId => return None,
        Column::Carrier => Field::Carrier,
        Column::AreaCode => Field::AreaCode,
        Column::DailyLimit => Field::DailyLimit,
        Column::HourlyLimit => Field::HourlyLimit,
        Column::Pool => Field::Pool,
        Column::Attestation => Field::Attestation,
        Column::Status => Field::Status,
        Column::Meta => Field::Meta,
    })
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which column is where.
#[derive(Debug)]
pub(super) struct Header {
    places: [Option<usize>; Column::ALL.len()],
    width: usize,
    unknown: Vec<String>,
}

impl Header {
    /// Finds the columns among `titles`.
    pub(super) fn new(titles: &[String]) -> Result<Self, String> {
        let mut places = [None; Column::ALL.len()];
        let mut unknown: Vec<String> = Vec::new();
        for (place, title) in titles.iter().map(|title| title.trim()).enumerate() {
            match Column::from_title(title) {
                Some(column) => {
                    if let Some(earlier) = places[column as usize].replace(place) {
                        return Err(format!(
                            "has the column {column} twice: `{}` at place {} and `{}` at place {}",
                            shown(titles[earlier].trim()),
                            earlier + 1,
                            shown(title),
                            place + 1
                        ));
                    }
                }
                // Spreadsheets leave columns without a name at the right edge.
                None if title.is_empty() => {}
                None if unknown.iter().any(|other| other == title) => {
                    return Err(format!("has the column `{}` twice", shown(title)));
                }
                None => unknown.push(title.to_owned()),
            }
        }
        if places[Column::CallerId as usize].is_none() {
            return Err(no_caller_id(titles));
        }
        Ok(Self {
            places,
            width: titles.len(),
            unknown: unknown.iter().map(|title| shown(title)).collect(),
        })
    }

    /// Where `column` is, if the file has it.
    pub(super) fn place(&self, column: Column) -> Option<usize> {
        self.places[column as usize]
    }

    /// The columns that the file has.
    pub(super) fn columns(&self) -> Vec<Column> {
        let all = Column::ALL.into_iter();
        all.filter(|column| self.place(*column).is_some()).collect()
    }

    /// How many fields every row has.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The names of the columns that are kept out.
    pub(super) fn unknown(&self) -> &[String] {
        &self.unknown
    }
}

fn no_caller_id(titles: &[String]) -> String {
    const SHOWN_MOST: usize = 12;
    let mut found: Vec<String> = titles
        .iter()
        .take(SHOWN_MOST)
        .map(|title| format!("`{}`", shown(title.trim())))
        .collect();
    if titles.len() > SHOWN_MOST {
        found.push(format!("and {} more", titles.len() - SHOWN_MOST));
    }
    let looks_like_data = titles
        .iter()
        .any(|title| caller_id_core::PhoneNumber::parse(title).is_ok());
    let hint = if looks_like_data {
        " (it looks like a row of data: the first line must name the columns)"
    } else {
        ""
    };
    let others: Vec<&str> = Column::ALL[1..]
        .iter()
        .map(|column| column.name())
        .collect();
    format!(
        "names {}{hint}, but caller_id (or number, did) is expected, and where wanted {}",
        found.join(", "),
        others.join(", ")
    )
}

/// The separator that the header line has most of outside quotes: comma, semicolon or tab.
pub(super) fn delimiter(line: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    for &byte in line {
        quoted ^= byte == b'"';
        if let Some((_, count)) = counts.iter_mut().find(|(each, _)| *each == byte && !quoted) {
            *count += 1;
        }
    }
    // Of equal counts the first wins, so a header of one column is read with commas.
    counts
        .iter()
        .rev()
        .max_by_key(|(_, count)| *count)
        .map_or(b',', |(byte, _)| *byte)
}
