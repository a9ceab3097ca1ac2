//! Encrypted connections, passwords and sockets, on a server that has a certificate.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use caller_id_core::{InventoryStore, ManualClock, StoreError};
use caller_id_store::{PostgresOptions, PostgresStore, inspect_postgres};
use caller_id_testkit::builders::START;
use caller_id_testkit::postgres::Postgres;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

/// The socket trusts everybody; over the network a password is wanted, and encryption.
const RULES: &str = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n";
/// `p@ss/w:rd%?#&é`, as it stands in a URL.
const PASSWORD: &str = "p%40ss%2Fw%3Ard%25%3F%23%26%C3%A9";

struct Encrypted {
    server: Postgres,
    port: u16,
    folder: TempDir,
}

impl Encrypted {
    fn start() -> Self {
        let port = free_port();
        let folder = tempfile::tempdir().unwrap();
        let ours = authority();
        let key = KeyPair::generate().unwrap();
        let host = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let host = host.signed_by(&key, &ours).unwrap();
        for (name, pem) in [("ours.pem", ours.pem()), ("other.pem", authority().pem())] {
            std::fs::write(folder.path().join(name), pem).unwrap();
        }
        let files = [
            ("server.crt", &*host.pem()),
            ("server.key", &*key.serialize_pem()),
            ("pg_hba.conf", RULES),
        ];
        let port_is = format!("port={port}");
        let settings = ["ssl=on", "listen_addresses=127.0.0.1", &port_is];
        let server = Postgres::start_with(&settings, &files);
        server.psql_on(
            port,
            "postgres",
            "CREATE ROLE \"call er\" LOGIN PASSWORD 'p@ss/w:rd%?#&é'; ALTER DATABASE postgres OWNER TO \"call er\"",
        );
        Self {
            server,
            port,
            folder,
        }
    }

    /// Over the network, with `how` after the question mark.
    fn url(&self, scheme: &str, host: &str, how: &str) -> String {
        let port = self.port;
        format!("{scheme}://call%20er:{PASSWORD}@{host}:{port}/postgres?{how}")
    }

    fn root(&self, name: &str) -> String {
        format!("sslrootcert={}", self.folder.path().join(name).display())
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

async fn open(url: &str) -> Result<Arc<PostgresStore>, StoreError> {
    PostgresStore::open(url, PostgresOptions::new(Arc::new(ManualClock::at(START)))).await
}

async fn encryption(url: &str) -> Option<String> {
    let clock = Arc::new(ManualClock::at(START));
    let found = inspect_postgres(url, clock, Duration::from_secs(60)).await;
    let found = found.unwrap();
    assert_eq!(found.user, "call er");
    found.encryption
}

#[tokio::test]
async fn connections_are_encrypted_and_servers_known_by_their_authority() {
    let on = Encrypted::start();
    let full = format!("sslmode=verify-full&{}", on.root("ours.pem"));
    for (scheme, how) in [
        ("postgres", "sslmode=require"),
        ("postgresql", "sslmode=prefer"),
        ("postgresql+asyncpg", "ssl=require"),
        ("postgres", full.as_str()),
    ] {
        let url = on.url(scheme, "localhost", how);
        let store = open(&url).await.unwrap();
        assert_eq!(store.pools().await.unwrap().len(), 1, "{how}");
        let encryption = encryption(&url).await.unwrap();
        assert!(encryption.starts_with("TLSv1."), "{encryption}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_the_one_expected_is_refused_and_why() {
    let on = Encrypted::start();
    let (ours, other) = (on.root("ours.pem"), on.root("other.pem"));
    for (host, how, why) in [
        (
            "localhost",
            format!("sslmode=verify-full&{other}"),
            "certificate",
        ),
        (
            "localhost",
            format!("sslmode=verify-ca&{other}"),
            "certificate",
        ),
        // Not the name in the certificate.
        (
            "127.0.0.1",
            format!("sslmode=verify-full&{ours}"),
            "certificate",
        ),
        ("localhost", "sslmode=verify-full".to_owned(), "certificate"),
        ("localhost", "sslmode=disable".to_owned(), "pg_hba.conf"),
    ] {
        let said = match open(&on.url("postgres", host, &how)).await.err() {
            Some(StoreError::Failed(said)) => said.to_string(),
            other => panic!("{how}: expected a refusal, got {other:?}"),
        };
        assert!(said.contains(why) && said.contains(host), "{how}: {said}");
        assert!(!said.contains("p@ss") && !said.contains(PASSWORD), "{said}");
    }
    let ca = on.url(
        "postgres",
        "127.0.0.1",
        &format!("sslmode=verify-ca&{ours}"),
    );
    open(&ca).await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_and_a_file_that_is_not_there_are_told() {
    let on = Encrypted::start();
    let right = on.url("postgres", "localhost", "sslmode=require");
    let wrong = open(&right.replace(PASSWORD, "wrong")).await.err();
    let said = wrong.unwrap().to_string();
    assert!(said.contains("password authentication failed"), "{said}");
    let how = format!("sslmode=verify-full&{}", on.root("missing.pem"));
    let said = open(&on.url("postgres", "localhost", &how)).await.err();
    let said = said.unwrap().to_string();
    assert!(said.contains("No such file"), "{said}");
}

#[tokio::test]
async fn a_socket_needs_no_host_and_no_encryption() {
    let on = Encrypted::start();
    let folder = on.server.folder().display().to_string();
    for url in [
        format!(
            "postgres://call%20er@/postgres?host={folder}&port={}",
            on.port
        ),
        format!(
            "postgresql://call%20er@{}:{}/postgres?sslmode=prefer",
            folder.replace('/', "%2F"),
            on.port
        ),
    ] {
        open(&url).await.unwrap();
        assert_eq!(encryption(&url).await, None, "{url}");
    }
}
