//! Properties of the core: what is read prints itself, nothing panics, no path is two paths, and rights are those of an
//! obvious reference.

use base::Timestamp;
use exchange::model::{
    Field, Method, Pointer, Purpose,
    address::{self, ForwardRules, ServicePath, Target},
    error::Format,
    headers::{Edge, RequestHead},
    identifier::{ClientId, Part, ServerId, ServiceId, SubsystemId},
    message::{AnswerRecord, ContentDigest, Evidence, LogName, RequestLeaf, RequestRecord},
    meta,
    rights::{Bucket, Call, Decision, FieldMask, Grant, GrantId, GrantState, Methods, Pattern, Rate, decide},
    tracker::{FindUsage, Place, Seen, SubjectRule},
};
use proptest::prelude::*;
use serde_json::Value;
use uuid::Uuid;

/// Texts of any script that the policy lets be a part.
fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        "[A-Za-z0-9'()+,.=?-]{1,12}",
        "[ -~đĐăâêôơưạảấầẩẫậ漢字é😀]{1,8}",
        "\\PC{1,8}"
    ]
    .prop_filter_map("a part", |text| Part::new(&text).ok())
}

fn service() -> impl Strategy<Value = ServiceId> {
    (part(), part(), part(), part(), part()).prop_map(|(instance, class, code, subsystem, service)| ServiceId {
        provider: SubsystemId {
            member: exchange::model::identifier::MemberId { instance, class, code },
            code: subsystem,
        },
        code: service,
    })
}

/// One character of a path as a client may write it.
fn written(c: char, how: u8) -> String {
    let escape = |upper: bool| -> String {
        let mut bytes = [0; 4];
        c.encode_utf8(&mut bytes)
            .bytes()
            .map(|b| {
                if upper {
                    format!("%{b:02X}")
                } else {
                    format!("%{b:02x}")
                }
            })
            .collect()
    };
    let plain = c.is_ascii_alphanumeric() || "-._~!$&'()*+,=:@".contains(c);
    match how % 4 {
        1 => escape(true),
        2 => escape(false),
        _ if plain => c.to_string(),
        _ => escape(true),
    }
}

/// Pieces that make up paths, tricks among them.
fn path_piece() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[a-c]{0,2}",
        4 => Just("/".to_owned()),
        4 => prop::sample::select(vec![
            "%2F", "%2f", "%5C", "%5c", "\\", ".", "..", "%2e", "%2E", "%252e", "%25", "%", "%4", "%41", "%61", "%00", "%0a",
            ";", "%3b", "//", "/./", "/../", "%c3%a1", "%C3%A1", "á", "%c0%af", "*", "?", "#", " ", "%7e", "~", "%2B", "+",
        ]).prop_map(str::to_owned),
    ]
}

fn raw_path() -> impl Strategy<Value = String> {
    prop::collection::vec(path_piece(), 0..8).prop_map(|pieces| format!("/{}", pieces.concat()))
}

