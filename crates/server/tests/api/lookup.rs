//! Who was called from a number.

use serde_json::{Value, json};

use crate::support::Service;

/// Three calls from one number, one minute apart: to two parties, by two agents.
async fn called() -> Service {
    let service = Service::start(&[("CALLER_ID_COOLDOWN_SECONDS", "0")]).await;
    let number = json!({"caller_id": "3125550100", "carrier": "Acme", "attestation": "B"});
    service.add(number).await;
    for (call, to, agent) in [
        ("V1", "12125551212", "1001"),
        ("V2", "12125551212", "1002"),
        ("V3", "13105551212", "1003"),
    ] {
        service
            .take(&format!("to={to}&campaign=SOLAR&agent={agent}&call={call}"))
            .await;
        let path = format!("/call-result?call={call}&dialstatus=NOANSWER");
        assert_eq!(service.get(&path).await.status, 200);
        service.clock.advance_ms(60_000);
    }
    service.stored().await;
    service
}

fn calls(answer: &Value) -> Vec<&str> {
    let list = answer["calls"].as_array().expect("a list").iter();
    list.map(|one| one["call_id"].as_str().expect("a text"))
        .collect()
}

#[tokio::test]
async fn the_last_calls_from_a_number_are_told_with_campaign_and_agent() {
    let service = called().await;
    let answer = service.see("/api/v1/lookup?number=(312)%20555-0100").await;
    assert_eq!(answer["number"], "+13125550100");
    assert_eq!(answer["ours"], true);
    assert_eq!(answer["row"]["carrier"], "Acme");
    assert_eq!(answer["row"]["attestation"], "B");
    assert_eq!(answer["row"]["status"], "active");
    assert_eq!(calls(&answer), ["V3", "V2", "V1"]);
    let last = &answer["calls"][0];
    assert_eq!(
        (&last["campaign"], &last["agent"], &last["status"]),
        (&json!("SOLAR"), &json!("1003"), &json!("NOANSWER"))
    );
    assert_eq!(
        (&answer["from"], &answer["called_back"]),
        (&Value::Null, &Value::Null)
    );
    let answer = service
        .see("/api/v1/lookup?number=3125550100&limit=1")
        .await;
    assert_eq!(calls(&answer), ["V3"]);
}

#[tokio::test]
async fn a_caller_is_brought_to_the_agent_who_called_them_last() {
    let service = called().await;
    let path = "/api/v1/lookup?number=3125550100&from=%2B12125551212";
    let answer = service.see(path).await;
    assert_eq!(answer["from"], "+12125551212");
    assert_eq!(answer["called_back"]["agent"], "1002");
    assert_eq!(calls(&answer), ["V3", "V2", "V1"]);
    for nobody in ["13055551212", "anonymous", "Restricted", ""] {
        let path = format!("/api/v1/lookup?number=3125550100&from={nobody}");
        let answer = service.see(&path).await;
        assert_eq!(answer["called_back"], Value::Null, "{nobody}");
    }
}

#[tokio::test]
async fn numbers_that_are_ours_no_longer_are_found_too() {
    let service = called().await;
    let import = service.ask("POST", "/api/v1/numbers/import?on_duplicate=update");
    let import = import
        .header("x-admin-token", crate::support::TOKEN)
        .header("content-type", "text/csv")
        .body("caller_id,status\n3125550100,retired\n");
    let answer = import.send().await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = service.see("/api/v1/lookup?number=3125550100").await;
    assert_eq!(
        (&answer["ours"], &answer["row"]["status"]),
        (&json!(false), &json!("retired"))
    );
    assert_eq!(calls(&answer), ["V3", "V2", "V1"]);
}

#[tokio::test]
async fn a_number_that_nobody_knows_is_an_answer_too() {
    let service = called().await;
    let answer = service.see("/api/v1/lookup?number=%2B442079460958").await;
    assert_eq!(
        (&answer["ours"], &answer["row"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(answer["calls"], json!([]));
}

#[tokio::test]
async fn what_cannot_be_understood_is_named() {
    let service = called().await;
    for (query, field) in [
        ("", "number"),
        ("number=5", "number"),
        ("number=3125550100&from=x", "from"),
        ("number=3125550100&limit=101", "limit"),
        ("number=3125550100&caller=1", "caller"),
    ] {
        let path = format!("/api/v1/lookup?{query}");
        let answer = service.admin("GET", &path, &Value::Null).await;
        assert_eq!(
            (answer.status, answer.faulty_fields()),
            (422, vec![field.to_owned()])
        );
    }
}
