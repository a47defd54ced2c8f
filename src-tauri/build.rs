//! Reads `tauri.conf.json`, and rebuilds the program when the built pages change.

fn main() {
    println!("cargo:rerun-if-changed=../ui/dist");
    tauri_build::build();
}
