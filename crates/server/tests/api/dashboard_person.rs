//! Somebody who looks at pages of the dashboard and fills in their forms, without JavaScript.

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
