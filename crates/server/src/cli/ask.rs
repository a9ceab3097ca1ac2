//! How commands ask a running service: where it is, who asks, and what becomes of a question.

mod client;
mod place;
mod problem;
mod query;
mod stream;

use std::path::PathBuf;

use clap::Args;

pub(super) use self::client::{Answer, Condition, Method};
pub(super) use self::problem::{Refused, Usage};
pub(super) use self::query::{Pairs, pairs, path};

use self::client::Client;
use super::show::Words;
use crate::config::source::Environment;

/// The heading of the flags that say so.
pub(super) const HEADING: &str = "The service that is asked";

/// Which service is asked, and how.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = HEADING)]
pub struct ServiceArgs {
    /// Where it listens. Default: CALLER_ID_URL, else http://127.0.0.1:8000 (with the API_PORT of the settings here)
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// A file that holds the API key or admin token. Default: CALLER_ID_KEY; for a service on this machine also
    /// ADMIN_TOKEN, or the file `admin-token` beside its database (of the package: in /var/lib/caller-id)
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// For https: a file with the certificates (PEM) of your own authority, which are trusted instead of the public ones.
    /// Default: CALLER_ID_CA_FILE
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// How long an answer may take; of files, how long nothing may move
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
    /// Write the JSON of the API as it is, for programs
    #[arg(long)]
    pub json: bool,
}

impl ServiceArgs {
    /// The service that is meant. Nothing is asked yet.
    ///
    /// # Errors
    /// A URL, a key or a file that cannot be used.
    pub(super) fn service(&self, environment: &Environment) -> anyhow::Result<Service> {
        let place = place::find(self, environment)?;
        Ok(Service {
            client: Client::new(place, self.timeout),
            is_json: self.json,
            words: Words::here(),
        })
    }
}

/// A service, as whoever runs the command asks it.
pub(super) struct Service {
    client: Client,
    /// The JSON of the API is wanted, no tables.
    pub(super) is_json: bool,
    /// How things are told to people here.
    pub(super) words: Words,
}

impl Service {
    /// Reads something.
    ///
    /// # Errors
    /// [`Refused`], and whatever keeps an answer from coming.
    pub(super) fn get(&self, path: &str, query: &Pairs) -> anyhow::Result<Answer> {
        self.client.ask(&Question {
            query: query.clone(),
            ..Question::new(Method::Get, path)
        })
    }

    /// Asks for a change.
    ///
    /// # Errors
    /// As [`Service::get`]; where no answer comes the change may have been made.
    pub(super) fn ask(&self, question: &Question) -> anyhow::Result<Answer> {
        self.client.ask(question)
    }

    /// Where it listens.
    pub(super) fn place(&self) -> &str {
        self.client.base()
    }
}

/// One request.
#[derive(Debug)]
pub(super) struct Question {
    /// What is done.
    pub(super) method: Method,
    /// To what: a path without a query.
    pub(super) path: String,
    /// The parameters.
    pub(super) query: Pairs,
    /// What must be so, or nothing is changed.
    pub(super) condition: Option<Condition>,
    /// JSON, where there is something to say.
    pub(super) body: Option<serde_json::Value>,
}

impl Question {
    /// Nothing but what and where.
    pub(super) fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            query: Pairs::new(),
            condition: None,
            body: None,
        }
    }

    /// With this to say.
    pub(super) fn body(mut self, body: serde_json::Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Only if that is so.
    pub(super) fn only_if(mut self, condition: Option<Condition>) -> Self {
        self.condition = condition;
        self
    }
}
