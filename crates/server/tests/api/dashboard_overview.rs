//! The first page.

use crate::dashboard_person::Person;
use crate::support::Service;

/// The page, gathered anew.
async fn overview(service: &Service, person: &mut Person) -> String {
    service.stored().await;
    service.clock.advance_ms(60_000);
    person.sees("/dashboard").await
}

#[tokio::test]
async fn since_when_is_counted_is_said_until_that_is_an_hour_ago() {
    let service = Service::start(&[]).await;
    let mut viewer = Person::admin(&service).await;
    let page = overview(&service, &mut viewer).await;
    assert!(page.contains("since the start at <time"), "{page}");
    assert!(page.contains("since the service was started"), "{page}");
    service.clock.advance_ms(3_600_000);
    let page = overview(&service, &mut viewer).await;
    assert!(!page.contains("since the start at"), "{page}");
    assert!(
        page.contains("No call asked for a number in the last hour"),
        "{page}"
    );
}
