//! The rungs on which pairs start.

use super::Compiler;
use crate::formula::{Members, Symbols};
use crate::scenario::tree::Path;

/// A rung for one pair of actors, and by how many sets the file names the pair.
pub(super) struct InitialRung {
    pair: (u32, u32),
    rung: u16,
    by_sets: usize,
}

impl Compiler<'_> {
    /// What `ladder.initial` says, in the order of the file. A pair may be there more than once.
    pub(super) fn initial_rungs(&mut self) -> Vec<InitialRung> {
        let raw = self.raw;
        let mut found: Vec<InitialRung> = Vec::new();
        for (row, partners) in &raw.ladder.initial {
            let row_path = Path::keys(["ladder", "initial", row]);
            for (column, rung) in partners {
                let path = row_path.key(column.as_str());
                let Some(rung) = self.rung(rung, &path) else {
                    continue;
                };
                let (Some(a), Some(b)) = (self.named(row, &row_path), self.named(column, &path))
                else {
                    continue;
                };
                let by_sets = usize::from(a.len() > 1) + usize::from(b.len() > 1);
                for (&a, &b) in a.iter().flat_map(|a| b.iter().map(move |b| (a, b))) {
                    if a == b {
                        if by_sets == 0 {
                            let message = "an actor stands on no rung with itself";
                            self.problems.error(&path, message);
                        }
                        continue;
                    }
                    let pair = (a.min(b), a.max(b));
                    let differs = |other: &InitialRung| {
                        other.pair == pair && other.by_sets == 0 && other.rung != rung
                    };
                    if by_sets == 0 && found.iter().any(differs) {
                        let [a, b] = [pair.0, pair.1].map(|actor| self.names.actor_id(actor));
                        let message = format!("`{a}` and `{b}` are given two rungs to start on");
                        self.problems.error_with_help(
                            &path,
                            message,
                            "a rung belongs to both actors alike: give it once",
                        );
                    }
                    found.push(InitialRung {
                        pair,
                        rung,
                        by_sets,
                    });
                }
            }
        }
        found
    }

    /// The actor of that name, or the members of the set of that name.
    fn named(&mut self, name: &str, path: &Path) -> Option<Vec<u32>> {
        match (self.names.actor(name), self.names.set(name)) {
            (Some(actor), _) => Some(vec![actor]),
            (None, Some(Members::Actors(members))) => Some(members.to_vec()),
            _ => {
                let known = self.names.actor_names();
                self.problems
                    .unknown(path, "actor or set of actors", name, known);
                None
            }
        }
    }
}

/// The rung on which each pair starts: what is said of the pair by the fewest sets, and of that the first.
pub(super) fn initial(said: &[InitialRung], pairs: &[(u32, u32)]) -> Vec<u16> {
    let rung = |pair: &(u32, u32)| {
        let of_pair = said.iter().filter(|initial| initial.pair == *pair);
        let nearest = of_pair.min_by_key(|initial| initial.by_sets);
        nearest.map_or(0, |initial| initial.rung)
    };
    pairs.iter().map(rung).collect()
}
