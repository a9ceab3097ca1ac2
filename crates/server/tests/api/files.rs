//! Files of the project that the program writes itself.

use std::path::{Path, PathBuf};

use caller_id::config::describe::{env_example, markdown, settings};

use crate::support::Service;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn kept(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_page_of_settings_is_what_the_program_says() {
    assert_eq!(
        kept("docs/CONFIG.md"),
        markdown(),
        "run `caller-id check-config --print config-page`"
    );
}

#[test]
fn the_example_of_settings_is_what_the_program_says() {
    assert_eq!(
        kept(".env.example"),
        env_example(),
        "run `caller-id check-config --print env-example`"
    );
}

#[test]
fn every_name_of_the_reference_is_a_setting() {
    let names: Vec<String> = settings().into_iter().map(|setting| setting.name).collect();
    let reference = "APP_NAME ENVIRONMENT API_HOST API_PORT DATABASE_URL REDIS_URL REDIS_PASSWORD POSTGRES_DB \
        POSTGRES_USER POSTGRES_PASSWORD ADMIN_TOKEN JWT_SECRET JWT_ALGORITHM RESERVATION_TTL_SECONDS \
        AGENT_RATE_LIMIT_PER_MIN CALLER_ID_COOLDOWN_SECONDS REQUEST_LOG_LIMIT IP_WHITELIST ALLOWED_ORIGINS LOG_LEVEL";
    for name in reference.split_whitespace() {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
}

#[tokio::test]
async fn the_openapi_document_is_what_the_service_says() {
    let service = Service::start(&[]).await;
    let said = service.get("/openapi.json").await.json();
    let kept: serde_json::Value = serde_json::from_str(&kept("docs/openapi.json")).expect("JSON");
    assert_eq!(kept, said, "save `GET /openapi.json` as docs/openapi.json");
}
