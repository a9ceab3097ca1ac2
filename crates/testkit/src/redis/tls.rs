//! Certificates for servers on this machine, signed by an authority that exists for one test.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// Files in PEM form.
#[derive(Debug)]
pub(super) struct Certificates {
    /// The authority's certificate.
    pub(super) authority: PathBuf,
    /// The server's certificate, for `localhost` and 127.0.0.1.
    pub(super) certificate: PathBuf,
    /// The server's key.
    pub(super) key: PathBuf,
}

impl Certificates {
    /// Makes them in a folder.
    pub(super) fn make(folder: &Path) -> Self {
        let made = Self {
            authority: folder.join("ca.pem"),
            certificate: folder.join("server.pem"),
            key: folder.join("server.key"),
        };
        let authority_key = KeyPair::generate().expect("a key can be made");
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
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
}
