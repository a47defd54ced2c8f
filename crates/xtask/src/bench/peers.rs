//! One model served by us and by what people use for it today, one after the other on this machine:
//! `mlflow models serve`, MLServer and BentoML. Beside them the least there is: a web server that says
//! a word, and the model in onnxruntime without any server.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::figures::Figure;
use crate::instruments::http::Connection;
use crate::instruments::load::{Request, load};
use crate::instruments::processes;
use crate::instruments::server::Background;
use crate::instruments::world::{World, argument, text};
use crate::process::{command, output, root};
use crate::{Result, programs, setup};

/// One for the time of an answer, the others for the requests that get through.
const CONNECTIONS: [usize; 3] = [1, 8, 64];
const DURATION: Duration = Duration::from_secs(5);
const WARM_UP: Duration = Duration::from_secs(2);
/// No server needs nearly as long to answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Somebody's server of the model.
struct Server {
    name: &'static str,
    start: Command,
    request: Request,
}

/// What was measured of one.
struct Measured {
    name: &'static str,
    /// From the start of the program to its first prediction.
    start_ms: f64,
    median_ms: f64,
    /// Requests in a second, at each of the larger [`CONNECTIONS`].
    per_s: [f64; 2],
    /// Of the whole family of processes, pages they share divided.
    memory_mb: f64,
}

pub fn measure() -> Result<Vec<Figure>> {
    programs::build_release_backend()?;
    setup::web_server()?;
    let world = World::new("peers")?;
    let demo = world.call(&["demo", "--stop"])?;
    let package = world.path("package");
    world.call(&["model", "export", &text(&demo["model"]["name"])?, "--to", argument(&package)?])?;
    let row = sample_row(&package)?;
    let onnx_ms = onnx_ms(&package, &row)?;
    let echo = measured(web_server(&world)?)?;
    let ours = measured(ours(&package, &row)?)?;
    let peers = [mlflow(&package, &row)?, mlserver(&world, &package, &row)?, bentoml(&package, &row)?];
    let peers = peers.into_iter().map(measured).collect::<Result<Vec<_>>>()?;
    Ok(figures(&ours, &peers, echo.median_ms, onnx_ms))
}

fn figures(ours: &Measured, peers: &[Measured], echo_ms: f64, onnx_ms: f64) -> Vec<Figure> {
    let mut all = Vec::new();
    for one in std::iter::once(ours).chain(peers) {
        all.push(Figure::in_words(
            one.name,
            format!(
                "{:.0} /s on 8 connections, {:.0} /s on 64; one row {:.2} ms; {:.0} MB; first answer {:.0} ms after \
                 the start",
                one.per_s[0], one.per_s[1], one.median_ms, one.memory_mb, one.start_ms
            ),
        ));
    }
    for (at, connections) in [8, 64].into_iter().enumerate() {
        let best = peers.iter().map(|peer| peer.per_s[at]).fold(0.0, f64::max);
        let times = ours.per_s[at] / best;
        all.push(Figure::in_words(
            format!("requests on {connections} connections, of the best of them"),
            format!("{times:.1} times (at least 15)"),
        ));
    }
    let least = peers.iter().map(|peer| peer.memory_mb).fold(f64::INFINITY, f64::min);
    all.push(Figure::in_words(
        "memory, of the smallest of them",
        format!("1/{:.0} (at most 1/6)", least / ours.memory_mb),
    ));
    all.push(Figure::in_words(
        "one row, of an nginx that says a word and the bare onnxruntime call",
        format!(
            "{:.2} times {echo_ms:.3} + {onnx_ms:.3} ms (at most 1.5)",
            ours.median_ms / (echo_ms + onnx_ms)
        ),
    ));
    all
}

