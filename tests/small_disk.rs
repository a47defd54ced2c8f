//! A disk that runs full at any moment: the call says so, and nothing half made is left.
//!
//! The disk is a small tmpfs in a mount namespace of the test's own, so it needs no root where
//! user namespaces are allowed.
#![cfg(target_os = "linux")]

mod testkit;

use std::process::Command;

use serde_json::Value;
use testkit::World;

/// What is left of the disk when the import starts, in KiB: from nothing to nearly enough, so that
/// it runs full in different places.
const LEFT_KIB: [u32; 8] = [0, 64, 200, 400, 800, 1600, 2400, 3200];
const DISK_KIB: u32 = 16 * 1024;

/// In the namespace: mounts the disk, and imports with so much of it left; then again with all of it.
const SCRIPT: &str = r#"
set -u
disk=$1 file=$2 out=$3 fettle=$4
shift 4
mount -t tmpfs -o size=DISKk tmpfs "$disk"
"$fettle" --json -w "$disk/ws" workspace new "$disk/ws" > /dev/null || exit 9
for left in "$@"; do
  free=$(df -k --output=avail "$disk" | tail -1)
  head -c $(( (free - left) * 1024 )) /dev/zero > "$disk/filler"
  "$fettle" --json -q -w "$disk/ws" dataset import "$file" > "$out/$left.reply" 2> "$out/$left.said"
  echo $? > "$out/$left.code"
  rm "$disk/filler"
  "$fettle" --json -w "$disk/ws" workspace check --full > "$out/$left.check" 2>&1
  echo $? > "$out/$left.checked"
  "$fettle" --json -w "$disk/ws" dataset list > "$out/$left.list"
done
"$fettle" --json -q -w "$disk/ws" dataset import "$file" > "$out/last.reply" 2> "$out/last.said"
echo $? > "$out/last.code"
"#;

#[test]
fn a_full_disk_is_said_and_leaves_nothing_half_made() {
    let world = World::new();
    let (disk, out) = (world.path("disk"), world.path("out"));
    for folder in [&disk, &out] {
        std::fs::create_dir(folder).expect("can be made");
    }
    let file = world.file("random.csv", incompressible_csv());
    let mut call = Command::new("unshare");
    call.args(if is_root() { ["-m", "sh"] } else { ["-Urm", "sh"] });
    call.arg("-c").arg(SCRIPT.replace("DISK", &DISK_KIB.to_string())).arg("sh");
    call.args([&disk, &file, &out]).arg(env!("CARGO_BIN_EXE_fettle"));
    let status = call.args(LEFT_KIB.map(|left| left.to_string())).status().expect("`unshare` runs");
    assert!(status.success(), "the small disk could not be made: {status}");

    let read = |name: String| std::fs::read_to_string(out.join(&name)).expect(&name);
    let mut refused = 0;
    for left in LEFT_KIB {
        assert_eq!(read(format!("{left}.checked")).trim(), "0", "{left}: {}", read(format!("{left}.check")));
        let listed: Value = serde_json::from_str(&read(format!("{left}.list"))).expect("JSON");
        if read(format!("{left}.code")).trim() == "0" {
            continue;
        }
        refused += 1;
        let said = read(format!("{left}.said"));
        let error: Value = said.lines().rev().find_map(|line| serde_json::from_str(line).ok()).expect(&said);
        assert_eq!(error["code"], "disk_full", "{left}: {error}");
        assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("free some space")), "{error}");
        assert_eq!(listed, serde_json::json!([]), "{left} KiB left");
    }
    assert!(refused >= 5, "only {refused} imports ran out of space");
    assert_eq!(read("last.code".to_owned()).trim(), "0", "{}", read("last.said".to_owned()));
    let imported: Value = serde_json::from_str(&read("last.reply".to_owned())).expect("JSON");
    assert_eq!(imported["rows"], 40_000);
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("`id` runs");
    id.stdout.trim_ascii() == b"0"
}

/// Rows that no compression makes small.
fn incompressible_csv() -> String {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut text = "a,b,c\n".to_owned();
    for _ in 0..40_000 {
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 11
        };
        text += &format!("{},{},{}\n", next(), next(), next());
    }
    text
}
