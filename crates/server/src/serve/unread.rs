//! What is left of a body when its request was answered already.
//!
//! Who is refused in the middle of sending learns why only when the rest is taken: closed at once, its connection is reset, and a
//! proxy makes a 502 of what was said.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::HeaderMap;
use axum::http::header::EXPECT;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// So much of a rest is taken, in bytes.
const BYTES_MOST: u64 = 64 << 20;
/// So long a rest is taken.
const TIME_MOST: Duration = Duration::from_secs(10);
/// So many rests are taken at once; of others nothing is.
const AT_ONCE: usize = 64;

/// Takes what is left of bodies, within bounds, and keeps nothing of it.
#[derive(Debug, Clone)]
pub(super) struct Taker(Arc<Semaphore>);

impl Default for Taker {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Taker {
    /// The same body; whatever is left of it when it is dropped is taken for a while.
    pub(super) fn over(&self, headers: &HeaderMap, body: Body) -> Body {
        if body.is_end_stream() {
            return body;
        }
        Body::new(Watched {
            body,
            // Its sender waits for a word before it sends any of it. The answer is that word.
            is_coming: !headers.contains_key(EXPECT),
            taker: self.clone(),
        })
    }

    fn take(&self, body: Body) {
        // Without a runtime the process ends.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let Ok(place) = self.0.clone().try_acquire_owned() else {
            tracing::debug!("too many bodies are left unread: one more is cut off");
            return;
        };
        runtime.spawn(async move {
            // However far it came: the answer was given.
            let _ = timeout(TIME_MOST, take(body)).await;
            drop(place);
        });
    }
}

/// Ends with the body, and where its length is known with its last byte: the end itself may be told with the next request only.
async fn take(mut body: Body) {
    let mut taken = 0;
    while taken < BYTES_MOST && !body.is_end_stream() {
        let Some(Ok(frame)) = body.frame().await else {
            return;
        };
        taken += frame.data_ref().map_or(0, |data| data.len() as u64);
    }
}

/// A body whose rest is taken when nobody reads on.
struct Watched {
    body: Body,
    /// Whether there is more to come.
    is_coming: bool,
    taker: Taker,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        self.is_coming = !matches!(frame, Poll::Ready(None | Some(Err(_))));
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.is_coming && !self.body.is_end_stream() {
            self.taker.take(std::mem::take(&mut self.body));
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use futures_util::stream;
    use tokio::sync::mpsc;

    use super::*;

    const MIB: usize = 1 << 20;

    /// A body of which `parts` MiB come, one by one, and a place where each is told when it is taken.
    fn body(parts: usize) -> (Body, mpsc::UnboundedReceiver<usize>) {
        let (tell, told) = mpsc::unbounded_channel();
        let parts = stream::iter(0..parts).map_told(tell);
        (Body::from_stream(parts), told)
    }

    trait Told {
        fn map_told(
            self,
            tell: mpsc::UnboundedSender<usize>,
        ) -> impl futures_util::Stream<Item = Result<Bytes, axum::Error>> + Send + 'static;
    }

    impl<S: futures_util::Stream<Item = usize> + Send + 'static> Told for S {
        fn map_told(
            self,
            tell: mpsc::UnboundedSender<usize>,
        ) -> impl futures_util::Stream<Item = Result<Bytes, axum::Error>> + Send + 'static {
            futures_util::StreamExt::map(self, move |part| {
                let _ = tell.send(part);
                Ok(Bytes::from_static(&[0; MIB]))
            })
        }
    }

    async fn count(mut told: mpsc::UnboundedReceiver<usize>) -> usize {
        let mut count = 0;
        while told.recv().await.is_some() {
            count += 1;
        }
        count
    }

    #[tokio::test]
    async fn what_nobody_reads_is_taken_to_its_end() {
        let (body, told) = body(5);
        drop(Taker::default().over(&HeaderMap::new(), body));
        assert_eq!(count(told).await, 5);
    }

    #[tokio::test]
    async fn what_somebody_began_to_read_is_taken_to_its_end() {
        let (body, told) = body(5);
        let mut body = Taker::default().over(&HeaderMap::new(), body);
        body.frame().await.expect("a part").expect("no error");
        drop(body);
        assert_eq!(count(told).await, 5);
    }

    #[tokio::test]
    async fn no_more_is_taken_than_the_bound() {
        let (body, told) = body(1_000);
        drop(Taker::default().over(&HeaderMap::new(), body));
        assert_eq!(count(told).await as u64 * MIB as u64, BYTES_MOST);
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_nothing_more_is_waited_for_so_long_and_gives_its_place_back() {
        let taker = Taker::default();
        for _ in 0..=AT_ONCE {
            let silent = stream::pending::<Result<Bytes, axum::Error>>();
            drop(taker.over(&HeaderMap::new(), Body::from_stream(silent)));
        }
        assert_eq!(taker.0.available_permits(), 0, "one too many has no place");
        let (late, told) = body(1);
        drop(taker.over(&HeaderMap::new(), late));
        assert_eq!(count(told).await, 0, "nor has this one");
        let began = tokio::time::Instant::now();
        let all = taker.0.acquire_many(AT_ONCE as u32).await;
        drop(all.expect("the places are given back"));
        assert_eq!(began.elapsed().as_secs(), TIME_MOST.as_secs());
    }

    #[tokio::test]
    async fn who_waits_for_a_word_before_sending_is_not_asked_for_the_rest() {
        let mut headers = HeaderMap::new();
        headers.insert(EXPECT, HeaderValue::from_static("100-continue"));
        let (body, told) = body(1);
        drop(Taker::default().over(&headers, body));
        assert_eq!(count(told).await, 0);
    }
}
