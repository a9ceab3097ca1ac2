//! Short ways to make what tests need. Everything here panics on bad input: it is written by tests.

use caller_id_core::{
    AgentId, AllocationRequest, AreaCode, Author, CallId, Campaign, CampaignId, EngineNumber,
    Limits, Number, PhoneNumber, Policy, PoolId, Status, Timestamp,
};

/// A Saturday morning in America: the instant at which test clocks start.
pub const START: Timestamp = Timestamp::from_ms(1_795_359_600_000);

/// The NANP number with this area code and a line from 0 to 9999, exchange 555.
pub fn number(area_code: u16, line: u64) -> PhoneNumber {
    let digits = 10_000_000_000 + u64::from(area_code) * 10_000_000 + 5_550_000 + line;
    PhoneNumber::from_e164_digits(digits).expect("a test writes valid area codes")
}

/// Parses a number.
pub fn phone(text: &str) -> PhoneNumber {
    text.parse().expect("a test writes valid numbers")
}

/// A pool's name.
pub fn pool(name: &str) -> PoolId {
    PoolId::new(name).expect("a test writes valid names")
}

/// An agent's id.
pub fn agent(name: &str) -> AgentId {
    AgentId::new(name).expect("a test writes valid names")
}

/// A call's id.
pub fn call(name: &str) -> CallId {
    CallId::new(name).expect("a test writes valid names")
}

/// A campaign's id.
pub fn campaign_id(name: &str) -> CampaignId {
    CampaignId::new(name).expect("a test writes valid names")
}

/// A campaign over these pools.
pub fn campaign(name: &str, pools: &[&str]) -> Campaign {
    let pools = pools.iter().map(|name| pool(name)).collect();
    Campaign::new(campaign_id(name), pools).expect("a test writes valid campaigns")
}

/// An active number without limits, in the pool `default`.
pub fn engine_number(number: PhoneNumber) -> EngineNumber {
    EngineNumber {
        number,
        area_code: number.area_code(),
        status: Status::Active,
        pool: PoolId::default(),
        limits: Limits::NONE,
    }
}

/// An inventory row with every field filled.
pub fn full_number(number: PhoneNumber) -> Number {
    Number {
        carrier: Some("Carrier \"A\", Inc.".to_owned()),
        attestation: Some(caller_id_core::Attestation::B),
        status: Status::Resting(START.plus_ms(1_000)),
        pool: pool("solar"),
        limits: Limits::new(500, 50),
        meta: Some(serde_json::json!({"note": "a, \"b\"\nc", "n": [1, null]})),
        ..Number::new(number)
    }
}

/// A request from this agent (none when empty) to that destination.
pub fn request(destination: PhoneNumber, agent_name: &str, call_name: &str) -> AllocationRequest {
    AllocationRequest {
        agent: AgentId::new(agent_name).ok(),
        call_id: CallId::new(call_name).ok(),
        ..AllocationRequest::to(destination)
    }
}

/// The default policy without cooldown and with a reservation of a minute.
pub fn brisk_policy() -> Policy {
    Policy {
        cooldown_ms: 0,
        reservation_ms: 60_000,
        ..Policy::default()
    }
}

/// An area code.
pub fn area(code: u16) -> AreaCode {
    AreaCode::new(code).expect("a test writes valid area codes")
}

/// Who changes what tests change.
pub fn somebody() -> Author {
    Author::command("test")
}
