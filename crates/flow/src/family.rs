//! A process and all that come from it. On Linux they are found in `/proc`, also those that left
//! their process group or session; elsewhere the process group (or job) has to do.

use std::sync::atomic::{AtomicBool, Ordering};

/// What a family of processes used so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// User and system time of those that live and of their children that ended, ms.
    pub cpu_ms: u64,
    /// Resident memory of all together, now, bytes. What they share counts for each.
    pub memory_bytes: u64,
}

/// True once this process takes care of all that comes from it.
static IS_HEAD: AtomicBool = AtomicBool::new(false);

/// True in a process that lives for one step only, so that all that comes from it belongs to it.
pub fn is_head() -> bool {
    IS_HEAD.load(Ordering::Relaxed)
}

/// Makes this process the head of all that comes from it.
pub fn be_head() {
    adopt_orphans();
    IS_HEAD.store(true, Ordering::Relaxed);
}

#[cfg(target_os = "linux")]
pub use linux::{adopt_orphans, end_descendants, end_marked, fair_memory, reap_orphans, stop, used};

#[cfg(not(target_os = "linux"))]
pub use elsewhere::{adopt_orphans, end_descendants, end_marked, fair_memory, reap_orphans, stop, used};

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeSet;
    use std::fs;
    use std::time::{Duration, Instant};

    use rustix::io::Errno;
    use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, wait};

    use super::Used;

    /// Killing takes this long at most; a process that hangs in the kernel cannot be waited for.
    const PATIENCE: Duration = Duration::from_secs(3);

    /// Between two looks at a family that seems to be gone; long enough for one that has lost its
    /// parent to be adopted.
    const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

    struct Process {
        id: i32,
        parent: i32,
        is_dead: bool,
        ticks: u64,
        pages: u64,
    }

    /// Makes this process the parent of descendants whose own parent ends, so that none gets lost.
    pub fn adopt_orphans() {
        // Kernels before 3.4 refuse, and then orphans are found by their mark.
        let _ = set_child_subreaper(Some(getpid()));
    }

    /// Takes note of orphans that have ended, so that what they used is counted, and says whether any
    /// process that comes from this one may still live. One that adopts orphans has no descendants
    /// without children.
    pub fn reap_orphans() -> bool {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some(_)) | Err(Errno::INTR) => (),
                Err(Errno::CHILD) => return false,
                Ok(None) | Err(_) => return true,
            }
        }
    }

    /// Stops a process where it is, without ending it.
    pub fn stop(id: u32) {
        signal(id as i32, Signal::STOP);
    }

    /// Kills all descendants of a process but not itself, and says how many there were. While the
    /// process adopts orphans and lives, none of them can get away.
    pub fn end_descendants(root: u32) -> usize {
        let started = Instant::now();
        let mut ended = BTreeSet::new();
        // A family that ended by itself needs one look; one that is being killed needs two, since a
        // process whose parent ends while `/proc` is read is seen as nobody's.
        let mut was_empty = true;
        while started.elapsed() < PATIENCE {
            let living: Vec<i32> =
                descendants(root as i32).iter().filter(|one| !one.is_dead).map(|one| one.id).collect();
            if living.is_empty() && was_empty {
                break;
            }
            was_empty = living.is_empty();
            // Stopped ones start no others while the rest is killed.
            living.iter().for_each(|id| signal(*id, Signal::STOP));
            living.iter().for_each(|id| signal(*id, Signal::KILL));
            ended.extend(living);
            std::thread::sleep(if was_empty { BETWEEN_LOOKS } else { Duration::from_millis(5) });
        }
        ended.len()
    }

    /// Kills every process of this user that has `name=value` in its environment, except this one.
    pub fn end_marked(name: &str, value: &str) -> usize {
        let mark = format!("{name}={value}").into_bytes();
        let is_marked = |id: i32| {
            fs::read(format!("/proc/{id}/environ"))
                .is_ok_and(|all| all.split(|byte| *byte == 0).any(|one| one == mark))
        };
        let started = Instant::now();
        let mut ended = BTreeSet::new();
        while started.elapsed() < PATIENCE {
            let found: Vec<i32> = processes()
                .iter()
                .filter(|one| !one.is_dead && one.id != own_id() && is_marked(one.id))
                .map(|one| one.id)
                .collect();
            if found.is_empty() {
                break;
            }
            found.iter().for_each(|id| signal(*id, Signal::KILL));
            ended.extend(found);
            std::thread::sleep(Duration::from_millis(5));
        }
        ended.len()
    }

    /// What a process and its descendants used so far.
    pub fn used(root: u32) -> Used {
        let all = descendants(root as i32);
        let own = process(root as i32);
        let (mut ticks, mut pages) = (0, 0);
        for one in all.iter().chain(&own) {
            ticks += one.ticks;
            pages += one.pages;
        }
        let (page_bytes, ticks_per_second) = (constant(libc::_SC_PAGESIZE), constant(libc::_SC_CLK_TCK));
        Used { cpu_ms: ticks * 1000 / ticks_per_second, memory_bytes: pages * page_bytes }
    }

    /// The memory of a process and its descendants, with what several of them share counted once
    /// (the proportional set size of proc(5)). Slower than [`used`]. Where the kernel does not say,
    /// what is resident counts.
    pub fn fair_memory(root: u32) -> u64 {
        let all = descendants(root as i32);
        let resident = constant(libc::_SC_PAGESIZE);
        let fair = |one: &Process| {
            let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", one.id)).ok()?;
            let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
            Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
        };
        let own = process(root as i32);
        all.iter().chain(&own).map(|one| fair(one).unwrap_or(one.pages * resident)).sum()
    }

    fn own_id() -> i32 {
        getpid().as_raw_nonzero().get()
    }

    fn signal(id: i32, signal: Signal) {
        if let Some(pid) = Pid::from_raw(id) {
            // One that has just ended is what is wanted.
            let _ = kill_process(pid, signal);
        }
    }

    fn descendants(root: i32) -> Vec<Process> {
        let mut family = BTreeSet::from([root]);
        let mut rest = processes();
        let mut found = Vec::new();
        loop {
            let (children, others): (Vec<_>, Vec<_>) =
                rest.into_iter().partition(|one| one.id != root && family.contains(&one.parent));
            if children.is_empty() {
                return found;
            }
            family.extend(children.iter().map(|one| one.id));
            found.extend(children);
            rest = others;
        }
    }

    fn processes() -> Vec<Process> {
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        ids.filter_map(process).collect()
    }

    /// Reads `/proc/<id>/stat` (proc(5)). The name in parentheses may hold anything, so fields are
    /// counted from its end.
    fn process(id: i32) -> Option<Process> {
        let stat = fs::read(format!("/proc/{id}/stat")).ok()?;
        let stat = String::from_utf8_lossy(&stat);
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |at: usize| fields.get(at).and_then(|text| text.parse::<i64>().ok());
        let times = [11, 12, 13, 14].map(|at| number(at).unwrap_or(0).max(0) as u64);
        Some(Process {
            id,
            parent: i32::try_from(number(1)?).ok()?,
            is_dead: matches!(fields.first(), Some(&("Z" | "X"))),
            ticks: times.iter().sum(),
            pages: number(21).unwrap_or(0).max(0) as u64,
        })
    }

    #[expect(unsafe_code, reason = "the standard library does not wrap sysconf")]
    fn constant(name: libc::c_int) -> u64 {
        // SAFETY: sysconf takes a number and reads constants of the system.
        let value = unsafe { libc::sysconf(name) };
        u64::try_from(value).unwrap_or(1).max(1)
    }

    #[cfg(test)]
    mod tests {
        use std::process::{Command, Stdio};

        use super::*;

        #[test]
        fn a_family_is_found_measured_and_ended_without_its_head() {
            let mut head = Command::new("sh")
                .args(["-c", "sleep 600 & sleep 600 & read line"])
                .stdin(Stdio::piped())
                .spawn()
                .expect("sh starts");
            while descendants(head.id() as i32).len() < 2 {
                std::thread::yield_now();
            }
            assert!(used(head.id()).memory_bytes > 100_000);
            assert_eq!(end_descendants(head.id()), 2);
            assert!(head.try_wait().expect("can be asked").is_none(), "the head lives");
            head.kill().expect("can be killed");
            head.wait().expect("ends");
        }

        #[test]
        fn a_marked_process_is_found_though_it_left_its_group_and_its_parent() {
            let mark = format!("mark-{}", own_id());
            let mut head = Command::new("sh")
                .args(["-c", "setsid sleep 600 & exit"])
                .env("FETTLE_TEST_MARK", &mark)
                .spawn()
                .expect("sh starts");
            head.wait().expect("ends");
            let mut ended = 0;
            while ended == 0 {
                ended = end_marked("FETTLE_TEST_MARK", &mark);
            }
            assert_eq!(end_marked("FETTLE_TEST_MARK", &mark), 0);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use super::Used;

    /// No such thing here: the group or job holds descendants together.
    pub fn adopt_orphans() {}

    /// Nothing is adopted here.
    pub fn reap_orphans() -> bool {
        false
    }

    /// Not needed where a whole group is ended at once.
    pub fn stop(_id: u32) {}

    /// Left to the group or job.
    pub fn end_descendants(_root: u32) -> usize {
        0
    }

    /// Left to the group or job.
    pub fn end_marked(_name: &str, _value: &str) -> usize {
        0
    }

    /// Not known here.
    pub fn fair_memory(_root: u32) -> u64 {
        0
    }

    /// Not known here before a process has ended.
    pub fn used(_root: u32) -> Used {
        Used::default()
    }
}
