//! A stable compiler's share of fuzzing: random changes to seeds, the same ones in each run and on each machine.

/// What a reader of JSON stumbles over.
const JSON: &[&str] = &[
    "\\ud800",
    "\\udc00",
    "\\u0000",
    "\\u0022",
    "\\",
    "\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "1e999",
    "-0",
    "\u{feff}",
    "\u{202e}",
    "\u{0}",
    "é",
    "😀",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
];

/// Gives `target` each seed as it is, then `rounds` of them with a few random changes: bits, cuts, copies, parts of other seeds, what a
/// reader of JSON stumbles over, and `pieces`, over which this one may.
///
/// # Panics
/// When the target does; the message has the input.
pub fn fuzz(target: fn(&[u8]), seeds: &[impl AsRef<str>], pieces: &[&str], rounds: usize) {
    let seeds: Vec<&[u8]> = seeds.iter().map(|seed| seed.as_ref().as_bytes()).collect();
    let pieces = [JSON, pieces].concat();
    seeds.iter().for_each(|seed| target(seed));
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    for _ in 0..rounds {
        let mut bytes = numbers.one_of(&seeds).to_vec();
        for _ in 0..=numbers.below(6) {
            change(&mut bytes, &seeds, &pieces, &mut numbers);
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let outcome = std::panic::catch_unwind(|| target(text.as_bytes()));
        assert!(outcome.is_ok(), "fails on {text:?}");
    }
}

/// xorshift64.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).expect("below a length")
    }

    fn one_of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

fn change(bytes: &mut Vec<u8>, seeds: &[&[u8]], pieces: &[&str], numbers: &mut Numbers) {
    let at = numbers.below(bytes.len() + 1);
    let end = (at + numbers.below(24)).min(bytes.len());
    match numbers.below(7) {
        0 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
        1 => drop(bytes.drain(at..end)),
        2 => {
            let piece = bytes[at..end].to_vec();
            let to = numbers.below(bytes.len() + 1);
            bytes.splice(to..to, piece);
        }
        3 => {
            let other = numbers.one_of(seeds);
            let from = numbers.below(other.len());
            let to = (from + numbers.below(120)).min(other.len());
            bytes.splice(at..end, other[from..to].iter().copied());
        }
        _ => {
            let piece = numbers.one_of(pieces).bytes();
            bytes.splice(at..at, piece);
        }
    }
}
