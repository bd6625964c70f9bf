//! No changed byte of any file that is served is taken.

use std::{fs, path::Path};

use exchange::directory::{Edition, File, Root, Sealed, Stamp};
use proptest::prelude::*;

use crate::support::{Keys, Mirror, Operator, Trick};

/// The files that a newcomer reads, with their bytes.
fn files(folder: &Path) -> Vec<(File, Vec<u8>)> {
    let read = |file: File| (file, fs::read(folder.join(file.path())).unwrap());
    let timestamp = read(File::Timestamp);
    let named = Sealed::<Stamp>::read(&timestamp.1).unwrap().body().edition;
    let edition = read(File::Edition(named));
    let blob = Sealed::<Edition>::read(&edition.1).unwrap().body().directory.sha256;
    vec![read(File::Root(2)), timestamp, edition, read(File::Blob(blob))]
}

fn rotated() -> Operator {
    let mut operator = Operator::new("VN");
    operator.publish_with_document();
    let new = Keys::new();
    let signers = [&operator.keys.root[..2], &new.root[..2]].concat();
    operator.rotate(new, &signers);
    operator
}

/// A note without mirrors and sockets: each bit of it.
#[test]
fn no_bit_of_a_sealed_document_may_change() {
    let operator = rotated();
    let folder = operator.folder.path();
    let root = fs::read(folder.join(File::Root(2).path())).unwrap();
    let root = Sealed::<Root>::read(&root).unwrap().body().clone();
    let stands = |file: &File, bytes: &[u8]| match file {
        File::Timestamp => Sealed::<Stamp>::read(bytes)?.signers(&root.timestamp.keys),
        _ => Sealed::<Edition>::read(bytes)?.signers(&root.edition.keys),
    };
    for (file, bytes) in &files(folder)[1..3] {
        let signers = stands(file, bytes).unwrap().len();
        for at in 0..bytes.len() * 8 {
            let mut bent = bytes.clone();
            bent[at / 8] ^= 1 << (at % 8);
            assert!(stands(file, &bent).is_err(), "bit {at} of {}", file.path());
        }
        assert_eq!(signers, if *file == File::Timestamp { 1 } else { 2 });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_file_is_refused(which in 0_usize..4, at in any::<prop::sample::Index>(), change in 1_u8..=255) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let operator = rotated();
            let (file, mut bytes) = files(operator.folder.path()).swap_remove(which);
            let mirror = Mirror::of(operator.folder.path()).await;
            assert!(operator.node().open(&[&mirror.url]).await.is_ok());
            let at = at.index(bytes.len());
            bytes[at] ^= change;
            mirror.plays(file, Trick::Bytes(bytes));
            let opened = operator.node().open(&[&mirror.url]).await;
            assert!(opened.is_err(), "byte {at} of {}", file.path());
        });
    }

    #[test]
    fn a_file_cut_or_grown_is_refused(which in 0_usize..4, at in any::<prop::sample::Index>(), more in ".{0,3}") {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let operator = rotated();
            let (file, whole) = files(operator.folder.path()).swap_remove(which);
            let mirror = Mirror::of(operator.folder.path()).await;
            let mut bytes = whole[..at.index(whole.len() + 1)].to_vec();
            bytes.extend_from_slice(more.as_bytes());
            prop_assume!(bytes != whole);
            mirror.plays(file, Trick::Bytes(bytes));
            prop_assert!(operator.node().open(&[&mirror.url]).await.is_err());
            Ok(())
        })?;
    }
}
