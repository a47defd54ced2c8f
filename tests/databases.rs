//! Queries over connections, asked of a real PostgreSQL that this test starts for itself.
#![cfg(unix)]

mod testkit;

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::World;

const PASSWORD: &str = "correct horse: 'battery'";
/// A server of PostgreSQL does not run as root; nobody does.
const NOBODY: u32 = 65534;

/// A server in a folder of its own; it ends with the test.
struct Postgres {
    folder: TempDir,
    port: u16,
    child: Child,
}

/// The programs are beside those that everybody calls, in a folder with their version.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let beside = versions.map(|version| version.path().join("bin").join(name)).filter(|path| path.is_file());
    let found = beside.max().or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())
    });
    found.unwrap_or_else(|| panic!("PostgreSQL's `{name}` is missing: `cargo xtask test` installs it"))
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Postgres {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = |name: &str| folder.path().join(name);
        std::fs::write(place("password"), PASSWORD).expect("written");
        make_certificates(folder.path());
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|meta| {
            use std::os::unix::fs::MetadataExt as _;
            meta.uid() == 0
        });
        if is_root {
            for path in
                [folder.path().to_owned(), place("password"), place("server.key"), place("server.pem")]
            {
                chown(path, Some(NOBODY), Some(NOBODY)).expect("root may");
            }
        }
        let command = |name: &str| {
            let mut command = Command::new(program(name));
            if is_root {
                command.uid(NOBODY).gid(NOBODY);
            }
            command.current_dir(folder.path());
            command
        };
        let words =
            ["-D", "data", "-U", "owner", "-E", "UTF8", "--locale=C", "--no-sync", "--auth=scram-sha-256"];
        run(command("initdb").args(words).arg("--pwfile=password"));
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port();
        let mut server = command("postgres");
        server.args([
            "-D",
            "data",
            "-h",
            "127.0.0.1",
            "-c",
            "fsync=off",
            "-c",
            "ssl=on",
            "-p",
            &port.to_string(),
            "-k",
        ]);
        server.arg(folder.path()).args([
            "-c",
            "ssl_cert_file=../server.pem",
            "-c",
            "ssl_key_file=../server.key",
        ]);
        let child = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the server starts");
        let server = Self { folder, port, child };
        let started = Instant::now();
        while !server.psql("select 1").status().is_ok_and(|status| status.success()) {
            assert!(started.elapsed() < Duration::from_secs(60), "the server does not answer");
            std::thread::sleep(Duration::from_millis(100));
        }
        server
    }

    fn psql(&self, sql: &str) -> Command {
        let mut command = Command::new("psql");
        let port = self.port.to_string();
        command.args([
            "-X",
            "-q",
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-U",
            "owner",
            "-d",
            "postgres",
            "-c",
            sql,
        ]);
        command.env("PGPASSWORD", PASSWORD).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn run(&self, sql: &str) {
        let status = self.psql(sql).stderr(Stdio::inherit()).status();
        assert!(status.expect("psql starts").success(), "{sql}");
    }

    /// A world that has this server as the connection `db`.
    fn world(&self) -> World {
        let world = World::new();
        self.connect(&world, &["--host", "127.0.0.1", "--user", "owner", "--database", "postgres"]);
        world
    }

    fn connect(&self, world: &World, more: &[&str]) -> Value {
        let port = self.port.to_string();
        let words = ["connection", "add", "db", "--kind", "postgres", "--port", &port];
        world.ok(&[&words, more].concat())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An authority, and a certificate of it for this machine.
fn make_certificates(folder: &Path) {
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").expect("written");
    let openssl = |words: &str| run(Command::new("openssl").args(words.split(' ')).current_dir(folder));
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=authority"));
    openssl(&format!("req {key} -keyout server.key -out server.csr -subj /CN=localhost"));
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names",
    );
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(folder.join("server.key"), private).expect("may be set");
}

/// Calls the program with the password in its environment.
fn call(world: &World, words: &[&str]) -> (Option<i32>, Value, String) {
    let output = world.command(words).env("FETTLE_CONNECTION_DB_PASSWORD", PASSWORD).output();
    let output = output.expect("the program starts");
    let reply = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), reply, String::from_utf8_lossy(&output.stderr).into_owned())
}