/// What a server behind may make of a path: decodes once, takes `\` for `/`, drops parameters, merges slashes and removes
/// dot segments. Segments, decoded.
fn as_a_server_reads_it(raw: &[u8]) -> Vec<Vec<u8>> {
    let mut decoded = Vec::new();
    let mut rest = raw;
    while let Some((first, after)) = rest.split_first() {
        let hex = |b: &u8| char::from(*b).to_digit(16).and_then(|d| u8::try_from(d).ok());
        match (first, after) {
            (b'%', [a, b, tail @ ..]) if hex(a).is_some() && hex(b).is_some() => {
                decoded.push(hex(a).unwrap_or(0) << 4 | hex(b).unwrap_or(0));
                rest = tail;
            }
            _ => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    let mut segments: Vec<Vec<u8>> = Vec::new();
    for segment in decoded.split(|b| matches!(b, b'/' | b'\\')) {
        let segment = segment.split(|b| *b == b';').next().unwrap_or_default();
        match segment {
            b"" | b"." => {}
            b".." => {
                segments.pop();
            }
            segment => segments.push(segment.to_vec()),
        }
    }
    segments
}

/// The segments that the path shows; a slash at the end shows none.
fn as_it_stands(path: &ServicePath) -> Vec<Vec<u8>> {
    let mut segments: Vec<Vec<u8>> = (1..=path.segments().count())
        .filter_map(|n| path.segment(n))
        .map(String::into_bytes)
        .collect();
    segments.pop_if(|last| last.is_empty());
    segments
}

/// RFC 3986, 6.2.2: unreserved characters decoded, escapes in capitals.
fn normal_form(raw: &str) -> String {
    let mut out = String::new();
    let mut rest = raw;
    while let Some(c) = rest.chars().next() {
        let escaped = rest
            .strip_prefix('%')
            .and_then(|r| r.get(..2))
            .and_then(|h| u8::from_str_radix(h, 16).ok());
        match escaped {
            Some(b) if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => out.push(b.into()),
            Some(b) => out.push_str(&format!("%{b:02X}")),
            None => out.push(c),
        }
        rest = &rest[if escaped.is_some() { 3 } else { c.len_utf8() }..];
    }
    out
}

/// Patterns, obviously.
fn glob(pattern: &[String], path: &[String]) -> bool {
    match pattern.split_first() {
        None => path.is_empty(),
        Some((first, rest)) if first == "**" => (0..=path.len()).any(|n| glob(rest, &path[n..])),
        Some((first, rest)) if first == "*" => (0..=path.len())
            .take_while(|n| !path[..*n].contains(&"/".to_owned()))
            .any(|n| glob(rest, &path[n..])),
        Some((first, rest)) => path.first() == Some(first) && glob(rest, &path[1..]),
    }
}

/// `**`, `*`, `\*` as a star, an escape, or a character.
fn pieces(text: &str, pattern: bool) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, length) = match rest {
            r if pattern && r.starts_with("**") => ("**", 2),
            r if pattern && r.starts_with("\\*") => ("star", 2),
            r if !pattern && r.starts_with('*') => ("star", 1),
            r if r.starts_with('%') => (&r[..3], 3),
            r => (&r[..1], 1),
        };
        out.push(piece.to_owned());
        rest = &rest[length..];
    }
    out
}

fn pattern_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-c]{1,2}",
        3 => Just("/".to_owned()),
        2 => Just("*".to_owned()),
        1 => Just("**".to_owned()),
        1 => prop::sample::select(vec!["\\*", "%c3%a1", "%C3%A1", "%2B", "~"]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..7).prop_map(|pieces| format!("/{}", pieces.concat()))
}

fn grant() -> impl Strategy<Value = Grant> {
    let consumer = prop::sample::select(vec!["VN/GOV/A/x", "VN/GOV/A/y"]);
    let service = prop::sample::select(vec!["VN/GOV/P/s/one", "VN/GOV/P/s/two"]);
    let methods = prop_oneof![
        Just(Methods::Any),
        prop::sample::subsequence(vec![Method::Get, Method::Post], 0..=2).prop_map(Methods::of)
    ];
    let state = prop::sample::select(vec![
        GrantState::Active,
        GrantState::Active,
        GrantState::Active,
        GrantState::Suspended,
        GrantState::Requested,
        GrantState::Refused,
        GrantState::Ended,
    ]);
    let path = prop::sample::select(vec!["/a", "/a/*", "**", "/b/**", ""]);
    let purposes = prop::sample::subsequence(vec!["p", "q"], 0..=2);
    (
        consumer,
        service,
        methods,
        state,
        path,
        purposes,
        -5..5_i64,
        -5..5_i64,
        any::<bool>(),
        0..1_000_i64,
    )
        .prop_map(
            |(consumer, service, methods, state, path, purposes, from, to, masked, id)| Grant {
                id: GrantId::new(Timestamp::from_micros(id * 1_000)),
                consumer: consumer.parse().expect("a subsystem"),
                service: service.parse().expect("a service"),
                methods,
                path: path.parse().expect("a pattern"),
                purposes: purposes.into_iter().map(|p| p.parse().expect("a purpose")).collect(),
                legal_basis: "law".to_owned(),
                from: Timestamp::from_micros(from),
                to: Timestamp::from_micros(to),
                rate: None,
                mask: masked.then(|| FieldMask::new(Vec::new())),
                state,
            },
        )
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u32>().prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[abc]", inner, 0..4).prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

/// Every leaf with its way, items without their number.
fn leaves(value: &Value, way: &str, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(k, v)| leaves(v, &format!("{way}/{k}"), out)),
        Value::Array(items) => items.iter().for_each(|v| leaves(v, &format!("{way}/#"), out)),
        leaf => out.push((way.to_owned(), leaf.to_string())),
    }
}

