//! Names of tools and models as small numbers, bounded: what comes when all places are taken counts as "other".

use std::collections::HashMap;
use std::sync::Arc;

/// The number of "other".
pub(super) const OTHER: u16 = 0;
/// Bytes of a name that are kept.
const MAX_BYTES: usize = 128;

#[derive(Debug)]
pub(super) struct Names {
    numbers: HashMap<Arc<str>, u16>,
    names: Vec<Arc<str>>,
    /// How many minutes mention it; a name that none mentions gives its place back.
    uses: Vec<u32>,
    free: Vec<u16>,
    most: u16,
}

impl Names {
    /// Room for `most` names beside "other".
    pub(super) fn new(most: u16) -> Self {
        Self {
            numbers: HashMap::new(),
            names: vec!["other".into()],
            uses: vec![0],
            free: Vec::new(),
            most,
        }
    }

    /// The number of `name`.
    pub(super) fn number(&mut self, name: &str) -> u16 {
        let name = clip(name);
        if name.is_empty() || name == "other" {
            return OTHER;
        }
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let name: Arc<str> = name.into();
        let number = match self.free.pop() {
            Some(number) => {
                self.names[usize::from(number)] = name.clone();
                number
            }
            None if self.names.len() <= usize::from(self.most) => {
                self.names.push(name.clone());
                self.uses.push(0);
                u16::try_from(self.names.len() - 1).unwrap_or(OTHER)
            }
            None => return OTHER,
        };
        self.numbers.insert(name, number);
        number
    }

    /// The name of a number.
    pub(super) fn name(&self, number: u16) -> Arc<str> {
        self.names[usize::from(number)].clone()
    }

    /// One more minute mentions it.
    pub(super) fn used(&mut self, number: u16) {
        self.uses[usize::from(number)] += 1;
    }

    /// A minute that mentioned it is forgotten.
    pub(super) fn unused(&mut self, number: u16) {
        let uses = &mut self.uses[usize::from(number)];
        *uses -= 1;
        if *uses == 0 && number != OTHER {
            self.numbers.remove(&self.names[usize::from(number)]);
            self.free.push(number);
        }
    }
}

fn clip(name: &str) -> &str {
    let mut end = name.len().min(MAX_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_bound_are_other_until_a_place_is_free() {
        let mut names = Names::new(2);
        let (a, b) = (names.number("a"), names.number("b"));
        names.used(a);
        names.used(b);
        assert_eq!(names.number("c"), OTHER);
        assert_eq!(names.number("a"), a);
        names.unused(a);
        let c = names.number("c");
        assert_eq!((c, &*names.name(c)), (a, "c"));
        assert_eq!(names.number("a"), OTHER);
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let long = format!("{}é", "x".repeat(MAX_BYTES - 1));
        let mut names = Names::new(2);
        let number = names.number(&long);
        assert_eq!(names.name(number).len(), MAX_BYTES - 1);
    }
}