fn measured(server: Server) -> Result<Measured> {
    let Server { name, start, request } = server;
    let begun = Instant::now();
    let program = Background::start(start)?;
    let start_ms = loop {
        let asked = Connection::open(&request.url, &request.token)
            .and_then(|mut one| one.post(request.path, &request.body));
        match asked {
            Ok(_) => break begun.elapsed().as_secs_f64() * 1e3,
            Err(error) if begun.elapsed() > PATIENCE => return Err(format!("{name}: {error}")),
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    load(&request, CONNECTIONS[1], WARM_UP).map_err(|error| format!("{name}: {error}"))?;
    let one = load(&request, CONNECTIONS[0], DURATION)?;
    let (eight, many) =
        (load(&request, CONNECTIONS[1], DURATION)?, load(&request, CONNECTIONS[2], DURATION)?);
    let memory_mb = processes::proportional_mb(&processes::family(program.pid()))
        .ok_or("this system does not tell the memory of a process")?;
    Ok(Measured {
        name,
        start_ms,
        median_ms: one.median_ms(),
        per_s: [eight.per_second(), many.per_second()],
        memory_mb,
    })
}

fn ours(package: &Path, row: &Map<String, Value>) -> Result<Server> {
    let port = free_port()?.to_string();
    let mut start = command(programs::release_fettle_serve(), &["--port", &port, "--model"]);
    start.arg(package);
    Ok(Server { name: "Fettle", start, request: request(&port, "/invocations", records(row)) })
}

fn mlflow(package: &Path, row: &Map<String, Value>) -> Result<Server> {
    let (python, port) = (environment("mlflow")?, free_port()?.to_string());
    let mut start = command(&python, &["-m", "mlflow", "models", "serve", "--env-manager", "local"]);
    start.args(["--port", &port, "--model-uri"]).arg(package);
    // It starts a server by its name.
    let mut path = vec![python.parent().map(Path::to_path_buf).unwrap_or_default()];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    start.env("PATH", std::env::join_paths(path).map_err(|error| format!("PATH: {error}"))?);
    Ok(Server { name: "mlflow models serve", start, request: request(&port, "/invocations", records(row)) })
}

fn mlserver(world: &World, package: &Path, row: &Map<String, Value>) -> Result<Server> {
    let (python, port) = (environment("mlserver")?, free_port()?);
    let folder = world.path("mlserver");
    // In one process it is faster than with a pool of one, and its pool does not start with a new uvloop.
    let settings = json!({
        "host": "127.0.0.1", "http_port": port, "grpc_port": free_port()?, "metrics_port": free_port()?,
        "debug": false, "parallel_workers": 0,
    });
    write(&folder.join("settings.json"), &settings.to_string())?;
    let model = json!({
        "name": "peer", "implementation": "mlserver_mlflow.MLflowRuntime", "parameters": { "uri": package },
    });
    write(&folder.join("peer/model-settings.json"), &model.to_string())?;
    let start = command(python.with_file_name("mlserver"), &["start", argument(&folder)?]);
    let inputs = row.iter().map(|(name, value)| match value.is_string() {
        true => json!({
            "name": name, "shape": [1], "datatype": "BYTES", "data": [value],
            "parameters": { "content_type": "str" },
        }),
        false => json!({ "name": name, "shape": [1], "datatype": "FP64", "data": [value] }),
    });
    let body = json!({ "parameters": { "content_type": "pd" }, "inputs": inputs.collect::<Vec<_>>() });
    Ok(Server {
        name: "MLServer",
        start,
        request: request(&port.to_string(), "/v2/models/peer/infer", body.to_string()),
    })
}

fn bentoml(package: &Path, row: &Map<String, Value>) -> Result<Server> {
    let (python, port) = (environment("bentoml")?, free_port()?.to_string());
    let mut start = command(&python, &["-m", "bentoml", "serve", "service:Peer", "--port", &port]);
    start.arg("--working-dir").arg(files()).env("PEER_MODEL", package.join("model.onnx"));
    start.env("BENTOML_DO_NOT_TRACK", "true");
    let body = json!({ "rows": [row] }).to_string();
    Ok(Server { name: "BentoML", start, request: request(&port, "/predict", body) })
}

/// A web server that has nothing to do but answer.
fn web_server(world: &World) -> Result<Server> {
    let port = free_port()?.to_string();
    let folder = world.path("nginx");
    let text = format!(
        "daemon off;\npid {0}/pid;\nerror_log {0}/errors;\nworker_processes 2;\nevents {{}}\nhttp {{\n  access_log \
         off;\n  client_body_temp_path {0}/body;\n  proxy_temp_path {0}/proxy;\n  fastcgi_temp_path {0}/fastcgi;\n  \
         uwsgi_temp_path {0}/uwsgi;\n  scgi_temp_path {0}/scgi;\n  keepalive_requests 100000000;\n  server {{\n    \
         listen 127.0.0.1:{port};\n    location / {{ return 200 \"word\"; }}\n  }}\n}}\n",
        argument(&folder)?
    );
    let file = folder.join("nginx.conf");
    write(&file, &text)?;
    let start = command("nginx", &["-c", argument(&file)?, "-p", argument(&folder)?]);
    Ok(Server { name: "nginx", start, request: request(&port, "/", "{}".to_owned()) })
}

/// How long the model takes for a row with no server around it.
fn onnx_ms(package: &Path, row: &Map<String, Value>) -> Result<f64> {
    let mut time = Command::new(environment("bentoml")?);
    time.arg(files().join("time_onnx.py")).arg(package.join("model.onnx")).arg(json!(row).to_string());
    let printed = output(time)?;
    printed.trim().parse().map_err(|_| format!("time_onnx.py printed `{printed}`"))
}

/// The Python of an environment with one of the peers.
fn environment(peer: &str) -> Result<PathBuf> {
    setup::peer(peer, &format!("tests/peers/serving/{peer}.txt"))
}

fn files() -> PathBuf {
    root().join("tests/peers/serving")
}

fn request(port: &str, path: &'static str, body: String) -> Request {
    Request { url: format!("http://127.0.0.1:{port}"), token: String::new(), path, body }
}

fn records(row: &Map<String, Value>) -> String {
    json!({ "dataframe_records": [row] }).to_string()
}

/// The row that a package shows as its example.
fn sample_row(package: &Path) -> Result<Map<String, Value>> {
    let path = package.join("input_example.json");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("`{}`: {error}", path.display()))?;
    row_of(&serde_json::from_str(&text).map_err(|error| format!("`{}`: {error}", path.display()))?)
}

fn row_of(example: &Value) -> Result<Map<String, Value>> {
    let list = |value: &Value| value.as_array().cloned().ok_or("the example of the package is no table");
    let (names, cells) = (list(&example["columns"])?, list(&example["data"][0])?);
    names.iter().zip(cells).map(|(name, cell)| Ok((text(name)?, cell))).collect()
}

fn write(path: &Path, text: &str) -> Result<()> {
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    made.and_then(|()| std::fs::write(path, text)).map_err(|error| format!("`{}`: {error}", path.display()))
}

fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    Ok(listener.map_err(|error| format!("no port is free: {error}"))?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_a_package_is_a_row_by_name() {
        let example = json!({ "columns": ["island", "year"], "data": [["Dream", 2007]] });
        let row = row_of(&example).expect("a row");
        assert_eq!(records(&row), "{\"dataframe_records\":[{\"island\":\"Dream\",\"year\":2007}]}");
        assert!(row_of(&json!({ "columns": ["island"] })).is_err());
    }

    #[test]
    fn we_are_compared_with_the_best_of_each() {
        let one = |name, per_s, memory_mb| Measured {
            name,
            start_ms: 10.0,
            median_ms: 0.3,
            per_s: [per_s, per_s * 2.0],
            memory_mb,
        };
        let peers = [one("a", 100.0, 300.0), one("b", 400.0, 600.0)];
        let lines = crate::figures::as_lines("peers", &figures(&one("us", 8000.0, 10.0), &peers, 0.1, 0.1));
        assert_eq!(lines.matches("20.0 times (at least 15)").count(), 2, "{lines}");
        assert!(lines.contains("1/30 (at most 1/6)") && lines.contains("1.50 times"), "{lines}");
    }
}
