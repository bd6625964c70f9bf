//! The head of a request, as it enters the consumer's node (PR-REST 4.3, reference 1.2).

use base::{Problems, codes::CodeError};
use uuid::Uuid;

use super::{
    CLIENT, GOVSTACK_CLIENT, HeadFlaw, ID, ISSUE, LONGEST_TEXT, PURPOSE, REPRESENTED_PARTY, REQUEST_HASH, REQUEST_ID,
    SECURITY_SERVER, USER_ID, kept, last,
};
use crate::model::{
    address::Dialect,
    error::{ErrorCode, Refusal},
    field::{Field, FieldFlaw},
    identifier::{ClientId, Part, ServerId},
    purpose::{Purpose, PurposeFlaw},
};

/// For whom a consumer acts: `[memberClass/]memberCode`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RepresentedParty {
    /// The class of members, which may be left out.
    pub class: Option<Part>,
    /// The code of the member.
    pub code: Part,
}

/// What the node that reads a head knows and adds.
#[derive(Debug, Clone, Copy)]
pub struct Edge<'a> {
    /// How the caller speaks.
    pub dialect: Dialect,
    /// The node's own instance, with which the message ids begin that it makes.
    pub instance: &'a Part,
    /// A new random id for this request.
    pub request_id: Uuid,
    /// A new random id for the message, where the caller sent none.
    pub message_id: Uuid,
    /// Who calls, where the caller says nothing: software behind the adapter sends no headers.
    pub client: Option<&'a ClientId>,
    /// The purpose that the caller's agency has registered for software that cannot state one.
    pub purpose: Option<&'a Purpose>,
}

/// The head of a request. Who claims to call is not proved by it: that is for the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHead {
    /// `X-Road-Client`.
    pub client: ClientId,
    /// `X-Road-Id`: the consumer's, or `{instance}-{uuid}`.
    pub id: String,
    /// `X-Road-Request-Id`: set here, whatever the consumer sent.
    pub request_id: Uuid,
    /// `X-Motcua-Purpose`.
    pub purpose: Purpose,
    /// `X-Road-UserId`.
    pub user: Option<String>,
    /// `X-Road-Issue`: the dossier that is the cause.
    pub issue: Option<String>,
    /// `X-Road-Represented-Party`.
    pub represented: Option<RepresentedParty>,
    /// `X-Road-Security-Server`: the node of the provider that has to answer.
    pub server: Option<ServerId>,
    /// What goes on: the fields that are kept in the order that they came in, then what the node set.
    pub fields: Vec<Field>,
}

