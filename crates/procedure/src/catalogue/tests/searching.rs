//! Procedures are found.

use super::*;

#[tokio::test]
async fn the_reference_data_load_and_are_found() {
    for store in stores().await {
        let report = load_own(&store, DAY).await;
        assert!(report.is_clean(), "{}", report.text(Lang::En, 5));
        assert!(report.counts.added >= 80, "{:?}", report.counts);
        assert!(
            !report.findings.iter().any(|f| f.oddity.kind == Kind::ColumnUnknown),
            "{:?}",
            report.findings
        );
        let catalogue = own_catalogue(store).await;
        let first = |text: &str| {
            let query = Query {
                text: text.to_owned(),
                ..Query::default()
            };
            catalogue
                .search(&query, |r| r.hits.first().map(|s| s.code.to_string()))
                .expect("searchable")
        };
        for (asked, found) in [
            ("1.001193", "1.001193"),
            ("1.001193.02", "1.001193"),
            ("dang ky khai sinh", "1.001193"),
            ("Đăng ký khai sinh", "1.001193"),
            ("khai sinh", "1.001193"),
            ("làm giấy khai sinh", "1.001193"),
            ("lam giay khai sinh cho con", "1.001193"),
            ("tình trạng hôn nhân", "1.004873"),
            ("tach ho", "1.010038"),
            ("dang ky khai sin", "1.001193"),
        ] {
            assert_eq!(first(asked).as_deref(), Some(found), "{asked}");
        }
        let entry = catalogue
            .find(&code("2.000986"), DAY)
            .await
            .expect("readable")
            .expect("known");
        assert_eq!(entry.standing(DAY), State::Replaced);
        assert_eq!(entry.successors, vec![code("3.000722")]);
        let new = catalogue
            .find(&code("3.000722"), DAY)
            .await
            .expect("readable")
            .expect("known");
        assert_eq!(new.standing(DAY), State::NamedOnly);
        assert!(new.predecessors.contains(&code("2.000986")));
        assert!(
            !catalogue.refresh(DAY).await.expect("readable"),
            "nothing was imported since"
        );
        assert!(
            catalogue.refresh(date(2026, 7, 21)).await.expect("readable"),
            "a new day"
        );
    }
}

#[tokio::test]
async fn slips_are_forgiven_and_nobody_is_left_with_nothing() {
    let catalogue = own_catalogue(stores().await.remove(0)).await;
    let now = catalogue.now();
    let search = |text: &str| {
        now.index
            .search(&Query {
                text: text.to_owned(),
                ..Query::default()
            })
            .expect("searchable")
    };
    let forgiven = search("hon nhaan");
    assert_eq!((forgiven.reading, forgiven.total > 0), (Reading::Forgiven, true));
    // A word of fewer than five letters is not guessed at, but asked about, spelled as a name spells it.
    let slip = search("hon nhxn");
    assert_eq!((slip.total, slip.did_you_mean.as_deref()), (0, Some("hôn nhân")));
    let part = search("hon zzzzzz");
    assert!(part.total == 0 && !part.nearest.is_empty());
    let loose = search("tôi muốn xin tách hộ");
    assert_eq!(
        (loose.reading, loose.hits.first().map(|s| s.code.as_str())),
        (Reading::Loosened, Some("1.010038"))
    );
    let nothing = search("zzzzzz");
    assert!(nothing.total == 0 && nothing.did_you_mean.is_none() && nothing.nearest.is_empty());
    for hostile in [
        "",
        "   ",
        "%",
        "'; DROP TABLE",
        "\u{0}\u{301}\u{301}",
        &"a ".repeat(5000),
        &"đ".repeat(100_000),
        "1.",
        "9.9",
    ] {
        let _ = search(hostile);
    }
    let bad = Query {
        after: Some("-1".to_owned()),
        ..Query::default()
    };
    assert!(now.index.search(&bad).is_err());
}

