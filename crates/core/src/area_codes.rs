//! The area codes in service, built in: where each is, which share a territory, which share a region.
//!
//! Data and sources: `data/README.md` of this crate.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::area_code::AreaCode;
use crate::number::PhoneNumber;

/// A US state or Canadian province (two letters), or the postal code of a US territory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Region([u8; 2]);

impl Region {
    /// The two letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a region is made from two ASCII letters")
    }

    fn parse(text: &str) -> Option<Self> {
        let letters: [u8; 2] = text.as_bytes().try_into().ok()?;
        letters
            .iter()
            .all(u8::is_ascii_uppercase)
            .then_some(Self(letters))
    }
}

/// What an area code is used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Belongs to a territory.
    Geographic,
    /// Toll-free (800, 833, …).
    TollFree,
    /// Premium rate (900).
    Premium,
    /// Personal communications (5XX) and the like.
    Other,
}

/// What is known of one area code.
#[derive(Clone, Debug)]
pub struct AreaCodeInfo {
    /// ISO 3166 country, where the code belongs to one.
    pub country: Option<&'static str>,
    /// State or province, where there is one.
    pub region: Option<Region>,
    /// IANA time zone of most of its people.
    pub time_zone: Option<&'static str>,
    /// Population-weighted centre: latitude and longitude in degrees (GeoNames, CC BY 4.0).
    pub centre: Option<(f32, f32)>,
    /// What it is used for.
    pub kind: Kind,
    /// Assigned, but not in service at the table's date.
    pub planned: bool,
    overlay: Vec<AreaCode>,
}

/// The table. One for the process: see [`table`].
#[derive(Debug)]
pub struct AreaCodes {
    codes: HashMap<AreaCode, AreaCodeInfo>,
    regions: HashMap<Region, Vec<AreaCode>>,
}

/// The day of the regulator's reports that the table was made from.
pub const AS_OF: &str = "2026-09-30";

static TABLE: LazyLock<AreaCodes> = LazyLock::new(AreaCodes::read);

/// The built-in table.
pub fn table() -> &'static AreaCodes {
    &TABLE
}

/// Whether an owner may say that `number` stands for `code`: its own one, or any that is in service or planned.
///
/// # Errors
/// Says what was given and what was expected.
pub fn check_chosen(code: AreaCode, number: PhoneNumber) -> Result<(), String> {
    match number.area_code() {
        None => Err(format!(
            "area_code `{code}` does not fit {number}, which has none: expected empty outside the North American plan"
        )),
        Some(own) if own == code || table().get(code).is_some() => Ok(()),
        Some(_) => Err(format!(
            "area_code `{code}` is not in service (table of {AS_OF}), expected one that is, or empty for the number's own"
        )),
    }
}

impl AreaCodes {
    /// What is known of `code`; `None` when it is neither in service nor planned.
    pub fn get(&self, code: AreaCode) -> Option<&AreaCodeInfo> {
        self.codes.get(&code)
    }

    /// The other area codes that share any territory with `code` (917 for 212 and for 718; 212 and 718 for 917).
    pub fn overlay(&self, code: AreaCode) -> &[AreaCode] {
        self.get(code).map_or(&[], |info| &info.overlay)
    }

    /// The region of `code`, where it has one.
    pub fn region(&self, code: AreaCode) -> Option<Region> {
        self.get(code)?.region
    }

    /// All area codes of the region with these two letters, in any case; empty where there is none.
    pub fn codes_in(&self, region: &str) -> &[AreaCode] {
        let region = Region::parse(&region.trim().to_ascii_uppercase());
        let codes = region.and_then(|region| self.regions.get(&region));
        codes.map_or(&[], Vec::as_slice)
    }

    /// All area codes of the region that `code` is in, itself included; empty where there is no region.
    pub fn region_codes(&self, code: AreaCode) -> &[AreaCode] {
        self.region(code)
            .and_then(|region| self.regions.get(&region))
            .map_or(&[], Vec::as_slice)
    }

    /// How many codes the table holds.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether the table is empty. It never is.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    fn read() -> Self {
        let mut codes: HashMap<AreaCode, AreaCodeInfo> =
            rows(include_str!("../data/area_codes.csv"))
                .map(|row| in_service(&row))
                .collect();
        for (code, info) in
            rows(include_str!("../data/planned_area_codes.csv")).map(|row| planned(&row))
        {
            codes.entry(code).or_insert(info);
        }
        for (code, overlay) in overlays(include_str!("../data/overlay_members.csv")) {
            if let Some(info) = codes.get_mut(&code) {
                info.overlay = overlay;
            }
        }
        let mut regions: HashMap<Region, Vec<AreaCode>> = HashMap::new();
        for (code, info) in &codes {
            if let Some(region) = info.region {
                regions.entry(region).or_default().push(*code);
            }
        }
        regions
            .values_mut()
            .for_each(|members| members.sort_unstable());
        Self { codes, regions }
    }
}

/// The rows of one of our own CSV files, which have a header and no quotes.
fn rows(csv: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    csv.lines()
        .skip(1)
        .filter(|line| !line.is_empty())
        .map(|line| line.split(',').collect())
}