impl RequestHead {
    /// Reads the fields of a request in their order.
    ///
    /// # Errors
    /// [`Refusal`] with every problem, each at its header. Its code is that of the first of: the client, the purpose,
    /// the security server, anything else.
    pub fn read<F>(raw: impl IntoIterator<Item = F>, edge: &Edge<'_>) -> Result<Self, Refusal>
    where
        F: TryInto<Field, Error = (String, FieldFlaw)>,
    {
        let mut fields = kept(raw).map_err(|flaws| {
            let mut refusal = Refusal::new(ErrorCode::BadRequest);
            flaws.into_iter().for_each(|(place, flaw)| refusal.add(&place, flaw));
            refusal
        })?;
        if edge.dialect == Dialect::GovStack {
            rename(&mut fields, GOVSTACK_CLIENT, CLIENT);
        }
        fields.retain(|field| !field.is(REQUEST_ID) && !field.is(REQUEST_HASH));
        let mut found = Found::default();
        let client = found.at(CLIENT, ErrorCode::InvalidClientIdentifier, client(&mut fields, edge));
        let purpose = found.at(PURPOSE, ErrorCode::PurposeMissing, purpose(&mut fields, edge));
        let server = found.at(SECURITY_SERVER, ErrorCode::InvalidSecurityServer, server(&mut fields));
        let represented = found.at(REPRESENTED_PARTY, ErrorCode::BadRequest, represented(&mut fields));
        let id = found.at(ID, ErrorCode::BadRequest, text(&mut fields, ID));
        let user = found.at(USER_ID, ErrorCode::BadRequest, text(&mut fields, USER_ID));
        let issue = found.at(ISSUE, ErrorCode::BadRequest, text(&mut fields, ISSUE));
        let (Some(client), Some(purpose), Some(server), Some(represented), Some(id), Some(user), Some(issue)) =
            (client, purpose, server, represented, id, user, issue)
        else {
            return Err(found.refusal());
        };

        // In this order: the request hash is made over it (reference 1.4).
        fields.push(Field::ours(REQUEST_ID, edge.request_id.to_string()));
        let id = id.unwrap_or_else(|| {
            let id = format!("{}-{}", edge.instance, edge.message_id);
            fields.push(Field::ours(ID, id.clone()));
            id
        });
        set_if_absent(&mut fields, CLIENT, || client.to_string());
        set_if_absent(&mut fields, PURPOSE, || purpose.to_string());
        Ok(Self {
            client,
            id,
            request_id: edge.request_id,
            purpose,
            user,
            issue,
            represented,
            server,
            fields,
        })
    }

    /// The fields for the provider. Where the consumer accepts anything, it is taken to want JSON (PR-REST 4.3).
    pub fn at_provider(&self) -> impl Iterator<Item = Field> {
        let accept = !self.fields.iter().any(|field| field.is("accept"));
        let accept = accept.then(|| Field::ours("accept", "application/json"));
        self.fields.iter().cloned().chain(accept)
    }

    /// The values of `Accept`, for [`crate::model::error::Format::accepted`].
    pub fn accept(&self) -> impl Iterator<Item = &[u8]> {
        self.fields.iter().filter(|field| field.is("accept")).map(Field::value)
    }
}

/// The problems of a head, and the code of the first.
#[derive(Default)]
struct Found {
    code: Option<ErrorCode>,
    problems: Problems,
}

impl Found {
    fn at<T>(&mut self, place: &str, code: ErrorCode, read: Result<T, CodeError>) -> Option<T> {
        read.map_err(|reason| {
            self.code.get_or_insert(code);
            reason.add_to(&mut self.problems, place);
        })
        .ok()
    }

