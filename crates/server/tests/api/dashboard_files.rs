//! Files that the dashboard gives: a spreadsheet runs nothing in them, and what is ours imports to the same state.

use serde_json::{Value, json};

use crate::dashboard_person::Person;
use crate::hostile_texts::encoded;
use crate::support::{Service, TOKEN};

/// What spreadsheets take for formulas.
const FORMULAS: [&str; 6] = [
    "=1+1",
    "+SUM(A1)",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1,2)",
    "\u{ff1d}1",
    "=HYPERLINK(\"http://x\",\"y\")",
];

/// A service in which everything that somebody may name is named like a formula.
async fn stocked() -> Service {
    let service = Service::start(&[]).await;
    for (place, formula) in FORMULAS.into_iter().enumerate() {
        let name = encoded(formula);
        let number = json!({
            "number": format!("31255501{place:02}"), "pool": formula, "carrier": formula,
            "meta": {formula: formula}, "hourly_limit": null, "attestation": "A",
        });
        let added = service.admin("POST", "/api/v1/numbers", &number).await;
        assert_eq!(added.status, 201, "{}", added.body);
        let campaign = json!({"pools": [formula]});
        let path = format!("/api/v1/campaigns/{name}");
        assert!(service.admin("PUT", &path, &campaign).await.status < 300);
        let query = format!("to=31255510{place:02}&campaign={name}&agent={name}&call={name}");
        service.take(&query).await;
    }
    let plain = json!({"number": "3125550199", "carrier": "'s Gravenhage", "status": "paused"});
    service.admin("POST", "/api/v1/numbers", &plain).await;
    service.stored().await;
    service
}

/// The cells of a CSV file, as a spreadsheet reads them.
fn cells(file: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let mut is_quoted = false;
    let mut letters = file.chars().peekable();
    while let Some(letter) = letters.next() {
        let row = rows.last_mut().expect("a row");
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                row.last_mut().expect("a cell").push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(String::new()),
            '\n' if !is_quoted => rows.push(vec![String::new()]),
            other => row.last_mut().expect("a cell").push(other),
        }
    }
    rows
}

fn assert_no_formula(file: &str) {
    for cell in cells(file).into_iter().flatten() {
        let begins = ['=', '+', '-', '@', '\t', '\r', '\u{ff1d}'];
        let number = cell.strip_prefix('+').unwrap_or_default();
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        assert!(!cell.starts_with(begins) || is_number, "{cell} in {file}");
    }
}

async fn numbers(service: &Service) -> Vec<Value> {
    let list = service.see("/api/v1/numbers?limit=100").await;
    let mut numbers = list["numbers"].as_array().expect("a list").clone();
    for number in &mut numbers {
        for name in ["live", "created_at", "updated_at", "etag"] {
            number[name] = Value::Null;
        }
    }
    numbers
}

#[tokio::test]
async fn numbers_that_are_exported_import_to_the_same_state_and_no_cell_is_a_formula() {
    let service = stocked().await;
    let mut admin = Person::admin(&service).await;
    let file = admin.get("/dashboard/numbers/export").await;
    assert_eq!(file.status, 200);
    assert_no_formula(&file.body);
    assert!(file.body.contains("\n+13125550100,'=1+1,"), "{}", file.body);
    assert!(file.body.contains("'s Gravenhage"), "{}", file.body);
    let other = Service::start(&[]).await;
    let call = other.ask("POST", "/api/v1/numbers/import");
    let call = call
        .header("x-admin-token", TOKEN)
        .header("content-type", "text/csv");
    let imported = call.body(file.body.clone()).send().await.json();
    assert_eq!(imported["added"], FORMULAS.len() + 1, "{imported}");
    assert_eq!(numbers(&other).await, numbers(&service).await);
    let mut again = Person::admin(&other).await;
    assert_eq!(again.get("/dashboard/numbers/export").await.body, file.body);
}

#[tokio::test]
async fn no_cell_of_the_history_of_the_audit_log_or_of_bad_rows_is_a_formula() {
    let service = stocked().await;
    let mut admin = Person::admin(&service).await;
    for path in ["/dashboard/history.csv", "/dashboard/audit.csv"] {
        let file = admin.get(path).await;
        assert_eq!(file.status, 200, "{path}");
        assert!(
            file.body.contains("'=1+1") && file.body.contains("+1312555010"),
            "{path}"
        );
        assert_no_formula(&file.body);
    }
    let rows: String = FORMULAS
        .iter()
        .map(|formula| format!("\"{}\",\"{0}\"\n", formula.replace('"', "\"\"")))
        .collect();
    let file = format!("caller_id,status\n{rows}+1312,\n\t=1,\n");
    let begun = admin.upload("/dashboard/import/preview", &[], &file).await;
    let place = begun.header("location").to_owned();
    let mut told = String::new();
    for _ in 0..1_200 {
        told = admin.sees(&place).await;
        if !told.contains("hx-trigger") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(told.contains("What would be imported"), "{told}");
    let bad = admin.get(&format!("{place}/bad-rows.csv")).await;
    assert_eq!(cells(&bad.body).len(), FORMULAS.len() + 4, "{}", bad.body);
    assert_no_formula(&bad.body);
}

#[tokio::test]
async fn a_file_that_cannot_be_made_is_told_of_on_a_page() {
    let service = Service::start(&[]).await;
    let mut admin = Person::admin(&service).await;
    let told = admin.get("/dashboard/numbers/export?q=abc").await;
    assert_eq!(told.status, 422);
    assert!(
        told.body.contains("<h1>") && told.body.contains("digits are expected"),
        "{}",
        told.body
    );
}
