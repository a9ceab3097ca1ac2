//! Services behind https.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::rig::run;
use crate::stub::answer;

/// A service whose certificate is of an authority of its own: where it listens, and that authority in PEM.
fn start() -> (String, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = config
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.into());
    let config = Arc::new(config.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            // Who does not trust us goes.
            if stream.read(&mut [0; 4_096]).is_ok() {
                let body = r#"{"name":"ann","role":"viewer","kind":"key"}"#;
                let _ = stream.write_all(answer("200 OK", body, "").as_bytes());
            }
        }
    });
    (url, authority)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_of_one_s_own_is_trusted_where_it_is_named() {
    let (url, authority) = start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authority.pem");
    std::fs::write(&file, authority).unwrap();
    let file = file.to_str().unwrap();
    let here = [("CALLER_ID_URL", url.as_str()), ("CALLER_ID_KEY", "key")];
    let told = run(&["whoami"], &here).await;
    told.refused(1, &["cannot trust", &url, "--ca-file"]);
    let told = run(&["whoami", "--ca-file", file], &here).await.fine();
    assert!(told.out.contains("ann"), "{told:?}");
    let here = [here[0], here[1], ("CALLER_ID_CA_FILE", file)];
    run(&["whoami"], &here).await.fine();
}
