//! Files of numbers given to the dashboard.

use std::time::Duration;

use caller_id_core::Role;

use crate::dashboard_person::Person;
use crate::support::Service;

const IMPORT: &str = "/dashboard/import";
const PREVIEW: &str = "/dashboard/import/preview";
const FILE: &str = "caller_id,carrier,colour\n3125550100,A,red\n3125550101,<script>alert(1)</script>,red\n\
    =cmd|' /C calc'!A0,x,red\n<script>alert(2)</script>,x,red\n3125550100,again,red\n";

/// The page of the job, once it has ended.
async fn ended(person: &mut Person, place: &str) -> String {
    for _ in 0..1_200 {
        let page = person.sees(place).await;
        if !page.contains("hx-trigger") {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the job does not end");
}

async fn many(service: &Service) -> u64 {
    let list = service.see("/api/v1/numbers?count=true&limit=1").await;
    list["total"].as_u64().expect("a count")
}

#[tokio::test]
async fn a_preview_tells_what_an_import_then_does() {
    let service = Service::start(&[]).await;
    let mut operator = Person::of_role(&service, Role::Operator).await;
    assert!(operator.sees(IMPORT).await.contains("multipart/form-data"));
    let begun = operator
        .upload(PREVIEW, &[("on_duplicate", "skip")], FILE)
        .await;
    assert_eq!(begun.status, 303, "{}", begun.body);
    let place = begun.header("location").to_owned();
    let told = ended(&mut operator, &place).await;
    for text in [
        "would be added",
        "colour",
        "=cmd|",
        "&lt;script&gt;alert(2)",
        "Preview of an import",
    ] {
        assert!(told.contains(text), "{text}: {told}");
    }
    assert!(!told.contains("<script>alert"));
    assert_eq!(many(&service).await, 0);
    let begun = operator
        .upload(IMPORT, &[("on_duplicate", "skip")], FILE)
        .await;
    let place = begun.header("location").to_owned();
    let done = ended(&mut operator, &place).await;
    assert!(done.contains("Imported") && done.contains("See the numbers"));
    assert_eq!(many(&service).await, 2);
    let list = operator.sees("/dashboard/numbers").await;
    assert!(list.contains("&lt;script&gt;alert(1)") && !list.contains("<script>alert"));
    assert!(operator.sees(IMPORT).await.contains(&place));
}

#[tokio::test]
async fn bad_rows_are_a_file_that_no_spreadsheet_runs() {
    let service = Service::start(&[]).await;
    let mut admin = Person::admin(&service).await;
    let begun = admin.upload(PREVIEW, &[], FILE).await;
    let place = begun.header("location").to_owned();
    ended(&mut admin, &place).await;
    let file = admin.get(&format!("{place}/bad-rows.csv")).await;
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert!(file.header("content-disposition").starts_with("attachment"));
    let rows: Vec<&str> = file.body.lines().collect();
    assert_eq!(rows.len(), 3, "{}", file.body);
    assert!(rows[1].starts_with("4,'=cmd|"), "{}", rows[1]);
}

#[tokio::test]
async fn what_becomes_of_numbers_that_are_there_is_chosen() {
    let service = Service::start(&[]).await;
    let mut admin = Person::admin(&service).await;
    for (on_duplicate, carrier) in [("skip", "A"), ("update", "B")] {
        let file = format!("number,carrier\n3125550100,{carrier}\n");
        let begun = admin
            .upload(IMPORT, &[("on_duplicate", on_duplicate)], &file)
            .await;
        let place = begun.header("location").to_owned();
        ended(&mut admin, &place).await;
        let one = service.see("/api/v1/numbers/3125550100").await;
        assert_eq!(one["carrier"], carrier);
    }
    let bad = admin
        .upload(IMPORT, &[("on_duplicate", "burn")], "number\n3125550101\n")
        .await;
    assert_eq!(bad.status, 422, "{}", bad.body);
}

#[tokio::test]
async fn a_file_that_is_none_and_a_form_without_one_are_told() {
    let service = Service::start(&[]).await;
    let mut admin = Person::admin(&service).await;
    let begun = admin.upload(IMPORT, &[], "a,b\n1,2\n").await;
    let place = begun.header("location").to_owned();
    let failed = ended(&mut admin, &place).await;
    assert!(
        failed.contains("Failed") && failed.contains("caller_id (or number, did) is expected"),
        "{failed}"
    );
    let none = admin.sends(IMPORT, &[]).await;
    assert_eq!(none.status, 422);
    assert_eq!(admin.get("/dashboard/import/none").await.status, 404);
}

#[tokio::test]
async fn who_may_not_import_is_told_so() {
    let service = Service::start(&[]).await;
    let mut viewer = Person::of_role(&service, Role::Viewer).await;
    assert_eq!(viewer.upload(IMPORT, &[], FILE).await.status, 403);
    assert_eq!(viewer.get(IMPORT).await.status, 403);
    assert_eq!(many(&service).await, 0);
}

#[tokio::test]
async fn a_file_of_many_megabytes_comes_in_whole() {
    let service = Service::start(&[]).await;
    let mut admin = Person::admin(&service).await;
    // More than is awaited before the job is told of.
    let mut file = "caller_id,carrier\n3125550100,A\n".to_owned();
    file.push_str(&format!("{}\n", "5".repeat(900)).repeat(12_000));
    file.push_str("3125550101,B\n");
    let begun = admin.upload(IMPORT, &[], &file).await;
    assert_eq!(begun.status, 303, "{}", begun.body);
    let place = begun.header("location").to_owned();
    let done = ended(&mut admin, &place).await;
    assert!(
        done.contains("12,002") && done.contains("The first 100 of 12,000"),
        "{done}"
    );
    assert_eq!(many(&service).await, 2);
}

#[tokio::test]
async fn of_a_file_with_nothing_in_it_no_rows_are_said_to_be_written() {
    let service = Service::start(&[]).await;
    let mut operator = Person::of_role(&service, Role::Operator).await;
    let written = "Rows before that are written.";
    let begun = operator.upload(IMPORT, &[], "").await;
    assert_eq!(begun.status, 303, "{}", begun.body);
    let told = ended(&mut operator, begun.header("location")).await;
    assert!(told.contains("Failed") && !told.contains(written), "{told}");
}
