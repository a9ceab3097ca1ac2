//! Statements that are put together, with their values apart.

use caller_id_core::Timestamp;

/// A value of a statement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    /// A whole number.
    Whole(i64),
    /// A text.
    Text(String),
}

/// What two databases write differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// SQLite's.
    Sqlite,
    /// PostgreSQL's.
    Postgres,
}

impl Dialect {
    /// The table of numbers.
    pub(crate) const fn numbers(self) -> &'static str {
        match self {
            Self::Sqlite => "numbers",
            Self::Postgres => "caller_id.numbers",
        }
    }
}

/// A statement. Each value stands in it once, in their order, so that both databases number them alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    /// Its text: built of our own words alone.
    pub(crate) text: String,
    /// Its values.
    pub(crate) values: Vec<Value>,
    dialect: Dialect,
}

/// What a column is compared with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// With nothing.
    Null,
    /// With a value.
    Is(Value),
}

impl Statement {
    /// One that begins with `text`.
    pub(crate) fn new(dialect: Dialect, text: String) -> Self {
        Self {
            text,
            values: Vec::new(),
            dialect,
        }
    }

    /// Goes on with `text`.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Goes on with a value.
    pub(crate) fn value(&mut self, value: Value) -> &mut Self {
        self.values.push(value);
        let place = self.values.len();
        self.push(&format!("${place}"))
    }

    /// ` AND` the column is one of these.
    pub(crate) fn and_one_of(&mut self, column: &str, parts: &[Part]) -> &mut Self {
        self.push(&format!(" AND ({column} IN ("));
        let values = parts.iter().filter_map(|part| match part {
            Part::Null => None,
            Part::Is(value) => Some(value),
        });
        for (place, value) in values.enumerate() {
            self.push(if place > 0 { ", " } else { "" });
            self.value(value.clone());
        }
        self.push(")");
        if parts.contains(&Part::Null) {
            self.push(&format!(" OR {column} IS NULL"));
        }
        self.push(")")
    }

    /// ` AND` the status at `now` is one of these words: a rest that is over is none.
    pub(crate) fn and_status(&mut self, words: &[Part], now: Timestamp) -> &mut Self {
        self.push(" AND (CASE WHEN status = 'resting' AND resting_until <= ");
        self.value(Value::Whole(now.as_ms()));
        self.push(" THEN 'active' ELSE status END IN (");
        let words = words.iter().filter_map(|part| match part {
            Part::Null => None,
            Part::Is(word) => Some(word),
        });
        for (place, word) in words.enumerate() {
            self.push(if place > 0 { ", " } else { "" });
            self.value(word.clone());
        }
        self.push("))")
    }

    /// ` AND` the number has these digits in it.
    pub(crate) fn and_has_digits(&mut self, digits: &str) -> &mut Self {
        match self.dialect {
            Dialect::Sqlite => self.push(" AND instr(number, "),
            Dialect::Postgres => self.push(" AND strpos(number::text, "),
        };
        self.value(Value::Text(digits.to_owned())).push(") > 0")
    }
}
