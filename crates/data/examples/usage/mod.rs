//! What a measuring program has used so far.

/// Seconds of CPU and the most bytes of memory that this process has used so far, where the
/// system tells (Linux), and zeros elsewhere.
pub fn used() -> (f64, u64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name before the bracket may hold blanks; user and system time are the 12th and 13th after.
    let fields: Vec<u64> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .map(|field| field.parse().unwrap_or(0))
        .collect();
    let ticks = fields.get(11).unwrap_or(&0) + fields.get(12).unwrap_or(&0);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak_kb = peak.and_then(|text| text.split_whitespace().next()).and_then(|kb| kb.parse::<u64>().ok());
    (ticks as f64 / 100.0, peak_kb.unwrap_or(0) * 1024)
}
