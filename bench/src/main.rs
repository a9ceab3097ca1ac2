//! Benchmarks that print ratios of one run: machines are noisy, and absolute times lie.

mod numbers;
mod pick;
mod stopwatch;

/// As the service itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    pick::run();
}
