//! Traces for OpenTelemetry.

use std::collections::HashMap;
use std::str::FromStr;

use axum::http::Uri;
use clap::Args;

use super::ConfigError;
use super::secret::Secret;
use crate::telemetry::traces::{Sampler, Sampling};

/// Which requests are traced, and who is told.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Traces")]
pub struct TraceConfig {
    /// The collector that traces are sent to (OpenTelemetry, OTLP over HTTP in protobuf), like `http://127.0.0.1:4318`; none =
    /// nothing is traced
    #[arg(long, value_name = "URL")]
    pub otel_exporter_otlp_endpoint: Option<Endpoint>,
    /// What is sent to the collector with each batch, like `authorization=Bearer abc`; with commas between them
    #[arg(long, value_name = "HEADERS")]
    pub otel_exporter_otlp_headers: Option<Secret>,
    /// What this service is called there
    #[arg(long, value_name = "NAME", default_value = "caller-id")]
    pub otel_service_name: String,
    /// Which requests are traced: always_on, always_off, traceidratio, or those with `parentbased_` before, which go by the
    /// request's `traceparent` where there is one. A request that is traced takes some microseconds more
    #[arg(long, value_name = "NAME", default_value = "parentbased_traceidratio")]
    pub otel_traces_sampler: Sampler,
    /// The share of requests that `traceidratio` takes, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value = "0.01", value_parser = share)]
    pub otel_traces_sampler_arg: f64,
}

impl TraceConfig {
    /// Checks what one setting alone cannot tell.
    ///
    /// # Errors
    /// [`ConfigError`] for headers that are none; never shows them.
    pub fn check(&self) -> Result<(), ConfigError> {
        let headers = self.otel_exporter_otlp_headers.as_ref();
        let is_wrong = headers.is_some_and(|headers| {
            let mut headers = headers.reveal().split(',');
            headers.any(|header| !header.trim().is_empty() && !header.contains('='))
        });
        if is_wrong {
            let expected = "expected `name=value`, with commas between them".to_owned();
            return Err(ConfigError::hidden("OTEL_EXPORTER_OTLP_HEADERS", expected));
        }
        Ok(())
    }

    /// What goes with each batch.
    pub fn headers(&self) -> HashMap<String, String> {
        let headers = self.otel_exporter_otlp_headers.as_ref();
        let headers = headers.map_or("", |headers| headers.reveal()).split(',');
        headers
            .filter_map(|header| {
                let (name, value) = header.split_once('=')?;
                let value = percent_encoding::percent_decode_str(value.trim());
                Some((
                    name.trim().to_owned(),
                    value.decode_utf8_lossy().into_owned(),
                ))
            })
            .collect()
    }

    /// Which requests are traced.
    pub fn sampling(&self) -> Sampling {
        Sampling::new(self.otel_traces_sampler, self.otel_traces_sampler_arg)
    }
}

/// Where a collector is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(String);

impl Endpoint {
    /// Where it takes what comes with this path.
    pub fn with_path(&self, path: &str) -> String {
        let (place, query) = match self.0.split_once('?') {
            Some((place, query)) => (place, format!("?{query}")),
            None => (&*self.0, String::new()),
        };
        format!("{}{path}{query}", place.trim_end_matches('/'))
    }
}

impl FromStr for Endpoint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str =
            "expected http:// or https:// with a host, like http://127.0.0.1:4318";
        let uri: Uri = text.trim().parse().map_err(|_| EXPECTED)?;
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        match is_http && has_host {
            true => Ok(Self(text.trim().to_owned())),
            false => Err(EXPECTED),
        }
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn share(text: &str) -> Result<f64, &'static str> {
    let share = text.trim().parse().ok();
    let share = share.filter(|share| (0.0..=1.0).contains(share));
    share.ok_or("expected a number from 0 to 1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_traces_is_added_before_what_else_a_url_has() {
        let at = |url: &str| {
            url.parse::<Endpoint>()
                .map(|url| url.with_path("/v1/traces"))
        };
        let plain = Ok("http://c:4318/v1/traces".to_owned());
        assert_eq!(at("http://c:4318"), plain);
        assert_eq!(at(" http://c:4318/ "), plain);
        let more = Ok("https://u:p@c/otlp/v1/traces?key=x".to_owned());
        assert_eq!(at("https://u:p@c/otlp/?key=x"), more);
        for wrong in ["c:4318", "grpc://c:4317", "http://", ""] {
            assert!(at(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_share_is_from_nothing_to_all() {
        assert_eq!(
            (share("0"), share(" 0.25 "), share("1")),
            (Ok(0.0), Ok(0.25), Ok(1.0))
        );
        assert!(share("1.5").is_err() && share("NaN").is_err() && share("").is_err());
    }
}