fn ask(world: &World, name: &str, query: &str) -> Value {
    let (code, reply, said) =
        call(world, &["dataset", "import", "--connection", "db", "--name", name, "--query", query]);
    assert_eq!(code, Some(0), "{query}: {said}");
    reply
}

fn refuse(world: &World, code: i32, query: &str, word: &str) {
    let (found, _, said) =
        call(world, &["dataset", "import", "--connection", "db", "--name", "x", "--query", query]);
    assert_eq!(found, Some(code), "{query}: {said}");
    assert!(said.contains(word), "{query}: {said}");
}

#[test]
fn every_type_arrives_as_it_is_in_the_database() {
    let server = Postgres::start();
    server.run(
        "create type mood as enum ('sad', 'glad');
         create table kinds (id int8 primary key, small int2, real_ float4, double_ float8, price numeric(10,2),
           wide numeric, yes bool, day date, moment timestamp, instant timestamptz, note text, mood mood,
           document jsonb, tags text[], raw bytea, span interval);
         insert into kinds values
           (9007199254740993, 7, 0.1, 0.1, 12.50, 12345678901234567890, true, '2026-01-02',
            '2026-01-02 03:04:05.678', '2026-01-02 03:04:05+02', E'tab\\tnew\\nline \\\\N Grüße', 'glad',
            '{\"a\": [1, 2]}', '{x,\"y z\"}', '\\x00ff', '1 day 02:00'),
           (2, null, null, null, null, null, false, 'infinity', null, null, '', 'sad', null, null, null, null),
           (3, -1, 'nan', -0.5, 0.05, 1, null, '1969-12-31', '1900-01-01', '1969-12-31 23:59:59+00', null, null,
            'null', '{}', '\\x', null);",
    );
    let world = server.world();
    let imported = ask(&world, "kinds", "select * from kinds order by id desc; ");
    assert_eq!((&imported["rows"], &imported["columns"]), (&json!(3), &json!(16)), "{imported}");
    let shown = world.ok(&["dataset", "show", "kinds"]);
    let kinds: Vec<&str> =
        shown["columns"].as_array().expect("columns").iter().filter_map(|one| one["kind"].as_str()).collect();
    let expected = [
        "integer", "integer", "number", "number", "number", "text", "boolean", "time", "time", "time",
        "text", "text", "text", "text", "text", "text",
    ];
    assert_eq!(kinds, expected);
    let first = shown["page"]["rows"][0].clone();
    assert_eq!(
        first,
        json!([
            "9007199254740993",
            "7",
            "0.10000000149011612",
            "0.1",
            "12.5",
            "12345678901234567890",
            "true",
            "2026-01-02",
            "2026-01-02 03:04:05.678",
            "2026-01-02 01:04:05",
            "tab\tnew\nline \\N Grüße",
            "glad",
            "{\"a\": [1, 2]}",
            "{x,\"y z\"}",
            "0x00ff",
            "1 day 02:00:00"
        ])
    );
    let second = shown["page"]["rows"][2].as_array().expect("a row");
    assert_eq!((&second[7], &second[10], &second[11]), (&Value::Null, &json!(""), &json!("sad")));
    let warnings = imported["warnings"].to_string();
    assert!(warnings.contains("1 values of `day`"), "{warnings}");
    let origin = &shown["origin"];
    assert_eq!((&origin["kind"], &origin["connection"]), (&json!("query"), &json!("db")));
    assert!(origin["query"].as_str().is_some_and(|query| query.contains("from kinds")), "{origin}");

    let again = ask(&world, "kinds", "select * from kinds order by id desc");
    assert_eq!(
        (&again["version"], &again["isNew"]),
        (&json!(1), &json!(false)),
        "the same rows are no version"
    );
    server.run("update kinds set price = 13 where id = 3");
    let next = ask(&world, "kinds", "select * from kinds order by id desc");
    assert_eq!(next["version"], 2, "{next}");
    let sums =
        ask(&world, "sums", "select count(*) as n, sum(id) as total, avg(small) as mean from kinds -- all");
    assert_eq!(sums["rows"], 1, "{sums}");
    let page = world.ok(&["dataset", "show", "sums"])["page"]["rows"].clone();
    assert_eq!(page, json!([["3", "9007199254740998", "3"]]));
}

