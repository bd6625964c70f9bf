//! What the API takes and answers.

use base::{Problems, Text};
use identity::{Both, Instant};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{ClientId, GrantsQuery, Method, Purpose, Side, Standing};
use crate::{
    access::{
        Asked, GrantList, GrantView, Offer, Saved, ServiceView, SystemView,
        model::{SignInDraft, TermsDraft, subjects_text},
    },
    model::{federation::Badge, hosting::ClientSignIn, meta::Endpoint},
};

/// An information system.
#[derive(Debug, Serialize, ToSchema)]
pub struct SystemBody {
    /// Id.
    id: Uuid,
    /// Its identifier: `VN/GOV/H57/motcua`.
    subsystem: String,
    /// The agency that answers for it.
    agency: String,
    /// Its name.
    name: Both,
    /// How it signs in.
    sign_in: SignInDraft,
    /// Its networks, when it signs in by them.
    networks: Vec<String>,
    /// The purpose of its calls, for software that cannot state it.
    purpose: Option<String>,
    /// The one service of the adapter's dialect.
    whole_service: Option<String>,
    /// For the next change.
    version: i64,
    /// Who last changed it.
    updated_by: String,
    /// When it last changed.
    updated_at: Instant,
}

impl From<&SystemView> for SystemBody {
    fn from(system: &SystemView) -> Self {
        Self {
            id: system.id,
            subsystem: system.subsystem.to_string(),
            agency: system.agency.clone(),
            name: (&system.name).into(),
            sign_in: SignInDraft::of(&system.client.sign_in),
            networks: match &system.client.sign_in {
                ClientSignIn::Networks(networks) => networks.clone(),
                ClientSignIn::Token(_) | ClientSignIn::Open => Vec::new(),
            },
            purpose: system.client.purpose.as_ref().map(ToString::to_string),
            whole_service: system.whole_service.as_ref().map(ToString::to_string),
            version: system.version,
            updated_by: system.updated_by.clone(),
            updated_at: system.updated_at.into(),
        }
    }
}

/// What was made or changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct SavedBody {
    /// Id.
    pub id: Uuid,
    /// A new token, which is not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl From<Saved> for SavedBody {
    fn from(saved: Saved) -> Self {
        Self {
            id: saved.id,
            token: saved.token,
        }
    }
}

/// A token.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenBody {
    /// It is not shown again.
    pub token: String,
}

/// A service.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceBody {
    /// Id.
    id: Uuid,
    /// Its identifier: `VN/GOV/H57/motcua/hoso`.
    service: String,
    /// The agency that answers for it.
    agency: String,
    /// Its name.
    name: Both,
    /// Where the service itself is.
    url: String,
    /// How long an answer may take, in seconds.
    timeout_seconds: i64,
    /// Whether the certificate of the service is verified.
    verify_certificate: bool,
    /// Why it is switched off.
    disabled: Option<String>,
    /// Where the numbers of persons stand, one place a line.
    subjects: String,
    /// What a read is called in the data tracker.
    action: String,
    /// The header of the key that the service asks of this node. The key itself is never shown.
    credential_header: Option<String>,
    /// SHA-256 of its OpenAPI document.
    openapi_sha256: Option<String>,
    /// `GET /persons/*`; empty in lists.
    endpoints: Vec<String>,
    /// For the next change.
    version: i64,
    /// Who last changed it.
    updated_by: String,
    /// When it last changed.
    updated_at: Instant,
}

impl ServiceBody {
    pub fn of(service: &ServiceView, endpoints: &[Endpoint]) -> Self {
        Self {
            id: service.id,
            service: service.service.to_string(),
            agency: service.agency.clone(),
            name: (&service.name).into(),
            url: service.url.clone(),
            timeout_seconds: service.timeout_seconds,
            verify_certificate: service.verify_certificate,
            disabled: service.disabled.clone(),
            subjects: subjects_text(&service.subjects),
            action: service.action.clone(),
            credential_header: service.credential_header.clone(),
            openapi_sha256: service.document.as_ref().map(|(_, _, sha256)| sha256.clone()),
            endpoints: endpoints.iter().map(|e| format!("{} {}", e.methods, e.path)).collect(),
            version: service.version,
            updated_by: service.updated_by.clone(),
            updated_at: service.updated_at.into(),
        }
    }
}

