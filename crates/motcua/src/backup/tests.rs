//! A node is backed up while it works, and goes on elsewhere. Real sockets, real databases, the operator's node beside it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::MetadataExt as _,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use ::exchange::{access::model::ServiceDraft, journal::Filter, model::identifier::Part};
use identity::{Actor, Ctx, OfficerActor, Purpose};
use store::{Read as _, params, testkit};
use uuid::Uuid;

use super::*;
use crate::{
    exchange::{
        operator,
        tests::{Town, config as town_config, config_text, member, register, steward},
    },
    ledger::restored,
    node::{MIGRATIONS, Node, open_store},
    seed,
};

const MEMBER: &str = "VN/GOV/000.00.00.H42";
const SYSTEM: &str = "VN/GOV/000.00.00.H42/motcua";

/// Writes a configuration for a data folder and a database of its own.
fn written(dir: &Path, name: &str, database: &str) -> (PathBuf, Config, String) {
    let data = dir.join(name);
    let (text, url) = config_text(&data, "");
    let database = if database.starts_with("sqlite:") {
        String::new()
    } else {
        format!("[database]\nurl = {database:?}\n")
    };
    let path = dir.join(format!("{name}.toml"));
    fs::write(&path, format!("{text}{database}")).expect("written");
    let config = Config::read(&path).expect("a configuration");
    (path, config, url)
}

fn to(path: &Path, to: &Path, since: Option<&Path>) -> Backup {
    Backup {
        config: path.to_owned(),
        to: to.to_owned(),
        since: since.map(Path::to_owned),
    }
}

fn from(from: &Path, config: Option<&Path>) -> Restore {
    Restore {
        from: from.to_owned(),
        config: config.map(Path::to_owned),
        verify: config.is_none(),
    }
}

/// People file dossiers and systems call until told to stop; what was acknowledged is noted.
struct Load {
    stop: Arc<AtomicBool>,
    filed: Arc<Mutex<BTreeSet<Uuid>>>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    async fn on(town: &Town) -> Self {
        let node = &town.whole;
        let (officer, _) = seed::officer(node).await.expect("an officer");
        let filing = Arc::new(seed::sample(node, "1.004873").expect("a filing"));
        let (stop, filed) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(BTreeSet::new())));
        let mut tasks = Vec::new();
        for clerk in 0..3 {
            let (node, officer, filing) = (node.clone(), officer.clone(), Arc::clone(&filing));
            let (stop, filed) = (Arc::clone(&stop), Arc::clone(&filed));
            tasks.push(tokio::spawn(async move {
                let mut n = 0;
                while !stop.load(Ordering::Relaxed) {
                    let ctx = as_officer(&officer);
                    let key = format!("load/{clerk}/{n}");
                    let dossier = node.dossiers.file(&ctx, &filing, &key).await.expect("filed");
                    filed.lock().expect("no panic").insert(dossier.id.uuid());
                    seed::receive(&node, &ctx, dossier.id).await.expect("received");
                    n += 1;
                }
            }));
        }
        let (edge, stopped) = (town.edge(), Arc::clone(&stop));
        tasks.push(tokio::spawn(async move {
            let client = reqwest::Client::new();
            while !stopped.load(Ordering::Relaxed) {
                let answer = client
                    .get(format!("http://{edge}/r1/{SYSTEM}/persons/persons/037190001234"))
                    .header("X-Road-Client", SYSTEM)
                    .header("X-Motcua-Purpose", "dossier.verify")
                    .send()
                    .await
                    .expect("an answer");
                answer.bytes().await.expect("a body");
            }
        }));
        Self { stop, filed, tasks }
    }

    fn acknowledged(&self) -> BTreeSet<Uuid> {
        self.filed.lock().expect("no panic").clone()
    }

    async fn reaches(&self, many: usize) {
        while self.acknowledged().len() < many {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.expect("no panic");
        }
    }
}