fn is_below(way: &str, place: &str) -> bool {
    let (mut way, place) = (way.split('/').skip(1), place.split('/').skip(1));
    place
        .into_iter()
        .all(|step| way.next().is_some_and(|w| step == "*" || w == step))
}

fn header() -> impl Strategy<Value = (String, Vec<u8>)> {
    let name = prop_oneof![
        "[a-z-]{1,8}",
        "[A-Z][a-z]{1,4}",
        Just("X-Road-Issue".to_owned()),
        Just("accept".to_owned())
    ];
    let value = prop_oneof![
        "[ -~]{0,12}".prop_map(String::into_bytes),
        prop::collection::vec(prop_oneof![Just(b'\t'), 32..127_u8, 128..=255_u8], 0..12)
    ];
    (name, value)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn identifiers_print_themselves(service in service(), bare in any::<bool>()) {
        let text = service.to_string();
        prop_assert!(text.is_ascii());
        prop_assert_eq!(text.parse::<ServiceId>().expect("as printed"), service.clone());
        let subsystem = service.provider;
        prop_assert_eq!(SubsystemId::from_dstcode(&subsystem.dstcode()).expect("as printed"), subsystem.clone());
        let mut client = ClientId::from(subsystem);
        if bare {
            client.subsystem = None;
        }
        prop_assert_eq!(client.to_string().parse::<ClientId>().expect("as printed"), client);
    }

    #[test]
    fn addresses_print_themselves(service in service(), path in raw_path(), query in prop::option::of("[!-~&&[^#]]{0,12}")) {
        let path = path.replace('?', "");
        let query = query.map(|q| format!("?{q}")).unwrap_or_default();
        let raw = format!("/r1/{service}{path}{query}");
        match (ServicePath::parse(path.as_bytes()), Target::parse(raw.as_bytes())) {
            (Ok(path), Ok(target)) => {
                prop_assert_eq!(target.service(), &service);
                prop_assert_eq!(target.path(), &path);
                prop_assert_eq!(target.to_string(), raw.clone());
                prop_assert_eq!(Target::parse(target.to_string().as_bytes()).expect("as printed"), target);
            }
            (Err(_), Err(_)) => {}
            (path, target) => prop_assert!(false, "{path:?} {target:?}"),
        }
    }

    #[test]
    fn a_path_that_passes_is_read_by_everybody_as_it_stands(raw in raw_path()) {
        if let Ok(path) = ServicePath::parse(raw.as_bytes()) {
            prop_assert_eq!(path.as_str(), &raw);
            prop_assert_eq!(as_a_server_reads_it(raw.as_bytes()), as_it_stands(&path));
        }
    }

    #[test]
    fn a_grant_for_one_path_is_for_no_other_spelling(
        letters in prop::collection::vec((prop::sample::select(vec!['a', 'B', '7', '~', '+', '*', 'á', 'đ', ' ']), 0..4_u8, 0..4_u8), 1..6)
    ) {
        let spell = |choose: fn(&(char, u8, u8)) -> u8| {
            let text: String = letters.iter().map(|l| written(l.0, choose(l))).collect();
            format!("/{text}")
        };
        let (one, other) = (spell(|l| l.1), spell(|l| l.2));
        let (one_path, other_path) = (ServicePath::parse(one.as_bytes()), ServicePath::parse(other.as_bytes()));
        let (Ok(one_path), Ok(other_path)) = (one_path, other_path) else {
            return Err(TestCaseError::fail("no spelling is a trick"));
        };
        prop_assert_eq!(as_a_server_reads_it(one.as_bytes()), as_a_server_reads_it(other.as_bytes()));
        if let Ok(pattern) = one.replace('*', "\\*").parse::<Pattern>() {
            prop_assert!(pattern.matches(&one_path));
            prop_assert_eq!(pattern.matches(&other_path), one == other);
        }
    }

    #[test]
    fn a_path_that_fits_still_fits_when_it_is_normalised(pattern in pattern_text(), raw in raw_path()) {
        let pattern = pattern.replace("%c3%a1", "%C3%A1").parse::<Pattern>();
        if let (Ok(pattern), Ok(path)) = (pattern, ServicePath::parse(raw.as_bytes())) {
            let normal = ServicePath::parse(normal_form(&raw).as_bytes()).expect("no trick comes into being");
            prop_assert!(!pattern.matches(&path) || pattern.matches(&normal), "{pattern} {raw}");
        }
    }

    #[test]
    fn patterns_fit_what_they_obviously_fit(pattern in pattern_text(), raw in raw_path()) {
        if let (Ok(parsed), Ok(path)) = (pattern.parse::<Pattern>(), ServicePath::parse(raw.as_bytes())) {
            prop_assert_eq!(parsed.matches(&path), glob(&pieces(&pattern, true), &pieces(&raw, false)), "{} {}", pattern, raw);
        }
    }

    #[test]
    fn rights_are_those_of_the_obvious_reference(
        grants in prop::collection::vec(grant(), 0..6),
        client in prop::sample::select(vec!["VN/GOV/A/x", "VN/GOV/A/y", "VN/GOV/A"]),
        service in prop::sample::select(vec!["VN/GOV/P/s/one", "VN/GOV/P/s/two"]),
        method in prop::sample::select(vec![Method::Get, Method::Post, Method::Delete]),
        path in prop::sample::select(vec!["", "/", "/a", "/a/", "/a/1", "/a/1/2", "/b/1/2"]),
        purpose in prop::sample::select(vec!["p", "q", "r"]),
        now in -5..5_i64,
    ) {
        let client: ClientId = client.parse().expect("a client");
        let service: ServiceId = service.parse().expect("a service");
        let parsed = ServicePath::parse(path.as_bytes()).expect("a path");
        let stated: Purpose = purpose.parse().expect("a purpose");
        let call = Call { client: &client, service: &service, method, path: &parsed, purpose: &stated };
        let now = Timestamp::from_micros(now);
        let may = |g: &&Grant| {
            let consumer = g.consumer.to_string() == client.to_string();
            let what = g.service.to_string() == service.to_string();
            let how = g.methods.names().iter().any(|m| *m == "*" || *m == method.as_str());
            let where_to = glob(&pieces(g.path.as_str(), true), &pieces(path, false));
            let why = g.purposes.iter().any(|p| p.as_str() == purpose);
            let when = g.from <= now && now < g.to;
            consumer && what && how && where_to && why && when && g.state == GrantState::Active
        };
        let expected = grants.iter().filter(may).min_by_key(|g| (g.mask.is_some(), g.id));
        let decision = decide(&grants, &call, now);
        prop_assert!(!decision.explain(&call).is_empty());
        match (decision, expected) {
            (Decision::Allowed(grant), Some(expected)) => {
                prop_assert_eq!((grant.mask.is_some(), grant.id), (expected.mask.is_some(), expected.id));
            }
            (Decision::Denied(near), None) => {
                prop_assert!(near.iter().all(|n| !n.misses.is_empty()));
                let named = grants.iter().filter(|g| g.service == service && client.is(&g.consumer)).count();
                prop_assert_eq!(near.len(), named);
            }
            (decision, expected) => prop_assert!(false, "{decision:?} {expected:?}"),
        }
    }

    #[test]
    fn no_rate_is_exceeded_in_any_window(
        calls in 1..20_u32, seconds in 1..20_u32, burst in 1..10_u32,
        waits in prop::collection::vec(0..5_000_000_i64, 1..60),
    ) {
        let number = |n| std::num::NonZeroU32::new(n).expect("not zero");
        let rate = Rate { calls: number(calls), seconds: number(seconds), burst: number(burst) };
        let mut now = Timestamp::from_micros(0);
        let mut bucket = Bucket::full(&rate, now);
        let mut taken: Vec<i64> = Vec::new();
        for wait in waits {
            now = now.plus_micros(wait);
            match bucket.take(&rate, now) {
                Ok(()) => taken.push(now.micros()),
                Err(wait) => {
                    let later = now.plus_micros(i64::try_from(wait).expect("a wait"));
                    let mut copy = bucket;
                    prop_assert!(copy.take(&rate, later.plus_micros(-1)).is_err(), "not told to wait too long");
                    let mut copy = bucket;
                    prop_assert_eq!(copy.take(&rate, later), Ok(()), "nor too short");
                }
            }
        }
        for (n, first) in taken.iter().enumerate() {
            for (m, last) in taken.iter().enumerate().skip(n) {
                let most = i64::from(burst) * i64::from(seconds) * 1_000_000 + (last - first) * i64::from(calls);
                let got = i64::try_from(m - n + 1).expect("few") * i64::from(seconds) * 1_000_000;
                prop_assert!(got <= most);
            }
        }
    }

    #[test]
    fn a_mask_lets_through_what_is_listed_and_nothing_else(
        body in json(),
        places in prop::collection::vec(prop::sample::select(vec!["/a", "/a/b", "/*/c", "/b/*", "/b/*/a", "/*", "/c/*/*"]), 0..3),
    ) {
        let mask = FieldMask::new(places.iter().map(|p| p.parse().expect("a pointer")).collect());
        let out = mask.apply(body.to_string().as_bytes()).expect("JSON");
        let out: Value = serde_json::from_slice(&out).expect("JSON again");
        let (mut before, mut after) = (Vec::new(), Vec::new());
        leaves(&body, "", &mut before);
        before.retain(|(way, _)| places.iter().any(|place| is_below(way, place)));
        leaves(&out, "", &mut after);
        // A scalar body of which nothing passes is null.
        after.retain(|(way, _)| !way.is_empty());
        prop_assert_eq!(after, before);
    }

    #[test]
    fn what_is_sent_is_what_is_received_and_logged(
        headers in prop::collection::vec(header(), 0..12), body in prop::collection::vec(any::<u8>(), 0..40),
        created in any::<u64>(), shuffle in any::<prop::sample::Index>(), leaf in any::<[u8; 32]>(), status in 200..600_u16,
    ) {
        let fixed = [
            ("X-Road-Client", "VN/GOV/A/x"), ("x-road-id", "1"), ("x-road-request-id", "2"), ("x-motcua-purpose", "p"),
            ("x-road-service", "VN/GOV/P/s/one"), ("x-road-request-hash", "h"),
        ];
        let fields: Vec<Field> = fixed
            .iter()
            .map(|(n, v)| (n.to_string(), v.as_bytes().to_vec()))
            .chain(headers)
            .filter_map(|(n, v)| Field::new(n.as_bytes(), &v).ok())
            .collect();
        let (target, name) = (b"/r1/VN/GOV/P/s/one/%41?x", LogName::new("a.vn/log").expect("a name"));
        let target = Target::parse(target).expect("a target");
        let digest = ContentDigest::of(&body);
        let request = RequestRecord::new(Method::Put, target.clone(), digest, fields.clone(), created, name.clone());
        let request = request.expect("a record");
        prop_assert_eq!(&RequestRecord::parse(&request.to_bytes()).expect("as written"), &request);
        // Names may come in any order, those of one name may not.
        let mut sent = request.clone().into_fields();
        let cut = shuffle.index(sent.len());
        sent.rotate_left(cut);
        let whole = |w: &[Field]| !w[..w.len() - cut].iter().any(|a| w[w.len() - cut..].iter().any(|b| a.is(b.name())));
        if whole(&sent) {
            let received = RequestRecord::received("PUT", target.to_string().as_bytes(), sent).expect("as sent");
            prop_assert_eq!(received.to_bytes(), request.to_bytes());
        }
        let answer = AnswerRecord::new(status, digest, RequestLeaf(leaf), fields, created, name).expect("a record");
        prop_assert_eq!(&AnswerRecord::parse(&answer.to_bytes()).expect("as written"), &answer);
        prop_assert_eq!(AnswerRecord::received(status, answer.clone().into_fields()).expect("as sent"), answer);
    }

    #[test]
    fn one_byte_changed_is_another_record_or_none(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let record = include_bytes!("vectors/request.txt");
        let mut changed = record.to_vec();
        let at = at.index(changed.len());
        prop_assume!(changed[at] != to);
        changed[at] = to;
        if let Ok(read) = RequestRecord::parse(&changed) {
            prop_assert_eq!(read.to_bytes(), changed);
        }
    }

    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        everything(&bytes);
    }

    #[test]
    fn nothing_panics_on_what_is_nearly_right(
        text in "(/(r1|r2|govstack/r1|XrdAdapter/RestService/forward|%|[a-z.;%]{1,4})){1,9}(\\?dstcode=[A-Z:%/]{0,9}&?){0,2}"
    ) {
        everything(text.as_bytes());
    }

    #[test]
    fn nothing_panics_on_a_broken_record(at in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 0..9)) {
        for record in [&include_bytes!("vectors/request.txt")[..], include_bytes!("vectors/answer.txt")] {
            let mut broken = record.to_vec();
            let at = at.index(broken.len());
            broken.splice(at..(at + 5).min(record.len()), bytes.clone());
            everything(&broken);
        }
    }
}

