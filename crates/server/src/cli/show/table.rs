//! Tables for people: columns as wide as what is in them, two blanks between.

use serde_json::Value;

use super::Words;
use super::out;

/// What an empty cell has, so that columns stay columns for `awk`.
const NOTHING: &str = "-";

/// One column of a table of JSON rows.
#[derive(Clone, Copy)]
pub(in crate::cli) struct Column {
    title: &'static str,
    is_count: bool,
    cell: fn(&Value, &Words) -> String,
}

impl Column {
    /// Text, to the left.
    pub(in crate::cli) const fn text(
        title: &'static str,
        cell: fn(&Value, &Words) -> String,
    ) -> Self {
        Self {
            title,
            is_count: false,
            cell,
        }
    }

    /// Numbers that are compared, to the right.
    pub(in crate::cli) const fn count(
        title: &'static str,
        cell: fn(&Value, &Words) -> String,
    ) -> Self {
        Self {
            title,
            is_count: true,
            cell,
        }
    }
}

/// A table that is written page by page; its columns never become narrower.
pub(in crate::cli) struct Table<'a> {
    columns: &'a [Column],
    widths: Vec<usize>,
    begun: bool,
}

impl<'a> Table<'a> {
    /// One with these columns; nothing is written yet.
    pub(in crate::cli) fn new(columns: &'a [Column]) -> Self {
        Self {
            columns,
            widths: columns.iter().map(|column| width(column.title)).collect(),
            begun: false,
        }
    }

    /// Writes rows; before the first also the titles.
    ///
    /// # Errors
    /// As [`out::line`].
    pub(in crate::cli) fn rows(&mut self, rows: &[Value], words: &Words) -> anyhow::Result<()> {
        out::bytes(self.written(rows, words).as_bytes())
    }

    fn written(&mut self, rows: &[Value], words: &Words) -> String {
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                let columns = self.columns.iter();
                columns.map(|column| (column.cell)(row, words)).collect()
            })
            .collect();
        for row in &cells {
            for (widest, cell) in self.widths.iter_mut().zip(row) {
                *widest = width(cell).max(*widest);
            }
        }
        let mut text = String::new();
        if !self.begun {
            self.begun = true;
            let titles: Vec<String> = self.columns.iter().map(|it| it.title.to_owned()).collect();
            text.push_str(&self.line(&titles));
        }
        for row in &cells {
            text.push_str(&self.line(row));
        }
        text
    }

    fn line(&self, cells: &[String]) -> String {
        let mut line = String::new();
        for (place, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
            let cell = if cell.is_empty() { NOTHING } else { cell };
            let blanks = " ".repeat(self.widths[place].saturating_sub(width(cell)));
            if place > 0 {
                line.push_str("  ");
            }
            match column.is_count {
                true => line.extend([&blanks, cell]),
                false => line.extend([cell, &blanks]),
            }
        }
        format!("{}\n", line.trim_end())
    }
}

/// Names and what belongs to them, a line each; what is empty is left out.
///
/// # Errors
/// As [`out::line`].
pub(in crate::cli) fn facts(facts: &[(&str, String)]) -> anyhow::Result<()> {
    let told = facts.iter().filter(|(_, fact)| !fact.is_empty());
    let widest = told.clone().map(|(name, _)| width(name)).max();
    let mut text = String::new();
    for (name, fact) in told {
        let blanks = " ".repeat(widest.unwrap_or_default() - width(name));
        text.push_str(&format!("{name}{blanks}  {fact}\n"));
    }
    out::bytes(text.as_bytes())
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn columns_are_aligned_and_empty_cells_have_a_dash() {
        let columns = [
            Column::text("NAME", |row, words| words.text(&row["name"])),
            Column::count("CALLS", |row, words| words.count(&row["calls"])),
            Column::text("NOTE", |row, words| words.text(&row["note"])),
        ];
        let rows = [
            json!({"name": "a longer name", "calls": 1_234_567, "note": "x"}),
            json!({"name": null, "calls": 5}),
        ];
        let text = Table::new(&columns).written(&rows, &Words::utc());
        let expected = "\
NAME               CALLS  NOTE
a longer name  1,234,567  x
-                      5  -
";
        assert_eq!(text, expected);
    }
}