#[test]
fn a_query_only_reads_and_what_is_wrong_with_it_is_said() {
    let server = Postgres::start();
    server.run("create table t (x int); insert into t select generate_series(1, 100000)");
    let world = server.world();
    refuse(&world, 2, "select y from t", "column \\\"y\\\" does not exist");
    refuse(&world, 2, "insert into t values (1) returning x", "only reads");
    refuse(&world, 2, "select nextval(pg_get_serial_sequence('t', 'x')); drop table t", "multiple commands");
    refuse(&world, 2, "drop table t", "no answer");
    refuse(&world, 2, "select * from t where false", "no rows");
    refuse(&world, 2, "select 1 / (x - 500) from t", "division by zero");
    assert_eq!(ask(&world, "t", "select * from t order by x")["rows"], 100_000);
    let words = ["dataset", "import", "--connection", "db", "--name", "x", "--max-size", "1KB", "--query"];
    let (code, _, said) = call(&world, &[&words[..], &["select * from t"]].concat());
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("larger than"), "{said}");
    world.fails(2, &["dataset", "import", "--connection", "other", "--name", "x", "--query", "select 1"]);
    let names = world.ok(&["dataset", "list"]);
    assert_eq!(names.as_array().map(Vec::len), Some(1), "nothing came of what was refused: {names}");
}

#[test]
fn a_look_at_an_answer_keeps_nothing_of_it() {
    let server = Postgres::start();
    server.run(
        "create table t (x int, word text); insert into t select n, 'w' || n from generate_series(1, 900) n",
    );
    let world = server.world();
    let look = |query: &str| call(&world, &["connection", "preview", "db", query]);
    let (code, page, said) = look("select x, word from t order by x desc; -- the newest\n");
    assert_eq!(code, Some(2), "a comment after the end is no query: {said} {page}");
    let (code, page, said) = look("select x, word from t order by x desc -- the newest");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(page["rows"].as_array().map(Vec::len), Some(50), "{page}");
    assert_eq!(page["rows"][0], json!(["900", "w900"]));
    assert_eq!(
        page["columns"],
        json!([{ "name": "x", "kind": "integer" }, { "name": "word", "kind": "text" }])
    );
    assert_eq!(look("select x from t;").0, Some(0));
    for (query, word) in [("select y from t", "does not exist"), ("select x from t where false", "no rows")] {
        let (code, _, said) = look(query);
        assert!(code == Some(2) && said.contains(word), "{query}: {said}");
    }
    let (code, _, _) = look("update t set x = 1 returning x");
    assert_eq!(code, Some(2), "it only reads");
    assert_eq!(world.ok(&["dataset", "list"]), json!([]));
}

