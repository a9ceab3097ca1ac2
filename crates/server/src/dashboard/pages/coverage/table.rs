//! The area codes of the page: in which order, and what is short.

use std::cmp::Reverse;

use serde_json::{Value, json};

/// More area codes are not on one page.
const LINES_MOST: usize = 50;

/// The order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// What lacks most numbers first.
    Short,
    /// Most calls first.
    Calls,
    /// Most numbers first.
    Numbers,
    /// Least local first; without calls last.
    Local,
    /// By the code itself.
    Code,
    /// By state or province.
    Region,
}

const SORTS: [(Sort, &str); 6] = [
    (Sort::Short, "short"),
    (Sort::Calls, "calls"),
    (Sort::Numbers, "numbers"),
    (Sort::Local, "local"),
    (Sort::Code, "code"),
    (Sort::Region, "region"),
];

impl Sort {
    /// What a query asks for; short first when it says nothing known.
    pub(super) fn read(word: &str) -> Self {
        let known = SORTS.iter().find(|(_, known)| *known == word);
        known.map_or(Self::Short, |(sort, _)| *sort)
    }

    fn word(self) -> &'static str {
        let found = SORTS.iter().find(|(sort, _)| *sort == self);
        found.map_or("short", |(_, word)| word)
    }

    fn put_in_order(self, codes: &mut [&Value]) {
        let count = |code: &Value, name: &str| Reverse(code[name].as_u64().unwrap_or(0));
        let text = |code: &Value| code["code"].as_str().unwrap_or_default().to_owned();
        // Codes of one rank follow by their calls.
        codes.sort_by_cached_key(|code| (count(code, "calls"), text(code)));
        match self {
            Self::Short => codes.sort_by_key(|code| count(code, "short")),
            Self::Calls => {}
            Self::Numbers => codes.sort_by_key(|code| count(code, "active")),
            Self::Local => codes.sort_by(|one, other| {
                let share = |code: &Value| code["local_share"].as_f64().unwrap_or(f64::INFINITY);
                share(one).total_cmp(&share(other))
            }),
            Self::Code => codes.sort_by_cached_key(|code| text(code)),
            Self::Region => codes.sort_by_cached_key(|code| {
                let region = code["region"].as_str().unwrap_or("~");
                region.to_owned()
            }),
        }
    }
}

/// What the table shows.
pub(super) struct Table<'a> {
    /// In which order.
    pub(super) sort: Sort,
    /// Only those of this state or province; empty: all.
    pub(super) region: &'a str,
    /// The page, from 1.
    pub(super) page: usize,
}

impl Table<'_> {
    /// Its lines and pages.
    pub(super) fn lines(&self, codes: &[Value]) -> Value {
        let is_shown = |code: &&Value| self.region.is_empty() || code["region"] == self.region;
        let mut codes: Vec<&Value> = codes.iter().filter(is_shown).collect();
        self.sort.put_in_order(&mut codes);
        let pages = codes.len().div_ceil(LINES_MOST).max(1);
        let page = self.page.clamp(1, pages);
        let lines = codes.iter().skip((page - 1) * LINES_MOST).take(LINES_MOST);
        json!({
            "lines": lines.collect::<Vec<_>>(), "page": page, "pages": pages, "total": codes.len(),
            "sort": self.sort.word(),
        })
    }
}

/// Adds to each region how many numbers its area codes lack: one can be short while another has more than enough.
pub(super) fn add_short(regions: &mut [Value], codes: &[Value]) {
    for region in regions {
        let own = codes
            .iter()
            .filter(|code| code["region"] == region["region"]);
        let short = short_together(own);
        region["codes_short"] = short.into();
    }
}

/// What to buy: the area codes that lack most numbers, each with how many; and how many that is in all.
pub(super) fn buys(codes: &[Value], most: usize) -> Value {
    let buys = to_buy(codes.iter());
    let all: u64 = buys.iter().map(|(_, many)| many).sum();
    let line = |(code, many): &(&Value, u64)| json!({"code": code["code"], "region": code["region"], "many": many, "overlay": code["overlay"]});
    let first: Vec<Value> = buys.iter().take(most).map(line).collect();
    let rest: u64 = buys.iter().skip(most).map(|(_, many)| many).sum();
    json!({"first": first, "codes": buys.len(), "numbers": all, "rest": rest})
}

fn short_together<'a>(codes: impl Iterator<Item = &'a Value>) -> u64 {
    to_buy(codes).iter().map(|(_, many)| many).sum()
}

/// A number is local to all area codes that share territory with its own: what is bought for the one that lacks most serves
/// the others as well, and is not bought again.
fn to_buy<'a>(codes: impl Iterator<Item = &'a Value>) -> Vec<(&'a Value, u64)> {
    let short = |code: &Value| code["short"].as_u64().unwrap_or(0);
    let mut lacking: Vec<&Value> = codes.filter(|code| short(code) > 0).collect();
    lacking.sort_by_key(|code| Reverse(short(code)));
    let mut buys: Vec<(&Value, u64)> = Vec::new();
    for code in lacking {
        let shares = |other: &Value| {
            let mut overlay = code["overlay"].as_array().into_iter().flatten();
            overlay.any(|one| *one == other["code"])
        };
        let bought: u64 = buys
            .iter()
            .filter(|(other, _)| shares(other))
            .map(|(_, many)| many)
            .sum();
        let many = short(code).saturating_sub(bought);
        if many > 0 {
            buys.push((code, many));
        }
    }
    buys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes() -> Vec<Value> {
        vec![
            json!({"code": "212", "region": "NY", "calls": 5, "short": 2, "active": 1, "local_share": 0.5, "overlay": ["646"]}),
            json!({"code": "646", "region": "NY", "calls": 9, "short": 6, "active": 0, "local_share": null, "overlay": ["212"]}),
            json!({"code": "312", "region": "IL", "calls": 5, "short": 3, "active": 7, "local_share": 0.1, "overlay": []}),
        ]
    }

    #[test]
    fn area_codes_come_in_the_order_that_is_asked_for() {
        let codes = codes();
        let order = |sort: &str| {
            let table = Table {
                sort: Sort::read(sort),
                region: "",
                page: 1,
            };
            let shown = table.lines(&codes);
            let lines = shown["lines"].as_array().cloned().unwrap_or_default();
            let codes = lines
                .iter()
                .map(|line| line["code"].as_str().unwrap_or_default().to_owned());
            codes.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(order(""), "646 312 212");
        assert_eq!(order("calls"), "646 212 312");
        assert_eq!(order("numbers"), "312 212 646");
        assert_eq!(order("local"), "312 212 646");
        assert_eq!(order("code"), "212 312 646");
        assert_eq!(order("region"), "312 646 212");
    }

    #[test]
    fn of_a_region_only_its_own_are_shown() {
        let table = Table {
            sort: Sort::Short,
            region: "IL",
            page: 9,
        };
        let shown = table.lines(&codes());
        assert_eq!((&shown["total"], &shown["page"]), (&json!(1), &json!(1)));
    }

    #[test]
    fn what_is_bought_for_one_code_serves_those_that_share_its_territory() {
        let buys = buys(&codes(), 1);
        assert_eq!(
            (&buys["numbers"], &buys["codes"], &buys["rest"]),
            (&json!(9), &json!(2), &json!(3))
        );
        assert_eq!(buys["first"][0]["code"], "646");
        let mut regions = [json!({"region": "NY"}), json!({"region": "TX"})];
        add_short(&mut regions, &codes());
        assert_eq!(
            (&regions[0]["codes_short"], &regions[1]["codes_short"]),
            (&json!(6), &json!(0))
        );
    }
}
