//! The daemon dies at any moment of the main job: the workspace is clean, nothing acknowledged is
//! lost, and the next call finishes the job.

mod testkit;

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use testkit::World;

/// How many times the daemon is killed.
const KILLS: u64 = 50;

fn start_daemon(world: &World) -> Child {
    let mut command = world.command(&["daemon", "start"]);
    let mut daemon = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the daemon starts");
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(20) {
        if world.ok(&["daemon", "status"])["running"] == true {
            return daemon;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    daemon.kill().expect("it can be killed");
    panic!("the daemon did not answer: {:?}", daemon.wait());
}

#[test]
fn the_daemon_may_die_at_any_moment_of_the_demo() {
    // How long the whole takes when nothing dies says when to kill.
    let clock = Instant::now();
    World::new().ok(&["demo", "--stop"]);
    let whole = clock.elapsed();
    let mut acknowledged = 0;
    let mut world = World::new();
    for kill in 0..KILLS {
        // Every tenth kill begins from nothing; the others hit a workspace with a history.
        if kill % 10 == 0 {
            world = World::new();
            acknowledged = 0;
        }
        let mut daemon = start_daemon(&world);
        let mut demo = world.command(&["-q", "demo", "--stop"]);
        let mut demo = demo.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the demo starts");
        // The golden ratio spreads moments evenly without a pattern (Weyl, 1916).
        let share = (kill as f64 * 0.618_033_988_75).fract();
        std::thread::sleep(whole.mul_f64(share));
        daemon.kill().expect("it can be killed");
        daemon.wait().expect("it ends");
        // Its client ends with an error, or had just finished.
        demo.wait().expect("it ends");
        let check = world.call(&["workspace", "check", "--full"]);
        assert_eq!(check.code, Some(0), "kill {kill} at {share:.2}: {}", check.reply);
        // Killed early enough, the demo's project is not there yet, and then there are no runs.
        let runs = world.call(&["-p", "demo", "run", "list", "--limit", "1000"]).reply;
        let finished =
            runs["runs"].as_array().into_iter().flatten().filter(|run| run["state"] == "done").count();
        assert!(finished >= acknowledged, "kill {kill}: {finished} finished runs, there were {acknowledged}");
        assert!(!runs.to_string().contains("\"running\""), "kill {kill}: a run of a dead daemon still runs");
        if kill % 5 == 4 {
            world.ok(&["demo", "--stop"]);
            acknowledged = finished + 1;
        } else {
            acknowledged = finished;
        }
    }
}
