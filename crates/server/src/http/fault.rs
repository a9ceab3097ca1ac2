//! Fields that cannot be understood, told in the form of FastAPI.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// One field that cannot be understood, in the form of FastAPI.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Fault {
    /// What kind of fault, for programs.
    pub r#type: &'static str,
    /// Where it is: `query` or `body`, then the field.
    pub loc: Box<[String]>,
    /// What is wrong, for people.
    pub msg: Box<str>,
    /// What was given.
    #[schema(value_type = Object, nullable = true)]
    pub input: Value,
}

impl Fault {
    /// A fault at `loc`.
    pub fn new(loc: &[&str], kind: &'static str, msg: impl Into<Box<str>>, input: Value) -> Self {
        Self {
            r#type: kind,
            loc: loc.iter().map(|&part| part.to_owned()).collect(),
            msg: msg.into(),
            input,
        }
    }

    /// The field at `loc` is not there.
    pub fn missing(loc: &[&str]) -> Self {
        Self::new(loc, "missing", "Field required", Value::Null)
    }
}
