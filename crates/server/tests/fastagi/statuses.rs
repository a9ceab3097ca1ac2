//! A call that gets no number is told why, and nothing else is touched.

use crate::asterisk::{Channel, Told};
use crate::service::Service;

async fn told(settings: &[(&str, &str)], channel: Channel) -> Told {
    let service = Service::start(settings, &["3125550100"]).await;
    let told = service.told(channel).await;
    service.stop().await;
    told
}

#[tokio::test]
async fn exhausted() {
    let service = Service::start(&[], &[]).await;
    service
        .told(Channel::asks("next-cid"))
        .await
        .only("EXHAUSTED");
    service.stop().await;
}

#[tokio::test]
async fn agent_limited() {
    let settings = [("AGENT_RATE_LIMIT_PER_MIN", "1")];
    let service = Service::start(&settings, &["3125550100", "3125550101"]).await;
    let ask = |call: &'static str| Channel::asks("next-cid").arguments(&["agent=7", call]);
    assert_eq!(service.told(ask("call=a")).await.status(), "OK");
    service.told(ask("call=b")).await.only("AGENT_LIMITED");
    service.stop().await;
}

#[tokio::test]
async fn no_call_to_a_customer() {
    for name in [
        "S11221530458600051",
        "ACagcW17953488001001",
        "BM179534880010011001",
    ] {
        let told = told(&[], Channel::asks("next-cid").name(name)).await;
        told.only("NOT_A_CALL");
    }
}

#[tokio::test]
async fn no_destination() {
    for extension in ["911", "9911", "8600051", "s", "", "h"] {
        let told = told(&[], Channel::asks("next-cid").to(extension)).await;
        told.only("BAD_DESTINATION");
    }
}

#[tokio::test]
async fn arguments_that_cannot_be_read() {
    let long = format!("campaign={}", "x".repeat(200));
    for argument in [long.as_str(), "agent=a\tb"] {
        let told = told(&[], Channel::asks("next-cid").arguments(&[argument])).await;
        told.only("BAD_REQUEST");
    }
    told(&[], Channel::asks("next-cid?call=%ff"))
        .await
        .only("BAD_REQUEST");
}

#[tokio::test]
async fn a_path_that_is_none_of_ours() {
    for script in ["", "next", "next-cid/more", "call_log"] {
        told(&[], Channel::asks(script))
            .await
            .only("UNKNOWN_SCRIPT");
    }
}

/// A proxy that is trusted may ask for anybody, so its address alone opens nothing.
#[tokio::test]
async fn dialers_need_a_key_or_an_address_as_over_http() {
    let proxy = ("TRUSTED_PROXIES", "127.0.0.1");
    let keys = ("DIALER_KEYS", "a-key-of-a-dialer");
    for argument in ["", "key=wrong"] {
        let channel = Channel::asks("next-cid").arguments(&[argument]);
        told(&[proxy, keys], channel).await.only("DENIED");
    }
    let by_argument = Channel::asks("next-cid").arguments(&["key=a-key-of-a-dialer"]);
    assert_eq!(told(&[proxy, keys], by_argument).await.status(), "OK");
    let by_query = Channel::asks("next-cid?key=a-key-of-a-dialer");
    assert_eq!(told(&[proxy, keys], by_query).await.status(), "OK");
    let by_address = [proxy, ("DIALER_ALLOW", "127.0.0.0/8")];
    assert_eq!(
        told(&by_address, Channel::asks("next-cid")).await.status(),
        "OK"
    );
    let report = told(&[proxy, keys], Channel::asks("call-result")).await;
    assert_eq!(report.get("CIDROT_REPORT"), "DENIED");
}

#[tokio::test]
async fn an_api_key_opens_for_its_campaigns_until_it_is_revoked() {
    let service = Service::start(&[("TRUSTED_PROXIES", "127.0.0.1")], &["3125550100"]).await;
    let (key, id) = service.key(&["SOLAR"]).await;
    let ask = |campaign: &str| {
        let arguments = [format!("key={key}"), format!("campaign={campaign}")];
        let arguments = arguments.each_ref().map(String::as_str);
        service.told(Channel::asks("next-cid").arguments(&arguments))
    };
    assert_eq!(ask("SOLAR").await.status(), "OK");
    ask("ROOF").await.only("DENIED");
    service.revoke(&id).await;
    ask("SOLAR").await.only("DENIED");
    service.stop().await;
}

#[tokio::test]
async fn a_number_that_asterisk_does_not_take_is_not_said_to_be_set() {
    let channel = Channel::asks("next-cid").refuses("CALLERID(num)");
    let told = told(&[], channel).await;
    assert_eq!((told.status(), told.caller_id()), ("UNAVAILABLE", ""));
}
