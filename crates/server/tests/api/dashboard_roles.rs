//! What the pages about numbers show to those who may not do everything.

use caller_id_core::Role;
use serde_json::json;

use crate::dashboard_person::Person;
use crate::support::Service;

const NUMBERS: &str = "/dashboard/numbers";

#[tokio::test]
async fn who_may_only_look_sees_no_form_that_fails() {
    let service = Service::start(&[]).await;
    service.add(json!({"caller_id": "3125550100"})).await;
    let mut viewer = Person::of_role(&service, Role::Viewer).await;
    for path in [NUMBERS, "/dashboard/numbers/3125550100"] {
        let page = viewer.sees(path).await;
        assert!(page.contains("(312) 555-0100"));
        for form in [
            "type=\"checkbox\"",
            "/dashboard/import",
            "method=\"post\" action=\"/dashboard",
            "number.create",
        ] {
            assert!(!page.contains(form), "{path} has {form}");
        }
    }
    let page = viewer.sees("/dashboard/numbers/bulk?which=matching").await;
    assert!(!page.contains("name=\"action\""));
    assert_eq!(
        viewer
            .sends("/dashboard/numbers/3125550100/pause", &[])
            .await
            .status,
        403
    );
    let mut operator = Person::of_role(&service, Role::Operator).await;
    let page = operator.sees("/dashboard/numbers/3125550100").await;
    assert!(page.contains("3125550100/pause") && !page.contains("3125550100/delete"));
    assert_eq!(
        operator
            .sends("/dashboard/numbers/3125550100/delete", &[])
            .await
            .status,
        403
    );
    assert_eq!(
        operator
            .sends("/dashboard/numbers/3125550100/pause", &[])
            .await
            .status,
        303
    );
}