#[tokio::test]
async fn filters_and_pages_agree_with_the_facets() {
    let catalogue = own_catalogue(stores().await.remove(0)).await;
    let now = catalogue.now();
    let index: &Index = &now.index;
    let all = index
        .search(&Query {
            limit: 100,
            ..Query::default()
        })
        .expect("searchable");
    assert_eq!(all.total, index.len());
    for facet in &all.facets.fields {
        let query = Query {
            field: Some(facet.id.clone()),
            ..Query::default()
        };
        assert_eq!(
            index.search(&query).expect("searchable").total,
            facet.count,
            "{}",
            facet.id
        );
    }
    for facet in &all.facets.life_events {
        let query = Query {
            life_event: Some(facet.id.clone()),
            ..Query::default()
        };
        assert_eq!(
            index.search(&query).expect("searchable").total,
            facet.count,
            "{}",
            facet.id
        );
    }
    let civil = published().procedures.iter().filter(|p| p.field == "G15-TP07").count();
    let by_code = Query {
        field: Some("g15-tp07".to_owned()),
        ..Query::default()
    };
    // The packages of this field that are not among the published eighty (there are none in this test) would add to it.
    let listed = index.search(&by_code).expect("searchable").total;
    assert!(listed >= civil, "{listed} of {civil}");
    assert_eq!(
        index
            .search(&Query {
                field: Some("khong-co".into()),
                ..Query::default()
            })
            .expect("ok")
            .total,
        0
    );
    assert_eq!(
        index
            .search(&Query {
                online: true,
                ..Query::default()
            })
            .expect("ok")
            .total,
        0
    );
    let mut seen = std::collections::BTreeSet::new();
    let mut query = Query {
        limit: 7,
        ..Query::default()
    };
    loop {
        let page = index.search(&query).expect("searchable");
        for hit in &page.hits {
            assert!(seen.insert(hit.code.clone()), "{} twice", hit.code);
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    assert_eq!(seen.len(), index.len());
}

/// The published files, when they are there: `MOTCUA_SHARED`, or `../shared` beside the workspace.
fn shared() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3)?.join("shared");
    let dir = std::env::var_os("MOTCUA_SHARED").map_or(root, PathBuf::from);
    dir.join("data/national-catalogue.csv").is_file().then_some(dir)
}

#[tokio::test]
async fn the_nation_loads_once_and_is_found() {
    let Some(dir) = shared() else {
        eprintln!("skipped: the published files are not here (MOTCUA_SHARED)");
        return;
    };
    let data = dir.join("data");
    let mut files = vec![data.join("national-catalogue.csv"), data.join("procedure-facts.jsonl")];
    let pages = std::fs::read_dir(data.join("procedures")).expect("a folder");
    files.extend(pages.filter_map(|e| e.ok().map(|e| e.path())));
    for store in stores().await {
        let report = load(&store, &files, DAY).await;
        assert_eq!(report.counts.added, 5669, "{}", report.text(Lang::En, 2));
        assert_eq!(report.counts.refused, 1, "{}", report.text(Lang::En, 2));
        assert_eq!(report.by_kind.get("code-duplicate"), Some(&1));
        assert_eq!(
            report.by_kind.get("text-mojibake"),
            None,
            "{}",
            report.text(Lang::En, 2)
        );
        let again = load(&store, &files, date(2026, 8, 1)).await;
        assert_eq!(
            (again.counts.added, again.counts.changed, again.counts.unchanged),
            (0, 0, 5669)
        );
        load_own(&store, DAY).await;
        let shelf = Shelf::open(store.clone()).await.expect("the shelf opens");
        let catalogue = Catalogue::open(store, shelf, reference(), DAY).await.expect("opens");
        let now = catalogue.now();
        let top = |text: &str| {
            let found = now
                .index
                .search(&Query {
                    text: text.to_owned(),
                    ..Query::default()
                })
                .expect("searchable");
            found.hits.first().map(|s| s.code.to_string()).unwrap_or_default()
        };
        assert_eq!(top("đăng ký khai sinh"), "1.001193");
        assert_eq!(top("dang ky ket hon"), "1.000894");
        assert_eq!(top("dang ky thuong tru"), "1.004222");
        let entry = catalogue
            .find(&code("1.001193"), DAY)
            .await
            .expect("readable")
            .expect("known");
        assert!(!entry.steps.is_empty() && !entry.papers.is_empty() && !entry.name.en.is_empty());
    }
}
