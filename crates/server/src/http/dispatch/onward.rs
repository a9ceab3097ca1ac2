//! Answers that are made while they are sent: files, and events as they happen.

use axum::Error;
use axum::body::{Body, Bytes, HttpBody};
use futures_util::stream;
use http_body_util::BodyExt;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// So many parts of an answer are ready before they are sent.
const AHEAD: usize = 1;

/// The same answer, made on the runtime `general` and only sent from where it is asked for: that is an event loop, on which no
/// call should wait until two thousand rows are written as CSV, or a page is rendered. An answer that is there already stays.
///
/// Nothing more is made once nobody takes it, at the latest with the next part.
pub(super) fn made_on(general: &Handle, mut body: Body) -> Body {
    if body.size_hint().exact().is_some() {
        return body;
    }
    let (give, take) = mpsc::channel::<Result<Bytes, Error>>(AHEAD);
    general.spawn(async move {
        loop {
            let part = tokio::select! {
                biased;
                () = give.closed() => return,
                part = body.frame() => part,
            };
            let part = match part {
                None => return,
                Some(Ok(part)) => match part.into_data() {
                    Ok(data) => Ok(data),
                    // Nothing of ours has trailers.
                    Err(_) => continue,
                },
                Some(Err(error)) => Err(error),
            };
            if give.send(part).await.is_err() {
                return;
            }
        }
    });
    Body::from_stream(stream::unfold(take, async |mut take| {
        let part = take.recv().await?;
        Some((part, take))
    }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use tokio::sync::Notify;

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("general")
            .build()
            .expect("a runtime")
    }

    #[test]
    fn what_is_made_while_it_is_sent_is_made_elsewhere() {
        let (general, calls) = (runtime(), tokio::runtime::Builder::new_current_thread());
        let names = stream::iter(0..3).map_names();
        let sent = { calls }.build().expect("a runtime").block_on(async {
            let body = made_on(general.handle(), Body::from_stream(names));
            body.collect().await.expect("a body").to_bytes()
        });
        assert_eq!(sent, "general,general,general,");
    }

    trait Names {
        fn map_names(self) -> impl futures_util::Stream<Item = Result<String, Error>>;
    }

    impl<S: futures_util::Stream> Names for S {
        fn map_names(self) -> impl futures_util::Stream<Item = Result<String, Error>> {
            futures_util::StreamExt::map(self, |_| {
                Ok(format!("{},", thread::current().name().unwrap_or_default()))
            })
        }
    }

    #[tokio::test]
    async fn nothing_is_made_for_nobody() {
        let gone = Arc::new(Notify::new());
        struct Told(Arc<Notify>);
        impl Drop for Told {
            fn drop(&mut self) {
                self.0.notify_one();
            }
        }
        let endless = stream::unfold(Told(gone.clone()), async |told| {
            std::future::pending::<()>().await;
            Some((Ok::<_, Error>(Bytes::new()), told))
        });
        drop(made_on(&Handle::current(), Body::from_stream(endless)));
        gone.notified().await;
    }

    #[tokio::test]
    async fn a_file_that_breaks_off_breaks_off_for_whoever_takes_it() {
        let broken = stream::iter([Ok("one"), Err(std::io::Error::other("two"))]);
        let mut body = made_on(&Handle::current(), Body::from_stream(broken));
        let first = body.frame().await.expect("a part").expect("no error");
        assert_eq!(first.into_data().expect("data"), "one");
        assert!(body.frame().await.expect("a part").is_err());
        assert!(body.frame().await.is_none());
    }
}
