//! Samples, and the same proposal for many records.

use registry::{
    model::FieldPath,
    quality::{Looked, SampleId},
};

use crate::town::{Town, code, member, refusal, seen, towns};

impl Town {
    /// The numbers of the records of a sample, in their order, all judged on the way: the first is wrong.
    async fn judge_all_of(&self, id: SampleId) -> Vec<String> {
        let name: FieldPath = "name".parse().expect("a field");
        let mut numbers = Vec::new();
        while let (_, Some(item)) = self
            .quality
            .next_of_sample(&self.steward(), &code(), id)
            .await
            .expect("a sample")
        {
            numbers.push(item.record.body["number"].as_str().expect("a number").to_owned());
            let looked = if item.n == 1 { Looked::Wrong } else { Looked::Right };
            let judge = async |looked: &[(FieldPath, Looked)]| {
                self.quality
                    .judge_item(&self.steward(), &code(), id, item.n, looked)
                    .await
            };
            assert_eq!(refusal(&judge(&[]).await.expect_err("nothing")), ["nothing-looked-at"]);
            judge(&[(name.clone(), looked)]).await.expect("judged");
            assert_eq!(
                refusal(&judge(&[(name.clone(), looked)]).await.expect_err("twice")),
                ["judged-already"]
            );
        }
        numbers
    }
}

#[tokio::test]
async fn a_sample_is_drawn_the_same_by_its_seed_and_its_share_has_an_interval() {
    for town in towns().await {
        for n in 0..40 {
            town.add(member(&format!("00119000{n:04}"), "Nguyễn Thị An")).await;
        }
        town.settle().await;
        let draw = async |size, seed| town.quality.draw(&town.steward(), &code(), size, seed).await;
        for size in [0, 1_001] {
            assert_eq!(refusal(&draw(size, None).await.expect_err("no size")), ["bad-size"]);
        }
        let mut drawn = Vec::new();
        for seed in [7, 7, 8] {
            town.clock.set(town.now().plus_seconds(1));
            let id = draw(10, Some(seed)).await.expect("ordered");
            town.settle().await;
            drawn.push(town.judge_all_of(id).await);
        }
        assert_eq!(drawn[0].len(), 10);
        assert_eq!(drawn[0], drawn[1]);
        assert_ne!(drawn[0], drawn[2]);
        let sample = town
            .quality
            .figures(&code(), town.now())
            .await
            .expect("figures")
            .sample
            .expect("a sample");
        assert_eq!(
            (sample.right, sample.wrong, sample.drawn, sample.seed),
            (9, 1, Some((10, 40)), 8)
        );
        let (share, least, greatest) = sample.share().expect("a share");
        assert!((share - 0.9).abs() < 1e-9 && (least - 0.5958).abs() < 1e-3 && (greatest - 0.9821).abs() < 1e-3);
    }
}

#[tokio::test]
async fn safe_proposals_are_written_together_and_taken_back_together() {
    for town in towns().await {
        let number = |n: usize| format!("00119000{n:04}");
        let mut written = Vec::new();
        for n in 0..5 {
            written.push(town.add(member(&number(n), "NGUYỄN THỊ AN")).await);
        }
        town.settle().await;
        let rule = "name-written".parse().expect("a rule");
        let fixes = town
            .quality
            .safe_fixes(&town.steward(), &code(), &rule)
            .await
            .expect("proposals");
        assert_eq!(fixes.len(), 5);
        assert!(fixes.iter().all(|fix| fix.proposal.shown == "Nguyễn Thị An"));
        let chosen: Vec<_> = fixes.iter().map(|fix| (fix.finding, fix.record.newest)).collect();
        let apply = async |chosen: &[_]| town.quality.apply(&town.steward(), &code(), &rule, chosen).await;
        assert_eq!(refusal(&apply(&[]).await.expect_err("nothing")), ["nothing-chosen"]);
        // Somebody is faster with one of them.
        town.correct(&written[0], 1, member(&number(0), "NGUYỄN THỊ ÁNH")).await;
        let (batch, outcome) = apply(&chosen).await.expect("written");
        assert_eq!((outcome.done, outcome.left.len()), (4, 1));
        town.settle().await;
        assert_eq!(town.broken().await, ["name-written"]);
        // And changes one of the batch since.
        let untouched = fixes.iter().find(|fix| fix.record.id != written[0].record);
        let last = &untouched.expect("four of them").record;
        let changed = registry::service::Written {
            record: last.id,
            seq: last.newest + 1,
            ..written[4].clone()
        };
        assert_eq!(seen(&changed).seq, 2);
        town.correct(
            &changed,
            2,
            member(last.body["number"].as_str().expect("a number"), "Nguyễn Thị Bích"),
        )
        .await;
        let outcome = town
            .quality
            .undo(&town.steward(), &code(), batch)
            .await
            .expect("taken back");
        assert_eq!((outcome.done, outcome.left.len()), (3, 1));
        let again = town
            .quality
            .undo(&town.steward(), &code(), batch)
            .await
            .expect("the same");
        assert_eq!(again.done, 3, "the same request has one effect and one answer");
        town.settle().await;
        assert_eq!(town.broken().await.len(), 4);
        assert!(
            town.quality.batches(&town.steward(), &code()).await.expect("batches")[0]
                .undone_at
                .is_some()
        );
    }
}
