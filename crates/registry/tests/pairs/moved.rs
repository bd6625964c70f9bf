//! Whoever names a merged record is offered the key in its place, and whoever asks for it is told.

use super::*;
use registry::{
    model::FieldPath,
    quality::{FindingView, State as Found, Wanted},
};

const OLD: &str = "001180000011";
const NEW: &str = "001180000012";
const CHILD: &str = "001305000010";
const FIRM: &str = "0100233488";

impl Office {
    /// The findings of a rule that stand so.
    async fn findings(&self, agency: &str, registry: &str, rule: &str, state: Found) -> Vec<FindingView> {
        let wanted = Wanted {
            state: Some(state),
            rule: Some(rule.parse().expect("a rule")),
            limit: 10,
            ..Wanted::default()
        };
        let (ctx, code) = (steward_of(agency), code(registry));
        let found = self.quality.queue(&ctx, &code, &wanted).await.expect("a queue").items;
        let mut views = Vec::new();
        for finding in found {
            views.push(self.quality.finding(&ctx, &code, finding.id).await.expect("a finding"));
        }
        views
    }

    /// A woman who is there twice, her child, and a firm that she represents; then the record that both name is merged.
    async fn merged(&self) -> Pair {
        for number in [OLD, NEW] {
            self.add(number, "Nguyễn Thị Hường", "00004").await;
        }
        let mut child = person(CHILD, "Lê Thị Mai", "00004");
        child["birth_date"] = json!("2005-03-05");
        child["mother_person_number"] = json!(OLD);
        self.add_body(CHILD, child).await;
        let firm = json!({
            "tax_code": FIRM, "name": "Công ty An Bình", "legal_form": "llc", "status": "active", "founded_on": "2020-01-02",
            "address": {"province": "01", "commune": "00004"},
            "representatives": [
                {"person_number": CHILD, "name": "Lê Thị Mai"}, {"person_number": OLD, "name": "Nguyễn Thị Hường"},
            ],
        });
        let change = Change::Assert {
            target: Target::New,
            from: Moment::parse("2026-07-01", ValidTime::Day).expect("a day"),
            to: None,
            body: firm,
        };
        let source = Provenance {
            source: "Sổ".to_owned(),
            ..Provenance::default()
        };
        let written = self
            .registries
            .write(&steward_of("G12"), &code("enterprises"), change, &source, FIRM)
            .await;
        written.expect("written");
        self.work().await;
        assert!(
            self.findings("G01", "population", "mother-is-known", Found::Open)
                .await
                .is_empty()
        );
        assert!(
            self.findings("G12", "enterprises", "representative-is-known", Found::Open)
                .await
                .is_empty()
        );
        let pair = self.pairs(State::Open).await.remove(0);
        let first_is_old = pair.records[0] == self.seen(OLD).await.record;
        let keep = if first_is_old { Keep::Second } else { Keep::First };
        self.decide("Trần Thị Bình", &pair, Verdict::Same(keep))
            .await
            .expect("merged");
        self.work().await;
        self.pairs(State::Merged).await.remove(0)
    }
}

