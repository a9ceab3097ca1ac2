//! The words in which a dialplan is told what became of its question.

/// The variable that is set last, and always where anything can be set.
pub const STATUS: &str = "CIDROT_STATUS";
/// How the number was chosen.
pub const RUNG: &str = "CIDROT_RUNG";
/// The reservation's id.
pub const RESERVATION: &str = "CIDROT_RESERVATION";
/// The number, as it was set.
pub const CALLER_ID: &str = "CIDROT_CALLER_ID";
/// What became of a report.
pub const REPORT: &str = "CIDROT_REPORT";

/// What became of a question for a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The number is set.
    Ok,
    /// No number is free.
    Exhausted,
    /// The agent is over its limit.
    AgentLimited,
    /// An agent's session, a monitor, a parked call: no call to a customer.
    NotACall,
    /// What was dialed is no number, or one that is never rotated.
    BadDestination,
    /// An argument cannot be read.
    BadRequest,
    /// No key, a wrong one, or an address that is not allowed.
    Denied,
    /// The URL has a path that is none of ours.
    UnknownScript,
    /// The engine did not answer, or could not.
    Unavailable,
}

impl Status {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Exhausted => "EXHAUSTED",
            Self::AgentLimited => "AGENT_LIMITED",
            Self::NotACall => "NOT_A_CALL",
            Self::BadDestination => "BAD_DESTINATION",
            Self::BadRequest => "BAD_REQUEST",
            Self::Denied => "DENIED",
            Self::UnknownScript => "UNKNOWN_SCRIPT",
            Self::Unavailable => "UNAVAILABLE",
        }
    }

    /// The same in the list of requests, in the words of HTTP.
    pub const fn outcome(self) -> &'static str {
        match self {
            Self::Ok => "allocated",
            Self::Exhausted => "exhausted",
            Self::AgentLimited => "agent_limited",
            Self::NotACall => "not_a_call",
            Self::BadDestination | Self::BadRequest => "invalid",
            Self::Denied => "refused",
            Self::UnknownScript => "not_found",
            Self::Unavailable => "unavailable",
        }
    }
}
