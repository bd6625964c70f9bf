//! The pages of the catalogue.

use super::*;

fn page(lang: Lang) -> Page {
    Page::new(lang, Arc::new(Site::default()), "", "/services")
}

#[tokio::test]
async fn every_page_speaks_both_languages_and_escapes_what_was_published() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = stores().await.remove(0);
    let hostile = r#"{"code":"1.999999","name":"<script>alert(1)</script> khai sinh","field":{"code":"","name":"\"><img src=x>"},"promulgating_agency":"<b>","executing_agency":"</dd>","audiences":["<i>"],"results":["<u>"],"requirements":"- <s>\n&amp;","channels":[{"method":"ONLINE","fees":[{"type":"FEE","value_vnd":0,"text":"<fee>"}],"processing":{"qty":"<qty>","unit":"OTHER"},"note":"<note>"}],"cases":[{"case_code":"<case>","qty":1,"unit":"DAY"}],"legal_basis":[{"code":"<law>","name":"<title>"}],"steps_raw":[{"name":"<step>","text":"<p>"}],"checklist_raw":[{"group":"<group>","items":[{"name":"<paper>","original_qty":1,"copy_qty":1,"code":"<c>"}]}]}"#;
    let file = write(dir.path(), "hostile.json", hostile.as_bytes());
    load(&store, &[file], DAY).await;
    let catalogue = own_catalogue(store).await;
    for lang in [Lang::Vi, Lang::En] {
        let asked = |q: &str| Asked {
            q: q.to_owned(),
            ..Asked::default()
        };
        let mut html = Vec::new();
        for question in [
            Asked::default(),
            asked("khai sinh"),
            asked("hon nhaan"),
            asked("zzzzzz"),
            Asked {
                audience: "citizen".into(),
                field: "ho-tich".into(),
                online: "1".into(),
                ..asked("<\"'>")
            },
            Asked {
                all: "1".into(),
                cursor: "20".into(),
                ..Asked::default()
            },
            Asked {
                level: "nonsense".into(),
                ..Asked::default()
            },
        ] {
            let view = pages::services_page(&catalogue, page(lang), question).expect("a page");
            html.push(view.render().expect("renders"));
        }
        // The question is kept from page to page.
        let many = Asked {
            audience: "citizen".into(),
            ..asked("dang ky")
        };
        let view = pages::services_page(&catalogue, page(lang), many).expect("a page");
        let next = view.render().expect("renders");
        assert!(
            next.contains("href=\"/services?q=dang%20ky&#38;audience=citizen&#38;cursor=20\" rel=\"next\"")
                && next.contains(lang.t("Trang sau", "Next page")),
            "{next}"
        );
        let nowhere = Asked {
            cursor: "x".into(),
            ..Asked::default()
        };
        let refused = pages::services_page(&catalogue, page(lang), nowhere)
            .err()
            .expect("no page begins there");
        assert_eq!(refused.kind(), Some(base::Kind::Invalid));
        let view = pages::life_event_page(&catalogue, page(lang), "co-con-nho", Asked::default()).expect("a page");
        html.push(view.render().expect("renders"));
        for (code, on) in [
            ("1.001193", None),
            ("1.999999", None),
            ("2.000986", None),
            ("3.000722", None),
            ("1.001193", Some("2026-07-19")),
            ("1.001193", Some("not a day")),
        ] {
            let view = pages::procedure_page(&catalogue, page(lang), code, DAY, on)
                .await
                .expect("a page");
            html.push(view.render().expect("renders"));
        }
        for text in html {
            for bad in [
                "<script>alert",
                "<img src=x",
                "</dd></dd>",
                "<qty>",
                "<note>",
                "<fee>",
                "<paper>",
                "style=",
            ] {
                assert!(!text.contains(bad), "{bad} in {text}");
            }
            assert!(text.contains(lang.t("Dịch vụ công", "Public services")), "{text}");
        }
    }
    assert!(pages::life_event_page(&catalogue, page(Lang::Vi), "../x", Asked::default()).is_err());
    for code in ["9.999999", "../../etc", "<x>", ""] {
        assert!(
            pages::procedure_page(&catalogue, page(Lang::Vi), code, DAY, None)
                .await
                .is_err(),
            "{code}"
        );
    }
}

#[tokio::test]
async fn the_page_says_which_account_filing_online_needs() {
    let store = stores().await.remove(0);
    load_own(&store, DAY).await;
    let shelf = shelf_with(&store, &["1.013225", "2.000635"]).await;
    let catalogue = Catalogue::open(store, shelf, reference(), DAY).await;
    let catalogue = catalogue.expect("the catalogue opens");
    for (code, account) in [
        ("1.013225", Some("Định danh điện tử (VNeID) mức độ 2")),
        ("2.000635", Some("mức độ 1 hoặc mức độ 2")),
        ("1.001193", None),
    ] {
        let view = pages::procedure_page(&catalogue, page(Lang::Vi), code, DAY, None).await;
        let html = view.expect("a page").render().expect("renders");
        assert_eq!(
            html.contains("Tài khoản để nộp trực tuyến"),
            account.is_some(),
            "{code}"
        );
        assert!(account.is_none_or(|account| html.contains(account)), "{code}");
    }
}

