//! The copy in an object store.

use std::sync::Arc;

use futures::TryStreamExt;
use ledger::{Mirror, PublishError, audit};
use object_store::{ObjectStore, ObjectStoreExt, memory::InMemory, path::Path};

use crate::support::{block_on, fill, key, open, policy};

#[test]
fn a_copy_grows_with_the_log_and_can_be_audited() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let log = Arc::new(open(dir.path(), &key));
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    // Sizes around the borders of tiles; a new mirror each time, as after a restart.
    let mut known = Vec::new();
    let mut before = 0;
    for size in [0, 1, 255, 256, 257, 600, 65_536, 65_800] {
        fill(&log, before..size, 1_000);
        before = size;
        let checkpoint = log.checkpoint();
        let mirror = Mirror::new(Arc::clone(&store), "so-cai/2026");
        let published = block_on(mirror.publish(&log, &checkpoint)).expect("it is copied");
        assert_eq!(published.size, size);
        assert!(published.files >= 1);
        let again = block_on(mirror.publish(&log, &checkpoint)).expect("nothing to do");
        assert_eq!(again.files, 0);
        let report = block_on(audit::published(&mirror, &policy(&key), &known)).expect("all is there");
        assert!(report.is_clean(), "{size}: {:?}", report.findings);
        assert_eq!(report.size, size);
        known.push((*checkpoint).clone());
    }
    let names: Vec<_> = block_on(
        store
            .list(Some(&Path::from("so-cai/2026")))
            .map_ok(|o| o.location.to_string())
            .try_collect(),
    )
    .expect("a list");
    assert!(names.contains(&"so-cai/2026/tile/0/256".to_owned()));
    assert!(names.contains(&"so-cai/2026/tile/entries/257.p/8".to_owned()));
    assert!(names.contains(&"so-cai/2026/tile/2/000.p/1".to_owned()));
    assert!(
        !names.iter().any(|n| n.contains("tile/0/000.p")),
        "outgrown tiles are removed"
    );
}

#[test]
fn a_copy_of_more_or_of_another_history_is_not_overwritten() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let log = Arc::new(open(&dir.path().join("a"), &key));
    let other = Arc::new(open(&dir.path().join("b"), &key));
    fill(&log, 0..300, 100);
    fill(&other, 1_000..1_200, 100);
    let mirror = Mirror::new(Arc::new(InMemory::new()), "");
    block_on(mirror.publish(&log, &log.checkpoint())).expect("it is copied");
    let refused = block_on(mirror.publish(&other, &other.checkpoint()));
    assert!(matches!(
        refused,
        Err(PublishError::Ahead {
            published: 300,
            size: 200
        })
    ));
    fill(&other, 1_200..1_400, 100);
    let refused = block_on(mirror.publish(&other, &other.checkpoint()));
    assert!(matches!(refused, Err(PublishError::Forked { size: 300, .. })));
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    block_on(store.put(&Path::from("checkpoint"), "nonsense".into())).expect("it is put");
    let refused = block_on(Mirror::new(store, "").publish(&log, &log.checkpoint()));
    assert!(matches!(refused, Err(PublishError::Unreadable(_))));
}