/// Every function that takes bytes from outside.
fn everything(bytes: &[u8]) {
    let _ = Target::parse(bytes);
    let _ = address::read(bytes, &ForwardRules::default());
    let _ = ServicePath::parse(bytes);
    let _ = (
        Part::from_segment(bytes),
        ClientId::parse(bytes),
        ServerId::parse(bytes),
        ServiceId::parse(bytes),
    );
    let _ = (
        RequestRecord::parse(bytes),
        AnswerRecord::parse(bytes),
        ContentDigest::parse(bytes),
    );
    let _ = Format::accepted([bytes]);
    let (name, value) = bytes.split_at(bytes.len() / 3);
    let instance = Part::new("VN").expect("an instance");
    let edge = Edge {
        dialect: address::Dialect::XRoad,
        instance: &instance,
        request_id: Uuid::nil(),
        message_id: Uuid::nil(),
        client: None,
        purpose: None,
    };
    let head = [
        (name, value),
        (b"x-road-client", value),
        (b"x-motcua-purpose", value),
        (b"x-road-represented-party", value),
        (b"connection", value),
    ];
    let _ = RequestHead::read(head, &edge);
    let fields: Vec<Field> = [
        "motcua-salt",
        "motcua-proof",
        "motcua-checkpoint",
        "motcua-input",
        "content-digest",
        "motcua-request",
    ]
    .iter()
    .filter_map(|name| Field::new(name.as_bytes(), value).ok())
    .collect();
    let _ = (
        Evidence::from_fields(&fields),
        RequestRecord::received("GET", name, fields.clone()),
    );
    let _ = AnswerRecord::received(200, fields);
    let pointer: Pointer = "/a/*/b".parse().expect("a pointer");
    let _ = FieldMask::new(vec![pointer.clone()]).apply(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = (
            text.parse::<Pattern>(),
            text.parse::<Pointer>(),
            text.parse::<Purpose>(),
            LogName::new(text),
        );
        let _ = SubsystemId::from_dstcode(text);
        let _ = (
            meta::anonymise(text),
            meta::requested_service(Some(text)),
            FindUsage::read(Some(text), Some(text)),
        );
        let path = ServicePath::parse(b"/1").expect("a path");
        let places = vec![
            Place::PathSegment(1),
            Place::QueryParameter("a".to_owned()),
            Place::Request(pointer),
        ];
        SubjectRule(places).find(&Seen {
            path: &path,
            query: Some(text),
            request: Some(bytes),
            answer: None,
        });
    }
}

#[test]
fn the_vectors_stand_in_the_document() {
    let document = include_str!("../../../docs/protocol.md");
    for vector in [include_str!("vectors/request.txt"), include_str!("vectors/answer.txt")] {
        assert!(
            document.contains(vector),
            "docs/protocol.md shows the vectors of tests/vectors"
        );
    }
}
