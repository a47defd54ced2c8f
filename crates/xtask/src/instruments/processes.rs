//! Memory and processor time of processes, as Linux tells them in `/proc`. Elsewhere there is nothing
//! to read, and the figures are left out.

use std::collections::BTreeSet;

/// Clock ticks in a second, which Linux promises to programs whatever it uses itself.
const TICKS: f64 = 100.0;

/// The process and all that came from it and still belong to it.
pub fn family(pid: u32) -> BTreeSet<u32> {
    let mut family = BTreeSet::from([pid]);
    let mut to_ask = vec![pid];
    while let Some(pid) = to_ask.pop() {
        to_ask.extend(children(pid).into_iter().filter(|child| family.insert(*child)));
    }
    family
}

/// What these processes hold now, in MB. A page that two of them share counts twice.
pub fn resident_mb(processes: &BTreeSet<u32>) -> Option<f64> {
    sum(processes.iter().filter_map(|pid| field_mb(&read(*pid, "status"), "VmRSS:")))
}

/// The same with every shared page divided among those that share it, whoever they are.
pub fn proportional_mb(processes: &BTreeSet<u32>) -> Option<f64> {
    sum(processes.iter().filter_map(|pid| field_mb(&read(*pid, "smaps_rollup"), "Pss:")))
}

/// The most that a process has held since it started, in MB.
pub fn highest_mb(pid: u32) -> Option<f64> {
    field_mb(&read(pid, "status"), "VmHWM:")
}

/// Processor seconds of every process that we started and that has ended, with those it waited for.
pub fn ended_children_cpu_s() -> Option<f64> {
    cpu_of_children_s(&read(std::process::id(), "stat"))
}

/// Whether a process is there, if only to be waited for.
pub fn is_there(pid: u32) -> bool {
    !read(pid, "stat").is_empty()
}

fn children(pid: u32) -> Vec<u32> {
    // Each thread has its own children. A process that has ended meanwhile has none.
    let threads = std::fs::read_dir(format!("/proc/{pid}/task"));
    let lists = threads.into_iter().flatten().flatten().map(|thread| thread.path().join("children"));
    let lists = lists.map(|list| std::fs::read_to_string(list).unwrap_or_default());
    lists.flat_map(|list| list.split_whitespace().flat_map(str::parse).collect::<Vec<u32>>()).collect()
}

/// A file about a process; of one that has ended, nothing.
fn read(pid: u32, name: &str) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default()
}

fn sum(mut values: impl Iterator<Item = f64>) -> Option<f64> {
    let first = values.next()?;
    Some(values.fold(first, |sum, value| sum + value))
}

/// The field of this name, which is told in units of 1,024 bytes.
fn field_mb(status: &str, name: &str) -> Option<f64> {
    let value = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: f64 = value.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1_024.0 / 1e6)
}

fn cpu_of_children_s(stat: &str) -> Option<f64> {
    // The name of the program is in parentheses and may hold spaces.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(13)? + ticks(14)?) / TICKS)
}

#[cfg(test)]
mod tests {
    #[cfg(target_os = "linux")]
    use std::io::{Read as _, Write as _};

    use super::*;

    #[test]
    fn memory_is_read_in_the_units_of_the_file() {
        let status = "Name:\tfettle\nVmHWM:\t   20000 kB\nVmRSS:\t    1000 kB\n";
        assert_eq!(field_mb(status, "VmHWM:"), Some(20.48));
        assert_eq!(field_mb(status, "VmRSS:"), Some(1.024));
        assert_eq!(field_mb("", "VmRSS:"), None, "a process that has ended");
    }

    #[test]
    fn the_time_of_children_is_found_behind_a_name_with_a_parenthesis() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 1 2 3 4 100 50 250 75 20 0 1 0 5";
        assert_eq!(cpu_of_children_s(stat), Some(3.25));
        assert_eq!(cpu_of_children_s(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_child_belongs_to_the_family_until_it_was_waited_for() {
        let own = std::process::id();
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("there is `cat`");
        // What it gives back shows that it is more than a process that is about to begin.
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(b".").expect("it reads");
        child.stdout.as_mut().expect("it is piped").read_exact(&mut [0]).expect("it writes");
        assert!(family(own).is_superset(&BTreeSet::from([own, child.id()])));
        assert!(resident_mb(&family(own)) > resident_mb(&BTreeSet::from([own])));
        drop(stdin);
        child.wait().expect("it ends");
        assert!(!family(own).contains(&child.id()) && !is_there(child.id()));
    }
}
