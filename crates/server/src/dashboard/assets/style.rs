//! Whether the style and the pages fit each other.

use std::collections::BTreeSet;

use super::super::render::TEMPLATES;
use super::STYLE;

/// Classes whose end a page fills in, as `fill-{{ colour }}`.
const FILLED_IN: [&str; 2] = ["fill-", "step-"];

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '-' || letter == '_'
}

/// The classes that the style has rules for.
fn styled() -> BTreeSet<&'static str> {
    let mut classes = BTreeSet::new();
    // Selectors stand before each brace; what begins with a digit there is a number.
    for part in STYLE.split('{') {
        let selectors = part.rsplit(['}', ';', '/']).next().unwrap_or_default();
        for after in selectors.split('.').skip(1) {
            let name = after.split(|letter| !is_of_name(letter)).next();
            classes.extend(name.filter(|name| name.starts_with(char::is_alphabetic)));
        }
    }
    classes
}

/// What pages and scripts say, without comments of the style.
fn said() -> Vec<&'static str> {
    let scripts = [
        include_str!("../../../assets/app.js"),
        include_str!("../../../assets/chart.js"),
    ];
    let pages = TEMPLATES.iter().map(|(_, text)| *text);
    pages.chain(scripts).collect()
}

/// Without what the page fills in.
fn literal(mut class: &str) -> String {
    let mut text = String::new();
    while let Some((before, rest)) = class.split_once('{') {
        text.push_str(before);
        let end = if rest.starts_with('{') { "}}" } else { "%}" };
        class = rest.split_once(end).map_or("", |(_, after)| after);
    }
    text + class
}

#[test]
fn every_class_of_the_style_is_used() {
    let words: BTreeSet<&str> = said()
        .into_iter()
        .flat_map(|text| text.split(|letter| !is_of_name(letter)))
        .collect();
    let is_used = |class: &&str| {
        words.contains(class) || FILLED_IN.iter().any(|begin| class.starts_with(begin))
    };
    let unused: Vec<&str> = styled()
        .into_iter()
        .filter(|class| !is_used(class))
        .collect();
    assert!(unused.is_empty(), "no page uses {unused:?}");
}

#[test]
fn every_class_of_a_page_has_a_style() {
    let styled = styled();
    let mut unstyled = BTreeSet::new();
    for (name, text) in TEMPLATES {
        for attribute in text.split("class=\"").skip(1) {
            let class = literal(attribute.split("\">").next().unwrap_or_default());
            let class = class.split('"').next().unwrap_or_default();
            for word in class.split_whitespace() {
                if !styled.contains(word) && !FILLED_IN.contains(&word) {
                    unstyled.insert(format!("{name}: {word}"));
                }
            }
        }
    }
    assert!(unstyled.is_empty(), "no style for {unstyled:?}");
}
