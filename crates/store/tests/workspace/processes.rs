//! Several processes at one workspace, processes that are killed, and processes that may not write.
//!
//! A child is this test program again, told to run the one test [`child`] with a job in its
//! environment; run as a test like the others, that one has no job and does nothing else.

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use base::{Clock, Code, Progress};
use serde_json::json;
use store::runs::RunState;
use store::steps::StepState;
use store::{Access, Depth, Store, datasets, jobs, owner_of, projects, runs, steps};

use crate::world::{World, action, clock, new_run, new_version, project, reopen};

const JOB: &str = "FETTLE_STORE_TEST_JOB";
const DIR: &str = "FETTLE_STORE_TEST_DIR";

/// A child at work, killed with this.
struct Working {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Working {
    fn start(job: &str, dir: &Path) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "processes::child", "--nocapture", "--test-threads=1"]);
        Self::spawn(command, job, dir)
    }

    /// The same, in a process whose files may not grow beyond so many blocks of 512 bytes.
    fn start_with_small_files(job: &str, dir: &Path, blocks: u32) -> Self {
        let exe = env::current_exe().unwrap();
        let script = format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec '{}' --exact processes::child --nocapture --test-threads=1",
            exe.display()
        );
        let mut command = Command::new("sh");
        command.args(["-c", &script]);
        Self::spawn(command, job, dir)
    }

    fn spawn(mut command: Command, job: &str, dir: &Path) -> Self {
        command.env(JOB, job).env(DIR, dir).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        Self { child, said }
    }

    /// What the child says next; empty once it has gone.
    fn next(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            if self.said.read_line(&mut line).unwrap() == 0 {
                return String::new();
            }
            // The test runner talks as well.
            if let Some(said) = line.split("said: ").nth(1) {
                return said.trim().to_owned();
            }
        }
    }

    fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let rest: Vec<String> = self.said.lines().map(Result::unwrap).collect();
        rest.iter().filter_map(|line| line.split("said: ").nth(1)).map(str::to_owned).collect()
    }

    fn wait(mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

fn say(what: &str) {
    println!("said: {what}");
    std::io::stdout().flush().unwrap();
}

fn wait_for_the_end() {
    std::io::stdin().lines().for_each(drop);
}

#[test]
fn child() {
    let (Ok(job), Ok(dir)) = (env::var(JOB), env::var(DIR)) else { return };
    let dir = Path::new(&dir);
    match job.as_str() {
        "own" => {
            let (store, _) = Store::open(dir, Access::Owner, Clock::system()).unwrap();
            store.announce_url("http://127.0.0.1:4711").unwrap();
            let project_id = project(&store);
            store
                .write(action(), |w| {
                    let run = runs::create(w, new_run(&project_id))?;
                    runs::start(w, &run.id)?;
                    let step = steps::StepRun::pending(&run.id, "train", 0, "train_forest");
                    steps::save(w, &steps::StepRun { state: StepState::Running, ..step })?;
                    let job = jobs::create(w, "pipeline.run", "Run", &json!({}))?;
                    jobs::start(w, &job.id)
                })
                .unwrap();
            say("owner");
            wait_for_the_end();
        }
        "write" => {
            let (store, _) = Store::open(dir, Access::Guest, Clock::system()).unwrap();
            let project_id = store.read(projects::list).unwrap().remove(0).id;
            say("ready");
            for round in 0.. {
                let content = format!("{}:{round}\n", std::process::id()).repeat(3_000);
                let digest = store.objects().put_bytes(content.as_bytes()).unwrap();
                let name = format!("d{}-{round}", std::process::id());
                store
                    .write(action(), |w| {
                        let dataset = datasets::create(w, &project_id, &name)?;
                        datasets::add_version(w, &dataset.id, new_version(digest))
                    })
                    .unwrap();
                say(&format!("{name} {digest}"));
            }
        }
        "count" => {
            let (store, _) = Store::open(dir, Access::Guest, Clock::system()).unwrap();
            let project_id = store.read(projects::list).unwrap().remove(0).id;
            for _ in 0..25 {
                store.write(action(), |w| runs::create(w, new_run(&project_id))).unwrap();
            }
            say("done");
        }
        "fill" => {
            let (store, _) = Store::open(dir, Access::Guest, Clock::system()).unwrap();
            let mut noise = vec![0; 2_000_000];
            blake3::Hasher::new().finalize_xof().fill(&mut noise);
            let error = store.objects().put_bytes(&noise).unwrap_err();
            say(&format!("{:?}", error.code));
            let error = loop {
                let text = json!("x".repeat(10_000));
                if let Err(error) = store.write(action(), |w| store::settings::set(w, "big", &text)) {
                    break error;
                }
            };
            say(&format!("{:?}", error.code));
        }
        other => panic!("no job is called `{other}`"),
    }
}

#[test]
fn the_second_owner_is_told_who_the_first_is_and_a_guest_may_look() {
    let world = World::new();
    let path = world.path();
    let dir = world.close();
    assert_eq!(owner_of(&path).unwrap(), None);
    let mut owner = Working::start("own", &path);
    assert_eq!(owner.next(), "owner");

    let error = Store::open(&path, Access::Owner, clock()).unwrap_err();
    assert_eq!(error.code, Code::Locked);
    assert!(error.message.contains(&format!("process {}", owner.child.id())), "{error}");
    assert_eq!(Store::repair(&path, clock(), &Progress::silent()).unwrap_err().code, Code::Locked);
    let found = owner_of(&path).unwrap().unwrap();
    assert_eq!((found.pid, found.url.as_deref()), (owner.child.id(), Some("http://127.0.0.1:4711")));

    let (guest, _) = Store::open(&path, Access::Guest, clock()).unwrap();
    assert_eq!(guest.announce_url("http://127.0.0.1:1").unwrap_err().code, Code::Forbidden);
    assert_eq!(guest.read(runs::unfinished).unwrap().len(), 1, "a guest ends nobody's run");
    owner.wait();
    assert_eq!(owner_of(&path).unwrap(), None, "the lock goes with the process");
    drop(dir);
}

#[test]
fn what_a_killed_owner_left_running_is_interrupted_by_the_next_one() {
    let world = World::new();
    let path = world.path();
    let dir = world.close();
    let mut owner = Working::start("own", &path);
    assert_eq!(owner.next(), "owner");
    owner.kill();

    let (guest, _) = Store::open(&path, Access::Guest, clock()).unwrap();
    let run = guest.read(runs::unfinished).unwrap().remove(0);
    let job = guest.read(jobs::unfinished).unwrap().remove(0);
    fs::create_dir_all(guest.run_dir(&run)).unwrap();
    fs::write(guest.run_dir(&run).join(".fettle-tmp-log"), "half").unwrap();
    drop(guest);

    let store = reopen(dir.path());
    assert_eq!(store.read(|db| runs::get(db, &run)).unwrap().state, RunState::Interrupted);
    assert_eq!(store.read(|db| steps::list(db, &run)).unwrap()[0].state, StepState::Interrupted);
    assert_eq!(store.read(|db| jobs::get(db, &job)).unwrap().state, jobs::JobState::Interrupted);
    assert!(!store.run_dir(&run).join(".fettle-tmp-log").exists());
    assert_eq!(store.check(Depth::Full, &Progress::silent()).unwrap().findings, []);
}

#[test]
fn nothing_acknowledged_is_lost_when_writers_are_killed() {
    let world = World::new();
    project(&world.store);
    let path = world.path();
    let dir = world.close();
    let mut acknowledged = Vec::new();
    for round in 0..12 {
        let mut writer = Working::start("write", &path);
        assert_eq!(writer.next(), "ready");
        // Killed a little later each time, in whatever it is doing.
        for _ in 0..round {
            acknowledged.push(writer.next());
        }
        acknowledged.extend(writer.kill());
    }
    assert!(acknowledged.len() >= 66, "{}", acknowledged.len());

    let store = reopen(dir.path());
    let project_id = store.read(projects::list).unwrap().remove(0).id;
    for said in &acknowledged {
        // The last line may have been cut off by the kill; then it was not acknowledged.
        let Some((name, digest)) = said.split_once(' ').filter(|(_, digest)| digest.len() == 64) else {
            continue;
        };
        let dataset = store.read(|db| datasets::by_name(db, &project_id, name)).unwrap();
        let version = store.read(|db| datasets::latest(db, &dataset.expect(name).id)).unwrap().unwrap();
        assert_eq!(version.content.to_hex(), digest);
        assert!(store.objects().read(&version.content).is_ok());
    }
    let report = store.check(Depth::Full, &Progress::silent()).unwrap();
    assert_eq!(report.findings, []);
    drop(store);
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(path.join(format!("fettle.db{suffix}")));
    }
    Store::repair(&path, clock(), &Progress::silent()).unwrap();
    let datasets = reopen(dir.path()).read(|db| datasets::list(db, &project_id)).unwrap().len();
    assert!(datasets >= acknowledged.len() - 12, "{datasets}");
}

