//! A small registry with a rule of each kind, on every database there is, with its stewards and its clock.

use std::{
    fs,
    path::Path,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use base::{Calendar, Clock as _, Error, Timestamp, calendar::CalendarData, time::FixedClock};
use identity::{
    AccountId, Actor, Assurance, Ctx, Entropy, IdentityState, OfficerActor, OfficerId, PersonActor, Role, Roles, Shell,
};
use procedure::reference::Reference;
use registry::{
    folder,
    history::Moment,
    model::{Files, RegistryCode, ValidTime},
    quality::{self, Quality},
    service::{self, Change, Provenance, Registries, Seen, Target, With, Written},
    shelf::Shelf,
};
use serde_json::{Value, json};
use store::{Store, jobs::Runner};
use uuid::Uuid;

pub static REFERENCE: LazyLock<Arc<Reference>> =
    LazyLock::new(|| Arc::new(Reference::embedded().expect("the reference data of this build")));

pub const MEMBERS: &str = "members";
pub const AN: &str = "001190000017";
pub const BINH: &str = "001091000025";

pub const REGISTRY: &str = r#"
code = "members"
version = 1
name = { vi = "Sổ hội viên", en = "Members" }
summary = { vi = "Hội viên và người bảo trợ.", en = "Members and their sponsors." }
steward = "G01"
about = "person"
subjects = ["number"]
key = ["number"]
valid_time = "day"
sensitivity = "internal"
[[basis]]
text = "Luật Căn cước số 26/2023/QH15"
article = "Điều 9"
[retention]
note = { vi = "Vĩnh viễn.", en = "For ever." }
[doubts]
acknowledge_days = 1
answer_days = 5
[quality]
mend_days = 3
[[filter]]
field = "number"
operators = ["eq"]
[[service]]
id = "verify"
name = { vi = "Xác thực hội viên", en = "Verify a member" }
operations = ["read"]
fields = ["number", "name"]
[[service]]
id = "doubting"
name = { vi = "Phản ánh hội viên", en = "Doubt a member" }
operations = ["doubt"]
fields = ["number", "name"]
[[service]]
id = "prefill"
name = { vi = "Điền sẵn", en = "Prefill" }
operations = ["facts"]
fields = ["number", "name"]
attributes = ["full-name"]
[[service]]
id = "portal"
name = { vi = "Cho người được ghi nhận", en = "For those whom it is about" }
operations = ["own"]
fields = ["number", "name", "commune"]
"#;

pub const RULES: &str = r#"
[[rule]]
id = "has-commune"
kind = "required"
field = "commune"
when = 'status = "alive"'
dimension = "complete"
action = "note"
message = { vi = "Thiếu nơi ở.", en = "The commune is missing." }
[[rule]]
id = "name-written"
kind = "standard"
field = "name"
dimension = "valid"
action = "note"
message = { vi = "Họ tên chưa viết đúng dạng chuẩn.", en = "The name is not in its standard form." }
[[rule]]
id = "commune-of-today"
kind = "standard"
field = "commune"
dimension = "valid"
action = "note"
message = { vi = "Xã cũ đã sắp xếp lại.", en = "The commune has become another." }
[[rule]]
id = "one-card"
kind = "unique"
fields = ["cards"]
dimension = "unique"
action = "note"
message = { vi = "Một số giấy tờ thuộc về nhiều người.", en = "A card belongs to several." }
[[rule]]
id = "sponsor-is-known"
kind = "reference"
field = "sponsor"
registry = "members"
dimension = "consistent"
action = "note"
message = { vi = "Không có bản ghi của người bảo trợ.", en = "The sponsor has no record." }
[[rule]]
id = "church-is-known"
kind = "reference"
field = "sponsor"
registry = "elsewhere"
dimension = "consistent"
action = "note"
message = { vi = "Cơ sở dữ liệu ở nơi khác.", en = "Kept elsewhere." }
[[rule]]
id = "fresh"
kind = "fresh"
days = 30
dimension = "timely"
action = "note"
message = { vi = "Chưa được xác nhận trong 30 ngày.", en = "Not confirmed for 30 days." }
"#;

const ATTRIBUTES: &str = r#"
[[attribute]]
id = "full-name"
value = "name"
"#;

const SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "additionalProperties": false,
  "required": ["number", "name", "status"],
  "properties": {
    "number": { "x-term": "person.number", "type": "string", "pattern": "^[0-9]{12}$" },
    "name": { "x-term": "person.name", "type": "string", "minLength": 1, "maxLength": 100 },
    "status": { "x-term": "person.status", "type": "string", "enum": ["alive", "dead", "missing"] },
    "province": { "x-term": "place.province", "type": "string", "pattern": "^[0-9]{2}$" },
    "commune": { "x-term": "place.commune", "type": "string", "pattern": "^[0-9]{5}$" },
    "sponsor": { "x-term": "person.number", "type": "string", "pattern": "^[0-9]{12}$" },
    "cards": { "x-term": "person.old-id-card", "type": "array", "maxItems": 5, "items": { "type": "string", "pattern": "^[0-9]{9}$" } }
  }
}"#;

/// The files of the registry as the texts say, with the dictionary of this repository.
pub fn files(registry: &str, rules: &str) -> Files {
    files_of(MEMBERS, registry, rules)
}

/// The same of another code.
pub fn files_of(code: &str, registry: &str, rules: &str) -> Files {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../registries/dictionary");
    copy(&ours, &folder.path().join("dictionary"));
    let members = folder.path().join(code);
    fs::create_dir(&members).expect("a folder");
    for (name, text) in [
        ("registry.toml", registry),
        ("rules.toml", rules),
        ("schema.json", SCHEMA),
        ("attributes.toml", ATTRIBUTES),
    ] {
        fs::write(members.join(name), text).expect("written");
    }
    folder::read(&members).expect("files")
}

