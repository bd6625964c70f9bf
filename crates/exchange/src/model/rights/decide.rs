//! May this call go on, and why. The same words answer the caller and `motcua exchange explain`.

use base::{Problems, Text, Timestamp, codes::CodeError};

use super::{Grant, GrantState};
use crate::model::{
    address::ServicePath,
    error::{ErrorCode, Refusal},
    identifier::{ClientId, ServiceId},
    method::Method,
    purpose::Purpose,
};

/// What is judged: what is forwarded.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Who calls.
    pub client: &'a ClientId,
    /// What.
    pub service: &'a ServiceId,
    /// By which method.
    pub method: Method,
    /// On which path.
    pub path: &'a ServicePath,
    /// Why.
    pub purpose: &'a Purpose,
}

/// One thing that keeps a grant from allowing a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Miss {
    /// It is asked for, and not answered yet.
    Requested,
    /// It was refused.
    Refused,
    /// It is suspended.
    Suspended,
    /// It was ended.
    Ended,
    /// Its time has not come.
    NotYet,
    /// Its time is over.
    Expired,
    /// It is for other methods.
    Method,
    /// It is for other paths.
    Path,
    /// It is for other purposes.
    Purpose,
}

/// A grant of this consumer for this service that does not allow the call, and everything that keeps it from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss<'g> {
    /// The grant.
    pub grant: &'g Grant,
    /// At least one.
    pub misses: Vec<Miss>,
}

/// The judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision<'g> {
    /// This grant allows it: its rate, its mask and its legal basis hold. Of several, one without a mask, then the
    /// oldest.
    Allowed(&'g Grant),
    /// None does.
    Denied(Vec<NearMiss<'g>>),
}

/// Judges a call at one instant. Without a grant that says so, no.
pub fn decide<'g>(grants: impl IntoIterator<Item = &'g Grant>, call: &Call<'_>, now: Timestamp) -> Decision<'g> {
    let (mut allowing, mut near) = (Vec::new(), Vec::new());
    for grant in grants {
        if grant.service != *call.service || !call.client.is(&grant.consumer) {
            continue;
        }
        let misses = misses(grant, call, now);
        if misses.is_empty() {
            allowing.push(grant);
        } else {
            near.push(NearMiss { grant, misses });
        }
    }
    match allowing
        .into_iter()
        .min_by_key(|grant| (grant.mask.is_some(), grant.id))
    {
        Some(grant) => Decision::Allowed(grant),
        None => Decision::Denied(near),
    }
}

fn misses(grant: &Grant, call: &Call<'_>, now: Timestamp) -> Vec<Miss> {
    let state = match grant.state {
        GrantState::Requested => Some(Miss::Requested),
        GrantState::Refused => Some(Miss::Refused),
        GrantState::Suspended => Some(Miss::Suspended),
        GrantState::Ended => Some(Miss::Ended),
        GrantState::Active => None,
    };
    let other = [
        (now < grant.from, Miss::NotYet),
        (now >= grant.to, Miss::Expired),
        (!grant.methods.has(call.method), Miss::Method),
        (!grant.path.matches(call.path), Miss::Path),
        (!grant.purposes.contains(call.purpose), Miss::Purpose),
    ];
    let other = other.into_iter().filter_map(|(missed, miss)| missed.then_some(miss));
    state.into_iter().chain(other).collect()
}

impl Miss {
    /// The stable name for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Requested => "grant-requested",
            Self::Refused => "grant-refused",
            Self::Suspended => "grant-suspended",
            Self::Ended => "grant-ended",
            Self::NotYet => "grant-not-yet",
            Self::Expired => "grant-expired",
            Self::Method => "grant-other-method",
            Self::Path => "grant-other-path",
            Self::Purpose => "grant-other-purpose",
        }
    }

    /// What is missed, and what to do.
    pub fn text(self, grant: &Grant, call: &Call<'_>) -> Text {
        match self {
            Self::Requested => Text::new(
                "quyền này mới được đề nghị, bên cung cấp chưa trả lời",
                "it is asked for, and the provider has not answered yet",
            ),
            Self::Refused => Text::new(
                "bên cung cấp đã từ chối quyền này; xem căn cứ từ chối",
                "the provider refused it; see the legal ground that was given",
            ),
            Self::Suspended => Text::new(
                "quyền này đang bị tạm dừng; liên hệ bên cung cấp",
                "it is suspended; ask the provider",
            ),
            Self::Ended => Text::new(
                "quyền này đã chấm dứt; đề nghị cấp quyền mới",
                "it has been ended; ask for a new one",
            ),
            Self::NotYet => Text::new(
                format!("quyền này có hiệu lực từ {}", grant.from.display()),
                format!("it holds from {}", grant.from.display()),
            ),
            Self::Expired => Text::new(
                format!("quyền này hết hiệu lực từ {}; đề nghị gia hạn", grant.to.display()),
                format!("it ended on {}; ask for a longer one", grant.to.display()),
            ),
            Self::Method => Text::new(
                format!("chỉ cho phép phương thức {}, không cho {}", grant.methods, call.method),
                format!("it is for the methods {}, not {}", grant.methods, call.method),
            ),
            Self::Path => Text::new(
                format!(
                    "chỉ cho phép đường dẫn khớp “{}”, không cho “{}”",
                    grant.path, call.path
                ),
                format!("it is for paths like “{}”, not “{}”", grant.path, call.path),
            ),
            Self::Purpose => {
                let purposes: Vec<&str> = grant.purposes.iter().map(Purpose::as_str).collect();
                let purposes = purposes.join(", ");
                Text::new(
                    format!("chỉ cho mục đích {purposes}, không cho {}", call.purpose),
                    format!("it is for the purposes {purposes}, not {}", call.purpose),
                )
            }
        }
    }
}

