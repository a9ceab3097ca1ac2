//! Which numbers are asked for: the same names in a query string and in a body.

use std::fmt::Display;

use caller_id_core::listing::{NumberFilter, StatusKind};
use caller_id_core::{AreaCode, PhoneNumber, PoolId, area_codes, inventory};
use serde_json::Value;

use crate::http::fields::{Fields, Given, number_in_digits};
use crate::http::page::Parameters;

/// The names of a filter.
pub(super) const NAMES: [&str; 10] = [
    "pool",
    "status",
    "carrier",
    "no_carrier",
    "area_code",
    "region",
    "attestation",
    "number",
    "begins",
    "q",
];
/// Most values of one name.
const VALUES_MOST: usize = 1_000;
/// As many digits as a number can have.
const DIGITS_MOST: usize = 15;

/// Where a filter is read from.
pub(super) trait Source {
    /// The values of `name`; none where it is not given.
    fn words(&mut self, name: &str) -> Vec<String>;

    /// The one value of `name`, commas and all.
    fn word(&mut self, name: &str) -> Option<String>;

    /// Notes that a value of `name` cannot be understood.
    fn refuse(&mut self, name: &str, why: String);
}

impl Source for Parameters<'_> {
    fn words(&mut self, name: &str) -> Vec<String> {
        self.many(name, |word| Ok::<_, String>(word.to_owned()))
    }

    fn word(&mut self, name: &str) -> Option<String> {
        self.one(name, |word| Ok::<_, String>(word.trim().to_owned()))
    }

    fn refuse(&mut self, name: &str, why: String) {
        self.fault(name, why);
    }
}

