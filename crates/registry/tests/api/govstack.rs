//! The Data API of GovStack's Digital Registries: both spellings, and its lists by the numbers of their pages.

use super::*;

/// An address that a page gives, below the prefix of the API.
fn below(address: &Value) -> String {
    let address = address.as_str().expect("an address");
    let path = address.strip_prefix("http://localhost:8080/govstack/data/");
    path.expect("an address of this node").to_owned()
}

#[tokio::test]
async fn the_data_api_of_govstack_in_both_spellings() {
    for (_, registries, identity) in nodes().await {
        let router = registry::api::govstack::router(registries, identity);
        let stated = [
            ("information-mediator-client", "VN/GOV/000.00.00.H42/motcua"),
            ("x-motcua-purpose", "dossier.verify"),
            ISSUE,
        ];
        let ask = async |n: u128, method: Method, path: &str, body: Value| {
            let caller = Ctx {
                request_id: Uuid::from_u128(n),
                ..steward()
            };
            call(
                &router,
                &caller,
                method,
                &format!("/govstack/data/{path}"),
                &stated,
                &body.to_string(),
            )
            .await
        };
        let number = json!({"person_number": NUMBER});
        let query = json!({"query": {"content": number}});
        let created = ask(
            1,
            Method::POST,
            "population/1.0/create",
            json!({"write": {"content": person()}}),
        )
        .await;
        assert_eq!(
            (created.status, created.json()),
            (StatusCode::OK, json!({"content": person()}))
        );
        let exists = ask(2, Method::POST, "population/1.0/exists", query.clone())
            .await
            .json();
        assert_eq!(exists["answer"]["status"], true);
        let bare = ask(16, Method::POST, "population/1.0/exists", number.clone())
            .await
            .json();
        assert_eq!(bare["answer"]["status"], true, "as its tests send it");
        let other = json!({"query": {"content": {"person_number": NUMBER, "name": "Ai Khác"}}});
        assert_eq!(
            ask(3, Method::POST, "population/1.0/exists", other).await.json()["answer"]["status"],
            false
        );
        let read = ask(4, Method::POST, "population/1/read", query.clone()).await.json();
        assert_eq!(read["content"]["name"], SECRET);
        let id = read["content"]["ID"].as_str().expect("an id").to_owned();
        let update =
            |status: &str| json!({"query": {"content": number}, "write": {"content": {"marital_status": status}}});
        assert_eq!(
            ask(5, Method::PUT, "population/1.0/update", update("married"))
                .await
                .status,
            StatusCode::OK
        );
        assert_eq!(
            ask(6, Method::PUT, "population/1.0/updateEntries", update("divorced"))
                .await
                .status,
            StatusCode::OK
        );
        assert_eq!(
            ask(7, Method::PUT, "population/1.0/update-entries", update("married"))
                .await
                .status,
            StatusCode::OK
        );
        for (n, (create, value)) in [("updateOrCreate", "readValue"), ("update-or-create", "read-value")]
            .into_iter()
            .enumerate()
        {
            let status = ["widowed", "single"][n];
            let path = format!("population/1.0/{create}");
            assert_eq!(
                ask(8 + n as u128, Method::POST, &path, update(status)).await.status,
                StatusCode::OK
            );
            let path = format!("population/1.0/{id}/{value}/marital_status.json");
            let told = [json!({"value": status}), json!(status)][n].clone();
            assert_eq!(ask(20, Method::GET, &path, Value::Null).await.json(), told);
            let path = format!("population/1.0/{id}/{value}/marital_status.txt");
            assert_eq!(ask(20, Method::GET, &path, Value::Null).await.text, status);
        }
        let mut another = person();
        another["person_number"] = json!("001190000025");
        ask(
            10,
            Method::POST,
            "population/1.0/create",
            json!({"write": {"content": another}}),
        )
        .await;
        let first = ask(
            11,
            Method::GET,
            "population/1.0?pageSize=1&query.residence.commune=00004",
            Value::Null,
        )
        .await
        .json();
        assert_eq!((&first["count"], &first["previous"]), (&json!(2), &Value::Null));
        let second = ask(12, Method::GET, &below(&first["next"]), Value::Null).await.json();
        let number_of = |page: &Value| page["results"][0]["person_number"].as_str().map(str::to_owned);
        let mut both = [number_of(&first), number_of(&second)];
        both.sort();
        assert_eq!(both, [Some(NUMBER.to_owned()), Some("001190000025".to_owned())]);
        assert_eq!((&second["count"], &second["next"]), (&json!(2), &Value::Null));
        // Its reads take the two times besides; of now where they are left out. Nothing else is passed over.
        for (path, body, found) in [
            ("population/1.0/exists?as_of=2026-11-24", number.clone(), false),
            ("population/1.0/exists?as_of=2026-11-25", number.clone(), true),
            (
                "population/1.0/exists?known_at=2020-01-01T00:00:00Z",
                number.clone(),
                false,
            ),
        ] {
            let answer = ask(17, Method::POST, path, body).await.json();
            assert_eq!(answer["answer"]["status"], found, "{path}");
        }
        let known_first = "as_of=2026-11-25&known_at=2026-11-25T10:00:00%2B07:00";
        let value = format!("population/1.0/{id}/readValue/marital_status.json");
        let (then, now) = (
            ask(18, Method::GET, &format!("{value}?{known_first}"), Value::Null)
                .await
                .status,
            ask(18, Method::GET, &value, Value::Null).await.status,
        );
        assert_eq!(
            (then, now),
            (StatusCode::NOT_FOUND, StatusCode::OK),
            "it was not written yet"
        );
        let read = ask(
            18,
            Method::POST,
            &format!("population/1.0/read?{known_first}"),
            query.clone(),
        )
        .await;
        assert_eq!(read.json()["content"].get("marital_status"), None);
        let listed = ask(18, Method::GET, &format!("population/1.0?{known_first}"), Value::Null)
            .await
            .json();
        assert_eq!(
            listed["results"].as_array().map(Vec::len),
            Some(1),
            "the other was not there"
        );
        for (method, path, code) in [
            (Method::POST, "population/1.0/read?as_of=soon", "as_of not-a-moment"),
            (Method::GET, "population/1.0?known_at=2026", "known_at not-an-instant"),
            (
                Method::PUT,
                "population/1.0/update?as_of=2026-01-01",
                "as_of unknown-parameter",
            ),
            (
                Method::POST,
                "population/1.0/exists?asOf=2026-01-01",
                "asOf unknown-parameter",
            ),
        ] {
            let body = match method {
                Method::PUT => update("single"),
                _ => query.clone(),
            };
            assert_eq!(ask(19, method, path, body).await.codes(), [code], "{path}");
        }
        assert_eq!(
            ask(13, Method::DELETE, &format!("population/1.0/{id}/delete"), Value::Null)
                .await
                .status,
            StatusCode::NO_CONTENT
        );
        assert_eq!(
            ask(14, Method::POST, "population/1.0/read", query).await.status,
            StatusCode::NOT_FOUND
        );
        assert_eq!(
            ask(15, Method::POST, "population/9.0/read", update("single"))
                .await
                .status,
            StatusCode::NOT_FOUND
        );
        for path in [
            "/govstack/data/myPersonalDataUsage",
            "/govstack/data/MyPersonalDataUsage/1.0",
        ] {
            let nobody = call(&router, &ctx(Actor::Anonymous), Method::GET, path, &[], "").await;
            assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
        }
        let no_purpose = call(
            &router,
            &steward(),
            Method::GET,
            "/govstack/data/population/1.0",
            &stated[..1],
            "",
        )
        .await;
        assert_eq!(no_purpose.codes(), ["X-Motcua-Purpose purpose-missing"]);
    }
}

