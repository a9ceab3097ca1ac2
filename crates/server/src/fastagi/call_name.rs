//! What VICIdial says of a call in `CALLERID(name)`.
//!
//! From its source (r3939): `V` or `M`, month to second in nine digits, the lead in ten digits; for a three-way call `DC`, the
//! time, and the lead between two `W`. Sessions of agents, monitors and parked calls have names that begin with `S`, `AC`,
//! `BM`, `BB`, `BW` or `LP`, with the time behind it.

/// What the name of a call says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallName<'a> {
    /// A call to a customer.
    Customer(CustomerCall<'a>),
    /// VICIdial's own: an agent's session, a monitor, a parked call. It is no call to anybody outside.
    Internal,
    /// No name of VICIdial's: a person's, or none.
    Plain,
}

/// A call that VICIdial makes to a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CustomerCall<'a> {
    /// VICIdial's id of the call: 20 characters.
    pub id: &'a str,
    /// The lead's id in VICIdial, without the noughts in front.
    pub lead: &'a str,
    /// The agent, where the campaign appends it (*Extension Append CID* = `Y_USER_WITH_CAMPAIGN`).
    pub agent: Option<&'a str>,
    /// The campaign, where it is appended, too.
    pub campaign: Option<&'a str>,
}

/// Characters of a call's id.
const ID: usize = 20;
/// Digits of the lead in it.
const LEAD: usize = 10;
/// So many digits in a row are a time; no person's name has as many.
const TIME_LEAST: usize = 8;
/// How names begin that are no call to a customer.
const INTERNAL: [&str; 6] = ["S", "AC", "BM", "BB", "BW", "LP"];

impl<'a> CallName<'a> {
    /// Reads a name, which may have anything in it.
    pub fn read(name: &'a str) -> Self {
        let mut words = name.split_ascii_whitespace();
        // What begins with a blank is no id of VICIdial's: it is cut at the first.
        let id = name
            .split(|character: char| character.is_ascii_whitespace())
            .next();
        let Some(id) = id.filter(|id| !id.is_empty()) else {
            return Self::Plain;
        };
        if let Some(lead) = lead(id) {
            words.next();
            return Self::Customer(CustomerCall {
                id,
                lead,
                agent: words.next(),
                campaign: words.next(),
            });
        }
        match INTERNAL.iter().any(|prefix| id.starts_with(prefix)) && has_time(id) {
            true => Self::Internal,
            false => Self::Plain,
        }
    }
}

/// The lead in the id of a customer's call.
fn lead(id: &str) -> Option<&str> {
    if id.len() != ID || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let lead = if id.starts_with(['V', 'M']) {
        Some(&id[ID - LEAD..]).filter(|_| digits(&id[1..]))
    } else {
        let (_, behind) = id.strip_prefix("DC")?.split_once('W')?;
        behind.strip_suffix('W').filter(|lead| digits(lead))
    }?;
    let plain = lead.trim_start_matches('0');
    (!plain.is_empty()).then_some(plain)
}

fn has_time(id: &str) -> bool {
    let mut runs = id.split(|character: char| !character.is_ascii_digit());
    runs.any(|run| run.len() >= TIME_LEAST)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn customer(name: &str) -> CustomerCall<'_> {
        match CallName::read(name) {
            CallName::Customer(call) => call,
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn auto_dialed_manual_and_three_way_calls_are_calls_to_customers() {
        for name in [
            "V1221530450000012345",
            "M4050908070000012345",
            "DC153045W0000012345W",
        ] {
            let call = customer(name);
            assert_eq!((call.id, call.lead), (name, "12345"));
        }
    }

    #[test]
    fn a_manual_call_can_carry_its_agent_and_its_campaign() {
        let call = customer("M4050908070000012345 1001 SOLAR");
        assert_eq!(call.id, "M4050908070000012345");
        assert_eq!((call.agent, call.campaign), (Some("1001"), Some("SOLAR")));
        let call = customer("M4050908070000012345 1001");
        assert_eq!((call.agent, call.campaign), (Some("1001"), None));
        assert_eq!(customer("M4050908070000012345").agent, None);
    }

    #[test]
    fn sessions_monitors_and_parked_calls_are_no_calls_to_customers() {
        for name in [
            "S11221530458600051",
            "S1122153045860005100",
            "ACagcW17953488001001",
            "BM179534880010011001",
            "BB179534880010011001",
            "BW179534880010011001",
            "LP112215304510011001",
            "S11221530458600051 1001 SOLAR",
        ] {
            assert_eq!(CallName::read(name), CallName::Internal, "{name}");
        }
    }

    #[test]
    fn a_name_of_a_person_is_no_name_of_vicidials() {
        for name in [
            "",
            " ",
            "Alice",
            "Sam",
            "Bob Brown",
            "ACME 2024",
            "BBC",
            "unknown",
            "Victor",
            "V",
            "V122153045000001234",
            "V12215304500000123456",
            "Vx221530450000012345",
            "V1221530450000000000",
            "DC153045W00000X2345W",
            "DCagcW17953488001001",
            "Müller",
            " V1221530450000012345",
            "Zoë\u{301}😀",
        ] {
            assert_eq!(CallName::read(name), CallName::Plain, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_name_is_read_and_what_is_cut_out_of_it_is_in_it(name in any::<String>()) {
            if let CallName::Customer(call) = CallName::read(&name) {
                prop_assert!(name.starts_with(call.id) && call.id.len() == ID);
            }
        }

        #[test]
        fn what_looks_like_a_call_is_read(
            name in "(V|M|DC|S|AC|BM|BB|BW|LP|D|W)?[0-9W]{0,22}[ \t]{0,2}[a-z0-9]{0,5}( [A-Z]{0,5})?",
        ) {
            if let CallName::Customer(call) = CallName::read(&name) {
                prop_assert!(call.lead.parse::<u64>().is_ok_and(|lead| lead > 0));
                prop_assert!(call.agent.is_none_or(|agent| !agent.is_empty()));
            }
        }

        #[test]
        fn every_lead_comes_back(month_to_second in 0_u64..1_000_000_000, lead in 1_u64..10_000_000_000) {
            for kind in ["V", "M"] {
                let name = format!("{kind}{month_to_second:09}{lead:010}");
                prop_assert_eq!(customer(&name).lead, lead.to_string());
            }
        }
    }
}