    fn refusal(self) -> Refusal {
        Refusal::with(self.code.unwrap_or(ErrorCode::BadRequest), self.problems)
    }
}

fn client(fields: &mut Vec<Field>, edge: &Edge<'_>) -> Result<ClientId, CodeError> {
    match (last(fields, CLIENT), edge.client) {
        (Some(field), _) => ClientId::parse(field.value()),
        (None, Some(client)) => Ok(client.clone()),
        (None, None) => Err(HeadFlaw::ClientMissing.into()),
    }
}

fn purpose(fields: &mut Vec<Field>, edge: &Edge<'_>) -> Result<Purpose, CodeError> {
    match (last(fields, PURPOSE), edge.purpose) {
        (Some(field), _) => Ok(field.text().ok_or(PurposeFlaw::Malformed)?.parse::<Purpose>()?),
        (None, Some(purpose)) => Ok(purpose.clone()),
        (None, None) => Err(PurposeFlaw::Missing.into()),
    }
}

fn server(fields: &mut Vec<Field>) -> Result<Option<ServerId>, CodeError> {
    last(fields, SECURITY_SERVER)
        .map(|field| ServerId::parse(field.value()))
        .transpose()
}

fn represented(fields: &mut Vec<Field>) -> Result<Option<RepresentedParty>, CodeError> {
    let Some(field) = last(fields, REPRESENTED_PARTY) else {
        return Ok(None);
    };
    let mut parts = field.value().splitn(3, |b| *b == b'/').map(Part::from_segment);
    match (parts.next().transpose()?, parts.next().transpose()?, parts.next()) {
        (Some(code), None, None) => Ok(Some(RepresentedParty { class: None, code })),
        (class, Some(code), None) => Ok(Some(RepresentedParty { class, code })),
        _ => Err(HeadFlaw::RepresentedParty.into()),
    }
}

fn text(fields: &mut Vec<Field>, name: &str) -> Result<Option<String>, CodeError> {
    let Some(field) = last(fields, name) else {
        return Ok(None);
    };
    let text = field
        .text()
        .filter(|text| (1..=LONGEST_TEXT).contains(&text.len()) && !text.chars().any(char::is_control));
    Ok(Some(text.ok_or(HeadFlaw::Text)?.to_owned()))
}

fn rename(fields: &mut [Field], from: &str, to: &'static str) {
    for field in fields.iter_mut().filter(|field| field.is(from)) {
        field.rename(to);
    }
}

fn set_if_absent(fields: &mut Vec<Field>, name: &'static str, value: impl FnOnce() -> String) {
    if !fields.iter().any(|field| field.is(name)) {
        fields.push(Field::ours(name, value()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: Uuid = Uuid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111);
    const MESSAGE: Uuid = Uuid::from_u128(0x2222_2222_2222_4222_8222_2222_2222_2222);

    fn read(dialect: Dialect, raw: &[(&str, &str)]) -> Result<RequestHead, Refusal> {
        let instance = Part::new("VN").expect("an instance");
        let edge = Edge {
            dialect,
            instance: &instance,
            request_id: REQUEST,
            message_id: MESSAGE,
            client: None,
            purpose: None,
        };
        RequestHead::read(raw.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())), &edge)
    }

    fn lines(head: &RequestHead) -> Vec<String> {
        head.fields.iter().map(|field| format!("{field:?}")).collect()
    }

    #[test]
    fn kept_fields_come_first_and_what_the_node_sets_last() {
        let head = read(
            Dialect::XRoad,
            &[
                ("Content-Type", "application/json"),
                ("X-Road-Client", "VN/GOV/000.00.00.H26/motcua"),
                ("X-Road-Request-Id", "00000000-0000-0000-0000-000000000000"),
                ("X-Road-Request-Hash", "forged"),
                ("X-Motcua-Purpose", "dossier.verify"),
                ("Host", "node"),
            ],
        )
        .expect("a sound head");
        assert_eq!(
            lines(&head),
            [
                "content-type: application/json",
                "x-road-client: VN/GOV/000.00.00.H26/motcua",
                "x-motcua-purpose: dossier.verify",
                "x-road-request-id: 11111111-1111-4111-8111-111111111111",
                "x-road-id: VN-22222222-2222-4222-8222-222222222222",
            ]
        );
        assert_eq!(head.id, "VN-22222222-2222-4222-8222-222222222222");
        assert_eq!(head.request_id, REQUEST);
    }

    #[test]
    fn the_last_client_counts_and_no_other_goes_on() {
        // PR-REST 4.3; RestRequest.decodeHeaders.
        let head = read(
            Dialect::XRoad,
            &[
                ("X-Road-Client", "VN/GOV/A/x"),
                ("x-road-client", "VN/GOV/B/y"),
                ("X-Motcua-Purpose", "p"),
                ("X-Road-Id", "my-id"),
            ],
        )
        .expect("a sound head");
        assert_eq!(head.client.to_string(), "VN/GOV/B/y");
        assert_eq!(head.id, "my-id");
        assert!(!lines(&head).iter().any(|line| line.contains("VN/GOV/A/x")));
        let ids: Vec<String> = lines(&head)
            .into_iter()
            .filter(|line| line.starts_with("x-road-id"))
            .collect();
        assert_eq!(ids, ["x-road-id: my-id"], "the client's own");
    }

    #[test]
    fn what_the_headers_say_is_read() {
        let head = read(
            Dialect::XRoad,
            &[
                ("X-Road-Client", "VN/GOV/A"),
                ("X-Motcua-Purpose", "dossier.verify"),
                ("X-Road-UserId", "VN037190001234"),
                ("X-Road-Issue", "000.00.12.H41-261121-0001"),
                ("X-Road-Represented-Party", "COM/01%30"),
                ("X-Road-Security-Server", "VN/GOV/G22/ss1"),
            ],
        )
        .expect("a sound head");
        assert_eq!(head.user.as_deref(), Some("VN037190001234"));
        assert_eq!(head.issue.as_deref(), Some("000.00.12.H41-261121-0001"));
        let represented = head.represented.expect("a party");
        assert_eq!(
            (represented.class.map(|c| c.to_string()), represented.code.as_str()),
            (Some("COM".to_owned()), "010")
        );
        assert_eq!(head.server.map(|s| s.to_string()).as_deref(), Some("VN/GOV/G22/ss1"));
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let long = "x".repeat(LONGEST_TEXT + 1);
        let refusal = read(
            Dialect::XRoad,
            &[
                ("X-Road-Client", "VN/GOV"),
                ("X-Motcua-Purpose", "Because"),
                ("X-Road-Security-Server", "VN/GOV/A"),
                ("X-Road-Represented-Party", "a/b/c"),
                ("X-Road-Id", &long),
                ("X-Road-Issue", ""),
            ],
        )
        .expect_err("refused");
        assert_eq!(refusal.code(), ErrorCode::InvalidClientIdentifier);
        let places: Vec<_> = refusal
            .problems()
            .iter()
            .map(|p| (p.at.as_str(), p.code.as_str()))
            .collect();
        assert_eq!(
            places,
            [
                (CLIENT, "identifier-form"),
                (PURPOSE, "purpose-malformed"),
                (SECURITY_SERVER, "identifier-form"),
                (REPRESENTED_PARTY, "represented-party-form"),
                (ID, "header-text"),
                (ISSUE, "header-text"),
            ]
        );
    }

    #[test]
    fn client_and_purpose_are_mandatory() {
        let refusal = read(Dialect::XRoad, &[("X-Motcua-Purpose", "p")]).expect_err("no client");
        assert_eq!(refusal.code(), ErrorCode::InvalidClientIdentifier);
        let refusal = read(Dialect::XRoad, &[("X-Road-Client", "VN/GOV/A/x")]).expect_err("no purpose");
        assert_eq!(refusal.code(), ErrorCode::PurposeMissing);
        let named = read(
            Dialect::XRoad,
            &[
                ("X-Road-Client", "VN/GOV/A/x"),
                ("X-Motcua-Purpose", "p"),
                ("Connection", "x-road-client"),
            ],
        );
        assert_eq!(
            named.expect_err("a client that Connection names is dropped").code(),
            ErrorCode::InvalidClientIdentifier
        );
    }

    #[test]
    fn govstack_callers_have_their_own_client_header() {
        let head = read(
            Dialect::GovStack,
            &[("X-GovStack-Client", "VN/GOV/A/x"), ("X-Motcua-Purpose", "p")],
        )
        .expect("a sound head");
        assert_eq!(lines(&head)[0], "x-road-client: VN/GOV/A/x");
        let other = read(
            Dialect::XRoad,
            &[("X-GovStack-Client", "VN/GOV/A/x"), ("X-Motcua-Purpose", "p")],
        );
        assert!(other.is_err(), "it means nothing elsewhere");
    }

    #[test]
    fn software_that_sends_no_headers_gets_those_that_its_agency_registered() {
        let (instance, client) = (
            Part::new("VN").expect("a part"),
            "VN/GOV/A/x".parse().expect("a client"),
        );
        let purpose = "dossier.sync".parse().expect("a purpose");
        let edge = Edge {
            dialect: Dialect::Adapter,
            instance: &instance,
            request_id: REQUEST,
            message_id: MESSAGE,
            client: Some(&client),
            purpose: Some(&purpose),
        };
        let head = RequestHead::read::<(&[u8], &[u8])>([], &edge).expect("defaults");
        assert_eq!(
            lines(&head)[2..],
            ["x-road-client: VN/GOV/A/x", "x-motcua-purpose: dossier.sync"]
        );
        let said: [(&[u8], &[u8]); 1] = [(b"x-motcua-purpose", b"dossier.verify")];
        let head = RequestHead::read(said, &edge).expect("its own word counts");
        assert_eq!(head.purpose.as_str(), "dossier.verify");
    }

    #[test]
    fn a_provider_sees_what_is_accepted() {
        let head = |accept: &[(&str, &str)]| {
            let fixed = [("X-Road-Client", "VN/GOV/A/x"), ("X-Motcua-Purpose", "p")];
            read(Dialect::XRoad, &[&fixed, accept].concat()).expect("a sound head")
        };
        let accepts = |head: &RequestHead| -> Vec<String> {
            head.at_provider()
                .filter(|f| f.is("accept"))
                .map(|f| format!("{f:?}"))
                .collect()
        };
        assert_eq!(accepts(&head(&[])), ["accept: application/json"]);
        assert_eq!(accepts(&head(&[("Accept", "text/csv")])), ["accept: text/csv"]);
        assert_eq!(head(&[("Accept", "text/csv")]).accept().count(), 1);
    }
}
