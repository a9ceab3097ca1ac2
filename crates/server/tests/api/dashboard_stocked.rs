//! A service that knows something of everything, each text in it one that somebody hopes a page runs.

use serde_json::{Value, json};

use crate::hostile_texts::{HOSTILE, file, orders};
use crate::support::{Service, TOKEN};

pub(crate) fn number(digits: &str) -> Value {
    json!({"caller_id": digits})
}

/// What there is, for addresses.
pub(crate) struct Stock {
    pub(crate) call: String,
    pub(crate) job: String,
}

impl Stock {
    /// A pool, a campaign, a number, a key, a call and a row of a file for each of the texts.
    pub(crate) async fn put(service: &Service) -> Self {
        let mut call = String::new();
        for (method, path, body) in orders() {
            let answer = service.admin(method, &path, &body).await;
            let is_call = path.starts_with("/next-cid?") && answer.status == 200;
            if is_call {
                let taken = answer.json();
                call = taken["reservation_id"].as_str().expect("an id").to_owned();
            }
            let is_told = method != "GET" && answer.status < 300;
            assert!(
                is_told || (method == "GET" && answer.status < 500),
                "{path}: {}",
                answer.body
            );
        }
        service.stored().await;
        let job = Self::import(service).await;
        Self { call, job }
    }

    /// A file in which every cell is such a text, some rows good and some bad; the id of its job.
    async fn import(service: &Service) -> String {
        let call = service.ask("POST", "/api/v1/numbers/import?job=true");
        let call = call
            .header("x-admin-token", TOKEN)
            .header("content-type", "text/csv");
        let begun = call.body(file()).send().await;
        let job = begun.json()["id"].as_str().expect("a job").to_owned();
        for _ in 0..1_200 {
            let told = service.see(&format!("/api/v1/jobs/{job}")).await;
            if told["state"] != "running" {
                assert_eq!(told["import"]["added"], HOSTILE.len(), "{told}");
                return job;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("the import does not end");
    }

    /// An address of the table, with what there is in place of its names.
    pub(crate) fn at(&self, path: &str) -> String {
        let id = match path {
            path if path.contains("/pools/") => "default",
            path if path.contains("/campaigns/") => "SOLAR",
            path if path.contains("/history/") || path.contains("/reservations/") => &self.call,
            path if path.contains("/jobs/") => &self.job,
            _ => "none",
        };
        let path = path.replace("{id}", id).replace("{job}", &self.job);
        let path = path
            .replace("{number}", "3125550100")
            .replace("{action}", "pause");
        let path = path.replace("{version}", "x").replace("{name}", "app.css");
        let path = path.replace("{*page}", "no/such/page");
        assert!(!path.contains('{'), "{path}: which value to ask with?");
        path
    }
}
