//! The manual's table of kinds is what the kinds say of themselves. To write it anew, run this test
//! with `FETTLE_WRITE_DOCS=1`.

use std::path::Path;

use flow::kind::Port;
use flow::kinds;

const BEGIN: &str = "<!-- kinds: begin -->\n";
const END: &str = "<!-- kinds: end -->\n";

fn ports(ports: &[Port]) -> String {
    let port = |port: &Port| {
        let several = if port.is_many() { "s" } else { "" };
        format!("{}{several}", port.port_type.name()).replace("metricss", "metrics")
    };
    let names: Vec<String> = ports.iter().map(port).collect();
    if names.is_empty() { "–".to_owned() } else { names.join(", ") }
}

fn table() -> String {
    let mut text = "| kind | takes | gives | what it does |\n|---|---|---|---|\n".to_owned();
    for kind in kinds::all() {
        let said = kind.declaration();
        let (takes, gives) = (ports(said.inputs), ports(said.outputs));
        text.push_str(&format!("| `{}` | {takes} | {gives} | {} |\n", said.kind, said.summary));
    }
    text
}

#[test]
fn the_manual_lists_every_kind_of_step() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/pipelines.md");
    // A checkout on Windows may have other line ends.
    let manual = std::fs::read_to_string(&path).expect("the manual").replace("\r\n", "\n");
    let (before, rest) = manual.split_once(BEGIN).expect("the manual marks where the kinds begin");
    let (_, after) = rest.split_once(END).expect("and where they end");
    let fresh = format!("{before}{BEGIN}{}{END}{after}", table());
    if std::env::var_os("FETTLE_WRITE_DOCS").is_some() {
        std::fs::write(&path, &fresh).expect("the manual is written");
        return;
    }
    assert!(manual == fresh, "the table of kinds is stale: run this test with FETTLE_WRITE_DOCS=1");
}

#[test]
fn the_schema_of_the_pipeline_file_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/pipeline.schema.json");
    let mut fresh = serde_json::to_string_pretty(&flow::schema::pipeline_schema()).expect("plain data");
    fresh.push('\n');
    if std::env::var_os("FETTLE_WRITE_DOCS").is_some() {
        std::fs::write(&path, &fresh).expect("the schema is written");
        return;
    }
    let kept = std::fs::read_to_string(&path).expect("the schema").replace("\r\n", "\n");
    assert!(kept == fresh, "the schema is stale: run this test with FETTLE_WRITE_DOCS=1");
}
