//! Pairs that hang together, and decisions that would not agree.

use std::collections::BTreeSet;

use super::*;
use registry::linking::Group;

const THREE: [&str; 3] = ["001180000011", "001180000012", "001180000013"];

impl Office {
    async fn groups(&self, state: State, limit: u32) -> Vec<Vec<Group>> {
        let ctx = officer("Trần Thị Bình", Role::Steward);
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let listed = self
                .registries
                .grouped(&ctx, &population(), state, after.as_deref(), limit)
                .await
                .expect("a list");
            pages.push(listed.items);
            after = listed.next;
            if after.is_none() {
                return pages;
            }
        }
    }

    /// The pair of two people, as it stands.
    async fn pair_of(&self, one: &str, other: &str) -> Pair {
        let mut both = [self.seen(one).await.record, self.seen(other).await.record];
        both.sort_unstable();
        for state in [State::Open, State::Later, State::Different, State::Merged] {
            let found = self.pairs(state).await.into_iter().find(|pair| pair.records == both);
            if let Some(pair) = found {
                return pair;
            }
        }
        panic!("{one} and {other} are no pair");
    }

    /// Three people of whom each is proposed with each, and two others.
    async fn three_and_two(&self) {
        for number in THREE {
            self.add(number, "Nguyễn Thị Hường", "00004").await;
        }
        for number in ["001180000021", "001180000022"] {
            self.add(number, "Lê Thị Nga", "00008").await;
        }
        self.work().await;
    }
}

/// Keeps the first of two people, whichever of their records is the older.
fn keep(pair: &Pair, record: registry::service::RecordId) -> Verdict {
    Verdict::Same(if pair.records[0] == record {
        Keep::First
    } else {
        Keep::Second
    })
}

#[tokio::test]
async fn pairs_that_hang_together_stand_together() {
    for office in offices().await {
        office.three_and_two().await;
        for limit in [1, 2, 3, 10] {
            let pages = office.groups(State::Open, limit).await;
            let mut sizes: Vec<(usize, usize)> = pages
                .iter()
                .flatten()
                .map(|group| (group.records, group.pairs.len()))
                .collect();
            sizes.sort_unstable();
            assert_eq!(sizes, [(2, 1), (3, 3)], "pages of {limit}");
            let ids: BTreeSet<String> = pages
                .iter()
                .flatten()
                .flat_map(|group| &group.pairs)
                .map(|pair| pair.id.to_string())
                .collect();
            assert_eq!(ids.len(), 4);
        }
        let (status, page) = office.page("G01", "/registries/population/pairs", None).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(page.matches("nhóm 3 bản ghi").count(), 1, "{page}");
        assert_eq!(page.matches("cùng nhóm").count(), 2);

        let pair = office.pair_of(THREE[0], THREE[1]).await;
        let at = format!("/registries/population/pairs/{}", pair.id);
        let (_, page) = office.page("G01", &at, None).await;
        assert!(page.contains("Cặp này thuộc nhóm 3 bản ghi"), "{page}");
        for other in [
            office.pair_of(THREE[0], THREE[2]).await,
            office.pair_of(THREE[1], THREE[2]).await,
        ] {
            assert!(page.contains(&format!("pairs/{}\"", other.id)));
        }
        let alone = office.pair_of("001180000021", "001180000022").await;
        let (_, page) = office
            .page("G01", &format!("/registries/population/pairs/{}", alone.id), None)
            .await;
        assert!(!page.contains("Cặp này thuộc"));

        // What was said to be different holds nothing together: two pairs still do.
        office
            .decide("Phạm Dung", &pair, Verdict::Different)
            .await
            .expect("decided");
        let pages = office.groups(State::Open, 10).await;
        assert_eq!(pages[0].iter().map(|group| group.pairs.len()).max(), Some(2));
        assert_eq!(office.groups(State::Different, 10).await[0][0].pairs.len(), 1);
        for role in [Role::Reader, Role::Specialist] {
            let ctx = officer("Lê An", role);
            let group = office.registries.group(&ctx, &population(), pair.id).await;
            assert_eq!(codes(&group.expect_err("refused")), ["forbidden"]);
            let listed = office
                .registries
                .grouped(&ctx, &population(), State::Open, None, 5)
                .await;
            assert_eq!(codes(&listed.expect_err("refused")), ["forbidden"]);
        }
    }
}

