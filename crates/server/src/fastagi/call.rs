//! Which call it is: what the dialplan says, else what VICIdial says in its name, else Asterisk's own id.

use caller_id_core::CallId;

use super::arguments::Arguments;
use super::call_name::{CallName, CustomerCall};
use super::request::Request;
use super::status::Status;

/// A call as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// Its id; none where not even Asterisk says one.
    pub(super) id: Option<CallId>,
    /// The agent in VICIdial's name of it.
    pub(super) agent: Option<String>,
    /// The campaign in VICIdial's name of it.
    pub(super) campaign: Option<String>,
}

impl Call {
    /// The call of a request.
    ///
    /// Asterisk's id of the channel stands in for a call without another: a line that asks again for the same call gets the same
    /// number.
    ///
    /// # Errors
    /// [`Status::NotACall`] for VICIdial's own; [`Status::BadRequest`] for an id that cannot be one.
    pub(super) fn of(request: &Request, arguments: &Arguments<'_>) -> Result<Self, Status> {
        let given = arguments.get("call").map_err(|_| Status::BadRequest)?;
        let name = String::from_utf8_lossy(&request.caller_id_name);
        let unique = String::from_utf8_lossy(&request.unique_id);
        match CallName::read(given.unwrap_or(&name)) {
            CallName::Customer(call) => Self::of_customer(call),
            CallName::Internal => Err(Status::NotACall),
            CallName::Plain => Self::plain(given.unwrap_or(&unique)),
        }
    }

    fn of_customer(call: CustomerCall<'_>) -> Result<Self, Status> {
        Ok(Self {
            id: Some(CallId::new(call.id).map_err(|_| Status::BadRequest)?),
            agent: call.agent.map(str::to_owned),
            campaign: call.campaign.map(str::to_owned),
        })
    }

    fn plain(id: &str) -> Result<Self, Status> {
        let id = Some(id.trim()).filter(|id| !id.is_empty());
        let id = id.map(CallId::new).transpose();
        Ok(Self {
            id: id.map_err(|_| Status::BadRequest)?,
            agent: None,
            campaign: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str, argument: &str) -> Result<Option<String>, Status> {
        let request = Request {
            caller_id_name: name.into(),
            unique_id: b"1795348800.1".to_vec(),
            arguments: vec![argument.into()],
            ..Request::default()
        };
        let call = Call::of(&request, &Arguments::of(&request))?;
        Ok(call.id.map(|id| id.to_string()))
    }

    #[test]
    fn the_id_is_the_dialplans_then_vicidials_then_asterisks() {
        let vicidial = "M4050908070000012345 1001 SOLAR";
        assert_eq!(id(vicidial, "call=7"), Ok(Some("7".to_owned())));
        assert_eq!(id(vicidial, ""), Ok(Some(vicidial[..20].to_owned())));
        assert_eq!(id("Alice", "call="), Ok(Some("1795348800.1".to_owned())));
        assert_eq!(
            id("", &format!("call={vicidial}")),
            Ok(Some(vicidial[..20].to_owned()))
        );
    }

    #[test]
    fn vicidials_own_calls_are_none_also_when_the_dialplan_names_them() {
        assert_eq!(id("S11221530458600051", ""), Err(Status::NotACall));
        assert_eq!(id("", "call=S11221530458600051"), Err(Status::NotACall));
        assert_eq!(id("S11221530458600051", "call=7"), Ok(Some("7".to_owned())));
        let long = format!("call={}", "x".repeat(200));
        assert_eq!(id("", &long), Err(Status::BadRequest));
    }
}
