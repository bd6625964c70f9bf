//! Proofs against the definitions of RFC 6962, known vectors, and the crate `tlog_tiles` of Cloudflare.

use std::convert::Infallible;

use ledger::{
    Hash,
    tiles::TileId,
    tree::{Edge, Plan, Tiles, verify_consistency, verify_inclusion},
};
use proptest::prelude::*;

use crate::support::Naive;

/// Tiles of a tree in memory.
pub struct Memory(Vec<Vec<Hash>>);

impl Memory {
    pub fn new(leaves: &[Hash]) -> Self {
        let mut levels = vec![leaves.to_vec()];
        while levels.last().is_some_and(|l| l.len() >= 256) {
            let below = levels.last().expect("at least one");
            levels.push(
                below
                    .as_chunks::<256>()
                    .0
                    .iter()
                    .map(|c| Naive::new(c).root(256))
                    .collect(),
            );
        }
        Self(levels)
    }
}

impl Tiles for Memory {
    type Error = Infallible;

    fn tile(&self, tile: TileId) -> Result<Vec<Hash>, Infallible> {
        let hashes = &self.0[usize::from(tile.level)];
        let start = tile.index as usize * 256;
        Ok(hashes[start..start + usize::from(tile.width)].to_vec())
    }
}

fn leaves(n: u64) -> Vec<Hash> {
    (0..n).map(|n| Hash::leaf(&n.to_be_bytes())).collect()
}

fn inclusion(tiles: &Memory, index: u64, size: u64) -> Vec<Hash> {
    let Ok(path) = Plan::inclusion(index, size).expect("in the tree").resolve(tiles);
    path
}

fn consistency(tiles: &Memory, from: u64, to: u64) -> Vec<Hash> {
    let Ok(proof) = Plan::consistency(from, to).expect("sizes in order").resolve(tiles);
    proof
}

fn unhex(text: &str) -> Hash {
    let bytes = hex::decode(text).expect("hex");
    Hash::from_bytes(&bytes).expect("32 bytes")
}

