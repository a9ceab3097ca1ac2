//! How a service ends.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use caller_id_core::SystemClock;

use super::*;
use crate::cli::serve_settings;
use crate::serve::serve;

#[tokio::test]
async fn a_task_that_ends_by_itself_stops_the_service_with_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let settings = serve_settings(&[("DATA_DIR", path)]).unwrap();
    let mut app = App::open(&settings, Arc::new(SystemClock::new()))
        .await
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    app.tasks.spawn(async { "a task that ends" });
    let error = serve(listener, app, std::future::pending())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "a task that ends ended unexpectedly");
}

/// A request that is never whole, and a task that never ends: each alone would take all the time there is.
#[tokio::test]
async fn a_stop_takes_its_time_once_whatever_it_waits_for() {
    let folder = tempfile::tempdir().unwrap();
    let settings = serve_settings(&[
        ("DATA_DIR", folder.path().to_str().unwrap()),
        ("ADMIN_TOKEN", "a-token-for-tests-0123456789abcdef"),
        ("BODY_TIMEOUT_SECONDS", "600"),
    ]);
    let clock = Arc::new(SystemClock::new());
    let mut app = App::open(&settings.unwrap(), clock).await.unwrap();
    app.tasks.spawn(std::future::pending());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(serve(listener, app, async {
        let _ = stopped.await;
    }));
    let mut client = TcpStream::connect(address).await.unwrap();
    let head = "PUT /api/v1/pools/a HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\
         x-admin-token: a-token-for-tests-0123456789abcdef\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    let mut goes_on = [0; 12];
    client.read_exact(&mut goes_on).await.unwrap();
    assert_eq!(&goes_on, b"HTTP/1.1 100");
    tokio::time::pause();
    let started = Instant::now();
    stop.send(()).unwrap();
    let error = serving.await.unwrap().unwrap_err().to_string();
    assert!(error.contains("SHUTDOWN_TIMEOUT_SECONDS"), "{error}");
    // The clock stands still but for what is waited for.
    assert_eq!(started.elapsed().as_secs(), 10);
}