#[tokio::test]
async fn a_large_group_is_not_followed_to_its_end_and_loses_no_pair() {
    for office in offices().await {
        // Each with the next: a row longer than a group may be.
        let ids: Vec<Uuid> = (1..=240).map(Uuid::from_u128).collect();
        store::transact!(office.store, |tx| {
            for (n, both) in ids.windows(2).enumerate() {
                let sql = "INSERT INTO registry_pair (id, registry, one_id, other_id, weight, reason_vi, reason_en, state, version) \
                           VALUES ($1, 'population', $2, $3, $4, 'a', 'a', 'open', 1)";
                let id = Uuid::from_u128(1_000 + n as u128);
                tx.exec(sql, store::params![id, both[0], both[1], 5_000 + n as i64]).await?;
            }
            Ok(())
        })
        .expect("written");
        let pages = office.groups(State::Open, 25).await;
        let shown: Vec<&Group> = pages.iter().flatten().collect();
        let ids: BTreeSet<String> = shown.iter().map(|group| group.pairs[0].id.to_string()).collect();
        assert_eq!(ids.len(), 239, "each pair is shown");
        assert!(shown.iter().any(|group| !group.whole && group.records > 200));
        let ctx = officer("Trần Thị Bình", Role::Steward);
        let one = shown[0].pairs[0].id;
        let group = office
            .registries
            .group(&ctx, &population(), one)
            .await
            .expect("a group");
        assert!(!group.whole && group.records > 200 && group.records < 240);
    }
}

#[tokio::test]
async fn who_was_said_to_be_different_is_not_merged_by_way_of_a_third() {
    for office in offices().await {
        office.three_and_two().await;
        let [a, b, c] = THREE;
        let [of_a, of_b] = [office.seen(a).await.record, office.seen(b).await.record];
        let ab = office.pair_of(a, b).await;
        office
            .decide("Lê Văn Cường", &ab, keep(&ab, of_a))
            .await
            .expect("merged");
        let ac = office.pair_of(a, c).await;
        office
            .decide("Lê Văn Cường", &ac, Verdict::Different)
            .await
            .expect("decided");
        let bc = office.pair_of(b, c).await;
        let refused = office.decide("Phạm Dung", &bc, keep(&bc, of_b)).await;
        let refused = refused.expect_err("A and C were said to be different");
        assert_eq!(codes(&refused), ["group-contradicts"]);
        let told = refused.problems().into_iter().flatten().next().expect("a problem");
        assert!(told.text.vi.contains("Lê Văn Cường"), "{told:?}");
        assert_eq!(office.pair_of(b, c).await, bc, "nothing was done");
        // The page says so, and keeps what was typed.
        let which = if bc.records[0] == of_b {
            "same-first"
        } else {
            "same-second"
        };
        let form = [("verdict", which), ("why", "Cùng giấy khai sinh"), ("seen", "1")];
        let at = format!("/registries/population/pairs/{}", bc.id);
        let (status, page) = office.page("G01", &at, Some(&form)).await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert!(
            page.contains("Lê Văn Cường đã kết luận") && page.contains("Cùng giấy khai sinh"),
            "{page}"
        );

        // The other way round: merged by way of a third, they are not said to be different.
        let ac = office.pair_of(a, c).await;
        office.decide("Phạm Dung", &ac, Verdict::Undo).await.expect("undone");
        office.decide("Phạm Dung", &bc, keep(&bc, of_b)).await.expect("merged");
        let ac = office.pair_of(a, c).await;
        let refused = office.decide("Phạm Dung", &ac, Verdict::Different).await;
        assert_eq!(codes(&refused.expect_err("they are merged")), ["group-contradicts"]);
        let bc = office.pair_of(b, c).await;
        office.decide("Phạm Dung", &bc, Verdict::Undo).await.expect("undone");
        office
            .decide("Phạm Dung", &ac, Verdict::Different)
            .await
            .expect("decided");
    }
}

#[tokio::test]
async fn of_two_decisions_at_once_that_do_not_agree_one_is_refused() {
    for office in offices().await {
        office.three_and_two().await;
        let [a, b, c] = THREE;
        let of_a = office.seen(a).await.record;
        let ab = office.pair_of(a, b).await;
        office
            .decide("Lê Văn Cường", &ab, keep(&ab, of_a))
            .await
            .expect("merged");
        let of_b = office.seen(b).await.record;
        let (ac, bc) = (office.pair_of(a, c).await, office.pair_of(b, c).await);
        let (one, other) = futures::join!(
            office.decide("Trần Thị Bình", &ac, Verdict::Different),
            office.decide("Phạm Dung", &bc, keep(&bc, of_b))
        );
        assert_ne!(one.is_ok(), other.is_ok(), "{one:?} {other:?}");
        let refused = one.err().or(other.err()).expect("one of them");
        assert_eq!(codes(&refused), ["group-contradicts"]);
    }
}
