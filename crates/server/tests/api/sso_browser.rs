//! A browser: it keeps cookies, follows the provider's pages, and asks our service.

use std::collections::BTreeMap;

use caller_id::http::dispatch::Dispatch;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::support::{Answer, ask};

/// Where the browser reaches our service.
pub(crate) const HOST: &str = "127.0.0.1:8000";
/// Where the provider sends it back to.
pub(crate) const CALLBACK: &str = "http://127.0.0.1:8000/sign-in/sso/callback";
/// From where it comes.
pub(crate) const PLACE: &str = "192.0.2.1";
/// More steps than any sign-in takes.
const STEPS_MOST: usize = 20;

type Jar = BTreeMap<String, String>;

/// A browser of one person.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) service: Dispatch,
    /// What our service had it keep.
    pub(crate) cookies: Jar,
    /// What the provider did.
    provider: Jar,
}

/// A page of the provider.
struct Page {
    status: u16,
    location: Option<String>,
    text: String,
}

impl Browser {
    pub(crate) fn new(service: &Dispatch) -> Self {
        Self {
            service: service.clone(),
            cookies: Jar::new(),
            provider: Jar::new(),
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    /// A form of a page of ours.
    pub(crate) async fn form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let own = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
        ];
        self.send("POST", path, &own, &pairs(fields)).await
    }

    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut call = ask(&self.service, method, path).from(PLACE);
        call = call.header("host", HOST);
        if !self.cookies.is_empty() {
            call = call.header("cookie", &line(&self.cookies));
        }
        for (name, value) in headers {
            call = call.header(name, value);
        }
        let answer = call.body(body.to_owned()).send().await;
        let set = answer.headers.get_all("set-cookie").iter();
        for cookie in set {
            keep(&mut self.cookies, cookie.to_str().expect("text"));
        }
        answer
    }

    /// Who it is signed in as: name, kind and role.
    pub(crate) async fn me(&mut self) -> Option<(String, String, String)> {
        let answer = self.get("/api/v1/me").await;
        let json = answer.json();
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        Some((text("name")?, text("kind")?, text("role")?))
    }

    /// What proves that a page of ours asks.
    pub(crate) async fn proof(&mut self) -> String {
        let me = self.get("/api/v1/me").await.json();
        me["csrf_token"].as_str().expect("a session").to_owned()
    }

    /// The value of a field of the form on the sign-in page.
    pub(crate) async fn form_proof(&mut self) -> String {
        let page = self.get("/sign-in").await.body;
        let rest = page.split("name=\"csrf_token\" value=\"").nth(1);
        let proof = rest.and_then(|rest| rest.split('"').next());
        proof.expect("a form").to_owned()
    }

    /// Signs in with the form.
    pub(crate) async fn enter(&mut self, token: &str, return_to: &str) -> Answer {
        let proof = self.form_proof().await;
        let fields = [
            ("token", token),
            ("csrf_token", &proof),
            ("return_to", return_to),
        ];
        self.form("/sign-in", &fields).await
    }

    /// Begins to sign in over the provider; gives the provider's URL.
    pub(crate) async fn begin(&mut self, return_to: &str) -> String {
        let path = format!("/sign-in/sso?{}", pairs(&[("return_to", return_to)]));
        let answer = self.get(&path).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        answer.header("location").to_owned()
    }

    /// Is whoever `person` is at the provider, beginning at `url`; gives the path by which it comes back to us.
    pub(crate) fn at_provider(&mut self, url: &str, person: &str) -> String {
        let mut place = url.to_owned();
        let mut form = None;
        for _ in 0..STEPS_MOST {
            if let Some(query) = place.strip_prefix(CALLBACK) {
                return format!("/sign-in/sso/callback{query}");
            }
            let page = self.page(&place, form.take());
            if let Some(next) = page.location {
                place = absolute(url, &next);
                continue;
            }
            assert_eq!(page.status, 200, "{place}: {}", page.text);
            let action = page.text.split("action=\"").nth(1);
            let action = action.and_then(|rest| rest.split('"').next());
            place = absolute(url, action.expect("a form"));
            form = Some(match page.text.contains("value=\"login\"") {
                true => pairs(&[("prompt", "login"), ("login", person), ("password", "x")]),
                false => pairs(&[("prompt", "consent")]),
            });
        }
        panic!("no way back from the provider: {place}");
    }

    fn page(&mut self, url: &str, form: Option<String>) -> Page {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(None)
            .build()
            .into();
        let cookies = line(&self.provider);
        let answer = match form {
            None => agent.get(url).header("cookie", cookies).call(),
            Some(form) => agent
                .post(url)
                .header("cookie", cookies)
                .content_type("application/x-www-form-urlencoded")
                .send(form),
        };
        let mut answer = answer.expect("the provider answers");
        for cookie in answer.headers().get_all("set-cookie") {
            keep(&mut self.provider, cookie.to_str().expect("text"));
        }
        let location = answer.headers().get("location");
        Page {
            location: location.map(|value| value.to_str().expect("text").to_owned()),
            status: answer.status().as_u16(),
            text: answer.body_mut().read_to_string().expect("text"),
        }
    }
}

/// The change of a JSON thing by a page.
pub(crate) async fn change(
    browser: &mut Browser,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: &Value,
) -> u16 {
    let mut all = vec![("content-type", "application/json")];
    all.extend_from_slice(headers);
    let answer = browser.send(method, path, &all, &body.to_string()).await;
    answer.status
}

fn keep(jar: &mut Jar, cookie: &str) {
    let mut parts = cookie.split("; ");
    let pair = parts.next().and_then(|pair| pair.split_once('='));
    let (name, value) = pair.expect("a name and a value");
    let is_over = parts.any(|part| {
        let part = part.to_ascii_lowercase();
        part == "max-age=0" || part.contains("01 jan 1970")
    });
    match is_over {
        true => jar.remove(name),
        false => jar.insert(name.to_owned(), value.to_owned()),
    };
}

fn line(jar: &Jar) -> String {
    let pairs: Vec<_> = jar
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("; ")
}

fn pairs(fields: &[(&str, &str)]) -> String {
    let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let fields = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    fields.collect::<Vec<_>>().join("&")
}

fn absolute(base: &str, place: &str) -> String {
    if !place.starts_with('/') {
        return place.to_owned();
    }
    let host = base.split('/').take(3).collect::<Vec<_>>().join("/");
    host + place
}
