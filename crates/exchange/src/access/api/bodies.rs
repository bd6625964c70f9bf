//! What the API takes and answers.

use base::{Problems, Text};
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
    model::{hosting::ClientSignIn, meta::Endpoint},
};

/// Where a list goes on.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct AfterParams {
    /// `next` of the page before.
    pub after: Option<String>,
}

/// A text in both languages.
#[derive(Debug, Serialize, ToSchema)]
pub struct TextBody {
    /// Vietnamese.
    vi: String,
    /// English; blank where there is none.
    en: String,
}

impl From<&Text> for TextBody {
    fn from(text: &Text) -> Self {
        Self {
            vi: text.vi.clone(),
            en: text.en.clone(),
        }
    }
}

/// An information system.
#[derive(Debug, Serialize, ToSchema)]
pub struct SystemBody {
    id: Uuid,
    /// Its identifier: `VN/GOV/H57/motcua`.
    subsystem: String,
    /// The agency that answers for it.
    agency: String,
    name: TextBody,
    sign_in: SignInDraft,
    /// Its networks, when it signs in by them.
    networks: Vec<String>,
    purpose: Option<String>,
    whole_service: Option<String>,
    /// For the next change.
    version: i64,
    updated_by: String,
    /// RFC 3339.
    updated_at: String,
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
            updated_at: system.updated_at.rfc3339(),
        }
    }
}

/// A page of information systems.
#[derive(Debug, Serialize, ToSchema)]
pub struct SystemsBody {
    pub items: Vec<SystemBody>,
    /// Where the next page starts; absent on the last.
    pub next: Option<String>,
}

/// What was made or changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct SavedBody {
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
    id: Uuid,
    /// Its identifier: `VN/GOV/H57/motcua/hoso`.
    service: String,
    agency: String,
    name: TextBody,
    url: String,
    timeout_seconds: i64,
    verify_certificate: bool,
    /// Why it is switched off.
    disabled: Option<String>,
    /// Where the numbers of persons stand, one place a line.
    subjects: String,
    action: String,
    /// SHA-256 of its OpenAPI document.
    openapi_sha256: Option<String>,
    /// `GET /persons/*`; empty in lists.
    endpoints: Vec<String>,
    /// For the next change.
    version: i64,
    updated_by: String,
    /// RFC 3339.
    updated_at: String,
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
            openapi_sha256: service.document.as_ref().map(|(_, _, sha256)| sha256.clone()),
            endpoints: endpoints.iter().map(|e| format!("{} {}", e.methods, e.path)).collect(),
            version: service.version,
            updated_by: service.updated_by.clone(),
            updated_at: service.updated_at.rfc3339(),
        }
    }
}

/// A page of services.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServicesBody {
    pub items: Vec<ServiceBody>,
    /// Where the next page starts; absent on the last.
    pub next: Option<String>,
}

/// A service that can be asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferBody {
    service: String,
    name: TextBody,
    member: TextBody,
    /// `REST` or `OPENAPI`.
    kind: String,
    /// Whether this node hosts it.
    here: bool,
}

/// A page of services that can be asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct OffersBody {
    items: Vec<OfferBody>,
    /// Where the next page starts; absent on the last.
    next: Option<String>,
}

impl OffersBody {
    pub fn of(offers: &[Offer], next: Option<String>) -> Self {
        let item = |offer: &Offer| OfferBody {
            service: offer.id.to_string(),
            name: (&offer.name).into(),
            member: (&offer.member).into(),
            kind: offer.kind.as_str().to_owned(),
            here: offer.here,
        };
        Self {
            items: offers.iter().map(item).collect(),
            next,
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
    /// `next` of the page before.
    before: Option<String>,
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
        let place = |text: &str| {
            let (at, id) = text.split_once('.')?;
            Some((at.parse().ok()?, id.parse().ok()?))
        };
        let before = self.before.as_deref().map(place);
        if before == Some(None) {
            unknown("before");
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
            before: before.flatten(),
        })
    }
}

/// One line of a list of grants.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantLineBody {
    id: Uuid,
    side: Side,
    consumer: String,
    service: String,
    standing: Standing,
    /// By when the provider answers (RFC 3339).
    answer_due: Option<String>,
    /// When something last happened (RFC 3339).
    changed_at: String,
}

/// A page of grants.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantsBody {
    items: Vec<GrantLineBody>,
    /// Where the next page starts; absent on the last.
    next: Option<String>,
}

impl GrantsBody {
    pub fn of(grants: &[GrantList], next: Option<(i64, Uuid)>) -> Self {
        let item = |grant: &GrantList| GrantLineBody {
            id: grant.file.id.uuid(),
            side: grant.side,
            consumer: grant.file.consumer.to_string(),
            service: grant.file.service.to_string(),
            standing: grant.standing,
            answer_due: grant.answer_due.map(|due| due.rfc3339()),
            changed_at: grant.changed_at.rfc3339(),
        };
        Self {
            items: grants.iter().map(item).collect(),
            next: next.map(|(at, id)| format!("{at}.{id}")),
        }
    }
}

/// Terms as they are written into a form.
#[derive(Debug, Serialize, ToSchema)]
pub struct TermsBody {
    methods: Vec<String>,
    path: String,
    purposes: String,
    legal_basis: String,
    /// The first day.
    from: String,
    /// The last day.
    to: String,
    rate_calls: String,
    rate_seconds: String,
    rate_burst: String,
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
    id: Uuid,
    side: Side,
    consumer: String,
    service: String,
    reason: String,
    standing: Standing,
    asked: TermsBody,
    agreed: Option<TermsBody>,
    /// By when the provider answers (RFC 3339).
    answer_due: Option<String>,
    /// Why that date, line by line.
    why: Vec<TextBody>,
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
            answer_due: grant.answer_due.map(|due| due.rfc3339()),
            why: grant.why.iter().map(|line| TextBody::from(&line.text)).collect(),
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
    lines: Vec<TextBody>,
}

impl ExplanationBody {
    pub fn of(lines: &[Text]) -> Self {
        Self {
            lines: lines.iter().map(TextBody::from).collect(),
        }
    }
}