const CLIENT: (&str, &str) = ("information-mediator-client", "VN/GOV/000.00.00.H42/motcua");

/// Reads a list, as a steward.
async fn listed(router: &Router, query: &str) -> Answer {
    let stated = [CLIENT, ("x-motcua-purpose", "dossier.verify"), ISSUE];
    call(
        router,
        &steward(),
        Method::GET,
        &format!("/govstack/data/{query}"),
        &stated,
        "",
    )
    .await
}

/// Seven people, the youngest first; two of them live in another commune.
async fn seven(api: &Router) {
    for n in 0..7 {
        let mut one = fresh();
        one["body"]["person_number"] = json!(format!("00119000{n:04}"));
        one["body"]["name"] = json!(format!(
            "Nguyễn Thị {}",
            ["Ân", "Bình", "Cúc", "Dung", "Em", "Gấm", "Hà"][n]
        ));
        one["body"]["birth_date"] = json!(format!("199{}-05-17", 7 - n));
        if n >= 5 {
            one["body"]["residence"]["commune"] = json!("00008");
        }
        let added = send(api, RECORDS, &format!("n{n}"), &one).await;
        assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
    }
}

fn numbers(page: &Value) -> Vec<usize> {
    let results = page["results"].as_array().cloned().unwrap_or_default();
    let number = |result: &Value| result["person_number"].as_str()?.strip_prefix("00119000")?.parse().ok();
    results.iter().filter_map(number).collect()
}