fn as_officer(officer: &OfficerActor) -> Ctx {
    let now = SystemClock.now();
    Ctx {
        actor: Actor::Officer(officer.clone()),
        now,
        request_id: base::Id::<()>::new(now).uuid(),
        lang: base::Lang::Vi,
    }
}

/// The log of every dossier, entry by entry.
async fn dossiers(node: &Node) -> BTreeMap<Uuid, Vec<(i64, String)>> {
    #[derive(Debug, store::Row)]
    struct Entry {
        dossier_id: Uuid,
        seq: i64,
        entry: String,
    }
    use store::sea_orm;
    let sql = "SELECT dossier_id, seq, entry FROM dossier_entry ORDER BY dossier_id, seq";
    let mut all = BTreeMap::<_, Vec<_>>::new();
    for row in node.store.read().all::<Entry>(sql, params![]).await.expect("rows") {
        all.entry(row.dossier_id).or_default().push((row.seq, row.entry));
    }
    all
}

async fn count(node: &Node, table: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM {table}");
    node.store
        .read()
        .scalar(&sql, params![])
        .await
        .expect("a count")
        .expect("a row")
}

/// Every entry of a dossier has one leaf, and that says the entry.
async fn leaves_fit(node: &Node, officer: &OfficerActor, id: Uuid, log: &[(i64, String)]) {
    let ctx = as_officer(officer);
    let id = dossier::model::action::DossierId::from_uuid(id);
    let view = node
        .dossiers
        .get(&ctx, id, Purpose::CaseHandling)
        .await
        .expect("a dossier");
    let proofs = node
        .dossiers
        .proofs(&ctx, &view.state.code, Purpose::CaseHandling)
        .await
        .expect("proofs");
    assert_eq!(proofs.entries.len(), log.len());
    let ledger = node.dossiers.ledger().expect("a log");
    for (proof, (seq, entry)) in proofs.entries.iter().zip(log) {
        assert_eq!(proof.seq, *seq);
        let stored = ledger.log.entry(proof.leaf).expect("an entry");
        let record = String::from_utf8(stored.opening.expect("open").record).expect("text");
        assert!(record.contains(entry.as_str()), "{record} is not {entry}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_backed_up_while_it_works_and_goes_on_elsewhere() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    for database in testkit::configs().await {
        let dirs = tempfile::tempdir().expect("a folder");
        let dir = dirs.path();
        let (op_config, op_url) = town_config(&dir.join("op"));
        operator::found(&op_config.data, &Part::new("VN").expect("a part"), SystemClock.now()).expect("founded");
        let operator = Town::serve(op_config, op_url).await;
        let (config_path, config, url) = written(dir, "node", &database.url);
        let town = member(&operator, (config, url), MEMBER, "Tỉnh Ninh Bình").await;
        town.whole.put_built_in_packages().await.expect("packages");
        town.system(SYSTEM).await;
        let service = ServiceDraft {
            provider: SYSTEM.to_owned(),
            code: "persons".to_owned(),
            name_vi: "Tra cứu dân cư".to_owned(),
            url: register().await.0,
            subjects: "path 2".to_owned(),
            action: "Tra cứu thông tin dân cư".to_owned(),
            ..ServiceDraft::default()
        };
        let joined = town.joined();
        joined
            .access
            .add_service(&steward(), &service)
            .await
            .expect("a service");
        town.tell().await;
        let file = town
            .whole
            .store
            .blobs()
            .put("giấy tờ".as_bytes())
            .await
            .expect("stored");
        let row = Uuid::from_u128(7);
        let blobs = town.whole.store.blobs();
        blobs.put_own(row, "giấy khai sinh".as_bytes()).await.expect("stored");

        // Two backups under load, the second from the first.
        let load = Load::on(&town).await;
        load.reaches(8).await;
        let (first, second) = (dir.join("backup-1"), dir.join("backup-2"));
        backup(&to(&config_path, &first, None)).await.expect("backed up");
        load.reaches(load.acknowledged().len() + 8).await;
        let acknowledged = load.acknowledged();
        backup(&to(&config_path, &second, Some(&first)))
            .await
            .expect("backed up");
        load.reaches(load.acknowledged().len() + 4).await;
        load.end().await;
        let blob = format!("blobs/{}/{}/{}", &file.sha256[..2], &file.sha256[2..4], file.sha256);
        let inode = |backup: &Path| fs::metadata(backup.join(&blob)).expect("the file").ino();
        assert_eq!(inode(&first), inode(&second), "linked, not copied");
        let again = backup(&to(&config_path, &second, None))
            .await
            .expect_err("nothing is overwritten");
        assert!(again.to_string().contains("[backup-folder-in-use]"), "{again}");
        restore(&from(&second, None)).await.expect("undamaged");

        // Elsewhere.
        let elsewhere = testkit::configs()
            .await
            .into_iter()
            .find(|other| store::backup::engine(&other.url).ok() == store::backup::engine(&database.url).ok());
        let elsewhere = elsewhere.expect("a database");
        let (new_path, new_config, _) = written(dir, "elsewhere", &elsewhere.url);
        restore(&from(&second, Some(&new_path))).await.expect("restored");
        let again = restore(&from(&second, Some(&new_path)))
            .await
            .expect_err("nothing is overwritten");
        assert!(again.to_string().contains("-in-use]"), "{again}");
        let store = open_store(&new_config).await.expect("a database");
        assert_eq!(store.pending(MIGRATIONS).await.expect("asked"), Vec::<String>::new());
        let node = Node::open(new_config.clone(), store).await.expect("a node");

        // The old log went on: continuing the copy of it would be a fork, and the newest checkpoint says so.
        let refused = node.open_ledger().await.expect_err("nobody vouched");
        assert!(format!("{refused:#}").contains("[ledger-restored]"), "{refused:#}");
        let old = town
            .whole
            .dossiers
            .ledger()
            .expect("a log")
            .log
            .checkpoint()
            .to_string();
        let known = [("old".to_owned(), old.into_bytes())];
        let behind = restored::resume(&new_config, &known, false).expect_err("behind");
        assert!(behind.to_string().contains("[ledger-restored-behind]"), "{behind}");
        assert!(
            restored::resume(&new_config, &[], false).is_err(),
            "somebody has to vouch"
        );
        restored::resume(&new_config, &[], true).expect("vouched");
        node.open_ledger().await.expect("the log opens");
        node.open_exchange().await.expect("the exchange opens");

        // Dossier by dossier: nothing acknowledged before is missing, and what is there is what was.
        let (was, is) = (dossiers(&town.whole).await, dossiers(&node).await);
        assert!(acknowledged.iter().all(|id| is.contains_key(id)), "lost");
        for (id, log) in &is {
            assert!(was[id].starts_with(log), "{id}");
        }
        assert!(is.len() < was.len(), "the old node went on");
        assert_eq!(
            node.store.blobs().get(&file.sha256).await.expect("a file"),
            "giấy tờ".as_bytes()
        );
        assert_eq!(
            node.store.blobs().get_own(row).await.expect("a file of a row"),
            "giấy khai sinh".as_bytes()
        );

        // It folds on: each entry has its leaf, each message its row, once.
        node.dossiers.keep_all_leaves(&mut |_| {}).await.expect("kept");
        let (officer, _) = seed::officer(&node).await.expect("the officer");
        for (id, log) in &is {
            leaves_fit(&node, &officer, *id, log).await;
        }
        let joined = node.exchange().and_then(|e| e.member()).expect("a member");
        joined.journal.catch_up().await.expect("folded");
        let log = Arc::clone(&node.dossiers.ledger().expect("a log").log);
        let messages = (0..log.size())
            .filter(|leaf| log.entry(*leaf).expect("an entry").commitment.kind() == ledger::Kind::MESSAGE);
        let messages = i64::try_from(messages.count()).expect("a number");
        assert!(messages > 10, "{messages}");
        assert_eq!(count(&node, "journal_message").await, messages);
        joined
            .journal
            .messages(&steward(), &Filter::default())
            .await
            .expect("a list");

        // New work goes on behind the old, and the log is clean.
        let filing = seed::sample(&node, "1.004873").expect("a filing");
        let new = node
            .dossiers
            .file(&as_officer(&officer), &filing, "after")
            .await
            .expect("filed");
        assert!(!was.contains_key(&new.id.uuid()));
        assert!(node.dossiers.keep_all_leaves(&mut |_| {}).await.expect("kept") > 0);
        let keys = node.dossiers.ledger().expect("a log").keys.clone();
        let policy = ledger::Policy::new(keys, Vec::new(), 0).expect("a policy");
        let report = ledger::audit::directory(&new_config.data.join(LEDGER), &policy, &[]).expect("audited");
        assert!(report.is_clean(), "{:?}", report.findings);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_or_unfinished_backup_is_refused_by_name() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let dirs = tempfile::tempdir().expect("a folder");
    let dir = dirs.path();
    let (path, config, url) = written(dir, "op", "sqlite:");
    operator::found(&config.data, &Part::new("VN").expect("a part"), SystemClock.now()).expect("founded");
    let town = Town::serve(config, url).await;
    let kept = dir.join("backup");
    // What an interrupted backup left is taken up.
    fs::create_dir(&kept).expect("a folder");
    fs::write(kept.join(UNFINISHED), "").expect("written");
    fs::create_dir(kept.join(DATABASE)).expect("a folder");
    fs::write(kept.join(DATABASE).join("motcua.draft"), "half").expect("written");
    let unfinished = restore(&from(&kept, None)).await.expect_err("unfinished");
    assert!(unfinished.to_string().contains("[backup-not-whole]"), "{unfinished}");
    backup(&to(&path, &kept, None)).await.expect("backed up");
    assert!(!kept.join(UNFINISHED).exists());
    let operator_of = |town: &Town| {
        let exchange = town.whole.exchange().expect("an exchange");
        exchange.operator().expect("the operator").clone()
    };
    let root = operator_of(&town).publisher().fingerprint().expect("a root");

    let (new_path, new_config, new_url) = written(dir, "new", "sqlite:");
    for name in [
        "federation/edition.key",
        "database/motcua.db",
        "secret.key",
        "motcua.toml",
    ] {
        let place = kept.join(name);
        let good = fs::read(&place).expect("read");
        let mut bad = good.clone();
        bad[5] ^= 1;
        fs::write(&place, bad).expect("written");
        let refused = restore(&from(&kept, Some(&new_path))).await.expect_err("damaged");
        let said = refused.to_string();
        assert!(said.contains("[backup-damaged]") && said.contains(name), "{said}");
        fs::remove_file(&place).expect("removed");
        let said = restore(&from(&kept, None)).await.expect_err("missing").to_string();
        assert!(said.contains("missing") && said.contains(name), "{said}");
        fs::write(&place, good).expect("written");
        assert!(!new_config.data.exists(), "nothing was written");
    }

    restore(&from(&kept, Some(&new_path))).await.expect("restored");
    fs::write(new_config.data.join("restoring"), "").expect("written");
    let half = open_store(&new_config).await.expect_err("half restored");
    assert!(half.to_string().contains("[restore-interrupted]"), "{half}");
    fs::remove_file(new_config.data.join("restoring")).expect("removed");
    let note = town
        .whole
        .dossiers
        .ledger()
        .expect("a log")
        .log
        .checkpoint()
        .to_string();
    restored::resume(&new_config, &[("old".to_owned(), note.into_bytes())], false).expect("nothing was written after");
    let again = Town::serve(new_config, new_url).await;
    assert_eq!(operator_of(&again).publisher().fingerprint().expect("a root"), root);
    let mode = |name: &str| fs::metadata(dir.join("new").join(name)).expect("a file").mode() & 0o777;
    assert_eq!((mode("secret.key"), mode("federation/ca.key")), (0o600, 0o600));
}
