//! A minute of fuzzing in a few seconds: the same mutations of the same seeds on every machine, so that a change to a
//! reader meets hostile bytes in every test run. `make fuzz` looks further.

use std::panic::catch_unwind;

use super::corpus::encoded;
use super::dice::Dice;
use super::seeds;

/// Mutations tried for each seed.
const ROUNDS: usize = 2_000;

/// Numbers at which lengths, counts and sides go wrong.
const EDGES: [u32; 10] = [
    0,
    1,
    2,
    0x7f,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_fffe,
    0xffff_ffff,
];

/// Changes files as its dice fall.
struct Mutator {
    dice: Dice,
}

impl Mutator {
    fn byte(&mut self) -> u8 {
        u8::try_from(self.dice.below(256)).unwrap()
    }

    /// One change to `file`; `other` lends its bytes.
    fn mutate(&mut self, file: &mut Vec<u8>, other: &[u8]) {
        if file.is_empty() {
            file.push(self.byte());
        }
        // Headers are short and decide the most.
        let reach = if self.dice.below(2) == 0 {
            file.len().min(96)
        } else {
            file.len()
        };
        let at = self.dice.below(reach);
        let end = at + self.dice.below((file.len() - at).min(64) + 1);
        match self.dice.below(7) {
            0 => file[at] ^= 1 << self.dice.below(8),
            1 => file[at] = self.byte(),
            2 => {
                let edge = *self.dice.pick(&EDGES);
                let bytes = if self.dice.below(2) == 0 {
                    edge.to_le_bytes()
                } else {
                    edge.to_be_bytes()
                };
                let width = *self.dice.pick(&[1, 2, 4]);
                file.iter_mut()
                    .skip(at)
                    .zip(&bytes[4 - width..])
                    .for_each(|(to, from)| *to = *from);
            }
            3 => file.truncate(at),
            4 => drop(file.drain(at..end)),
            5 => {
                let again = file[at..end].to_vec();
                file.splice(at..at, again);
            }
            _ => {
                let from = self.dice.below(other.len());
                let length = other.len().min(from + 64);
                file.splice(at..end, other[from..length].iter().copied());
            }
        }
    }
}

/// Fails when a reader panics, or when what it reads breaks a promise of `hotcut::fuzzing`.
#[test]
fn mutated_seeds_break_no_reader() {
    let seeds = seeds();
    let mut mutator = Mutator { dice: Dice::new(1) };
    for (target, name, seed) in &seeds {
        let read = match *target {
            "decode" => super::decode,
            "provenance" => super::provenance,
            "protocol" => super::protocol,
            other => panic!("no target is called {other}"),
        };
        read(seed);
        for round in 0..ROUNDS {
            let mut file = seed.clone();
            for _ in 0..=mutator.dice.below(4) {
                let (.., other) = &seeds[mutator.dice.below(seeds.len())];
                mutator.mutate(&mut file, other);
            }
            let broken = catch_unwind(|| read(&file)).is_err();
            assert!(
                !broken,
                "{target}: round {round} of {name}: {}",
                file.escape_ascii()
            );
        }
    }
}

/// Fails when mutations stay what they were, or miss a part of the file: then the test above proves nothing.
#[test]
fn mutations_reach_every_byte() {
    let seed = encoded(image::ImageFormat::Bmp);
    let mut mutator = Mutator { dice: Dice::new(1) };
    let mut changed = vec![false; seed.len()];
    for _ in 0..10_000 {
        let mut file = seed.clone();
        mutator.mutate(&mut file, &seed);
        let differing = seed
            .iter()
            .zip(&file)
            .map(|(before, after)| before != after);
        changed
            .iter_mut()
            .zip(differing)
            .for_each(|(seen, now)| *seen |= now);
    }
    assert!(changed.iter().all(|seen| *seen));
}