#[tokio::test]
async fn pages_have_numbers_and_are_turned_forward_and_back() {
    for (api, registries, identity) in nodes().await {
        seven(&api).await;
        let router = registry::api::govstack::router(registries, identity);
        for (ordering, expected) in [
            ("ordering=name", [vec![0, 1, 2], vec![3, 4, 5], vec![6]]),
            ("ordering=-name", [vec![6, 5, 4], vec![3, 2, 1], vec![0]]),
            ("ordering=birth_date", [vec![6, 5, 4], vec![3, 2, 1], vec![0]]),
            (
                "ordering=descending&filter=birth_date",
                [vec![0, 1, 2], vec![3, 4, 5], vec![6]],
            ),
        ] {
            let mut query = format!("population/1.0?{ordering}&page_size=3");
            let mut seen = Vec::new();
            let last = loop {
                let page = listed(&router, &query).await.json();
                assert_eq!(page["count"], 7, "{query}: {page}");
                seen.push(numbers(&page));
                match &page["next"] {
                    Value::Null => break page,
                    next => query = below(next),
                }
            };
            assert_eq!(seen, expected, "{ordering}");
            let mut back = Vec::new();
            let mut page = last;
            while page["previous"] != Value::Null {
                page = listed(&router, &below(&page["previous"])).await.json();
                back.push(numbers(&page));
            }
            assert_eq!(back, [expected[1].clone(), expected[0].clone()], "{ordering}");
        }
        // Behind the last page is nothing, and the way back from there.
        let behind = listed(&router, "population/1.0?page=40&page_size=3").await.json();
        assert_eq!(
            (&behind["count"], &behind["results"], &behind["next"]),
            (&json!(7), &json!([]), &Value::Null)
        );
        let last = listed(&router, &below(&behind["previous"])).await.json();
        assert_eq!(numbers(&last).len(), 1);
        // By the age of records nobody is missed or told twice, whichever comes first.
        let mut seen = Vec::new();
        for page in 1..=3 {
            seen.extend(numbers(
                &listed(&router, &format!("population/1.0?page={page}&page_size=3"))
                    .await
                    .json(),
            ));
        }
        seen.sort_unstable();
        assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6]);
        // Without a size ten are on a page.
        let all = listed(&router, "population/1.0").await.json();
        assert_eq!(
            (numbers(&all).len(), &all["next"], &all["previous"]),
            (7, &Value::Null, &Value::Null)
        );
    }
}

