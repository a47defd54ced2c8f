//! The program `fettle-serve`.

fn main() {}
