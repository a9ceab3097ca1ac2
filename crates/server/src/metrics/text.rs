//! The exposition format.

use caller_id_core::meter::{BOUNDS_NS, Seen};
use prometheus::TextEncoder;
use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType,
};

use super::families::{Family, Kind};

const NS: f64 = 1e9;

/// Metrics, ready to be written.
#[derive(Default)]
pub(super) struct Text(Vec<(&'static str, MetricFamily)>);

impl Text {
    /// A value of a counter or gauge, with these values of its labels.
    pub(super) fn put(&mut self, family: &'static Family, labels: &[&str], value: f64) {
        let mut metric = Metric::default();
        match family.kind {
            Kind::Counter => {
                let mut counter = Counter::default();
                counter.set_value(value);
                metric.set_counter(counter);
            }
            Kind::Gauge | Kind::Histogram => {
                let mut gauge = Gauge::default();
                gauge.set_value(value);
                metric.set_gauge(gauge);
            }
        }
        self.add(family, labels, metric);
    }

    /// What a histogram has seen.
    pub(super) fn histogram(&mut self, family: &'static Family, labels: &[&str], seen: &Seen) {
        let mut below = 0;
        let bounds = BOUNDS_NS.into_iter().zip(seen.buckets);
        let buckets = bounds.map(|(bound, count)| {
            below += count;
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(bound as f64 / NS);
            bucket.set_cumulative_count(below);
            bucket
        });
        let mut histogram = Histogram::default();
        histogram.set_bucket(buckets.collect());
        histogram.set_sample_count(seen.count());
        histogram.set_sample_sum(seen.sum_ns as f64 / NS);
        let mut metric = Metric::default();
        metric.set_histogram(histogram);
        self.add(family, labels, metric);
    }

    fn add(&mut self, family: &'static Family, labels: &[&str], mut metric: Metric) {
        debug_assert_eq!(family.labels.len(), labels.len(), "{}", family.name);
        let pairs = family.labels.iter().zip(labels).map(|(name, value)| {
            let mut pair = LabelPair::default();
            pair.set_name((*name).to_owned());
            pair.set_value((*value).to_owned());
            pair
        });
        metric.set_label(pairs.collect());
        let known = self.0.iter_mut().find(|(name, _)| *name == family.name);
        if let Some((_, known)) = known {
            let mut metrics = known.take_metric();
            metrics.push(metric);
            known.set_metric(metrics);
            return;
        }
        let mut new = MetricFamily::default();
        new.set_name(family.name.to_owned());
        new.set_help(family.help.to_owned());
        new.set_field_type(match family.kind {
            Kind::Counter => MetricType::COUNTER,
            Kind::Gauge => MetricType::GAUGE,
            Kind::Histogram => MetricType::HISTOGRAM,
        });
        new.set_metric(vec![metric]);
        self.0.push((family.name, new));
    }

    /// All of it.
    pub(super) fn written(self) -> String {
        let families: Vec<_> = self.0.into_iter().map(|(_, family)| family).collect();
        let written = TextEncoder::new().encode_to_string(&families);
        written.expect("every family has a name and a metric")
    }
}