/// A folder, whole.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

pub fn start() -> Timestamp {
    // A Wednesday.
    Timestamp::parse_rfc3339("2026-11-25T10:00:00+07:00").expect("an instant")
}

pub fn calendar() -> Calendar {
    let text = include_str!("../../../../data/calendar/viet-nam.toml");
    let data: CalendarData = toml::from_str(text).expect("the calendar");
    Calendar::new(data).expect("a good calendar")
}

pub struct Town {
    pub store: Store,
    pub clock: Arc<FixedClock>,
    pub registries: Registries,
    pub quality: Quality,
    pub identity: IdentityState,
}

pub async fn towns() -> Vec<Town> {
    let mut towns = Vec::new();
    for store in store::testkit::stores(&[identity::MIGRATIONS, registry::MIGRATIONS]).await {
        towns.push(Town::over(store).await);
    }
    towns
}

impl Town {
    /// A town over a database that has its tables.
    pub async fn over(store: Store) -> Self {
        Self::with(store, &files(REGISTRY, RULES)).await
    }

    /// A town that keeps the registry of these files.
    pub async fn with(store: Store, files: &Files) -> Self {
        let clock = Arc::new(FixedClock::at(start()));
        let shelf = Shelf::open(store.clone(), Arc::clone(&REFERENCE))
            .await
            .expect("a shelf");
        shelf.publish(files, "test", start()).await.expect("published");
        let identity = IdentityState::new(
            store.clone(),
            identity::Config::default(),
            &[9; 32],
            clock.clone(),
            Entropy::system(),
            Shell::default(),
        )
        .expect("good settings");
        let registries = Registries::new(store.clone(), shelf, identity.clone());
        let quality = Quality::new(registries.clone(), calendar());
        Self {
            store,
            clock,
            registries,
            quality,
            identity,
        }
    }
}

pub fn code() -> RegistryCode {
    MEMBERS.parse().expect("a code")
}

pub fn day(text: &str) -> Moment {
    Moment::parse(text, ValidTime::Day).expect("a day")
}

/// A new key of a request.
pub fn key() -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    format!("key-{}", LAST.fetch_add(1, Ordering::Relaxed))
}

pub fn member(number: &str, name: &str) -> Value {
    json!({ "number": number, "name": name, "status": "alive", "commune": "00004" })
}

pub fn seen(written: &Written) -> Seen {
    Seen {
        record: written.record,
        seq: written.seq,
    }
}

pub fn refusal(error: &Error) -> Vec<String> {
    let problems = error.problems().unwrap_or_else(|| panic!("no refusal: {error}"));
    for problem in problems {
        assert!(!problem.text.vi.is_empty() && !problem.text.en.is_empty());
    }
    problems.iter().map(|problem| problem.code.clone()).collect()
}

impl Town {
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Days pass.
    pub fn pass(&self, days: i64) {
        self.clock.set(self.now().plus_seconds(days * 86_400));
    }

    pub fn ctx(&self, actor: Actor) -> Ctx {
        Ctx {
            actor,
            now: self.now(),
            request_id: Uuid::nil(),
            lang: base::Lang::Vi,
        }
    }

    pub fn officer(&self, name: &str, agency: &str, role: Role) -> Ctx {
        let id = name.bytes().fold(0_u128, |id, byte| id * 31 + u128::from(byte));
        self.ctx(Actor::Officer(OfficerActor {
            officer: OfficerId::from_uuid(Uuid::from_u128(id)),
            name: name.to_owned(),
            title: String::new(),
            agency: agency.to_owned(),
            roles: Roles::of(&[role]),
        }))
    }

    pub fn steward(&self) -> Ctx {
        self.officer("Trần Thị Bình", "G01", Role::Steward)
    }

    pub fn person(&self, number: &str, name: &str) -> Ctx {
        let id = number.parse::<u128>().expect("digits");
        self.ctx(Actor::Person(PersonActor {
            account: AccountId::from_uuid(Uuid::from_u128(id)),
            name: name.to_owned(),
            person_number: Some(number.to_owned()),
            birth_date: None,
            sex: None,
            phone: None,
            email: None,
            assurance: Assurance::Level2,
            organisation: None,
        }))
    }

    pub async fn write(&self, change: Change) -> Written {
        let provenance = Provenance {
            source: "Tờ khai".to_owned(),
            ..Provenance::default()
        };
        let written = self
            .registries
            .write(&self.steward(), &code(), change, &provenance, &key())
            .await;
        written.expect("taken in")
    }

    pub async fn add(&self, body: Value) -> Written {
        self.write(Change::Assert {
            target: Target::New,
            from: day("2026-01-01"),
            to: None,
            body,
        })
        .await
    }

    pub async fn correct(&self, at: &Written, corrects: i64, body: Value) -> Written {
        self.write(Change::Correct {
            record: seen(at),
            corrects,
            with: With::Holds {
                from: day("2026-01-01"),
                to: None,
                body,
            },
        })
        .await
    }

    pub fn runner(&self) -> Runner {
        let runner = Runner::new(self.store.clone(), self.clock.clone());
        quality::handlers(service::handlers(runner, &self.registries), &self.quality)
    }

    /// Does everything that is due.
    pub async fn settle(&self) {
        let runner = self.runner();
        while runner.run_due().await.expect("the jobs are read") > 0 {}
    }
}
