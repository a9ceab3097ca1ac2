//! Numbers that a load is put on, in groups, and the rules that each is under.

use caller_id_core::{Limits, PhoneNumber, Policy};

use crate::invariants::Rules;

/// How long an allocation of [`of_every_rule`] holds its number, in seconds: some reservations run out, some live across a restart.
pub const RESERVATION_S: u32 = 2;
/// The rest of its numbers in the pool `default`, in seconds; the others have none.
pub const COOLDOWN_S: u32 = 1;
/// Allocations of one agent in a minute.
pub const AGENT_LIMIT: u32 = 40;
/// How many reservations of one of its numbers may live in the pool `small`.
const MOST_IN_SMALL: u16 = 2;

/// The campaigns of [`of_every_rule`] with their pools: one with numbers for every load, one that falls back to them, two that are
/// soon used up. Who names none has the pool `default`.
pub const CAMPAIGNS: [(&str, &[&str]); 4] = [
    ("BUSY", &["busy"]),
    ("BOTH", &["default", "busy"]),
    ("SMALL", &["small"]),
    ("DAY", &["day"]),
];

/// How many numbers the two large pools of [`of_every_rule`] have: without limits, and with them.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Of the pool `default`, by which a few calls find none.
    pub default: [u32; 2],
    /// Of the pool `busy`, that every load finds numbers in.
    pub busy: [u32; 2],
    /// So often one with limits may be used there, in an hour and on a day.
    pub busy_limits: [u32; 2],
}

/// Groups of numbers chosen so that every rule refuses somebody.
pub const fn of_every_rule(size: Size) -> [Group; 4] {
    let few = [3, 5];
    [
        Group {
            cooldown_s: COOLDOWN_S,
            ..group(312, "default", size.default, few)
        },
        group(415, "busy", size.busy, size.busy_limits),
        Group {
            most_reservations: MOST_IN_SMALL,
            ..group(808, "small", [0, 6], few)
        },
        group(907, "day", [0, 4], [5, 3]),
    ]
}

const fn group(
    area_code: u16,
    pool: &'static str,
    [unlimited, limited]: [u32; 2],
    [hourly, daily]: [u32; 2],
) -> Group {
    Group {
        area_code,
        pool,
        unlimited,
        limited,
        hourly,
        daily,
        cooldown_s: 0,
        most_reservations: 1,
    }
}

/// Numbers of one area code, all in one pool.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// No other group has it.
    pub area_code: u16,
    /// The pool.
    pub pool: &'static str,
    /// How many are without limits; they come first.
    pub unlimited: u32,
    /// How many have the two limits.
    pub limited: u32,
    /// So many uses of a limited one in an hour.
    pub hourly: u32,
    /// So many on a day.
    pub daily: u32,
    /// The rest of each number between two uses, in seconds.
    pub cooldown_s: u32,
    /// How many reservations of one number may live at the same time.
    pub most_reservations: u16,
}

/// All groups.
#[derive(Debug, Clone, Copy)]
pub struct Stock {
    /// Each with an area code and a pool of its own.
    pub groups: &'static [Group],
    /// How long an allocation holds its number, in seconds.
    pub reservation_s: u32,
}

impl Stock {
    /// The numbers as a file to import.
    pub fn csv(&self) -> String {
        let mut csv = "caller_id,pool,hourly_limit,daily_limit\n".to_owned();
        for group in self.groups {
            for line in 0..group.unlimited + group.limited {
                let limits = match line < group.unlimited {
                    true => "none,none".to_owned(),
                    false => format!("{},{}", group.hourly, group.daily),
                };
                let (area_code, pool) = (group.area_code, group.pool);
                csv.push_str(&format!("{area_code}555{line:04},{pool},{limits}\n"));
            }
        }
        csv
    }

    /// The pools and what each is to be told. The pool `default` has its rules from the settings.
    pub fn pools(&self) -> impl Iterator<Item = (&'static str, String)> {
        let others = self.groups.iter().filter(|group| group.pool != "default");
        others.map(|group| {
            let (cooldown_s, most) = (group.cooldown_s, group.most_reservations);
            let body =
                format!("{{\"cooldown_seconds\": {cooldown_s}, \"most_reservations\": {most}}}");
            (group.pool, body)
        })
    }

    /// What holds for a number.
    ///
    /// # Panics
    /// It is none of these.
    pub fn rules(&self, number: PhoneNumber) -> Rules {
        let digits = number.e164_digits();
        let of_group = |group: &&Group| digits / 10_000_000 == u64::from(1_000 + group.area_code);
        let group = self.groups.iter().find(of_group);
        let group = group.expect("a number of ours");
        let policy = Policy {
            reservation_ms: i64::from(self.reservation_s) * 1_000,
            cooldown_ms: i64::from(group.cooldown_s) * 1_000,
            most_reservations: group.most_reservations.try_into().expect("not 0"),
            ..Policy::default()
        };
        let limits = match digits % 10_000 < u64::from(group.unlimited) {
            true => Limits::NONE,
            false => Limits::new(group.daily, group.hourly),
        };
        Rules { policy, limits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOCK: Stock = Stock {
        groups: &[Group {
            area_code: 907,
            pool: "day",
            unlimited: 1,
            limited: 1,
            hourly: 5,
            daily: 3,
            cooldown_s: 2,
            most_reservations: 4,
        }],
        reservation_s: 7,
    };

    #[test]
    fn every_rule_refuses_somebody() {
        let groups = of_every_rule(Size {
            default: [2, 1],
            busy: [9, 1],
            busy_limits: [40, 60],
        });
        let pools = CAMPAIGNS.iter().flat_map(|(_, pools)| pools.iter());
        for pool in pools {
            assert!(groups.iter().any(|group| group.pool == *pool), "{pool}");
        }
        let some = |rule: fn(&Group) -> bool| groups.iter().any(rule);
        assert!(some(|group| group.cooldown_s > 0));
        assert!(some(|group| group.most_reservations > 1));
        // Without one that has no limits, so that each limit is reached first somewhere.
        assert!(some(
            |group| group.unlimited == 0 && group.hourly < group.daily
        ));
        assert!(some(
            |group| group.unlimited == 0 && group.daily < group.hourly
        ));
        assert_eq!((groups[0].unlimited, groups[0].limited), (2, 1));
        assert_eq!((groups[1].hourly, groups[1].daily), (40, 60));
    }

    #[test]
    fn the_rules_are_those_that_the_file_and_the_pools_say() {
        assert_eq!(
            STOCK.csv(),
            "caller_id,pool,hourly_limit,daily_limit\n9075550000,day,none,none\n9075550001,day,5,3\n"
        );
        let pools: Vec<_> = STOCK.pools().collect();
        let told = "{\"cooldown_seconds\": 2, \"most_reservations\": 4}";
        assert_eq!(pools, [("day", told.to_owned())]);
        let rules = |text: &str| STOCK.rules(text.parse().unwrap());
        let limited = rules("+19075550001");
        assert_eq!(limited.limits, Limits::new(3, 5));
        assert_eq!(rules("+19075550000").limits, Limits::NONE);
        let policy = limited.policy;
        assert_eq!((policy.reservation_ms, policy.cooldown_ms), (7_000, 2_000));
        assert_eq!(policy.most_reservations.get(), 4);
    }
}