/// The test vectors of Certificate Transparency, which every implementation of RFC 6962 uses.
#[test]
fn the_classic_vectors() {
    let entries: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let leaves: Vec<_> = entries.iter().map(|e| Hash::leaf(e)).collect();
    let mut edge = Edge::default();
    assert_eq!(edge.root(), Hash::EMPTY);
    for (leaf, root) in leaves.iter().zip(roots) {
        edge.push(*leaf);
        assert_eq!(edge.root(), unhex(root));
    }
    let tiles = Memory::new(&leaves);
    let paths: [(u64, u64, &[&str]); 3] = [
        (0, 1, &[]),
        (
            0,
            8,
            &[
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            5,
            8,
            &[
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
    ];
    for (index, size, path) in paths {
        let path: Vec<_> = path.iter().map(|h| unhex(h)).collect();
        assert_eq!(inclusion(&tiles, index, size), path);
    }
    let proofs: [(u64, u64, &[&str]); 4] = [
        (1, 1, &[]),
        (
            1,
            8,
            &[
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            6,
            8,
            &[
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (
            2,
            5,
            &[
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ];
    for (from, to, proof) in proofs {
        let proof: Vec<_> = proof.iter().map(|h| unhex(h)).collect();
        assert_eq!(consistency(&tiles, from, to), proof);
    }
}

#[test]
fn every_proof_of_every_tree_up_to_300_leaves() {
    let leaves = leaves(300);
    let tiles = Memory::new(&leaves);
    let naive = Naive::new(&leaves);
    for size in 1..=leaves.len() as u64 {
        let root = naive.root(size);
        // Every leaf of small trees and around full subtrees; of the others some, for the sake of time.
        let step = if size <= 130 || size % 64 <= 1 { 1 } else { 7 };
        for index in (size % step..size).step_by(step as usize) {
            let leaf = &leaves[index as usize];
            let path = inclusion(&tiles, index, size);
            assert_eq!(path, naive.path(index, size), "leaf {index} of {size}");
            assert!(verify_inclusion(leaf, index, size, &root, &path));
            if index % 3 == size % 3 {
                assert!(!verify_inclusion(leaf, index ^ 1, size, &root, &path) || size == 1);
                assert!(!verify_inclusion(&root, index, size, &root, &path) || size == 1);
            }
        }
        for from in (size % step..=size).step_by(step as usize) {
            let proof = consistency(&tiles, from, size);
            assert_eq!(proof, naive.consistency(from, size), "{from} to {size}");
            let old = naive.root(from);
            let verifies = |old: &Hash, new: &Hash, proof: &[Hash]| verify_consistency(from, size, old, new, proof);
            assert!(verifies(&old, &root, &proof), "{from} to {size}");
            if from > 0 && from % 3 == size % 3 {
                let other = naive.root(from - 1);
                assert!(!verifies(&other, &root, &proof));
                assert!(!verifies(&old, &other, &proof));
                assert!(!verifies(&old, &root, &[&proof[..], &[other]].concat()));
                if let [first, rest @ ..] = &proof[..] {
                    assert!(!verifies(&old, &root, rest));
                    assert!(!verifies(&old, &root, &[&[other], rest].concat()) || other == *first);
                    assert!(!verifies(&old, &root, &proof[..proof.len() - 1]));
                }
            }
        }
    }
}

/// The hashes of a tree in the order in which `tlog_tiles` keeps them.
struct Stored(Vec<tlog_tiles::Hash>);

impl tlog_tiles::HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|i| self.0[*i as usize]).collect())
    }
}

fn theirs(hashes: &[Hash]) -> Vec<tlog_tiles::Hash> {
    hashes.iter().map(|h| tlog_tiles::Hash(h.0)).collect()
}

#[test]
fn tlog_tiles_makes_and_takes_the_same_proofs() {
    const SIZE: u64 = 70_000;
    let leaves = leaves(SIZE);
    let tiles = Memory::new(&leaves);
    let mut stored = Stored(Vec::new());
    for n in 0..SIZE {
        let hashes = tlog_tiles::stored_hashes(n, &n.to_be_bytes(), &stored).expect("hashes");
        stored.0.extend(hashes);
    }
    let mut random = 1_u64;
    let mut next = |below: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    for _ in 0..300 {
        let size = 1 + next(SIZE);
        let index = next(size);
        let from = 1 + next(size);
        let root = |size| tlog_tiles::tree_hash(size, &stored).expect("a root");
        let path = inclusion(&tiles, index, size);
        let expected = tlog_tiles::prove_record(size, index, &stored).expect("a proof");
        assert_eq!(
            path.iter().map(|h| h.0).collect::<Vec<_>>(),
            expected.iter().map(|h| h.0).collect::<Vec<_>>()
        );
        let leaf = tlog_tiles::Hash(leaves[index as usize].0);
        tlog_tiles::check_record(&theirs(&path), size, root(size), index, leaf).expect("they verify ours");
        let proof = consistency(&tiles, from, size);
        tlog_tiles::check_tree(&theirs(&proof), size, root(size), from, root(from)).expect("they verify ours");
        let Ok(ours) = Plan::root(size).resolve(&tiles);
        assert_eq!(ours[0].0, root(size).0);
    }
}

fn hash() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>().prop_map(Hash)
}

proptest! {
    #[test]
    fn no_proof_makes_the_verifier_panic(
        numbers in any::<(u64, u64)>(),
        shift in 0_u32..64,
        roots in (hash(), hash()),
        proof in proptest::collection::vec(hash(), 0..70),
    ) {
        let (a, b) = (numbers.0 >> shift, numbers.1 >> shift);
        prop_assert!(!verify_inclusion(&roots.0, a, b, &roots.1, &proof));
        let empty = a == 0 && proof.is_empty() && roots.0 == Hash::EMPTY;
        prop_assert!(!verify_consistency(a, b, &roots.0, &roots.1, &proof) || empty || (a == b && roots.0 == roots.1));
    }

    #[test]
    fn plans_never_panic(a: u64, b: u64) {
        for (a, b) in [(a, b), (a >> 32, b >> 32), (a, u64::MAX), (0, b)] {
            let _ = Plan::inclusion(a, b).map(|p| p.tiles());
            let _ = Plan::consistency(a, b).map(|p| p.tiles());
            let _ = Plan::root(a).tiles();
        }
    }

    #[test]
    fn any_flipped_bit_of_a_proof_is_refused(size in 2_u64..3_000, at: proptest::sample::Index, bit: proptest::sample::Index) {
        let leaves = leaves(size);
        let tiles = Memory::new(&leaves);
        let index = at.index(size as usize) as u64;
        let root = Naive::new(&leaves).root(size);
        let path = inclusion(&tiles, index, size);
        let mut flipped = path.clone();
        let bit = bit.index(flipped.len() * 256);
        flipped[bit / 256].0[bit % 256 / 8] ^= 1 << (bit % 8);
        prop_assert!(verify_inclusion(&leaves[index as usize], index, size, &root, &path));
        prop_assert!(!verify_inclusion(&leaves[index as usize], index, size, &root, &flipped));
    }
}
