//! `docs/plesk.md` shows what is tested here.

use std::path::Path;

use crate::proxy::directives;

#[test]
fn the_page_on_plesk_shows_the_directives_as_they_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/plesk.md")).unwrap();
    let shown = page.split("```nginx\n").nth(1).expect("a block of nginx");
    let shown = shown.split("```").next().unwrap();
    assert_eq!(shown, directives());
}

#[test]
fn whichever_location_a_path_has_the_service_is_told_the_same() {
    let directives = directives();
    let of = |head: &str| -> Vec<String> {
        let block = directives.split(head).nth(1).expect("a location");
        let lines = block.lines().skip(1).map(str::trim);
        let own = lines.take_while(|line| !line.starts_with(['}', 'l']));
        let told = own.filter(|line| !line.is_empty() && !line.starts_with('#'));
        told.map(str::to_owned).collect()
    };
    let of_all = of("location ~ ^/ {");
    assert!(of_all.len() > 5, "{of_all:?}");
    assert_eq!(of_all, of("location @caller_id {"));
}