/// A service that can be asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferBody {
    /// Its identifier.
    service: String,
    /// Its name.
    name: Both,
    /// The name of its member.
    member: Both,
    /// `REST` or `OPENAPI`.
    kind: String,
    /// What its member's node found when it was last checked; none when it was not.
    conformance: Option<BadgeBody>,
    /// Whether this node hosts it.
    here: bool,
}

/// What a conformance check found.
#[derive(Debug, Serialize, ToSchema)]
pub struct BadgeBody {
    /// Whether it conforms.
    conforms: bool,
    /// When it was checked.
    checked_at: Instant,
    /// The version of the house rules.
    rules: String,
    /// SHA-256 of the description that was checked.
    sha256: String,
    /// Rules that must be kept and are.
    passed: u32,
    /// Rules that must be kept and are not.
    failed: u32,
    /// Rules that should be kept and are not.
    advice: u32,
}

impl From<&Badge> for BadgeBody {
    fn from(badge: &Badge) -> Self {
        Self {
            conforms: badge.conforms(),
            checked_at: badge.checked.into(),
            rules: badge.rules.clone(),
            sha256: badge.sha256.clone(),
            passed: badge.passed,
            failed: badge.failed,
            advice: badge.advice,
        }
    }
}

impl From<&Offer> for OfferBody {
    fn from(offer: &Offer) -> Self {
        Self {
            service: offer.id.to_string(),
            name: (&offer.name).into(),
            member: (&offer.member).into(),
            kind: offer.kind.as_str().to_owned(),
            conformance: offer.badge.as_ref().map(BadgeBody::from),
            here: offer.here,
        }
    }
}

/// Which grants.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct GrantsParams {
    /// `incoming` or `outgoing`.
    side: Option<String>,
    /// `requested`, `active` …
    standing: Option<String>,
    /// Exactly this consumer, provider or service.
    about: Option<String>,
    /// Only those whose answer is overdue.
    overdue: bool,
    /// Only those that will soon be over.
    ending: bool,
}

impl GrantsParams {
    pub fn read(self) -> Result<GrantsQuery, Problems> {
        let mut problems = Problems::new();
        let mut unknown = |at: &str| {
            problems.add(
                "unknown-value",
                at,
                format!("Tham số {at} có giá trị không hiểu được."),
                format!("The parameter {at} has a value that means nothing."),
            );
        };
        let side = self.side.as_deref().map(Side::from_code);
        if side == Some(None) {
            unknown("side");
        }
        let standing = self.standing.as_deref().map(Standing::from_code);
        if standing == Some(None) {
            unknown("standing");
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(GrantsQuery {
            side: side.flatten(),
            standing: standing.flatten(),
            about: self.about,
            overdue: self.overdue,
            ending: self.ending,
            before: None,
        })
    }
}

/// One line of a list of grants.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantLineBody {
    /// Id.
    id: Uuid,
    /// Whether this node provides or consumes.
    side: Side,
    /// Who calls.
    consumer: String,
    /// What is called.
    service: String,
    /// How it stands.
    standing: Standing,
    /// By when the provider answers.
    answer_due: Option<Instant>,
    /// When something last happened.
    changed_at: Instant,
}

impl From<&GrantList> for GrantLineBody {
    fn from(grant: &GrantList) -> Self {
        Self {
            id: grant.file.id.uuid(),
            side: grant.side,
            consumer: grant.file.consumer.to_string(),
            service: grant.file.service.to_string(),
            standing: grant.standing,
            answer_due: grant.answer_due.map(Instant::from),
            changed_at: grant.changed_at.into(),
        }
    }
}

/// Terms as they are written into a form.
#[derive(Debug, Serialize, ToSchema)]
pub struct TermsBody {
    /// Methods.
    methods: Vec<String>,
    /// Pattern of paths.
    path: String,
    /// Purposes, one a line.
    purposes: String,
    /// Legal basis.
    legal_basis: String,
    /// The first day.
    from: String,
    /// The last day.
    to: String,
    /// Calls in the time below.
    rate_calls: String,
    /// The time, in seconds.
    rate_seconds: String,
    /// Calls at once.
    rate_burst: String,
    /// Fields of the answer that may be seen, one a line; empty: all.
    fields: String,
}