#[tokio::test]
async fn what_matches_is_counted_and_the_addresses_ask_the_same() {
    for (api, registries, identity) in nodes().await {
        seven(&api).await;
        let router = registry::api::govstack::router(registries, identity);
        for (query, count, first) in [
            ("query.residence.commune=00008&pageSize=1&ordering=name", 2, vec![5]),
            (
                "filter=residence.commune&search=00008&page_size=1&ordering=-name",
                2,
                vec![6],
            ),
            (
                "filter=name&search=nguyen%20thi%20an&query.residence.commune=00004",
                1,
                vec![0],
            ),
            (
                "filter=name&search=nguyen%20thi%20an&query.residence.commune=00008",
                0,
                vec![],
            ),
            (
                "query.residence.commune=00004&ordering=birth_date&page=2&page_size=2",
                5,
                vec![2, 1],
            ),
            ("as_of=2020-01-01", 0, vec![]),
            ("known_at=2020-01-01T00:00:00Z&ordering=name", 0, vec![]),
        ] {
            let page = listed(&router, &format!("population/1.0?{query}")).await.json();
            assert_eq!(
                (&page["count"], numbers(&page)),
                (&json!(count), first),
                "{query}: {page}"
            );
            assert!(page.get("count_is_lower_bound").is_none());
            for other in [&page["next"], &page["previous"]]
                .into_iter()
                .filter(|other| !other.is_null())
            {
                let same = listed(&router, &below(other)).await.json();
                assert_eq!(same["count"], count, "{other}");
                let pairs = |query: &str| -> std::collections::BTreeSet<(String, String)> {
                    let query = query.rsplit('?').next().unwrap_or_default();
                    let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned();
                    pairs.filter(|(name, _)| name != "page").collect()
                };
                assert_eq!(pairs(&below(other)), pairs(query), "{other}");
            }
        }
    }
}

#[tokio::test]
async fn a_page_or_an_order_that_there_is_not_is_refused_by_its_name() {
    for (api, registries, identity) in nodes().await {
        seven(&api).await;
        let router = registry::api::govstack::router(registries, identity);
        for (query, codes) in [
            ("page=0", vec!["page not-a-number"]),
            ("page=-1", vec!["page not-a-number"]),
            ("page=two", vec!["page not-a-number"]),
            ("page=1.5", vec!["page not-a-number"]),
            ("page=99999999999", vec!["page not-a-number"]),
            ("page=1001", vec!["page page-out-of-reach"]),
            ("page=4294967295&page_size=100", vec!["page page-out-of-reach"]),
            ("page_size=0", vec!["page_size not-a-number"]),
            ("pageSize=101", vec!["pageSize not-a-number"]),
            ("pageSize=2&page_size=2", vec!["pageSize parameter-twice"]),
            ("ordering=shoe_size", vec!["ordering cannot-sort"]),
            ("ordering=residence.commune", vec!["ordering cannot-sort"]),
            ("ordering=--name", vec!["ordering cannot-sort"]),
            ("ordering=descending", vec!["ordering cannot-sort"]),
            ("search=an", vec!["filter required"]),
            ("filter=name", vec!["search required"]),
            ("query.sex=female", vec!["sex cannot-filter"]),
            ("cursor=x", vec!["cursor unknown-parameter"]),
            ("page=1&page=2", vec!["page parameter-twice"]),
            (
                "page=0&page_size=many&ordering=sex&as_of=soon",
                vec![
                    "as_of not-a-moment",
                    "page not-a-number",
                    "page_size not-a-number",
                    "ordering cannot-sort",
                ],
            ),
        ] {
            let answer = listed(&router, &format!("population/1.0?{query}")).await;
            let codes: Vec<String> = codes.into_iter().map(str::to_owned).collect();
            assert_eq!(
                (answer.status, answer.codes()),
                (StatusCode::UNPROCESSABLE_ENTITY, codes),
                "{query}"
            );
        }
        let told = listed(&router, "population/1.0?ordering=shoe_size").await;
        assert!(
            told.text.contains("shoe_size") && told.text.contains("name, birth_date"),
            "{}",
            told.text
        );
        // The thousandth page of ten is the last that can be reached, and there is nothing here.
        assert_eq!(
            listed(&router, "population/1.0?page=1000").await.json()["results"],
            json!([])
        );
        // Without a purpose nobody learns how many there are.
        let path = "/govstack/data/population/1.0?ordering=name";
        let silent = call(&router, &steward(), Method::GET, path, &[CLIENT], "").await;
        assert_eq!(silent.codes(), ["X-Motcua-Purpose purpose-missing"]);
        let stated = [CLIENT, ("x-motcua-purpose", "dossier.verify"), ISSUE];
        let stranger = call(&router, &officer("G15", Role::Reader), Method::GET, path, &stated, "").await;
        assert_eq!(stranger.status, StatusCode::FORBIDDEN);
    }
}