#[test]
fn four_processes_give_numbers_without_gaps_or_twins() {
    let world = World::new();
    project(&world.store);
    let mut children: Vec<_> = (0..4).map(|_| Working::start("count", &world.path())).collect();
    for child in &mut children {
        assert_eq!(child.next(), "done");
    }
    let filter = store::run_list::RunFilter::default();
    let order = store::run_list::RunOrder::Oldest;
    let page = store::Page::first();
    let runs = world.store.read(|db| store::run_list::list(db, &filter, &order, page)).unwrap();
    let mut numbers: Vec<_> = runs.iter().map(|run| run.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=100).collect::<Vec<_>>());
    assert_eq!(world.store.read(store::audit::verify).unwrap(), []);
    for child in children {
        child.wait();
    }
}

#[cfg(unix)]
#[test]
fn a_disk_that_takes_no_more_is_told_and_costs_nothing() {
    let world = World::new();
    project(&world.store);
    // Large enough for the files that are there, too small for a pack of two megabytes.
    let mut child = Working::start_with_small_files("fill", &world.path(), 1_500);
    assert_eq!(child.next(), "DiskFull", "storing an object");
    assert_eq!(child.next(), "DiskFull", "writing a row");
    child.wait();
    let path = world.path();
    let packs = fs::read_dir(path.join("objects/packs")).unwrap().count();
    assert_eq!(packs, 0, "no half pack and no temporary file");
    let dir = world.close();
    let store = reopen(dir.path());
    assert_eq!(store.check(Depth::Full, &Progress::silent()).unwrap().findings, []);
    assert_eq!(store.read(projects::list).unwrap().len(), 1);
    project(&store);
}