impl From<TermsDraft> for TermsBody {
    fn from(terms: TermsDraft) -> Self {
        Self {
            methods: terms.methods,
            path: terms.path,
            purposes: terms.purposes,
            legal_basis: terms.legal_basis,
            from: terms.from,
            to: terms.to,
            rate_calls: terms.rate_calls,
            rate_seconds: terms.rate_seconds,
            rate_burst: terms.rate_burst,
            fields: terms.fields,
        }
    }
}

/// A grant with everything that happened to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantBody {
    /// Id.
    id: Uuid,
    /// Whether this node provides or consumes.
    side: Side,
    /// Who calls.
    consumer: String,
    /// What is called.
    service: String,
    /// Why it was asked for.
    reason: String,
    /// How it stands.
    standing: Standing,
    /// What was asked for.
    asked: TermsBody,
    /// What was agreed.
    agreed: Option<TermsBody>,
    /// By when the provider answers.
    answer_due: Option<Instant>,
    /// Why that date, line by line.
    why: Vec<Both>,
    /// The number of the last entry, for the next command.
    seen: i64,
    /// Its log, oldest first.
    #[schema(value_type = Vec<Object>)]
    log: Vec<Value>,
    /// Commands that can be given now.
    commands: Vec<String>,
    /// How many orders the provider's node has not taken yet.
    waiting: usize,
    /// The grant that it goes on from.
    renews: Option<Uuid>,
}

impl GrantBody {
    pub fn of(grant: &GrantView) -> base::Result<Self> {
        let file = &grant.file;
        let log = grant
            .log
            .iter()
            .map(serde_json::to_value)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            id: file.id.uuid(),
            side: grant.side,
            consumer: file.consumer.to_string(),
            service: file.service.to_string(),
            reason: file.reason.clone(),
            standing: grant.standing,
            asked: TermsDraft::of(&file.asked).into(),
            agreed: file.agreed.as_ref().map(|terms| TermsDraft::of(terms).into()),
            answer_due: grant.answer_due.map(Instant::from),
            why: grant.why.iter().map(|line| Both::from(&line.text)).collect(),
            seen: file.seq,
            log,
            commands: grant.commands().map(|kind| kind.code().to_owned()).collect(),
            waiting: grant.orders.iter().filter(|order| !order.refused).count(),
            renews: file.renews.map(|id| id.uuid()),
        })
    }
}

/// A call that somebody asks about.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExplainParams {
    /// The system that calls: `VN/GOV/H57/motcua`.
    client: String,
    /// `GET`.
    method: String,
    /// The request target: `/r1/VN/GOV/…`.
    target: String,
    /// Why; none: what the system has registered.
    purpose: Option<String>,
    /// From which IP address.
    from: Option<String>,
}

impl ExplainParams {
    pub fn read(&self) -> Result<Asked, Problems> {
        let mut problems = Problems::new();
        let client = self
            .client
            .parse::<ClientId>()
            .map_err(|reason| reason.add_to(&mut problems, "client"));
        let method = self.method.parse::<Method>().map_err(|_| {
            problems.add(
                "unknown-method",
                "method",
                "Phương thức không có trong HTTP.",
                "There is no such method of HTTP.",
            );
        });
        let purpose = self
            .purpose
            .as_deref()
            .map(str::parse::<Purpose>)
            .transpose()
            .map_err(|flaw| {
                base::codes::CodeError::from(flaw).add_to(&mut problems, "purpose");
            });
        let from = self.from.as_deref().map(str::parse).transpose().map_err(|_| {
            problems.add(
                "not-an-address",
                "from",
                "Không phải địa chỉ IP.",
                "This is no IP address.",
            );
        });
        match (client, method, purpose, from) {
            (Ok(client), Ok(method), Ok(purpose), Ok(from)) => Ok(Asked {
                client,
                from,
                token: None,
                method,
                target: self.target.clone(),
                purpose,
            }),
            _ => Err(problems),
        }
    }
}

/// Why, line by line.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplanationBody {
    /// Line by line.
    lines: Vec<Both>,
}

impl ExplanationBody {
    pub fn of(lines: &[Text]) -> Self {
        Self {
            lines: lines.iter().map(Both::from).collect(),
        }
    }
}
