//! The program `fettle`.

fn main() {}
