//! Traces for OpenTelemetry, where a collector is named. Few requests are traced: which ones is decided before anything is
//! made of them, so that the others cost nothing, and all of them where no collector is named.

mod collector;
mod parent;
mod sampling;

use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Context as _;
use axum::http::HeaderMap;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler as SdkSampler, SdkTracer, SdkTracerProvider,
};
use tracing::{Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use self::collector::Collector;
use self::parent::parent;
use crate::config::traces::TraceConfig;

pub use self::sampling::{Sampler, Sampling};

/// What is traced has this target, and nothing else has it.
pub const TARGET: &str = "caller_id::trace";
/// So many spans may wait for the collector; more are dropped.
const SPANS_MOST: usize = 2_048;
/// So many are sent at once.
const SPANS_AT_ONCE: usize = 512;
/// They are sent so often at least.
const SEND_EVERY: Duration = Duration::from_secs(2);
/// The collector may take so long for each batch.
const PATIENCE: Duration = Duration::from_secs(5);
/// The end of the process waits so long for the last spans.
const END_WITHIN: Duration = Duration::from_secs(2);
/// Where the collector takes traces.
const PATH: &str = "/v1/traces";

/// Which requests are traced, once a collector is named. There is one log in a process, and one of these.
static SAMPLING: OnceLock<Sampling> = OnceLock::new();

/// Sends what is traced; ends when it is dropped, after the last spans.
#[derive(Debug)]
pub struct Tracing(SdkTracerProvider);

impl Tracing {
    /// Begins to trace, where a collector is named.
    ///
    /// # Errors
    /// The address of the collector, or one of its headers, cannot be used.
    pub fn start(config: &TraceConfig, node: &str) -> anyhow::Result<Option<Self>> {
        let Some(endpoint) = &config.otel_exporter_otlp_endpoint else {
            return Ok(None);
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(endpoint.with_path(PATH))
            .with_timeout(PATIENCE)
            .with_headers(config.headers())
            .with_http_client(Collector::new(PATIENCE))
            .build()
            .context("OTEL_EXPORTER_OTLP_ENDPOINT cannot be used")?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(SPANS_MOST)
            .with_max_export_batch_size(SPANS_AT_ONCE)
            .with_scheduled_delay(SEND_EVERY)
            .build();
        let processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(batches)
            .build();
        let resource = Resource::builder()
            .with_service_name(config.otel_service_name.clone())
            .with_attributes([
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
                KeyValue::new("service.instance.id", node.to_owned()),
            ])
            .build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .with_resource(resource)
            // Whatever comes here was chosen already.
            .with_sampler(SdkSampler::AlwaysOn)
            .build();
        // There may be one already, in tests.
        let _ = SAMPLING.set(config.sampling());
        Ok(Some(Self(provider)))
    }

    /// Takes the spans.
    pub fn tracer(&self) -> SdkTracer {
        self.0.tracer("caller-id")
    }
}

impl Drop for Tracing {
    fn drop(&mut self) {
        // That the collector is away was told.
        let _ = self.0.shutdown_with_timeout(END_WITHIN);
    }
}

/// A span for a request that came with these headers; one that is nothing where it is not traced.
pub fn of_request(headers: &HeaderMap, name: &'static str) -> Span {
    let Some(sampling) = SAMPLING.get() else {
        return Span::none();
    };
    let parent = parent(headers);
    let flag = parent.as_ref().map(|parent| parent.is_sampled());
    if !sampling.takes(flag) {
        return Span::none();
    }
    let span = tracing::info_span!(
        target: TARGET,
        "request",
        otel.name = name,
        otel.kind = "server",
        otel.status_code = field::Empty,
        http.request.method = field::Empty,
        http.route = field::Empty,
        http.response.status_code = field::Empty,
        caller_id.outcome = field::Empty,
        request_id = field::Empty,
    );
    if let Some(parent) = parent {
        // Without the layer nothing is traced.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
    span
}

/// Names a span anew, where it is traced: the route is known when the answer is.
pub fn name(span: &Span, name: impl FnOnce() -> String) {
    if is_traced(span) {
        span.context().span().update_name(name());
    }
}

fn is_traced(span: &Span) -> bool {
    span.metadata().map(tracing::Metadata::target) == Some(TARGET)
}

/// A span within the one that is traced now; one that is nothing where none is.
pub fn within(name: &'static str) -> Span {
    if SAMPLING.get().is_none() {
        return Span::none();
    }
    match is_traced(&Span::current()) {
        true => tracing::info_span!(target: TARGET, "part", otel.name = name),
        false => Span::none(),
    }
}
