//! A node that does not answer yet.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};

use crate::run::Running;

/// Redis takes the connection, and says nothing: the node waits for it.
#[test]
fn a_node_of_a_cluster_that_is_not_ready_refuses_connections_so_that_another_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let free = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let ports = free.map(|listener| listener.local_addr().unwrap().port());
    let redis = format!("redis://{}/0", mute.local_addr().unwrap());
    let variables = [
        ("REDIS_URL", &*redis),
        ("API_PORT", &ports[0].to_string()),
        ("AGI_LISTEN", &format!("127.0.0.1:{}", ports[1])),
    ];
    let mut service = Running::start(folder.path(), &variables);
    let _waits = mute.accept().unwrap();
    for port in ports {
        let asked = TcpStream::connect(("127.0.0.1", port));
        assert_eq!(asked.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    }
    service.until(&["listens on http://"]);
    for port in ports {
        TcpStream::connect(("127.0.0.1", port)).unwrap();
    }
}
