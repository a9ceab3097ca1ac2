//! Where the service is: addresses that a dialplan can have, beyond IPv4 and a port.

use std::net::SocketAddr;

use crate::printed::printed;
use crate::process::tcp_port;
use crate::rig::Rig;
use crate::service::{Service, Via};
use crate::stubs::over_ipv6;

#[test]
fn a_service_at_an_address_of_ipv6_is_asked_and_told() {
    let service = Service::start();
    let mut rig = Rig::start("");
    let nobody: SocketAddr = (std::net::Ipv6Addr::LOCALHOST, tcp_port()).into();
    let mut calls = 0;
    for (way, via) in [("agi", Via::Agi), ("curl", Via::Curl)] {
        let Some(at) = over_ipv6(service.host(via).parse().expect("an address")) else {
            return eprintln!("*** NOT TESTED: this machine has no IPv6");
        };
        for host in [at.to_string(), format!("{nobody},{at}")] {
            let words = format!("--peer gw --asterisk 16 --via {way} --host {host}");
            assert_eq!(rig.reload(&printed(&words)), Vec::<String>::new());
            rig.call(&format!("1312555{:04}", 2_000 + calls));
            calls += 1;
            let invite = rig.seen(calls).pop().expect("a call");
            assert_eq!(invite.from[..6], *"312333", "{words}: {invite:?}");
        }
    }
    let history = service.history();
    assert_eq!(history.len(), calls);
    for past in history {
        assert!(past.result.is_some(), "each end is reported: {past:?}");
    }
}
