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
