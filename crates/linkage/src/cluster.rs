//! Persons out of pairs: records joined by pairs are one cluster, unless something forbids it.

use hashbrown::HashMap;

/// Two records that are to be joined, and how strongly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edge {
    /// A record.
    pub left: u32,
    /// Another.
    pub right: u32,
    /// The weight in bits; the strongest are joined first.
    pub weight: f64,
}

/// What must hold within a cluster.
#[derive(Debug, Default)]
pub struct Constraints {
    /// For each fact of which a person has only one, its value in each record: 0 where it has none that counts.
    pub facts: Vec<Vec<u32>>,
    /// The source of each record, if a cluster may hold one record of each source only; else empty.
    pub one_per_source: Vec<u16>,
    /// Pairs that people found to be the same person: joined whatever else is known.
    pub same: Vec<(u32, u32)>,
    /// Pairs that people found to be different persons: never in one cluster, unless `same` puts them there.
    pub different: Vec<(u32, u32)>,
}

/// Why two records were not joined, though a pair says that they are of the same person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// The cluster would have two values of the fact with this number.
    Fact(usize),
    /// The cluster would have two records of one source.
    SourceTwice,
    /// People found two of its records to be different persons.
    Decided,
}

/// Which records are of one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Clusters {
    /// For each record the first record of its cluster.
    pub first: Vec<u32>,
    /// The edges that were not followed, strongest first.
    pub refused: Vec<(Edge, Conflict)>,
}

/// Joins records along edges, the strongest first, equal ones by the numbers of their records.
///
/// Edges that name a record beyond `records` are passed over.
pub fn cluster(records: usize, mut edges: Vec<Edge>, constraints: &Constraints) -> Clusters {
    let mut state = State::new(records, constraints);
    let known = |row: u32| (row as usize) < records;
    for (a, b) in constraints.same.iter().filter(|(a, b)| known(*a) && known(*b)) {
        state.join(*a, *b);
    }
    edges.retain(|e| known(e.left) && known(e.right));
    edges.sort_unstable_by(|a, b| {
        b.weight
            .total_cmp(&a.weight)
            .then((a.left, a.right).cmp(&(b.left, b.right)))
    });
    let mut refused = Vec::new();
    for edge in edges {
        match state.conflict(edge.left, edge.right) {
            Some(conflict) => refused.push((edge, conflict)),
            None => state.join(edge.left, edge.right),
        }
    }
    Clusters {
        first: state.firsts(),
        refused,
    }
}

/// Union-find, with what the constraints ask of each cluster kept at its root.
struct State<'a> {
    parent: Vec<u32>,
    size: Vec<u32>,
    facts: Vec<Vec<u32>>,
    /// As in the constraints; empty where sources do not matter.
    one_per_source: &'a [u16],
    /// The sources of clusters of several records.
    sources: HashMap<u32, Vec<u16>>,
    different: HashMap<u32, Vec<u32>>,
}

impl<'a> State<'a> {
    fn new(records: usize, constraints: &'a Constraints) -> Self {
        let mut different: HashMap<u32, Vec<u32>> = HashMap::new();
        for (a, b) in &constraints.different {
            different.entry(*a).or_default().push(*b);
            different.entry(*b).or_default().push(*a);
        }
        Self {
            parent: (0..records as u32).collect(),
            size: vec![1; records],
            facts: constraints.facts.clone(),
            one_per_source: &constraints.one_per_source,
            sources: HashMap::new(),
            different,
        }
    }

    fn root(&mut self, row: u32) -> u32 {
        let mut at = row;
        while let Some(&parent) = self.parent.get(at as usize) {
            if parent == at {
                break;
            }
            // Halve the way for who comes next.
            let grandparent = self.parent.get(parent as usize).copied().unwrap_or(parent);
            if let Some(slot) = self.parent.get_mut(at as usize) {
                *slot = grandparent;
            }
            at = grandparent;
        }
        at
    }

    /// The sources of a cluster's records.
    fn sources_of(&self, root: u32) -> &[u16] {
        let own = self
            .one_per_source
            .get(root as usize)
            .map_or(&[][..], std::slice::from_ref);
        self.sources.get(&root).map_or(own, Vec::as_slice)
    }

