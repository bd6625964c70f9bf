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
                after: "20".into(),
                ..Asked::default()
            },
            Asked {
                level: "nonsense".into(),
                after: "x".into(),
                ..Asked::default()
            },
        ] {
            let view = pages::services_page(&catalogue, page(lang), question).expect("a page");
            html.push(view.render().expect("renders"));
        }
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
    let shelf = Shelf::open(store.clone()).await.expect("the shelf opens");
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue");
    for code in ["1.013225", "2.000635"] {
        let now = Timestamp::from_legal(DAY.at(9, 0, 0, 0));
        let put = shelf.put_dir(&packages.join(code), &CheckOptions::default(), now).await;
        put.expect("a good package");
    }
    let catalogue = Catalogue::open(store, shelf, published().life_events, DAY).await;
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