/// A text, a number or a list of them. What is given and says nothing is refused: it would be taken for everything.
impl Source for Fields {
    fn words(&mut self, name: &str) -> Vec<String> {
        let one = |value: &Value| match value {
            Value::String(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
            Value::Bool(word) if name == "no_carrier" => Ok(word.to_string()),
            value => number_in_digits(value).ok_or_else(|| {
                format!("{name}: a text that is not empty, or a list of them, is expected")
            }),
        };
        let given = self.read(name, |value| match value {
            Value::Array(values) if !(1..=VALUES_MOST).contains(&values.len()) => {
                Err(format!("{name}: 1 to {VALUES_MOST} values are expected"))
            }
            Value::Array(values) => values.iter().map(one).collect(),
            value => one(value).map(|word| vec![word]),
        });
        if given == Given::Null {
            self.fault(
                name,
                format!("{name}: leave it out where it does not matter"),
            );
        }
        given.value().unwrap_or_default()
    }

    fn word(&mut self, name: &str) -> Option<String> {
        let mut words = self.words(name);
        if words.len() > 1 {
            self.fault(name, format!("{name}: one text is expected"));
        }
        words.pop()
    }

    fn refuse(&mut self, name: &str, why: String) {
        self.fault(name, why);
    }
}

/// Reads a filter; faults are noted in `source`.
pub(super) fn read(source: &mut impl Source) -> NumberFilter {
    let (area_codes, carriers) = (area_codes(source), carriers(source));
    NumberFilter {
        pools: many(source, "pool", PoolId::new),
        statuses: many(source, "status", status),
        carriers,
        area_codes,
        attestations: many(source, "attestation", str::parse),
        numbers: many(source, "number", PhoneNumber::parse),
        begins: one(source, "begins", begins),
        contains: one(source, "q", contains),
    }
}

fn many<T, E: Display>(
    source: &mut impl Source,
    name: &str,
    parse: impl FnMut(&str) -> Result<T, E>,
) -> Vec<T> {
    let words = source.words(name);
    parsed(source, name, words, parse)
}

fn parsed<T, E: Display>(
    source: &mut impl Source,
    name: &str,
    words: Vec<String>,
    mut parse: impl FnMut(&str) -> Result<T, E>,
) -> Vec<T> {
    let mut values = Vec::new();
    for word in words {
        match parse(&word) {
            Ok(value) => values.push(value),
            Err(why) => source.refuse(name, why.to_string()),
        }
    }
    values
}

fn one<T>(
    source: &mut impl Source,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Option<T> {
    match parse(&source.word(name)?) {
        Ok(value) => Some(value),
        Err(why) => {
            source.refuse(name, why);
            None
        }
    }
}

/// One carrier, by its whole name; or those that have none.
fn carriers(source: &mut impl Source) -> Vec<String> {
    let carrier = one(source, "carrier", inventory::carrier);
    let none = one(source, "no_carrier", |word| match word {
        "true" | "1" => Ok(Some(String::new())),
        "false" | "0" => Ok(None),
        _ => Err("no_carrier: true or false is expected".to_owned()),
    });
    carrier.into_iter().chain(none.flatten()).collect()
}

/// Area codes, those of regions, or those that are in both.
fn area_codes(source: &mut impl Source) -> Vec<AreaCode> {
    let codes = codes(source);
    let regions: Vec<&[AreaCode]> = many(source, "region", |region| {
        match area_codes::table().codes_in(region) {
            [] => Err("region: a US state or Canadian province, two letters, is expected"),
            codes => Ok(codes),
        }
    });
    let mut within = regions.concat();
    if codes.is_empty() || within.is_empty() {
        within.extend(codes);
        return within;
    }
    within.retain(|code| codes.contains(code));
    if within.is_empty() {
        // No area code at all would ask for every number.
        source.refuse(
            "area_code",
            "area_code: none of them is in the region".to_owned(),
        );
    }
    within
}

/// Area codes with commas or blanks between them.
fn codes(source: &mut impl Source) -> Vec<AreaCode> {
    let name = "area_code";
    let apart = |word: String| match word.trim() {
        // Nothing is no area code, and must not ask for every number.
        "" => vec![word],
        codes => codes.split_whitespace().map(str::to_owned).collect(),
    };
    let words = source.words(name).into_iter().flat_map(apart);
    parsed(source, name, words.collect(), str::parse)
}

fn status(word: &str) -> Result<StatusKind, &'static str> {
    let known = StatusKind::ALL.into_iter();
    let mut known = known.filter(|kind| kind.as_str().eq_ignore_ascii_case(word));
    known
        .next()
        .ok_or("status: active, paused, resting or retired is expected")
}

/// The digits of what people type: with blanks and the like between them.
fn digits(name: &str, text: &str) -> Result<String, String> {
    let between = |character: char| {
        character.is_whitespace() || matches!(character, '(' | ')' | '-' | '.' | '/' | '\u{2011}')
    };
    let text = text.trim();
    let typed: String = text
        .strip_prefix('+')
        .unwrap_or(text)
        .chars()
        .filter(|c| !between(*c))
        .collect();
    let good = !typed.is_empty() && typed.bytes().all(|byte| byte.is_ascii_digit());
    match good {
        true if typed.len() <= DIGITS_MOST + 3 => Ok(typed),
        true => Err(format!("{name}: at most {DIGITS_MOST} digits are expected")),
        false => Err(format!(
            "{name}: digits are expected, with blanks, ( ) - . or / between them"
        )),
    }
}

fn begins(text: &str) -> Result<String, String> {
    digits("begins", text)
}

/// The prefixes of international calls are no part of a number.
fn contains(text: &str) -> Result<String, String> {
    let typed = digits("q", text)?;
    let dialed = ["011", "00"]
        .into_iter()
        .find_map(|prefix| typed.strip_prefix(prefix).map(|_| typed.as_str()))
        .and_then(|typed| PhoneNumber::parse(typed).ok());
    Ok(dialed.map_or(typed, |number| number.e164_digits().to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn of_query(query: &str) -> Option<NumberFilter> {
        let mut parameters = Parameters::new(Some(query), &NAMES);
        let filter = read(&mut parameters);
        parameters.finish().ok().map(|()| filter)
    }

    fn of_body(body: &Value) -> Option<NumberFilter> {
        let members: Map<String, Value> = body.as_object().cloned().unwrap_or_default();
        let mut fields = Fields::new(members);
        let filter = read(&mut fields);
        fields.finish().ok().map(|()| filter)
    }

    #[test]
    fn a_query_and_a_body_say_the_same() {
        let query =
            of_query("pool=a,b&status=paused&carrier=X,+Y&area_code=312&begins=%2B1312&q=555-01");
        let body = of_body(
            &json!({"pool": ["a", "b"], "status": "paused", "carrier": "X, Y",
                                  "area_code": 312, "begins": "+1 312", "q": "55501"}),
        );
        assert!(query.is_some());
        assert_eq!(query, body);
    }

    #[test]
    fn what_a_body_gives_and_says_nothing_is_refused() {
        for filter in [
            json!({"pool": []}),
            json!({"pool": null}),
            json!({"carrier": ""}),
            json!({"q": " "}),
        ] {
            assert_eq!(of_body(&filter), None, "{filter}");
        }
    }

    #[test]
    fn area_codes_have_commas_or_blanks_between_them() {
        let codes = |query: &str| {
            let filter = of_query(query)?;
            Some(filter.area_codes.iter().map(ToString::to_string).collect())
        };
        let both: Option<Vec<String>> = Some(vec!["312".to_owned(), "773".to_owned()]);
        for query in ["312,773", "312+773", "312++773+", "312,+773"] {
            assert_eq!(codes(&format!("area_code={query}")), both, "{query}");
        }
        assert_eq!(codes("area_code=312+77x"), None);
        assert!(of_body(&json!({"area_code": [" "]})).is_none());
        let of_body = of_body(&json!({"area_code": "312 773"}));
        assert_eq!(of_body, of_query("area_code=312,773"));
    }

    #[test]
    fn a_region_is_its_area_codes_and_never_everything() {
        let codes = |query| of_query(query).map(|filter| filter.area_codes);
        assert!(codes("region=IL").is_some_and(|codes| codes.len() > 5));
        assert_eq!(
            codes("region=il&area_code=312,212"),
            AreaCode::new(312).map(|code| vec![code])
        );
        assert_eq!(codes("region=IL&area_code=212"), None);
        assert_eq!(codes("region=XX"), None);
    }

    #[test]
    fn digits_may_be_asked_for_as_people_type_them() {
        let contains = |query: &str| of_query(query).and_then(|filter| filter.contains);
        for text in [
            "(312)%20555-0100",
            "312.555.0100",
            "3125550100",
            "%2B3125550100",
        ] {
            assert_eq!(
                contains(&format!("q={text}")).as_deref(),
                Some("3125550100"),
                "{text}"
            );
        }
        assert_eq!(
            contains("q=011 44 20 7946 0958").as_deref(),
            Some("442079460958")
        );
        assert_eq!(of_query("q=abc"), None);
        assert_eq!(of_query("q=1234567890123456789"), None);
    }
}