    fn conflict(&mut self, a: u32, b: u32) -> Option<Conflict> {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return None;
        }
        let value = |fact: &Vec<u32>, root: u32| fact.get(root as usize).copied().unwrap_or(0);
        let two = |fact: &Vec<u32>| {
            let (x, y) = (value(fact, a), value(fact, b));
            x != 0 && y != 0 && x != y
        };
        if let Some(fact) = self.facts.iter().position(two) {
            return Some(Conflict::Fact(fact));
        }
        let (of_a, of_b) = (self.sources_of(a), self.sources_of(b));
        if of_a.iter().any(|source| of_b.contains(source)) {
            return Some(Conflict::SourceTwice);
        }
        let apart = self.different.get(&a).cloned().unwrap_or_default();
        apart
            .into_iter()
            .any(|row| self.root(row) == b)
            .then_some(Conflict::Decided)
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        let size = |row: u32| self.size.get(row as usize).copied().unwrap_or(0);
        let (root, child) = if size(a) >= size(b) { (a, b) } else { (b, a) };
        let total = size(a) + size(b);
        if let (Some(parent), Some(size)) = (self.parent.get_mut(child as usize), self.size.get_mut(root as usize)) {
            *parent = root;
            *size = total;
        }
        for fact in &mut self.facts {
            let of_child = fact.get(child as usize).copied().unwrap_or(0);
            if let Some(value) = fact.get_mut(root as usize).filter(|v| **v == 0) {
                *value = of_child;
            }
        }
        let together = [self.sources_of(root), self.sources_of(child)].concat();
        if !together.is_empty() {
            self.sources.remove(&child);
            self.sources.insert(root, together);
        }
        if let Some(mut different) = self.different.remove(&child) {
            self.different.entry(root).or_default().append(&mut different);
        }
    }

    fn firsts(&mut self) -> Vec<u32> {
        let rows = self.parent.len() as u32;
        // By root, once one of its records was met.
        let mut first_of = vec![rows; rows as usize];
        (0..rows)
            .map(|row| {
                let root = self.root(row);
                first_of.get_mut(root as usize).map_or(row, |first| {
                    *first = row.min(*first);
                    *first
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn edge(left: u32, right: u32, weight: f64) -> Edge {
        Edge { left, right, weight }
    }

    #[test]
    fn two_valid_numbers_never_meet_even_through_a_third() {
        let constraints = Constraints {
            facts: vec![vec![7, 0, 9]],
            ..Constraints::default()
        };
        let found = cluster(3, vec![edge(1, 2, 5.0), edge(0, 1, 9.0)], &constraints);
        assert_eq!(found.first, [0, 0, 2]);
        assert_eq!(found.refused, [(edge(1, 2, 5.0), Conflict::Fact(0))]);
    }

    #[test]
    fn what_people_decided_outweighs_every_score() {
        let constraints = Constraints {
            same: vec![(0, 3)],
            different: vec![(1, 3)],
            facts: vec![vec![1, 0, 0, 2]],
            ..Constraints::default()
        };
        let found = cluster(4, vec![edge(0, 1, 99.0), edge(1, 2, 1.0)], &constraints);
        assert_eq!(found.first, [0, 1, 1, 0]);
        assert_eq!(found.refused, [(edge(0, 1, 99.0), Conflict::Decided)]);
    }

    #[test]
    fn one_to_one_takes_the_stronger() {
        let constraints = Constraints {
            one_per_source: vec![0, 0, 1],
            ..Constraints::default()
        };
        let found = cluster(3, vec![edge(0, 2, 3.0), edge(1, 2, 4.0)], &constraints);
        assert_eq!(found.first, [0, 1, 1]);
        assert_eq!(found.refused, [(edge(0, 2, 3.0), Conflict::SourceTwice)]);
    }

    /// Components as one finds them without thinking: the smallest number spreads until nothing changes.
    fn naive(records: usize, edges: &[Edge]) -> Vec<u32> {
        let mut first: Vec<u32> = (0..records as u32).collect();
        loop {
            let before = first.clone();
            for e in edges {
                let least = first[e.left as usize].min(first[e.right as usize]);
                first[e.left as usize] = least;
                first[e.right as usize] = least;
            }
            if first == before {
                return first;
            }
        }
    }

    proptest! {
        #[test]
        fn clusters_are_the_connected_components(
            pairs in prop::collection::vec((0u32..40, 0u32..40, -5.0f64..5.0), 0..80)
        ) {
            let edges: Vec<Edge> = pairs.into_iter().map(|(a, b, w)| edge(a, b, w)).collect();
            prop_assert_eq!(cluster(40, edges.clone(), &Constraints::default()).first, naive(40, &edges));
        }

        #[test]
        fn no_cluster_breaks_a_constraint(
            pairs in prop::collection::vec((0u32..30, 0u32..30, -5.0f64..5.0), 0..80),
            facts in prop::collection::vec(0u32..4, 30),
            different in prop::collection::vec((0u32..30, 0u32..30), 0..10),
        ) {
            let different: Vec<_> = different.into_iter().filter(|(a, b)| a != b).collect();
            let edges: Vec<Edge> = pairs.into_iter().map(|(a, b, w)| edge(a, b, w)).collect();
            let constraints = Constraints { facts: vec![facts.clone()], different: different.clone(), ..Constraints::default() };
            let found = cluster(30, edges, &constraints);
            for a in 0..30 {
                for b in 0..30 {
                    let together = found.first[a] == found.first[b];
                    prop_assert!(!(together && facts[a] != 0 && facts[b] != 0 && facts[a] != facts[b]));
                }
            }
            for (a, b) in different {
                prop_assert_ne!(found.first[a as usize], found.first[b as usize]);
            }
        }
    }
}
