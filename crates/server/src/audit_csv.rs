//! Entries of the audit log as CSV, for people and their spreadsheets.

use std::borrow::Cow;

use caller_id_core::audit::AuditEntry;

use crate::spreadsheet::harmless;

/// The first line.
pub const HEADER: &str = "place,at,author_kind,author,address,action,subject,before,after,hash\n";

/// The line of an entry.
///
/// Names come out of requests that may be anybody's: a cell that a spreadsheet would run as a formula gets an apostrophe in
/// front. Numbers like `+13125550100` stay as they are.
pub fn line(entry: &AuditEntry) -> String {
    let event = &entry.event;
    let author = &event.author;
    let cells = [
        entry.place.to_string(),
        entry.at.to_string(),
        author.kind.to_string(),
        author.name.clone(),
        author
            .address
            .map(|address| address.to_string())
            .unwrap_or_default(),
        event.action.clone(),
        event.subject.clone(),
        event.before.clone().unwrap_or_default(),
        event.after.clone().unwrap_or_default(),
        entry.link.to_string(),
    ];
    let cells: Vec<_> = cells
        .iter()
        .map(|cell| quoted(&harmless(cell)).into_owned())
        .collect();
    cells.join(",") + "\n"
}

fn quoted(cell: &str) -> Cow<'_, str> {
    if cell.contains([',', '"', '\n', '\r']) {
        return Cow::Owned(format!("\"{}\"", cell.replace('"', "\"\"")));
    }
    Cow::Borrowed(cell)
}

#[cfg(test)]
mod tests {
    use caller_id_core::audit::{AuditEvent, Link};
    use caller_id_core::{Author, Timestamp};

    use super::*;

    fn entry(author: &str, subject: &str) -> AuditEntry {
        let event = AuditEvent {
            author: Author::command(author),
            action: "number.create".to_owned(),
            subject: subject.to_owned(),
            before: None,
            after: Some(r#"{"a":1}"#.to_owned()),
        };
        AuditEntry::following((0, Link::START), Timestamp::ZERO, event)
    }

    #[test]
    fn a_line_has_as_many_cells_as_the_header_and_quotes_what_it_must() {
        let line = line(&entry("import", "+13125550100"));
        let expected = "1,1970-01-01T00:00:00.000000Z,command,import,,number.create,+13125550100,,\"{\"\"a\"\":1}\",";
        assert!(line.starts_with(expected), "{line}");
        assert_eq!(HEADER.trim().split(',').count(), 10);
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        for formula in ["=1+1", "+SUM(A1)", "-1+cmd", "@x", "\t=1"] {
            let line = line(&entry(formula, "x"));
            assert!(line.contains(&format!("command,'{formula}")), "{line}");
        }
    }
}