impl NearMiss<'_> {
    /// One sentence with everything that is missed.
    fn text(&self, call: &Call<'_>) -> Text {
        let texts: Vec<Text> = self.misses.iter().map(|miss| miss.text(self.grant, call)).collect();
        let join = |texts: Vec<&str>| texts.join("; ");
        Text::new(
            format!(
                "Quyền {}: {}.",
                self.grant.id,
                join(texts.iter().map(|t| t.vi.as_str()).collect())
            ),
            format!(
                "Grant {}: {}.",
                self.grant.id,
                join(texts.iter().map(|t| t.en.as_str()).collect())
            ),
        )
    }

    fn code(&self) -> &'static str {
        self.misses.first().map_or("no-grant", |miss| miss.code())
    }
}

impl<'g> Decision<'g> {
    /// The grant, or the refusal of [`ErrorCode::AccessDenied`] with every near miss.
    ///
    /// # Errors
    /// When no grant allows the call.
    pub fn into_result(self, call: &Call<'_>) -> Result<&'g Grant, Refusal> {
        match self {
            Self::Allowed(grant) => Ok(grant),
            Self::Denied(near) => {
                let mut problems = Problems::new();
                if near.is_empty() {
                    no_grant(call).add_to(&mut problems, "grant");
                }
                for miss in &near {
                    let Text { vi, en } = miss.text(call);
                    problems.add(miss.code(), "grant", vi, en);
                }
                Err(Refusal::with(ErrorCode::AccessDenied, problems))
            }
        }
    }

    /// The judgement line by line: the outcome, then what decided it.
    pub fn explain(&self, call: &Call<'_>) -> Vec<Text> {
        let (client, method, service, path) = (call.client, call.method, call.service, call.path);
        match self {
            Self::Allowed(grant) => vec![
                Text::new(
                    format!(
                        "Cho phép: {client} gọi {method} {service}{path} cho mục đích {}.",
                        call.purpose
                    ),
                    format!(
                        "Allowed: {client} calls {method} {service}{path} for the purpose {}.",
                        call.purpose
                    ),
                ),
                Text::new(
                    format!(
                        "Theo quyền {}, căn cứ {}, hiệu lực đến {}.",
                        grant.id,
                        grant.legal_basis,
                        grant.to.display()
                    ),
                    format!(
                        "By grant {}, on the legal basis {}, until {}.",
                        grant.id,
                        grant.legal_basis,
                        grant.to.display()
                    ),
                ),
            ],
            Self::Denied(near) => {
                let mut lines = vec![Text::new(
                    format!(
                        "Không cho phép: {client} gọi {method} {service}{path} cho mục đích {}.",
                        call.purpose
                    ),
                    format!(
                        "Refused: {client} calls {method} {service}{path} for the purpose {}.",
                        call.purpose
                    ),
                )];
                if near.is_empty() {
                    lines.push(no_grant(call).text().clone());
                }
                lines.extend(near.iter().map(|miss| miss.text(call)));
                lines
            }
        }
    }
}

fn no_grant(call: &Call<'_>) -> CodeError {
    let (client, service) = (call.client, call.service);
    if call.client.subsystem.is_none() {
        return CodeError::new(
            "bare-member",
            format!("{client} không nêu hệ thống; quyền chỉ cấp cho hệ thống. Ghi đủ bốn phần trong X-Road-Client."),
            format!(
                "{client} names no subsystem, and grants go to subsystems. Write all four parts into X-Road-Client."
            ),
        );
    }
    CodeError::new(
        "no-grant",
        format!("Chưa có quyền nào của {client} đối với dịch vụ {service}. Đề nghị bên cung cấp cấp quyền."),
        format!("No grant of {client} names the service {service}. Ask the provider for one."),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::rights::{FieldMask, GrantId, Methods};

    const NOW: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

    fn grant(n: i64) -> Grant {
        Grant {
            id: GrantId::new(Timestamp::from_micros(n * 1_000)),
            consumer: "VN/GOV/H26/motcua".parse().expect("a subsystem"),
            service: "VN/GOV/G22/dvcqg/persons".parse().expect("a service"),
            methods: Methods::of([Method::Get]),
            path: "/persons/*".parse().expect("a pattern"),
            purposes: BTreeSet::from(["dossier.verify".parse().expect("a purpose")]),
            legal_basis: "Điều 11 Luật Căn cước 26/2023/QH15".to_owned(),
            from: NOW.plus_seconds(-10),
            to: NOW.plus_seconds(10),
            rate: None,
            mask: None,
            state: GrantState::Active,
        }
    }

    struct Asked {
        client: ClientId,
        service: ServiceId,
        path: ServicePath,
        purpose: Purpose,
    }

    fn asked(client: &str, path: &str, purpose: &str) -> Asked {
        Asked {
            client: client.parse().expect(client),
            service: "VN/GOV/G22/dvcqg/persons".parse().expect("a service"),
            path: ServicePath::parse(path.as_bytes()).expect(path),
            purpose: purpose.parse().expect(purpose),
        }
    }

    impl Asked {
        fn call(&self, method: Method) -> Call<'_> {
            Call {
                client: &self.client,
                service: &self.service,
                method,
                path: &self.path,
                purpose: &self.purpose,
            }
        }
    }

    #[test]
    fn a_grant_that_says_so_allows_and_is_named() {
        let (grant, asked) = (grant(1), asked("VN/GOV/H26/motcua", "/persons/1", "dossier.verify"));
        let call = asked.call(Method::Get);
        let decision = decide([&grant], &call, NOW);
        assert_eq!(decision, Decision::Allowed(&grant));
        let lines = decision.explain(&call);
        assert!(
            lines[0]
                .vi
                .starts_with("Cho phép: VN/GOV/H26/motcua gọi GET VN/GOV/G22/dvcqg/persons/persons/1")
        );
        assert!(lines[1].en.contains("Luật Căn cước"));
    }

    #[test]
    fn each_near_miss_says_everything_that_is_missed() {
        let (mut late, mut suspended) = (grant(1), grant(2));
        late.to = NOW;
        late.path = "/persons".parse().expect("a pattern");
        suspended.state = GrantState::Suspended;
        let asked = asked("VN/GOV/H26/motcua", "/persons/1", "statistics");
        let call = asked.call(Method::Delete);
        let decision = decide([&late, &suspended], &call, NOW);
        let Decision::Denied(near) = &decision else {
            panic!("{decision:?}");
        };
        assert_eq!(near[0].misses, [Miss::Expired, Miss::Method, Miss::Path, Miss::Purpose]);
        assert_eq!(near[1].misses, [Miss::Suspended, Miss::Method, Miss::Purpose]);
        let refusal = decision.clone().into_result(&call).expect_err("denied");
        assert_eq!(refusal.code(), ErrorCode::AccessDenied);
        let codes: Vec<_> = refusal.problems().iter().map(|p| p.code.as_str()).collect();
        assert_eq!(codes, ["grant-expired", "grant-suspended"]);
        let lines = decision.explain(&call);
        assert!(
            lines[1].en.contains("it is for the methods GET, not DELETE"),
            "{lines:?}"
        );
        assert!(
            lines[2]
                .vi
                .contains("chỉ cho mục đích dossier.verify, không cho statistics"),
            "{lines:?}"
        );
    }

    #[test]
    fn time_is_from_inclusive_to_exclusive() {
        let (grant, asked) = (grant(1), asked("VN/GOV/H26/motcua", "/persons/1", "dossier.verify"));
        let call = asked.call(Method::Get);
        let allowed = |now| matches!(decide([&grant], &call, now), Decision::Allowed(_));
        assert!(!allowed(grant.from.plus_micros(-1)));
        assert!(allowed(grant.from));
        assert!(allowed(grant.to.plus_micros(-1)));
        assert!(!allowed(grant.to));
    }

    #[test]
    fn others_and_bare_members_have_nothing() {
        let grant = grant(1);
        for (client, code) in [
            ("VN/GOV/H26", "bare-member"),
            ("VN/GOV/H26/other", "no-grant"),
            ("VN/GOV/H27/motcua", "no-grant"),
        ] {
            let asked = asked(client, "/persons/1", "dossier.verify");
            let call = asked.call(Method::Get);
            let decision = decide([&grant], &call, NOW);
            assert_eq!(decision, Decision::Denied(Vec::new()), "{client}");
            let refusal = decision.into_result(&call).expect_err("denied");
            assert_eq!(refusal.problems().iter().next().map(|p| p.code.as_str()), Some(code));
        }
    }

    #[test]
    fn of_several_the_one_that_shows_more_counts() {
        let (mut masked, later, earlier) = (grant(1), grant(3), grant(2));
        masked.mask = Some(FieldMask::new(Vec::new()));
        let asked = asked("VN/GOV/H26/motcua", "/persons/1", "dossier.verify");
        let decision = decide([&masked, &later, &earlier], &asked.call(Method::Get), NOW);
        assert_eq!(decision, Decision::Allowed(&earlier));
    }
}
