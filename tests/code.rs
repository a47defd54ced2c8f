//! Programs as steps: what they get and give, when they run again, and every way in which they can
//! go wrong, up to children that try to get away.
#![cfg(unix)]

mod testkit;

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::World;

/// A world with a project, and where the project's files are.
fn world() -> (World, PathBuf) {
    let world = World::new();
    world.ok(&["project", "new", "code"]);
    let project = world.workspace().join("projects/code");
    assert!(project.is_dir());
    (world, project)
}

/// A pipeline of these steps, as a file.
fn pipeline(world: &World, steps: &str) -> String {
    let file = world.file("p.toml", format!("format = 1\nname = \"p\"\n{steps}"));
    testkit::text(&file).to_owned()
}

/// A step of kind `command`; `more` goes before its parameters, `params` to them.
fn command(id: &str, more: &str, params: &str, lines: &str) -> String {
    format!(
        "[[step]]\nid = \"{id}\"\nkind = \"command\"\n{more}\n[step.params]\n{params}\ncommand = '''\n{lines}'''\n"
    )
}

fn step<'a>(run: &'a Value, id: &str) -> &'a Value {
    let found = run["steps"].as_array().into_iter().flatten().find(|step| step["step"] == id);
    found.unwrap_or_else(|| panic!("no step {id} in {run}"))
}

/// Runs a pipeline whose one step fails, and gives back that step.
fn failed(world: &World, step_text: &str) -> Value {
    let file = pipeline(world, step_text);
    world.fails(3, &["pipeline", "run", &file]);
    let shown = world.ok(&["run", "show", "1"]);
    shown["steps"][0].clone()
}

fn log(world: &World, run: &str, step: &str) -> String {
    world.ok(&["run", "log", run, step])["text"].as_str().expect("a text").to_owned()
}

/// Processes that have this word on their command line.
fn alive(word: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").expect("Linux");
    let line = |entry: std::io::Result<std::fs::DirEntry>| {
        let text = std::fs::read(entry.ok()?.path().join("cmdline")).ok()?;
        let text = String::from_utf8_lossy(&text).replace('\0', " ");
        text.starts_with("sleep").then_some(text)
    };
    entries.filter_map(line).filter(|text| text.contains(word)).collect()
}

/// Waits until something holds.
fn until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(20), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Lines that start children in every way that could get them out of sight.
fn runaways(word: &str) -> String {
    format!("setsid sleep {word} &\n(setsid nohup sleep {word} >/dev/null 2>&1 &)\nsleep {word} &\n")
}

const PENGUINS: &str = "[[step]]\nid = \"birds\"\nkind = \"dataset\"\nparams = { dataset = \"penguins\" }\n";

fn with_penguins() -> (World, PathBuf) {
    let (world, project) = world();
    world.ok(&["dataset", "import", testkit::text(&testkit::penguins()), "--target", "species"]);
    (world, project)
}

