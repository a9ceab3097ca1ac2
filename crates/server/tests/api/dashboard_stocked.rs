//! A service that knows something of everything, each text in it one that somebody hopes a page runs.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::hostile_texts::HOSTILE;
use crate::support::{Service, TOKEN};

pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

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
        for (place, text) in HOSTILE.into_iter().enumerate() {
            let name = encoded(text);
            let order = async |method: &str, path: &str, body: Value| {
                let answer = service.admin(method, path, &body).await;
                assert!(answer.status < 300, "{path}: {}", answer.body);
            };
            let tags = json!({"tags": {}});
            order("PUT", &format!("/api/v1/pools/{name}"), json!({})).await;
            let pools = json!({"pools": [text, "default"]});
            order("PUT", &format!("/api/v1/campaigns/{name}"), pools).await;
            let mut meta = tags.clone();
            meta[text] = text.into();
            let number = json!({
                "number": format!("31255501{place:02}"), "pool": text, "carrier": text, "meta": meta,
            });
            order("POST", "/api/v1/numbers", number).await;
            let key = json!({"name": text, "role": "dialer", "campaigns": [text]});
            order("POST", "/api/v1/keys", key).await;
            let query = format!(
                "to=31255510{place:02}&campaign={name}&agent={name}&call={name}&format=json"
            );
            let taken = service.take(&query).await;
            let id = taken["reservation_id"].as_str().expect("an id").to_owned();
            let told = format!("/call-result?call={name}&dialstatus={name}&hangup_cause={name}");
            let told = service.get(&told).await;
            assert!(told.status < 500, "{}", told.body);
            // Of one more the dialer says nothing: it stays reserved.
            call = id;
            let refused = format!("/next-cid?to={name}&campaign={name}&agent={name}&call={name}");
            assert!(service.get(&refused).await.status < 500);
        }
        service.stored().await;
        let job = Self::import(service).await;
        Self { call, job }
    }

    /// A file in which every cell is such a text, some rows good and some bad; the id of its job.
    async fn import(service: &Service) -> String {
        let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let mut file = "caller_id,carrier,pool,status,<script>alert(1)</script>\n".to_owned();
        for (place, text) in HOSTILE.into_iter().enumerate() {
            let text = cell(text);
            file.push_str(&format!("77355501{place:02},{text},{text},,{text}\n"));
            file.push_str(&format!("77355502{place:02},{text},{text},{text},{text}\n"));
            file.push_str(&format!("{text},{text},{text},,{text}\n"));
        }
        let call = service.ask("POST", "/api/v1/numbers/import?job=true");
        let call = call
            .header("x-admin-token", TOKEN)
            .header("content-type", "text/csv");
        let begun = call.body(file).send().await;
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
