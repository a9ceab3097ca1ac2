//! Which requests are traced.

use std::fmt;
use std::str::FromStr;

/// How it is decided, by the names that OpenTelemetry has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampler {
    /// All.
    AlwaysOn,
    /// None.
    AlwaysOff,
    /// A share of them.
    Ratio,
    /// Those whose trace is taken elsewhere; all that begin here.
    ParentOn,
    /// Those whose trace is taken elsewhere, and no other.
    ParentOff,
    /// Those whose trace is taken elsewhere; a share of those that begin here.
    ParentRatio,
}

impl Sampler {
    const ALL: [(Self, &'static str); 6] = [
        (Self::AlwaysOn, "always_on"),
        (Self::AlwaysOff, "always_off"),
        (Self::Ratio, "traceidratio"),
        (Self::ParentOn, "parentbased_always_on"),
        (Self::ParentOff, "parentbased_always_off"),
        (Self::ParentRatio, "parentbased_traceidratio"),
    ];
}

impl FromStr for Sampler {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|(_, name)| *name == text.trim());
        known.map(|(sampler, _)| sampler).ok_or(
            "expected always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off or parentbased_traceidratio",
        )
    }
}

impl fmt::Display for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.into_iter().find(|(sampler, _)| sampler == self);
        f.write_str(name.map_or("", |(_, name)| name))
    }
}

/// A sampler with its share.
#[derive(Debug, Clone, Copy)]
pub struct Sampling {
    sampler: Sampler,
    /// Of 2^32.
    share: u64,
}

impl Sampling {
    /// A sampler; `ratio` is from 0 to 1.
    pub fn new(sampler: Sampler, ratio: f64) -> Self {
        let share = (ratio.clamp(0.0, 1.0) * 2_f64.powi(32)) as u64;
        Self { sampler, share }
    }

    /// Whether a request is traced; `parent` says whether the trace is taken that it is part of, if it is part of one.
    pub fn takes(&self, parent: Option<bool>) -> bool {
        match (self.sampler, parent) {
            (Sampler::AlwaysOn, _) | (Sampler::ParentOn, None) => true,
            (Sampler::AlwaysOff, _) | (Sampler::ParentOff, None) => false,
            (Sampler::Ratio, _) | (Sampler::ParentRatio, None) => self.draws(),
            (Sampler::ParentOn | Sampler::ParentOff | Sampler::ParentRatio, Some(taken)) => taken,
        }
    }

    fn draws(&self) -> bool {
        u64::from(rand::random::<u32>()) < self.share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sampler_reads_back_what_it_prints() {
        for (sampler, _) in Sampler::ALL {
            assert_eq!(sampler.to_string().parse(), Ok(sampler));
        }
        assert!("jaeger_remote".parse::<Sampler>().is_err());
    }

    #[test]
    fn a_parent_decides_where_it_is_asked() {
        let takes = |sampler, ratio, parent| Sampling::new(sampler, ratio).takes(parent);
        assert!(takes(Sampler::ParentRatio, 0.0, Some(true)));
        assert!(!takes(Sampler::ParentRatio, 1.0, Some(false)));
        assert!(!takes(Sampler::Ratio, 0.0, Some(true)));
        assert!(takes(Sampler::Ratio, 1.0, Some(false)));
        assert!(takes(Sampler::ParentOn, 0.0, None));
        assert!(!takes(Sampler::ParentOff, 1.0, None));
        assert!(takes(Sampler::AlwaysOn, 0.0, Some(false)));
        assert!(!takes(Sampler::AlwaysOff, 1.0, Some(true)));
    }

    #[test]
    fn a_share_is_about_as_large_as_it_was_asked() {
        let sampling = Sampling::new(Sampler::Ratio, 0.25);
        let taken = (0..100_000).filter(|_| sampling.takes(None)).count();
        assert!((24_000..26_000).contains(&taken), "{taken}");
    }
}