#[test]
fn who_has_no_password_is_told_where_one_is_looked_for_and_none_is_written_down() {
    let server = Postgres::start();
    let world = server.world();
    let listed = world.ok(&["connection", "list"]);
    assert_eq!(listed[0]["passwordVariable"], "FETTLE_CONNECTION_DB_PASSWORD");
    assert_eq!(listed[0]["tls"], "off", "this machine is asked without encryption");
    let error = world.fails(1, &["connection", "test", "db"]);
    assert!(error.to_string().contains("FETTLE_CONNECTION_DB_PASSWORD"), "{error}");
    let (code, tested, said) = call(&world, &["connection", "test", "db"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(tested["server"].as_str().is_some_and(|text| text.starts_with("PostgreSQL")), "{tested}");

    let words =
        ["connection", "add", "piped", "--kind", "postgres", "--host", "127.0.0.1", "--user", "owner"];
    let mut command = world.command(&[&words[..], &["--database", "postgres", "--password-stdin"]].concat());
    // Where this test runs there may be a keychain; it must not get a secret of a test.
    command.env("PATH", "/nowhere").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut pipe, format!("{PASSWORD}\n").as_bytes()).expect("written");
    drop(pipe);
    let output = child.wait_with_output().expect("it ends");
    let added: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let trouble = added["trouble"].as_str().expect("there is no keychain");
    assert!(
        trouble.contains("no keychain") && trouble.contains("FETTLE_CONNECTION_PIPED_PASSWORD"),
        "{trouble}"
    );
    for entry in std::fs::read_dir(world.workspace()).expect("there").flatten().filter(|e| e.path().is_file())
    {
        let bytes = std::fs::read(entry.path()).expect("readable");
        let found = bytes.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes());
        assert!(!found, "{} holds the password", entry.path().display());
    }
    world.ok(&["connection", "remove", "piped"]);
    world.fails(2, &["connection", "test", "piped"]);
}

#[test]
fn an_encrypted_connection_wants_a_certificate_that_is_trusted() {
    let server = Postgres::start();
    let world = World::new();
    let place = ["--host", "localhost", "--user", "owner", "--database", "postgres", "--tls", "verified"];
    server.connect(&world, &place);
    let (code, _, said) = call(&world, &["connection", "test", "db"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("certificate"), "{said}");
    let mut trusting = world.command(&["connection", "test", "db"]);
    trusting.env("FETTLE_CONNECTION_DB_PASSWORD", PASSWORD);
    let output =
        trusting.env("SSL_CERT_FILE", server.folder.path().join("ca.pem")).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    server.connect(&world, &["--host", "localhost", "--user", "owner", "--database", "nowhere"]);
    let (code, _, said) = call(&world, &["connection", "test", "db"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("no database `nowhere`"), "{said}");
}

#[test]
fn a_query_that_is_cancelled_stops_here_and_there() {
    let server = Postgres::start();
    let world = server.world();
    let mut daemon = world.command(&["daemon", "start"]);
    daemon.stdout(Stdio::null()).stderr(Stdio::null()).env("FETTLE_CONNECTION_DB_PASSWORD", PASSWORD);
    let mut daemon = daemon.spawn().expect("the daemon starts");
    let until = |what: &str, holds: &dyn Fn() -> bool| {
        let started = Instant::now();
        while !holds() {
            assert!(started.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    until("the daemon answers", &|| world.ok(&["daemon", "status"])["running"] == true);
    let query = "select pg_sleep(600) as nothing";
    let words = ["dataset", "import", "--connection", "db", "--name", "x", "--query", query];
    let mut client =
        world.command(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let sleeping =
        "select 1 / (count(*))::int from pg_stat_activity where query like 'copy (%' and state = 'active'";
    until("the server works", &|| server.psql(sleeping).status().is_ok_and(|status| status.success()));
    let jobs = world.ok(&["call", "job.list", r#"{"active":true}"#]);
    let request = json!({ "jobId": jobs[0]["id"] }).to_string();
    world.ok(&["call", "job.cancel", &request]);
    assert_eq!(client.wait().expect("it ends").code(), Some(130));
    until("the server stops", &|| !server.psql(sleeping).status().is_ok_and(|status| status.success()));
    world.ok(&["daemon", "stop"]);
    daemon.wait().expect("it ends");
}
