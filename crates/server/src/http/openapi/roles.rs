//! Who may ask: the table of docs/access.md, told at each operation.

use serde_json::Value;

/// The page that a test compares with what the routes do.
const PAGE: &str = include_str!("../../../../../docs/access.md");
/// The columns that are roles, after method, path, `nobody` and `elsewhere`.
const ROLES: [&str; 4] = ["dialer", "viewer", "operator", "admin"];

/// Says at an operation who may ask it.
pub(super) fn tell(method: &str, path: &str, operation: &mut Value) {
    let Some(who) = who(method, path) else {
        return;
    };
    let before = operation["description"].as_str().unwrap_or_default();
    let text = format!("{before}\n\n{who}");
    operation["description"] = Value::from(text.trim());
}

fn who(method: &str, path: &str) -> Option<String> {
    let mut rows = PAGE.lines().map(cells);
    let row = rows.find(|row| {
        row.len() > ROLES.len() + 2 && row[0].eq_ignore_ascii_case(method) && row[1] == path
    })?;
    if row[2] == "in" {
        return Some("Roles: anybody may ask.".to_owned());
    }
    let roles = ROLES.iter().zip(&row[4..]);
    let roles: Vec<&str> = roles
        .filter(|(_, answer)| **answer == "in")
        .map(|(role, _)| *role)
        .collect();
    Some(match roles.is_empty() {
        true => "Roles: anybody may ask, with the form of the page alone.".to_owned(),
        false => format!("Roles: {}.", roles.join(", ")),
    })
}

fn cells(line: &str) -> Vec<&str> {
    let inner = line.trim().trim_matches('|').split('|');
    inner.map(|cell| cell.trim().trim_matches('`')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_ask_is_what_the_page_says() {
        let who = |method, path| who(method, path).unwrap_or_default();
        assert_eq!(
            who("delete", "/api/v1/reservations/{id}"),
            "Roles: dialer, operator, admin."
        );
        assert_eq!(who("get", "/live"), "Roles: anybody may ask.");
        assert!(who("post", "/sign-in").contains("form of the page"));
        assert_eq!(who("get", "/nowhere"), "");
    }
}
