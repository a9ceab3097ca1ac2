//! What is counted in one step of time.

use caller_id_core::Rung;

/// What may become of a request for a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A number was chosen.
    Allocated,
    /// The call had asked before.
    Repeated,
    /// No number was free.
    Exhausted,
    /// The agent was over its limit.
    AgentLimited,
    /// Nothing could be handed out.
    Unavailable,
    /// Who asked may not.
    Refused,
    /// What was asked cannot be understood, or is never rotated.
    Invalid,
}

impl Outcome {
    /// All of them, in the order in which nodes tell each other.
    pub const ALL: [Self; 7] = [
        Self::Allocated,
        Self::Repeated,
        Self::Exhausted,
        Self::AgentLimited,
        Self::Unavailable,
        Self::Refused,
        Self::Invalid,
    ];

    /// The outcome that goes by this word in answers and in the list of requests.
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "allocated" => Self::Allocated,
            "repeated" => Self::Repeated,
            "exhausted" => Self::Exhausted,
            "agent_limited" => Self::AgentLimited,
            "unavailable" => Self::Unavailable,
            "refused" => Self::Refused,
            "invalid" | "not_rotated" => Self::Invalid,
            _ => return None,
        })
    }

    /// The word of answers and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allocated => "allocated",
            Self::Repeated => "repeated",
            Self::Exhausted => "exhausted",
            Self::AgentLimited => "agent_limited",
            Self::Unavailable => "unavailable",
            Self::Refused => "refused",
            Self::Invalid => "invalid",
        }
    }

    pub(super) const fn place(self) -> usize {
        self as usize
    }
}

/// The place of a rung, behind the outcomes.
pub(super) const fn place_of(rung: Rung) -> usize {
    let place = match rung {
        Rung::Sticky => 0,
        Rung::AreaCode => 1,
        Rung::Overlay => 2,
        Rung::Region => 3,
        Rung::Any => 4,
    };
    Outcome::ALL.len() + place
}

/// Outcomes and rungs.
pub(super) const PLACES: usize = Outcome::ALL.len() + Rung::ALL.len();

/// Requests of one step, by outcome and by rung.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts(pub(super) [u64; PLACES]);

impl Counts {
    /// How many had this outcome.
    pub const fn outcome(&self, outcome: Outcome) -> u64 {
        self.0[outcome.place()]
    }

    /// How many numbers were chosen on this rung.
    pub const fn rung(&self, rung: Rung) -> u64 {
        self.0[place_of(rung)]
    }

    /// Adds what another node counted.
    pub fn add(&mut self, other: &Self) {
        for (sum, count) in self.0.iter_mut().zip(other.0) {
            *sum = sum.saturating_add(count);
        }
    }

    /// As other nodes are told.
    pub(super) fn written(&self) -> String {
        self.0.map(|count| count.to_string()).join(" ")
    }

    /// What another node has written; none when it is of a version that counts otherwise.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut counts = Self::default();
        let mut words = text.split(' ');
        for count in &mut counts.0 {
            *count = words.next()?.parse().ok()?;
        }
        words.next().is_none().then_some(counts)
    }
}
