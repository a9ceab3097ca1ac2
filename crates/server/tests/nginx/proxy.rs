//! A throw-away nginx.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;

/// The name of the site, on its certificate.
pub(crate) const HOST: &str = "cid.example.com";
/// What Plesk takes for names of files, and more: the list can be changed there.
const FILES: &str = "bz2|css|csv|doc|eot|gif|gz|htm|html|ico|jpeg|jpg|js|json|pdf|png|svg|tgz|ttf|txt|woff|woff2|xls|xlsx|zip";
/// So many times other ports are tried.
const TRIES: u32 = 5;

/// The directives of the project.
pub(crate) fn directives() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(root.join("deploy/nginx/caller-id.conf")).expect("the directives")
}

/// A running nginx; ended when dropped.
pub(crate) struct Nginx {
    process: Child,
    folder: TempDir,
    /// Where it speaks TLS.
    pub(crate) https: SocketAddr,
    /// Where it does not.
    pub(crate) http: SocketAddr,
    /// Whom a client trusts.
    pub(crate) trust: Arc<ClientConfig>,
}

impl Nginx {
    /// Starts one in front of the service on `port`, with `directives` in its server block.
    pub(crate) fn start(port: u16, directives: &str) -> Self {
        let upstream = "http://127.0.0.1:8000;";
        assert!(directives.contains(upstream), "the default of API_PORT");
        let directives = directives.replace(upstream, &format!("http://127.0.0.1:{port};"));
        for _ in 0..TRIES {
            if let Some(nginx) = Self::try_start(&directives) {
                return nginx;
            }
        }
        panic!("nginx does not start, its words are above");
    }

    fn try_start(directives: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed([HOST.to_owned()]).unwrap();
        fs::write(folder.path().join("cert.pem"), cert.pem()).unwrap();
        fs::write(folder.path().join("key.pem"), signing_key.serialize_pem()).unwrap();
        fs::create_dir(folder.path().join("acme-challenge")).unwrap();
        fs::write(folder.path().join("acme-challenge/token"), "proof\n").unwrap();
        let (https, http) = (free(), free());
        let text = configuration(folder.path(), (https, http), directives);
        fs::write(folder.path().join("nginx.conf"), text).unwrap();
        let process = Command::new(program())
            .args(["-p", folder.path().to_str().unwrap(), "-c", "nginx.conf"])
            .args(["-e", "stderr"])
            .stdin(Stdio::null())
            .spawn()
            .expect("nginx is missing, `make deps` installs it");
        let trust = trust(cert.der().clone());
        let mut nginx = Self {
            process,
            folder,
            https,
            http,
            trust,
        };
        nginx.listens().then_some(nginx)
    }

    fn listens(&mut self) -> bool {
        for _ in 0..300 {
            if [self.http, self.https]
                .iter()
                .all(|place| TcpStream::connect(place).is_ok())
            {
                return true;
            }
            if self.process.try_wait().unwrap().is_some() {
                return false;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("nginx does not listen within 15 s: {:?}", self.folder)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Told, not killed: its workers would go on. It may have ended by itself.
        if let Ok(None) = self.process.try_wait() {
            let pid = rustix::process::Pid::from_child(&self.process);
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.process.wait();
    }
}

/// Debian has it where not everybody looks.
fn program() -> &'static str {
    let there = "/usr/sbin/nginx";
    match Path::new(there).exists() {
        true => there,
        false => "nginx",
    }
}

fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

fn trust(certificate: CertificateDer<'static>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

/// A site as Plesk writes it, with what is met twice where the directives are not careful: a limit of its own, its own
/// `location /`, the place where Let's Encrypt looks, and "Serve static files directly by nginx". The limit is nginx's own, the smallest there is.
fn configuration(folder: &Path, (https, http): (SocketAddr, SocketAddr), ours: &str) -> String {
    let folder = folder.display();
    let user = match rustix::process::geteuid().is_root() {
        true => "user root;",
        false => "",
    };
    format!(
        "{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {http};
        listen {https} ssl;
        server_name {HOST};
        ssl_certificate {folder}/cert.pem;
        ssl_certificate_key {folder}/key.pem;
        client_max_body_size 1m;
        proxy_read_timeout 60;
        location ^~ /.well-known/acme-challenge/ {{ alias {folder}/acme-challenge/; }}
        location / {{ return 418; }}
        location @fallback {{ return 418; }}
        location ~ ^/(.*\\.({FILES}))$ {{ try_files $uri @fallback; }}
{ours}
    }}
}}
"
    )
}
