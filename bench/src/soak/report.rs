//! What is printed in the end.

use super::judge::Evidence;
use super::seen::{NAMES, Summary};

/// So many sentences are printed of what did not hold.
const SENTENCES_MOST: usize = 40;

/// Prints all that was seen, and the verdict.
pub(super) fn print(evidence: &Evidence, untried: &[&str], found: &[String]) {
    println!(
        "what was broken            times   numbers   refused  503  none   p50 ms   p99 ms  longest without an answer"
    );
    for (name, sum) in &evidence.summaries {
        print_summary(name, sum);
    }
    for phase in &evidence.phases {
        if phase.again.is_some_and(|again| again > 5.0) {
            let (name, again) = (phase.name, phase.again.unwrap_or_default());
            println!(
                "after `{name}` at {:.0} s: {again:.1} s until all was well",
                phase.from
            );
        }
    }
    println!("\nat rest               warm: MB  handles   end: MB  handles   numbers between");
    for service in &evidence.services {
        let (warm, end) = (service.warm, service.end);
        println!(
            "{:<20} {:>9.1} {:>8} {:>9.1} {:>8} {:>17}",
            service.name, warm.mb, warm.handles, end.mb, end.handles, service.calls
        );
    }
    println!();
    for (what, times) in &evidence.happened {
        println!("{times:>12}  {what}");
    }
    for what in untried {
        println!("NOT TRIED: {what}");
    }
    println!();
    match found {
        [] => println!("All of it held."),
        found => {
            println!("{} things did not hold:", found.len());
            for sentence in found.iter().take(SENTENCES_MOST) {
                println!("- {sentence}");
            }
        }
    }
}

fn print_summary(name: &str, sum: &Summary) {
    let refused: usize = sum.refused.values().sum();
    println!(
        "{name:<26} {:>5} {:>9} {refused:>9} {:>4} {:>5} {:>8.2} {:>8.2}  {:.2} s ({})",
        sum.times,
        sum.numbers,
        sum.unavailable,
        sum.no_answer,
        sum.p50_ms,
        sum.p99_ms,
        sum.gap.0,
        NAMES[sum.gap.1]
    );
    let causes = sum
        .refused
        .iter()
        .map(|(cause, times)| format!("{cause} {times}"));
    let causes: Vec<_> = causes.collect();
    if !causes.is_empty() {
        println!("{:>26} {}", "", causes.join(", "));
    }
}