fn code(text: &str) -> AreaCode {
    text.parse()
        .expect("the built-in table holds only area codes")
}

fn non_empty(text: &'static str) -> Option<&'static str> {
    (!text.is_empty()).then_some(text)
}

/// `npa,country,region,overlay,timezone,latitude,longitude,kind,other_timezones`
fn in_service(row: &[&'static str]) -> (AreaCode, AreaCodeInfo) {
    let info = AreaCodeInfo {
        country: non_empty(row[1]),
        region: Region::parse(row[2]),
        time_zone: non_empty(row[4]),
        centre: row[5].parse().ok().zip(row[6].parse().ok()),
        kind: kind(row[7]),
        planned: false,
        overlay: Vec::new(),
    };
    (code(row[0]), info)
}

/// `npa,country,region,overlay_after,in_service_date,kind`
fn planned(row: &[&'static str]) -> (AreaCode, AreaCodeInfo) {
    let info = AreaCodeInfo {
        country: non_empty(row[1]),
        region: Region::parse(row[2]),
        time_zone: None,
        centre: None,
        kind: kind(row[5]),
        planned: true,
        overlay: Vec::new(),
    };
    (code(row[0]), info)
}

fn kind(text: &str) -> Kind {
    match text {
        "geographic" => Kind::Geographic,
        "toll_free" => Kind::TollFree,
        "premium" => Kind::Premium,
        _ => Kind::Other,
    }
}

/// For each code, the others that share an overlay with it: `overlay,npa,relation`.
///
/// A code is at home in the overlays where it is `core`. Local to it are that overlay's members of every relation:
/// the other cores, the codes that cover the territory, and the parts it covers itself.
fn overlays(csv: &'static str) -> HashMap<AreaCode, Vec<AreaCode>> {
    let mut members: HashMap<&str, Vec<AreaCode>> = HashMap::new();
    let mut homes: Vec<(AreaCode, &str)> = Vec::new();
    for row in rows(csv) {
        members.entry(row[0]).or_default().push(code(row[1]));
        if row[2] == "core" {
            homes.push((code(row[1]), row[0]));
        }
    }
    let mut local: HashMap<AreaCode, Vec<AreaCode>> = HashMap::new();
    for (home, overlay) in homes {
        let others = members[overlay]
            .iter()
            .copied()
            .filter(|member| *member != home);
        local.entry(home).or_default().extend(others);
    }
    for codes in local.values_mut() {
        codes.sort_unstable();
        codes.dedup();
    }
    local
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlay(code: u16) -> Vec<u16> {
        let code = AreaCode::new(code).expect("an area code");
        table()
            .overlay(code)
            .iter()
            .map(|other| other.get())
            .collect()
    }

    #[test]
    fn every_row_of_the_data_is_in_the_table() {
        assert_eq!(table().len(), 486 + 4);
        assert!(!table().is_empty());
    }

    #[test]
    fn an_overlay_is_many_to_many() {
        assert_eq!(
            overlay(212),
            [646, 917, 332]
                .into_iter()
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect::<Vec<_>>()
        );
        assert!(
            overlay(718).contains(&917)
                && overlay(718).contains(&347)
                && !overlay(718).contains(&212)
        );
        assert!(overlay(917).contains(&212) && overlay(917).contains(&718));
    }

    #[test]
    fn sharing_territory_is_mutual_and_never_with_oneself() {
        for (code, info) in &table().codes {
            for other in &info.overlay {
                assert_ne!(code, other);
                assert!(
                    table().overlay(*other).contains(code),
                    "{code} has {other}, but not the other way round"
                );
            }
        }
    }

    #[test]
    fn a_region_holds_its_codes() {
        let illinois = table().region_codes(AreaCode::new(312).expect("an area code"));
        assert!(illinois.contains(&AreaCode::new(773).expect("an area code")));
        assert!(illinois.iter().all(|code| {
            table()
                .region(*code)
                .is_some_and(|region| region.as_str() == "IL")
        }));
    }

    #[test]
    fn toll_free_and_unknown_codes_have_no_region() {
        for code in [800, 999, 500] {
            let code = AreaCode::new(code).expect("an area code");
            assert_eq!(table().region_codes(code), []);
            assert_eq!(table().overlay(code), []);
        }
    }

    #[test]
    fn an_owner_may_choose_the_numbers_own_code_or_one_in_service() {
        let number = |text: &str| text.parse::<PhoneNumber>().expect("a number");
        let code = |code| AreaCode::new(code).expect("an area code");
        assert_eq!(check_chosen(code(312), number("8005550100")), Ok(()));
        assert_eq!(
            check_chosen(code(999), number("9995550100")),
            Ok(()),
            "its own, though not in the table"
        );
        assert!(check_chosen(code(999), number("3125550100")).is_err());
        assert!(check_chosen(code(312), number("+442079460958")).is_err());
    }

    #[test]
    fn every_time_zone_of_the_table_is_in_the_bundled_data() {
        for (code, info) in &table().codes {
            if let Some(zone) = info.time_zone {
                assert!(crate::TimeZone::parse(zone).is_ok(), "{code}: {zone}");
            }
        }
    }
}