#[tokio::test]
async fn who_names_a_merged_record_is_offered_the_key_in_its_place() {
    for office in offices_with(&["population", "enterprises"]).await {
        office.merged().await;
        // Nothing was overwritten.
        assert_eq!(
            office.person(CHILD).await.expect("a child")["mother_person_number"],
            OLD
        );
        let found = office
            .findings("G01", "population", "mother-is-known", Found::Open)
            .await;
        assert_eq!(found.len(), 1, "{found:?}");
        let proposal = &found[0].proposals[..];
        assert_eq!(proposal.len(), 1);
        let field: FieldPath = "mother_person_number".parse().expect("a field");
        assert_eq!(proposal[0].values, [(field, NEW.to_owned())]);
        assert!(proposal[0].why.vi.contains("hợp nhất"));
        let at = format!("/registries/population/findings/{}", found[0].finding.id);
        let (_, page) = office.page("G01", &at, None).await;
        assert!(page.contains(NEW) && page.contains("Ghi giá trị này"), "{page}");
        // Within a list of groups as well: the one key, wherever it stands.
        let firms = office
            .findings("G12", "enterprises", "representative-is-known", Found::Open)
            .await;
        assert_eq!((firms.len(), firms[0].proposals.len()), (1, 1));
        assert_eq!(firms[0].proposals[0].shown, NEW);
        let at = format!("/registries/enterprises/findings/{}", firms[0].finding.id);
        let (_, page) = office.page("G12", &at, None).await;
        assert!(page.contains(NEW) && page.contains("Ghi giá trị này"), "{page}");
        let form = firms[0].record.as_ref().expect("a firm").newest.to_string();
        let form = [("seen", form.as_str()), ("proposal", "0"), ("then", "accept")];
        let (status, page) = office.page("G12", &at, Some(&form)).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
        office.work().await;
        let mended = office
            .findings("G12", "enterprises", "representative-is-known", Found::Mended)
            .await;
        let firm = &mended[0].record.as_ref().expect("a firm").body;
        // The others in the list, and what else is said of her, are as before.
        assert_eq!(
            firm["representatives"],
            json!([{"person_number": CHILD, "name": "Lê Thị Mai"}, {"person_number": NEW, "name": "Nguyễn Thị Hường"}])
        );

        // One click writes it, and the finding closes.
        let (ctx, seen) = (steward_of("G01"), office.seen(CHILD).await.seq);
        let accepted = office
            .quality
            .accept(&ctx, &population(), found[0].finding.id, seen, 0)
            .await;
        accepted.expect("accepted");
        office.work().await;
        assert_eq!(
            office.person(CHILD).await.expect("a child")["mother_person_number"],
            NEW
        );
        assert!(
            office
                .findings("G01", "population", "mother-is-known", Found::Open)
                .await
                .is_empty()
        );
    }
}

#[tokio::test]
async fn the_undoing_of_a_merge_withdraws_what_is_still_open() {
    for office in offices_with(&["population", "enterprises"]).await {
        let pair = office.merged().await;
        office.decide("Phạm Dung", &pair, Verdict::Undo).await.expect("undone");
        office.work().await;
        for (agency, registry, rule) in [
            ("G01", "population", "mother-is-known"),
            ("G12", "enterprises", "representative-is-known"),
        ] {
            assert!(office.findings(agency, registry, rule, Found::Open).await.is_empty());
            assert_eq!(office.findings(agency, registry, rule, Found::Mended).await.len(), 1);
        }
        assert_eq!(
            office.person(CHILD).await.expect("a child")["mother_person_number"],
            OLD
        );
    }
}

#[tokio::test]
async fn who_asks_for_a_merged_record_is_told_where_it_went() {
    for office in offices_with(&["population", "enterprises"]).await {
        let old = |id: String, mask: Mask, when: When, ctx: Ctx| {
            let registries = &office.registries;
            async move {
                let purpose = Purpose::read("registry.linkage", "", "").expect("a purpose");
                registries.read(&ctx, &purpose, &population(), &id, when, &mask).await
            }
        };
        let pair = office.merged().await;
        let ended = pair.ended.expect("a record").to_string();
        let reader = || officer("Lê An", Role::Reader);
        for id in [OLD.to_owned(), ended] {
            let told = old(id, Mask::ALL, When::default(), reader())
                .await
                .expect_err("it has ended");
            assert_eq!(codes(&told), ["record-merged"]);
            assert!(matches!(&told, Error::Refused(base::Kind::NotFound, _)));
            let told = told.problems().into_iter().flatten().next().expect("a problem");
            assert!(told.text.vi.contains(NEW) && told.text.en.contains(NEW));
        }
        // Who may not see the key does not learn it, and of yesterday the record itself is read.
        let name = Mask::of(vec!["name".parse().expect("a field")]);
        let told = old(OLD.to_owned(), name, When::default(), reader())
            .await
            .expect_err("it has ended");
        assert_eq!(codes(&told), ["not-found"]);
        let yesterday = When {
            as_of: Moment::parse("2026-11-24", ValidTime::Day),
            known_at: None,
        };
        let view = old(OLD.to_owned(), Mask::ALL, yesterday, reader())
            .await
            .expect("it held then");
        assert_eq!(view.key, OLD);
        // A key that never was leads nowhere.
        let none = old("001180000077".to_owned(), Mask::ALL, When::default(), reader()).await;
        assert_eq!(codes(&none.expect_err("nobody")), ["not-found"]);
        office.decide("Phạm Dung", &pair, Verdict::Undo).await.expect("undone");
        assert!(office.person(OLD).await.is_some());
    }
}