#[tokio::test]
async fn a_package_takes_the_place_of_a_name_alone() {
    let warning = "Hiện chỉ biết thủ tục này thay thế thủ tục khác";
    for store in stores().await {
        load_own(&store, DAY).await;
        let shelf = shelf_with(&store, &[]).await;
        let catalogue = Catalogue::open(store.clone(), shelf.clone(), reference(), DAY).await;
        let catalogue = catalogue.expect("the catalogue opens");
        let html = |catalogue: Catalogue, code: &'static str| async move {
            let view = pages::procedure_page(&catalogue, page(Lang::Vi), code, DAY, None).await;
            view.expect("a page").render().expect("renders")
        };
        for code in ["3.000722", "2.002913"] {
            let html = html(catalogue.clone(), code).await;
            assert!(
                html.contains(warning) && !html.contains("Nộp hồ sơ trực tuyến"),
                "{code}"
            );
        }

        // Put into force, it is shown from its package: page, list, search and what the API gives.
        let now = Timestamp::from_legal(DAY.at(9, 0, 0, 0));
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue/3.000722");
        let package = shelf
            .put_dir(&dir, &CheckOptions::default(), now)
            .await
            .expect("a good package");
        assert!(
            catalogue.refresh(DAY).await.expect("readable"),
            "a package came into force"
        );
        let entry = catalogue
            .find(&code("3.000722"), DAY)
            .await
            .expect("readable")
            .expect("known");
        assert_eq!((entry.standing(DAY), &entry.name), (State::InForce, &package.meta.name));
        assert_eq!(
            entry.sources.iter().map(|(layer, _)| *layer).collect::<Vec<_>>(),
            [Layer::Package]
        );
        assert_eq!(
            (entry.promulgating.vi.as_str(), entry.oddities.len()),
            ("Bộ Tư pháp", 0)
        );
        for before in ["2.000986", "2.001023", "2.002621"] {
            assert!(entry.predecessors.contains(&code(before)), "{before}");
        }
        let shown = html(catalogue.clone(), "3.000722").await;
        assert!(shown.contains("Nộp hồ sơ trực tuyến") && shown.contains("20 ngày làm việc"));
        assert!(!shown.contains("như đã công bố"), "nothing of it was published");
        assert!(
            !shown.contains(warning) && !shown.contains("thẻ căn cước"),
            "the name is the package's"
        );
        let other = html(catalogue.clone(), "2.002913").await;
        assert!(other.contains(warning), "known from the table of successors alone");
        let query = Query {
            text: "nhập khẩu cho con".to_owned(),
            online: true,
            ..Query::default()
        };
        let found = catalogue.search(&query, |results| {
            results.hits.iter().map(|s| (*s).clone()).collect::<Vec<_>>()
        });
        let found = found.expect("searchable");
        let hit = found
            .iter()
            .find(|s| s.code.as_str() == "3.000722")
            .expect("found by the package's words");
        assert!(hit.in_force && hit.online && hit.name == package.meta.name);
        assert_eq!(hit.time.as_ref().map(|t| t.vi.as_str()), Some("20 ngày làm việc"));

        // Before it was in force there was only its name.
        let before = date(2026, 6, 30);
        let earlier = catalogue.find(&code("3.000722"), before).await.expect("readable");
        assert!(earlier.is_none_or(|entry| entry.is_named_only()));
    }
}

#[tokio::test]
async fn a_package_that_is_published_nowhere_is_found() {
    let store = stores().await.remove(0);
    let shelf = shelf_with(&store, &["2.000635", "3.000722"]).await;
    let catalogue = Catalogue::open(store, shelf, reference(), DAY).await;
    let catalogue = catalogue.expect("the catalogue opens");
    assert_eq!(catalogue.now().index.len(), 2, "nothing was imported");
    let entry = catalogue
        .find(&code("2.000635"), DAY)
        .await
        .expect("readable")
        .expect("known");
    assert_eq!(entry.standing(DAY), State::InForce);
    assert_eq!(
        entry.times(),
        Vec::<&super::super::model::TimeLimit>::new(),
        "the same day is no number"
    );
    let view = pages::procedure_page(&catalogue, page(Lang::En), "2.000635", DAY, None).await;
    let html = view.expect("a page").render().expect("renders");
    assert!(html.contains("On the same working day") && html.contains("Apply online"));
    assert!(
        catalogue
            .find(&code("2.000986"), DAY)
            .await
            .expect("readable")
            .is_none()
    );
}
