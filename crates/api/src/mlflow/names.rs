//! Names for runs that nobody named: an adjective, an animal and a number.

use base::RunId;

const ADJECTIVES: [&str; 32] = [
    "able",
    "amused",
    "bold",
    "brave",
    "bright",
    "calm",
    "casual",
    "clean",
    "clever",
    "colorful",
    "curious",
    "defiant",
    "eager",
    "fearless",
    "gentle",
    "glad",
    "grand",
    "happy",
    "intrigued",
    "kindly",
    "likeable",
    "loud",
    "merciful",
    "nimble",
    "placid",
    "polite",
    "quiet",
    "rare",
    "sincere",
    "skillful",
    "stylish",
    "wise",
];
const ANIMALS: [&str; 32] = [
    "ant", "ape", "bat", "bear", "bee", "bird", "bug", "carp", "cat", "colt", "crab", "crow", "deer", "doe",
    "dog", "duck", "eel", "finch", "fish", "fox", "goat", "gull", "hare", "hawk", "hen", "lamb", "lark",
    "mole", "owl", "ray", "shrew", "wren",
];

/// A name such as `calm-owl-417`.
pub(super) fn random() -> String {
    // An id is drawn at random, which serves as well here.
    let drawn = RunId::new();
    let digits = |from: usize, to: usize| usize::from_str_radix(&drawn.as_str()[from..to], 16).unwrap_or(0);
    let (adjective, animal) = (ADJECTIVES[digits(0, 2) % 32], ANIMALS[digits(2, 4) % 32]);
    format!("{adjective}-{animal}-{}", digits(4, 8) % 1_000)
}