#[test]
fn a_program_gets_tables_and_parameters_and_gives_tables_metrics_and_files() {
    let (world, _) = with_penguins();
    let lines = r#"
test "$FETTLE_PARAM_ISLAND" = Dream
grep -q '"island": "Dream"' "$FETTLE_PARAMS"
{ head -n 1 "$FETTLE_INPUT_TABLE"; grep ,Dream, "$FETTLE_INPUT_TABLE"; } > dream/rows.csv
echo '{"rows": 124, "loss": [3, 2, 1.5]}' > "$FETTLE_METRICS"
echo drawn > "$FETTLE_ARTIFACTS/figure.txt"
mkdir notes && echo hello > notes/a.txt
echo "at work"
pwd
ls -A
"#;
    let params = "inputs = ['table']\noutputs = ['dream/rows.csv', 'notes:files=notes']\nformat = 'csv'\nparameters = { island = 'Dream' }";
    let steps =
        format!("{PENGUINS}{}", command("dream", "inputs = { table = 'birds.table' }", params, lines));
    let sql = "[[step]]\nid = \"counted\"\nkind = \"sql\"\ninputs = { tables = 'dream.rows' }\nparams = { query = 'select count(*) as n from t' }\n";
    let check = "[[step]]\nid = \"noted\"\nkind = \"command\"\ninputs = { notes = 'dream.notes' }\nparams = { inputs = ['notes:files'], outputs = [], command = 'grep hello \"$FETTLE_INPUT_NOTES/a.txt\"' }\n";
    let file = pipeline(&world, &format!("{steps}{sql}{check}"));
    let run = world.ok(&["pipeline", "run", &file]);
    let dream = step(&run, "dream");
    assert_eq!(dream["state"], "done", "{run}");
    assert_eq!(
        (&dream["metrics"]["rows"], &dream["metrics"]["loss"]),
        (&Value::from(124.0), &Value::from(1.5))
    );
    assert_eq!(dream["summary"], "124 × 8");
    assert!(dream["maxMemoryBytes"].as_u64().is_some_and(|bytes| bytes > 1_000_000), "{dream}");
    assert!(
        dream["inputBytes"].as_u64() > Some(1000) && dream["outputBytes"].as_u64() > Some(100),
        "{dream}"
    );
    assert_eq!(step(&run, "noted")["state"], "done");
    let said = log(&world, "1", "dream");
    assert!(
        said.starts_with("at work\n") && said.contains("dream\n") && !said.contains("fettle.toml"),
        "{said}"
    );
    let files = world.ok(&["call", "run.output", r#"{"run": "1", "step": "dream", "port": "artifacts"}"#]);
    assert_eq!(files["files"][0]["path"], "figure.txt");
    let again = world.ok(&["pipeline", "run", &file]);
    assert_eq!(again["summary"]["cached"], 4, "{again}");
    assert_eq!(step(&again, "dream")["metrics"], dream["metrics"], "a cached step has its metrics");
}

#[test]
fn a_changed_file_reruns_its_step_and_what_follows_and_nothing_else() {
    let (world, project) = world();
    std::fs::create_dir_all(project.join("scripts")).expect("can be made");
    let script = project.join("scripts/a.sh");
    std::fs::write(&script, "echo one > \"$FETTLE_OUTPUT_X\"\n").expect("can be written");
    let first = command(
        "first",
        "",
        "inputs = []\noutputs = ['x:files']\nfiles = ['scripts/*.sh']",
        "sh scripts/a.sh",
    );
    let other = command("other", "", "inputs = []\noutputs = ['x:files']", "echo x > \"$FETTLE_OUTPUT_X\"");
    let then = command(
        "then",
        "inputs = { x = 'first.x' }",
        "inputs = ['x:files']\noutputs = ['y:files']",
        "cp \"$FETTLE_INPUT_X\" \"$FETTLE_OUTPUT_Y\"",
    );
    let file = pipeline(&world, &format!("{first}{other}{then}"));
    let run = world.ok(&["pipeline", "run", &file]);
    assert_eq!(run["summary"]["cached"], 0);
    assert_eq!(world.ok(&["pipeline", "run", &file])["summary"]["cached"], 3);
    // Another way to write the same result: the step runs, and what follows does not.
    std::fs::write(&script, "echo one>\"$FETTLE_OUTPUT_X\"\n").expect("can be written");
    let run = world.ok(&["pipeline", "run", &file]);
    assert_eq!(step(&run, "first")["reasons"][0], "file `scripts/a.sh` has other content");
    assert_eq!(
        (&step(&run, "other")["state"], &step(&run, "then")["state"]),
        (&"cached".into(), &"cached".into())
    );
    std::fs::write(&script, "echo two > \"$FETTLE_OUTPUT_X\"\n").expect("can be written");
    let run = world.ok(&["pipeline", "run", &file]);
    assert_eq!(
        (&step(&run, "other")["state"], &step(&run, "then")["state"]),
        (&"cached".into(), &"done".into())
    );
    std::fs::remove_file(&script).expect("can be removed");
    let error = world.fails(3, &["pipeline", "run", &file]);
    assert!(error.to_string().contains("the project has no file `scripts/*.sh`"), "{error}");
}

#[test]
fn what_ends_badly_or_leaves_something_out_gives_nothing_and_says_why() {
    let outputs = "inputs = []\noutputs = ['a', 'b:files=out/b.txt']";
    for (lines, message) in [
        ("echo x > \"$FETTLE_OUTPUT_A\"", "the program ended well, but did not write `b` (`out/b.txt`)"),
        ("true", "the program ended well, but did not write `a` and `b` (`out/b.txt`)"),
        ("echo oh no >&2\nexit 7", "`sh` ended with exit code 7"),
        ("false\ntouch \"$FETTLE_OUTPUT_A\" out/b.txt", "`sh` ended with exit code 1"),
        ("kill -SEGV $$", "`sh` was ended by signal 11 (segmentation fault)"),
        ("no-such-program-at-all", "`sh` ended with exit code 127"),
        ("echo x > out/b.txt\nprintf 'PAR1junk' > \"$FETTLE_OUTPUT_A\"", "cannot take output `a`"),
        ("printf 'n\\n1\\n' > \"$FETTLE_OUTPUT_A\"\nln -s /etc/passwd out/b.txt", "cannot take output `b`"),
    ] {
        let (world, _) = world();
        let step = failed(&world, &command("s", "", outputs, lines));
        assert_eq!(step["error"]["message"], message, "{step}");
        assert_eq!(step["outputs"].as_array().map(Vec::len), Some(0));
        let shown = world.ok(&["workspace", "check", "--full"]);
        assert_eq!(shown["isClean"], true, "{shown}");
    }
}

#[test]
fn a_step_with_bad_metrics_fails_and_names_the_metric() {
    let (world, _) = world();
    let step = failed(
        &world,
        &command("s", "", "inputs = []\noutputs = []", "echo '{\"auc\": \"high\"}' > \"$FETTLE_METRICS\""),
    );
    assert_eq!(step["error"]["message"], "metric `auc` is not a number or a list of numbers");
}

#[test]
fn memory_beyond_the_limit_ends_the_step_and_not_the_app() {
    let (world, _) = world();
    let hungry = "python3 -c \"x = bytearray(800_000_000)\"";
    let step = failed(&world, &command("s", "memory = '256MB'", "inputs = []\noutputs = []", hungry));
    assert!(
        step["error"]["message"].as_str().is_some_and(|said| said.contains("ran out of memory")),
        "{step}"
    );
    // Each of them stays below the limit, and all together do not.
    let (world, _) = self::world();
    let one = "python3 -c \"import time; x = bytearray(120_000_000); time.sleep(600)\"";
    let several = format!("{one} &\n{one} &\n{one} &\n{one}");
    let step = failed(&world, &command("s", "memory = '300MB'", "inputs = []\noutputs = []", &several));
    let said = step["error"]["message"].as_str().expect("a message");
    assert!(said.contains("ran out of memory: its processes took"), "{said}");
    assert!(step["maxMemoryBytes"].as_u64() > Some(250_000_000), "{step}");
}

#[test]
fn a_loop_without_end_is_stopped_at_its_timeout_with_all_that_came_of_it() {
    let (world, _) = world();
    let word = format!("77{:07}", std::process::id());
    let lines = format!("{}echo begun\nwhile true; do true; done", runaways(&word));
    let step = failed(&world, &command("s", "timeout = '2s'", "inputs = []\noutputs = []", &lines));
    assert_eq!(step["error"]["message"], "the step took longer than 2s and was stopped");
    assert!(step["cpuMs"].as_u64() > Some(500), "its processor time is known: {step}");
    let said = log(&world, "1", "s");
    assert!(said.starts_with("begun\n") && said.contains("[fettle] stopped after 2s"), "{said}");
    assert_eq!(alive(&word), Vec::<String>::new());
}

#[test]
fn children_that_leave_their_session_end_with_the_step() {
    let (world, _) = world();
    let word = format!("78{:07}", std::process::id());
    let file = pipeline(&world, &command("s", "", "inputs = []\noutputs = []", &runaways(&word)));
    world.ok(&["pipeline", "run", &file]);
    assert_eq!(alive(&word), Vec::<String>::new());
    let said = log(&world, "1", "s");
    assert!(said.contains(" processes that sh left running"), "{said}");
}

#[test]
fn a_step_that_fails_twice_and_then_works_is_done_and_both_failures_are_kept() {
    let (world, _) = world();
    let count = world.path("count");
    let lines = format!(
        "echo x >> '{0}'\ntest $(wc -l < '{0}') -ge 3 || {{ echo not yet; exit 4; }}\n",
        testkit::text(&count)
    );
    let file = pipeline(&world, &command("s", "retries = 2", "inputs = []\noutputs = []", &lines));
    let run = world.ok(&["pipeline", "run", &file]);
    let done = step(&run, "s");
    assert_eq!((&done["state"], done["tries"].as_array().map(Vec::len)), (&"done".into(), Some(2)), "{done}");
    assert_eq!(done["tries"][1]["error"]["message"], "`sh` ended with exit code 4");
    let said = log(&world, "1", "s");
    assert!(
        said.contains("[fettle] try 2 of 3 begins in 0.5 s\n") && said.contains("try 3 of 3 begins in 1 s"),
        "{said}"
    );
    // Once more there is nothing left to try.
    std::fs::remove_file(&count).expect("can be removed");
    let once =
        pipeline(&world, &command("s", "retries = 1", "inputs = []\noutputs = []", &format!("{lines}true")));
    world.fails(3, &["pipeline", "run", &once]);
    let shown = world.ok(&["run", "show", "2"]);
    assert_eq!(
        (&shown["steps"][0]["state"], shown["steps"][0]["tries"].as_array().map(Vec::len)),
        (&"failed".into(), Some(1))
    );
}

#[test]
fn a_hundred_megabytes_of_output_leave_a_short_log_with_both_ends() {
    let (world, _) = world();
    let lines = "echo first line\nhead -c 100000000 /dev/zero | tr '\\0' x\necho\nprintf 'no newline, größe'";
    let file = pipeline(&world, &command("s", "", "inputs = []\noutputs = []", lines));
    world.ok(&["pipeline", "run", &file]);
    let (mut offset, mut all) = (0, String::new());
    loop {
        let request = format!(r#"{{"run": "1", "step": "s", "offset": {offset}}}"#);
        let page = world.ok(&["call", "run.log", &request]);
        all.push_str(page["text"].as_str().expect("a text"));
        offset = page["nextOffset"].as_u64().expect("an offset");
        if page["isComplete"] == true {
            break;
        }
    }
    assert!(all.len() < 12_000_000, "{}", all.len());
    assert!(all.starts_with("first line\n") && all.ends_with("no newline, größe"), "both ends are there");
    assert!(all.contains("are left out here"), "and what is missing is said");
}

#[test]
fn steps_side_by_side_never_take_more_cores_than_there_are() {
    let (world, _) = world();
    let file = world.path("cores");
    let shown = testkit::text(&file);
    // Each writes when it takes its cores and when it gives them back.
    let lines = |id: &str| {
        format!(
            "# {id}\necho \"+$FETTLE_THREADS\" >> '{shown}'\nsleep 0.3\necho \"-$FETTLE_THREADS\" >> '{shown}'\n"
        )
    };
    let mut steps = String::new();
    for (id, cores) in
        [("a", "cores = 3"), ("b", "cores = 2"), ("c", "cores = 1"), ("d", ""), ("e", "cores = 99")]
    {
        steps.push_str(&command(id, cores, "inputs = []\noutputs = []", &lines(id)));
    }
    let path = pipeline(&world, &steps);
    world.ok(&["pipeline", "run", &path, "--threads", "4"]);
    let text = std::fs::read_to_string(&file).expect("it was written");
    let (mut taken, mut most) = (0, 0);
    for line in text.lines() {
        taken += line.parse::<i32>().expect("a number with its sign");
        most = most.max(taken);
    }
    assert_eq!((text.lines().count(), taken), (10, 0), "{text}");
    assert!((3..=4).contains(&most), "{most} cores of 4: {text}");
}

#[test]
fn a_program_in_the_project_must_write_its_outputs_anew() {
    let (world, project) = world();
    std::fs::write(project.join("old.txt"), "old").expect("can be written");
    let params = "inputs = []\noutputs = ['old.txt']\nfolder = 'project'";
    let step = failed(&world, &command("s", "", params, "test -f old.txt"));
    assert_eq!(
        step["error"]["message"],
        "the program ended well, but did not write `old` (`old.txt`), which is as it was before"
    );
    let file = pipeline(&world, &command("s", "", params, "echo new > old.txt"));
    world.ok(&["pipeline", "run", &file]);
    assert_eq!(std::fs::read_to_string(project.join("old.txt")).expect("is there"), "new\n");
}

#[test]
fn a_split_table_stays_split_through_a_program() {
    let (world, _) = with_penguins();
    let split = "[[step]]\nid = \"split\"\nkind = \"split\"\ninputs = { table = 'birds.table' }\n";
    let copy = command(
        "copied",
        "inputs = { table = 'split.table' }",
        "inputs = ['table']\noutputs = ['result']",
        "cp \"$FETTLE_INPUT_TABLE\" \"$FETTLE_OUTPUT_RESULT\"",
    );
    let again = "[[step]]\nid = \"again\"\nkind = \"sql\"\ninputs = { tables = 'copied.result' }\n";
    let file = pipeline(&world, &format!("{PENGUINS}{split}{copy}{again}"));
    let error = world.fails(3, &["pipeline", "run", &file]);
    assert!(error.to_string().contains("these are divided into parts already"), "{error}");
}

#[test]
fn a_step_of_a_template_is_added_checked_and_run() {
    let (world, _) = with_penguins();
    world.ok(&["pipeline", "add-step", "p", "birds", "--kind", "dataset", "--param", "dataset=penguins"]);
    let added =
        world.ok(&["pipeline", "add-step", "p", "--template", "shell", "--input", "table=birds.table"]);
    assert_eq!(added["doc"]["steps"][1]["id"], "shell");
    assert_eq!(world.ok(&["pipeline", "validate", "p"])["problems"].as_array().map(Vec::len), Some(0));
    let run = world.ok(&["pipeline", "run", "p"]);
    assert_eq!(step(&run, "shell")["metrics"]["rows"], 344.0, "{run}");
    world.fails(2, &["pipeline", "add-step", "p", "shell", "--template", "shell"]);
    let error = world.fails(2, &["pipeline", "add-step", "p", "--template", "shel"]);
    assert_eq!(error["hint"], "did you mean `shell`?");
    let listed = world.ok(&["pipeline", "templates"]);
    let names: Vec<&str> =
        listed.as_array().into_iter().flatten().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names, ["shell", "r", "python", "sklearn", "xgboost", "pytorch"]);
}

/// Starts the daemon and waits until it answers.
fn start_daemon(world: &World) -> std::process::Child {
    let mut daemon = world.command(&["daemon", "start"]);
    let daemon = daemon.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the daemon starts");
    until("the daemon runs", || world.ok(&["daemon", "status"])["running"] == true);
    daemon
}

#[test]
fn when_the_app_is_killed_no_child_of_a_step_lives_on() {
    let (world, _) = world();
    let word = format!("79{:07}", std::process::id());
    let lines = format!("{}echo begun\nsleep {word}", runaways(&word));
    let file = pipeline(&world, &command("s", "", "inputs = []\noutputs = []", &lines));
    let mut daemon = start_daemon(&world);
    let mut run = world.command(&["-q", "pipeline", "run", &file]);
    let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    until("all children run", || alive(&word).len() == 4);
    daemon.kill().expect("can be killed");
    daemon.wait().expect("ends");
    let started = Instant::now();
    until("all children are gone", || alive(&word).is_empty());
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    run.wait().expect("ends");
    let shown = world.ok(&["run", "show", "1"]);
    assert_eq!(shown["summary"]["state"], "interrupted");
}

/// How many runs are cancelled.
const CANCELS: u32 = 200;
/// How many of them at the same time.
const BESIDE: u32 = 8;

#[test]
fn two_hundred_cancelled_runs_leave_no_process() {
    let (world, _) = world();
    let word = format!("80{:07}", std::process::id());
    let mut daemon = start_daemon(&world);
    std::thread::scope(|scope| {
        for lane in 0..BESIDE {
            let (world, word) = (&world, &word);
            scope.spawn(move || {
                let lines = format!("# {lane}\n{0}{0}sleep {word}", runaways(word));
                let text = format!(
                    "format = 1\nname = \"p{lane}\"\n{}",
                    command("s", "", "inputs = []\noutputs = []", &lines)
                );
                let file = world.file(&format!("p{lane}.toml"), text);
                // This makes the file the draft, which each run takes.
                world.ok(&["pipeline", "validate", testkit::text(&file)]);
                for round in 0..CANCELS / BESIDE {
                    run_and_cancel(world, &format!("p{lane}"), lane * 100 + round);
                }
            });
        }
    });
    let started = Instant::now();
    until("no child of a cancelled run lives", || alive(&word).is_empty());
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    daemon.kill().expect("can be killed");
    daemon.wait().expect("ends");
    let runs = world.ok(&["run", "list", "--limit", "1000"]);
    let cancelled = runs["runs"].as_array().into_iter().flatten().filter(|run| run["state"] == "cancelled");
    assert_eq!(cancelled.count(), CANCELS as usize, "{runs}");
}

/// Cancels a run a moment after its start; the golden ratio spreads the moments evenly (Weyl, 1916).
fn run_and_cancel(world: &World, pipeline: &str, number: u32) {
    let newest = || {
        let runs = world.ok(&["run", "list", "--pipeline", pipeline, "--limit", "1"]);
        runs["runs"][0]["number"].as_u64()
    };
    let before = newest();
    let mut run = world.command(&["-q", "pipeline", "run", pipeline]);
    let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    until("the run is there", || newest() != before);
    let share = (f64::from(number) * 0.618_033_988_75).fract();
    std::thread::sleep(Duration::from_millis((share * 400.0) as u64));
    let number = newest().expect("there is one").to_string();
    world.ok(&["run", "cancel", &number]);
    let status = run.wait().expect("it ends");
    assert_eq!(status.code(), Some(130));
}

#[test]
fn steps_in_the_project_hand_on_what_they_wrote_and_nothing_is_written_over() {
    let (world, project) = world();
    std::fs::write(project.join("raw.txt"), "b\na\n").expect("can be written");
    let stages = |count: &str| {
        let made = "folder = \"project\"\noutputs = [\"out1:files=sorted.txt\"]\nfiles = [\"raw.txt\"]";
        let taken =
            "folder = \"project\"\ninputs = [\"in1:files=sorted.txt\"]\noutputs = [\"out1:files=n.txt\"]";
        let wire = "[step.inputs]\nin1 = \"make.out1\"\n";
        pipeline(
            &world,
            &[
                command("make", "", made, "sort raw.txt > sorted.txt\n"),
                command("count", "", taken, count) + wire,
            ]
            .concat(),
        )
    };
    world.ok(&["pipeline", "run", &stages("wc -l < sorted.txt > n.txt\n")]);
    let counted = std::fs::read_to_string(project.join("n.txt")).expect("it was written");
    assert_eq!(counted.trim(), "2");

    std::fs::write(project.join("sorted.txt"), "mine\n").expect("can be written");
    let again = stages("wc -c < sorted.txt > n.txt\n");
    let error = world.fails(3, &["pipeline", "run", &again]).to_string();
    assert!(
        error.contains("would be written over `sorted.txt`") && error.contains("move it away"),
        "{error}"
    );
    assert_eq!(std::fs::read_to_string(project.join("sorted.txt")).expect("it is there"), "mine\n");

    std::fs::remove_file(project.join("sorted.txt")).expect("can be removed");
    world.ok(&["pipeline", "run", &again]);
    assert_eq!(std::fs::read_to_string(project.join("n.txt")).expect("it was written").trim(), "4");
}
