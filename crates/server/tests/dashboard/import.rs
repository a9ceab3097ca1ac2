//! A file of numbers: dropped, looked at, imported.

use crate::service::{Service, TOKEN, assert_sound};

const FILE: &str = "caller_id,carrier,colour\n4155550100,A,red\n4155550101,B,red\n415,x,red\n\
    \"=cmd|' /C calc'!A0\",<script>alert(1)</script>,red\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_looked_at_then_imported_and_its_bad_rows_are_taken_home() {
    let service = Service::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (good, other) = (
        folder.path().join("numbers.csv"),
        folder.path().join("x.csv"),
    );
    std::fs::write(&good, FILE).unwrap();
    std::fs::write(&other, "a,b\n1,2\n").unwrap();
    let browser = service.signed_in(TOKEN).await;
    browser.press("Import").await;
    browser.reads("No imports yet").await;
    // Without a file the browser sends nothing.
    browser.press("Preview").await;
    let missing = "return document.querySelector('input[type=file]').validity.valueMissing";
    assert_eq!(browser.run(missing).await, true);
    browser.give_file("input[type=file]", &other).await;
    browser.press("Preview").await;
    browser
        .reads("caller_id (or number, did) is expected")
        .await;
    assert_sound(&browser, "a file that is none").await;
    browser.give_file("input[type=file]", &good).await;
    browser.press("Preview").await;
    browser.reads("What would be imported").await;
    browser.reads("Columns that mean nothing to us").await;
    browser.reads("=cmd|' /C calc'!A0").await;
    assert_eq!(browser.count("#job tbody tr").await, 2);
    assert_sound(&browser, "a preview").await;
    browser.picture("dashboard-import-preview").await;
    // What is shown is of the file that is chosen, and of the way that is chosen to take it.
    browser.give_file("input[type=file]", &other).await;
    browser.sees("return !document.querySelector('#job')").await;
    browser.give_file("input[type=file]", &good).await;
    browser.press("Preview").await;
    browser.reads("What would be imported").await;
    browser.choose("#on_duplicate", "update").await;
    browser.sees("return !document.querySelector('#job')").await;
    browser.press("Preview").await;
    browser.press("Import 2 numbers").await;
    browser.reads("See the numbers").await;
    assert!(browser.path().await.starts_with("/dashboard/import/"));
    assert_sound(&browser, "an import").await;
    let link = "return document.querySelector('a[download]').getAttribute('href')";
    let link = browser.run(link).await;
    assert!(link.as_str().unwrap().ends_with("/bad-rows.csv"), "{link}");
    let fetch = "const asked = new XMLHttpRequest(); asked.open('GET', \
        document.querySelector('a[download]').href, false); asked.send(); return asked.responseText";
    let file = browser.run(fetch).await;
    let rows: Vec<&str> = file.as_str().unwrap().lines().collect();
    assert_eq!((rows.len(), rows[0]), (3, "line,caller_id,reason"));
    assert!(rows[2].starts_with("5,'=cmd|"), "{rows:?}");
    browser.press("See the numbers").await;
    browser.reads("32 numbers").await;
    browser.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_dropped_is_chosen() {
    let service = Service::start().await;
    let browser = service.signed_in(TOKEN).await;
    browser.open("/dashboard/import").await;
    let drop = "const dropped = new DataTransfer();\
        dropped.items.add(new File(['caller_id\\n4155550199\\n'], 'dropped.csv', {type: 'text/csv'}));\
        const place = document.querySelector('[data-drop]');\
        for (const kind of ['dragover', 'drop'])\
            place.dispatchEvent(new DragEvent(kind, {dataTransfer: dropped, bubbles: true, cancelable: true}));\
        return document.querySelector('input[type=file]').files[0].name";
    assert_eq!(browser.run(drop).await, "dropped.csv");
    browser.press("Preview").await;
    browser.reads("What would be imported").await;
    browser.press("Import 1 number").await;
    browser.reads("See the numbers").await;
    browser.open("/dashboard/jobs").await;
    assert_eq!(browser.count("#list tbody tr").await, 2);
    assert_sound(&browser, "jobs").await;
    browser.close().await;
    service.stop().await;
}
