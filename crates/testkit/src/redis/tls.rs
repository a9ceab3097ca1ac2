//! Certificates for servers on this machine, signed by an authority that exists for one test.

use std::fs;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

/// Files in PEM form, in a folder that goes with them.
#[derive(Debug)]
pub(super) struct Certificates {
    _folder: TempDir,
    /// The authority's certificate.
    pub(super) authority: PathBuf,
    /// The server's certificate, for `localhost` and 127.0.0.1.
    certificate: PathBuf,
    /// The server's key.
    key: PathBuf,
}

impl Certificates {
    /// Makes them.
    pub(super) fn make() -> Self {
        let folder = tempfile::tempdir().expect("a folder for certificates");
        let made = Self {
            authority: folder.path().join("ca.pem"),
            certificate: folder.path().join("server.pem"),
            key: folder.path().join("server.key"),
            _folder: folder,
        };
        let authority_key = KeyPair::generate().expect("a key can be made");
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Not the name of what it signs: that would look as if it had signed itself.
        let name = &mut authority.distinguished_name;
        name.push(DnType::CommonName, "an authority for one test");
        let signed = authority
            .self_signed(&authority_key)
            .expect("an authority signs itself");
        let issuer = Issuer::new(authority, authority_key);
        let names = ["localhost", "127.0.0.1"].map(str::to_owned);
        let server = CertificateParams::new(names).expect("the names are names");
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = server
            .signed_by(&key, &issuer)
            .expect("the authority signs the server's certificate");
        for (path, text) in [
            (&made.authority, signed.pem()),
            (&made.certificate, certificate.pem()),
            (&made.key, key.serialize_pem()),
        ] {
            fs::write(path, text).expect("the folder can be written");
        }
        made
    }

    /// The settings of a server that speaks TLS at a port, and to its master and replicas, names and values.
    pub(super) fn settings(&self, port: u16) -> Vec<[String; 2]> {
        let file = |path: &PathBuf| path.display().to_string();
        vec![
            ["tls-port".to_owned(), port.to_string()],
            ["tls-replication".to_owned(), "yes".to_owned()],
            ["tls-auth-clients".to_owned(), "no".to_owned()],
            ["tls-cert-file".to_owned(), file(&self.certificate)],
            ["tls-key-file".to_owned(), file(&self.key)],
            ["tls-ca-cert-file".to_owned(), file(&self.authority)],
        ]
    }
}
