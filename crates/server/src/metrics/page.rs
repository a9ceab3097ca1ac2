//! The page on metrics, made from the list of them.

use super::families::FAMILIES;
use caller_id_core::meter::BOUNDS_NS;

/// What stands above the list.
const HEAD: &str = include_str!("page/head.md");

/// `docs/metrics.md`.
pub fn markdown() -> String {
    let bounds = BOUNDS_NS.map(|ns| (ns as f64 / 1e9).to_string()).join(", ");
    let mut page = HEAD.replace("{bounds}", &bounds);
    page.push_str(
        "| metric | kind | counted in | labels | what it says |\n|---|---|---|---|---|\n",
    );
    for family in FAMILIES {
        let labels = family.labels.iter().map(|label| format!("`{label}`"));
        let labels = labels.collect::<Vec<_>>().join(", ");
        let when = match family.when {
            "" => String::new(),
            when => format!(". There {when}"),
        };
        let (name, kind, unit) = (family.name, family.kind.as_str(), family.unit);
        let help = family.help;
        page.push_str(&format!(
            "| `{name}` | {kind} | {unit} | {labels} | {help}{when} |\n"
        ));
    }
    page
}
