//! Somebody who looks at pages of the dashboard and fills in their forms, without JavaScript.

use std::fmt::Write;

use caller_id_core::Role;

use crate::sso_browser::Browser;
use crate::support::{Answer, Service, TOKEN};

/// What nobody may put into a page, and how it looks as text.
pub(crate) const MARK: &str = "<script>alert('x')</script>\"&";

pub(crate) struct Person {
    browser: Browser,
    proof: String,
}

impl Person {
    pub(crate) async fn admin(service: &Service) -> Self {
        Self::with(service, TOKEN).await
    }

    pub(crate) async fn of_role(service: &Service, role: Role) -> Self {
        let (key, _) = service.key(|key| key.role = role).await;
        Self::with(service, &key).await
    }

    async fn with(service: &Service, token: &str) -> Self {
        let mut browser = Browser::new(&service.dispatch);
        assert_eq!(browser.enter(token, "").await.status, 303);
        let proof = browser.proof().await;
        Self { browser, proof }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        slashed(self.browser.get(path).await)
    }

    /// A page that is there, as text.
    pub(crate) async fn sees(&mut self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert!(!answer.body.contains("<script>alert"), "{path}");
        answer.body
    }

    /// Sends a form with these fields.
    pub(crate) async fn sends(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let proof = self.proof.clone();
        let mut all = vec![("csrf_token", proof.as_str())];
        all.extend_from_slice(fields);
        slashed(self.browser.form(path, &all).await)
    }

    /// As htmx asks for it.
    pub(crate) async fn part(&mut self, path: &str) -> Answer {
        let htmx = [("hx-request", "true")];
        self.browser.send("GET", path, &htmx, "").await
    }

    /// A form without what proves that it is ours.
    pub(crate) async fn forges(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.browser.form(path, fields).await
    }

    /// A form with a file.
    pub(crate) async fn upload(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        file: &str,
    ) -> Answer {
        let mut body = String::new();
        let proof = [("csrf_token", self.proof.as_str())];
        for (name, value) in proof.iter().chain(fields) {
            let _ = write!(
                body,
                "--edge\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
        }
        let head = "content-disposition: form-data; name=\"file\"; filename=\"numbers.csv\"";
        let _ = write!(
            body,
            "--edge\r\n{head}\r\ncontent-type: text/csv\r\n\r\n{file}\r\n--edge--\r\n"
        );
        let headers = [
            ("content-type", "multipart/form-data; boundary=edge"),
            ("sec-fetch-site", "same-origin"),
        ];
        self.browser.send("POST", path, &headers, &body).await
    }
}

/// A page with its slashes as people read them: templates escape them, too.
pub(crate) fn slashed(mut answer: Answer) -> Answer {
    answer.body = answer.body.replace("&#x2f;", "/");
    answer
}

/// The value of the hidden field `name` on a page.
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let begin = format!("name=\"{name}\" value=\"");
    let rest = page.split(&begin).nth(1);
    let value = rest.and_then(|rest| rest.split('"').next());
    // Tags are in quotes, which stand in HTML by their names.
    value.expect("the field").replace("&quot;", "\"")
}
