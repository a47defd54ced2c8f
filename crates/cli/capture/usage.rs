//! What a command uses while it runs: processor and memory of all its processes, and graphics cards
//! where `nvidia-smi` tells. Named as MLflow names the metrics of a system.

use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use flow::family::{self, Used};

use super::client::Client;
use super::now_ms;

const CPU: &str = "system/cpu_utilization_percentage";
const MEMORY: &str = "system/system_memory_usage_megabytes";
/// A second apart at first, so that short commands have a curve; ten as MLflow's own later.
const OFTEN: Duration = Duration::from_secs(1);
const SELDOM: Duration = Duration::from_secs(10);
/// After so many looks it is seldom.
const OFTEN_TIMES: u32 = 120;
/// Longer than that nobody waits for `nvidia-smi`.
const PATIENCE: Duration = Duration::from_secs(2);

/// Logs what a process and all that come from it use, until `ended` is dropped.
pub fn watch(client: &Client, run: &str, process: u32, ended: &Receiver<()>) {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (mut before, mut has_cards) = (None::<(Instant, Used)>, true);
    for look in 0_u32.. {
        let (at, now) = (Instant::now(), family::used(process));
        let mut found = Vec::new();
        // Where the system does not tell, or the command is over, there is nothing to log.
        if now.memory_bytes > 0 {
            found.push((MEMORY.to_owned(), now.memory_bytes as f64 / 1e6));
            let share = before.and_then(|(then, was)| busy_pct(was, now, at - then, processors));
            found.extend(share.map(|share| (CPU.to_owned(), share)));
            before = Some((at, now));
        }
        if has_cards {
            let cards = cards();
            has_cards = cards.is_some();
            found.extend(cards.unwrap_or_default());
        }
        if !found.is_empty() {
            let metrics: Vec<_> = found.iter().map(|(key, value)| (key.as_str(), *value)).collect();
            // The command goes on if the server does not answer for a while; this look is lost.
            let _ = client.measure(run, &metrics, i64::from(look), now_ms());
        }
        let wait = if look < OFTEN_TIMES { OFTEN } else { SELDOM };
        if !matches!(ended.recv_timeout(wait), Err(RecvTimeoutError::Timeout)) {
            return;
        }
    }
}

/// The share of all processors that was used between two looks; `None` if no time went by.
fn busy_pct(before: Used, now: Used, between: Duration, processors: usize) -> Option<f64> {
    let offered_ms = between.as_secs_f64() * 1000.0 * processors as f64;
    // A process that ended in between takes what it used with it, if nobody waited for it.
    let used_ms = now.cpu_ms.saturating_sub(before.cpu_ms) as f64;
    (offered_ms > 0.0).then(|| (100.0 * used_ms / offered_ms).min(100.0))
}

/// What the graphics cards do; `None` where there is no `nvidia-smi` or no card.
fn cards() -> Option<Vec<(String, f64)>> {
    let mut command = Command::new("nvidia-smi");
    command.args(["--query-gpu=index,utilization.gpu,memory.used", "--format=csv,noheader,nounits"]);
    let mut asked = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let started = Instant::now();
    while asked.try_wait().ok()?.is_none() {
        if started.elapsed() > PATIENCE {
            // A driver that hangs keeps it for good; it is not asked again.
            let _ = asked.kill();
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = asked.wait_with_output().ok()?;
    output.status.success().then(|| cards_in(&String::from_utf8_lossy(&output.stdout)))
}

/// Lines such as `0, 37, 1024`: a card, its use in per cent, its memory in MiB.
fn cards_in(text: &str) -> Vec<(String, f64)> {
    let mut found = Vec::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        let [card, busy, memory] = fields[..] else { continue };
        let Ok(card) = card.parse::<u32>() else { continue };
        // What a card does not tell is `[N/A]`.
        let number = |text: &str| text.parse::<f64>().ok();
        found.extend(number(busy).map(|busy| (format!("system/gpu_{card}_utilization_percentage"), busy)));
        let megabytes = number(memory).map(|mebibytes| mebibytes * 1.048_576);
        found.extend(megabytes.map(|size| (format!("system/gpu_{card}_memory_usage_megabytes"), size)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn use_is_a_share_of_all_processors_and_of_the_time_between() {
        let used = |cpu_ms| Used { cpu_ms, memory_bytes: 1 };
        let second = Duration::from_secs(1);
        assert_eq!(busy_pct(used(500), used(1500), second, 4), Some(25.0));
        assert_eq!(busy_pct(used(500), used(100), second, 4), Some(0.0), "a part of it ended");
        assert_eq!(busy_pct(used(0), used(9000), second, 2), Some(100.0));
        assert_eq!(busy_pct(used(0), used(1), Duration::ZERO, 2), None);
    }

    #[test]
    fn a_card_that_does_not_tell_is_left_out() {
        let found = cards_in("0, 37, 1000\n1, [N/A], 2000\nno card\n");
        let expected = [
            ("system/gpu_0_utilization_percentage", 37.0),
            ("system/gpu_0_memory_usage_megabytes", 1048.576),
            ("system/gpu_1_memory_usage_megabytes", 2097.152),
        ];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value)));
    }
}
