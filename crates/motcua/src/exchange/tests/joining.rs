//! How agencies that never met come to trust each other.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn witnesses_that_the_operator_names_later_are_in_a_new_edition() {
    let dir = tempfile::tempdir().expect("a folder");
    let (config, _) = config(dir.path());
    operator::found(&config.data, &Part::new("VN").expect("a part"), SystemClock.now()).expect("founded");
    let store = open_store(&config).await.expect("a database");
    store.migrate(MIGRATIONS, SystemClock.now()).await.expect("migrated");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let key = ledger::FileKey::generate("nhan-chung.example", ledger::Algorithm::CosignatureV1).expect("a key");
    let mut exchange = config.exchange.clone().expect("an exchange");
    let mut editions = Vec::new();
    for named in [false, true, true] {
        if named {
            exchange.federation.witnesses = vec![Witness {
                url: "https://nhan-chung.example/witness".to_owned(),
                key: key.verifier(),
            }];
        }
        let opened = operator::open(&config, &exchange, &store, &clock)
            .await
            .expect("opened");
        let newest = opened
            .expect("an operator")
            .publisher()
            .newest()
            .expect("read")
            .expect("an edition");
        editions.push((newest.directory().version, newest.directory().witnesses.len()));
    }
    assert_eq!(editions, [(1, 0), (2, 1), (2, 1)]);
    exchange.federation.quorum = 2;
    assert!(
        operator::open(&config, &exchange, &store, &clock).await.is_err(),
        "two of one"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agencies_that_never_met_join_ask_grant_and_call() {
    let dirs = tempfile::tempdir().expect("a folder");
    let (mut op_config, op_url) = config(&dirs.path().join("op"));
    // The one that answers cosigns the logs of the others, as the directory tells all.
    let (mut answering, answering_url) = config(&dirs.path().join("b"));
    let witnessing = Witnessing {
        directory: true,
        ..Witnessing::default()
    };
    let witness = crate::ledger::witness::key(&answering, &witnessing)
        .expect("a key")
        .verifier();
    answering.ledger.witness = Some(witnessing);
    if let Some(exchange) = &mut op_config.exchange {
        exchange.federation.quorum = 1;
        exchange.federation.witnesses = vec![Witness {
            url: format!("{answering_url}/witness"),
            key: witness.clone(),
        }];
    }
    operator::found(&op_config.data, &Part::new("VN").expect("a part"), SystemClock.now()).expect("founded");
    let operator = Town::serve(op_config, op_url).await;
    let asks = member(
        &operator,
        config(&dirs.path().join("a")),
        "VN/GOV/000.00.00.H42",
        "Tỉnh Ninh Bình",
    )
    .await;
    let answers = member(
        &operator,
        (answering, answering_url),
        "VN/GOV/000.00.00.G01",
        "Bộ Công an",
    )
    .await;
    asks.system(ASKS).await;
    answers.system(ANSWERS).await;
    let (register, lies) = register().await;
    let service = ServiceDraft {
        provider: ANSWERS.to_owned(),
        code: "persons".to_owned(),
        name_vi: "Tra cứu dân cư".to_owned(),
        url: register,
        subjects: "path 2".to_owned(),
        action: "Tra cứu thông tin dân cư".to_owned(),
        ..ServiceDraft::default()
    };
    let added = answers.joined().access.add_service(&steward(), &service).await;
    let added = added.expect("a service");
    answers.tell().await;
    asks.learn().await;
    answers.learn().await;

    // Deny by default.
    let target = format!("/r1/{ANSWERS}/persons/persons/037190001234");
    let (status, refusal) = asks.call(&target).await;
    assert_eq!(
        (status, refusal["type"].as_str()),
        (500, Some("Server.ServerProxy.AccessDenied")),
        "{refusal}"
    );

    // Asked for on one node, granted on the other.
    grant(&asks, &answers).await;
    let provided: ServiceId = format!("{ANSWERS}/persons").parse().expect("a service");
    let (ours, theirs) = (asks.joined(), answers.joined());

    // Called, with what was granted and no more.
    let (status, person) = asks.call(&target).await;
    assert_eq!(status, 200, "{person}");
    assert_eq!(
        person,
        serde_json::json!({"number": "037190001234", "name": "Nguyễn Văn An", "asked_by": ASKS})
    );
    let (status, refusal) = asks.call(&format!("/r1/{ANSWERS}/persons/others/1")).await;
    assert_eq!(
        (status, refusal["type"].as_str()),
        (500, Some("Server.ServerProxy.AccessDenied"))
    );

    // Its evidence is for the system that made it, verified here by the keys that the node names.
    let told = reqwest::Client::new()
        .get(format!("http://{}{target}", asks.edge()))
        .header("X-Road-Client", ASKS)
        .header("X-Road-Id", "VN-asic-1")
        .header("X-Motcua-Purpose", "dossier.verify")
        .send()
        .await
        .expect("an answer");
    assert_eq!(told.status().as_u16(), 200);
    let asic = async |query: &str| {
        let url = format!(
            "http://{}/asic?queryId=VN-asic-1&xRoadInstance=VN&memberClass=GOV&{query}",
            asks.edge()
        );
        let answer = reqwest::get(url).await.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.bytes().await.expect("bytes"))
    };
    let mine = "memberCode=000.00.00.H42&subsystemCode=motcua";
    let (status, archive) = asic(mine).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&archive));
    let trusted = crate::ledger::check::Trusted {
        logs: asks.whole.dossiers.ledger().expect("a log").keys.clone(),
        ..Default::default()
    };
    for what in ["requestOnly", "responseOnly"] {
        let (_, archive) = asic(&format!("{mine}&{what}")).await;
        // One stored file in an archive of the form that has its name and content after the head of 30 bytes.
        let name = usize::from(u16::from_le_bytes([archive[26], archive[27]]));
        let size = u32::from_le_bytes([archive[18], archive[19], archive[20], archive[21]]) as usize;
        let container = &archive[30 + name..30 + name + size];
        let checked = crate::ledger::check::check(container, &trusted).expect("a container");
        assert!(checked.holds(), "{checked:?}");
        assert_eq!(checked.entries.len(), 1);
        assert!(checked.entries[0].says.is_some());
    }
    for (query, expected) in [
        ("memberCode=000.00.00.G01&subsystemCode=dancu", 401),
        ("memberCode=000.00.00.H42", 400),
        (&*format!("{mine}&queryId=VN-other"), 404),
    ] {
        let (status, words) = asic(query).await;
        assert_eq!(status, expected, "{query}: {}", String::from_utf8_lossy(&words));
    }

    // Both journals have the message, and the person's index has the read.
    for town in [&asks, &answers] {
        let joined = town.joined();
        joined.gateway.settled().await;
        joined.journal.catch_up().await.expect("folded");
        let filter = Filter {
            service: Some(provided.clone()),
            ..Filter::default()
        };
        let (rows, _) = joined.journal.messages(&steward(), &filter).await.expect("a list");
        assert!(rows.len() >= 4, "{} at {}", rows.len(), town.url);
    }
    let ledger = answers.whole.dossiers.ledger().expect("a log").clone();
    let kinds: Vec<_> = (0..ledger.log.size())
        .map(|leaf| ledger.log.entry(leaf).expect("an entry").commitment.kind())
        .collect();
    assert!(
        kinds.contains(&ledger::Kind::READ),
        "the read of the person is a leaf: {kinds:?}"
    );
    let proof = ledger.log.prove(0).expect("a proof").to_string();
    let policy = ledger::Policy::new(ledger.keys, Vec::new(), 0).expect("a policy");
    ledger::verify(proof.as_bytes(), &policy, None).expect("a proof that holds");

    // Whoever watches sees it.
    let figures = crate::watch::figures(&asks.whole).await.expect("a text");
    for line in [
        "\nmotcua_exchange_messages_total{side=\"consumer\",outcome=\"answered\"} ",
        "\nmotcua_exchange_messages_total{side=\"consumer\",outcome=\"server.serverproxy.access_denied\"} 2\n",
        "\nmotcua_exchange_message_seconds_bucket{le=\"+Inf\",side=\"consumer\"} ",
        "\nmotcua_directory_state 0.0\n",
        "\nmotcua_certificate_expiry_timestamp_seconds ",
        "\nmotcua_journal_lag_entries ",
        "\nmotcua_ledger_entries ",
        "\nmotcua_jobs_failed 0.0\n",
    ] {
        assert!(figures.contains(line), "{line} is not in {figures}");
    }
    assert!(figures.ends_with("\n# EOF\n"));
    let (status, said) = crate::watch::ready(&asks.whole).await;
    assert!(!said.contains("directory") && !said.contains("certificate"), "{said}");
    assert_eq!(status.is_success(), said.starts_with("ready\n"), "{said}");

    // Described, the register is checked by its own node, and the other one sees the badge.
    let described = description().to_string();
    let described = theirs
        .access
        .describe(&steward(), added, Some(described.as_bytes()))
        .await;
    described.expect("described");
    let good = until("the badge comes to the other member", async || {
        answers.tell().await;
        asks.learn().await;
        badge(&asks, &provided)
    })
    .await;
    assert!(good.conforms() && good.passed > 10, "{good:?}");
    let offers = ours
        .access
        .catalogue(&steward(), "persons", "", 10)
        .await
        .expect("a list")
        .0;
    assert_eq!(offers[0].badge.as_ref(), Some(&good));
    // It begins to answer otherwise than it says: the next check takes the badge away.
    lies.store(true, Ordering::Relaxed);
    theirs.access.ask_for_check(&steward(), added).await.expect("asked");
    let bad = until("the badge is lost", async || {
        answers.tell().await;
        asks.learn().await;
        badge(&asks, &provided).filter(|badge| !badge.conforms())
    })
    .await;
    assert!(bad.checked > good.checked && bad.sha256 == good.sha256);
    let report = theirs.access.check_report(&steward(), added).await.expect("a report");
    assert_eq!(report["conforms"], false);
    // Another description has no badge until it was checked.
    let mut other = description();
    other["info"]["version"] = "2".into();
    let other = other.to_string();
    theirs
        .access
        .describe(&steward(), added, Some(other.as_bytes()))
        .await
        .expect("described");
    let hash = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(other.as_bytes()));
    let badges = theirs.access.badges().await.expect("badges");
    assert!(badges.get(&provided).is_none_or(|badge| badge.sha256 == hash));

    // The API of each node keeps the house rules itself.
    for town in [&operator, &asks, &answers] {
        let key = key(&town.whole, AGENCY, &[Role::Administrator, Role::Auditor, Role::Leader]).await;
        let report = keeps_the_rules(&town.url, Some(&key)).await;
        assert!(report.coverage.succeeded >= 10, "{:?}", report.coverage);
        keeps_the_rules(&town.url, None).await;
    }

    // The witness of the directory has cosigned the log of the one that asks, and not its own.
    let cosigned = until("a cosignature", async || {
        let note = reqwest::get(format!("{}/ledger/checkpoint", asks.url)).await.ok()?;
        let checkpoint = ledger::SignedCheckpoint::parse(&note.bytes().await.ok()?).ok()?;
        checkpoint.verify(&witness).is_ok().then_some(checkpoint)
    })
    .await;
    assert!(cosigned.checkpoint().size > 0);
    let own = answers.whole.guarded().expect("a log").cosigning.standing();
    assert!(own.witnesses.is_empty() && own.newest.is_none());

    // Public pages of the directory stand at both, operator's pages at the operator.
    for (town, page) in [
        (&asks, "/exchange"),
        (&answers, "/exchange/hidden-reads"),
        (&operator, "/exchange/directory/timestamp"),
    ] {
        let answer = reqwest::get(format!("{}{page}", town.url)).await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 200, "{page}");
    }
}
