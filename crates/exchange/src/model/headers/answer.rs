//! The head of an answer: what the provider's node makes of it, and what the consumer's node checks (reference 1.3,
//! 1.4).

use base::codes::CodeError;
use uuid::Uuid;

use super::{CLIENT, ERROR, ID, REQUEST_HASH, REQUEST_ID, RequestHead, SERVICE, kept};
use crate::model::{
    error::{ErrorCode, Refusal},
    field::{Field, FieldFlaw},
    identifier::{ClientId, ServiceId},
};

/// The request that an answer belongs to.
#[derive(Debug, Clone, Copy)]
pub struct AnswerContext<'a> {
    /// Who asked.
    pub client: &'a ClientId,
    /// Which service.
    pub service: &'a ServiceId,
    /// The message id.
    pub id: &'a str,
    /// The id of the request.
    pub request_id: Uuid,
    /// `X-Road-Request-Hash`, as [`crate::model::request_hash`] makes it.
    pub request_hash: &'a str,
}

impl<'a> AnswerContext<'a> {
    /// That of a head at the node that read it.
    pub const fn of(head: &'a RequestHead, service: &'a ServiceId, request_hash: &'a str) -> Self {
        Self {
            client: &head.client,
            service,
            id: head.id.as_str(),
            request_id: head.request_id,
            request_hash,
        }
    }

    /// The five fields, in the order of X-Road.
    fn fields(&self) -> [Field; 5] {
        [
            Field::ours(ID, self.id),
            Field::ours(CLIENT, self.client.to_string()),
            Field::ours(SERVICE, self.service.to_string()),
            Field::ours(REQUEST_ID, self.request_id.to_string()),
            Field::ours(REQUEST_HASH, self.request_hash),
        ]
    }
}

/// The fields that the provider's node sends: those of the provider without what belongs to the hop or to nodes, then
/// the five of X-Road. Status and other fields stay as they are, redirects too. A provider cannot say `X-Road-Error`:
/// by its absence a client knows that the provider answered. Of several `Date` the first stays.
///
/// # Errors
/// [`Refusal`] with [`ErrorCode::ServiceHttpError`] when a field is no HTTP, or there are too many.
pub fn answer_fields<F>(raw: impl IntoIterator<Item = F>, context: &AnswerContext<'_>) -> Result<Vec<Field>, Refusal>
where
    F: TryInto<Field, Error = (String, FieldFlaw)>,
{
    let mut fields = kept(raw).map_err(|flaws| {
        let mut refusal = Refusal::new(ErrorCode::ServiceHttpError);
        flaws.into_iter().for_each(|(place, flaw)| refusal.add(&place, flaw));
        refusal
    })?;
    let set_here = [ID, CLIENT, SERVICE, REQUEST_ID, REQUEST_HASH, ERROR];
    let mut dated = false;
    fields.retain(|field| {
        let again = field.is("date") && std::mem::replace(&mut dated, true);
        !again && !set_here.iter().any(|name| field.is(name))
    });
    fields.extend(context.fields());
    Ok(fields)
}

/// Whether an answer belongs to the request that was sent: message id, client, service, request id and request hash
/// must each be there once and be the same (PR-REST 4.3; reference 1.4).
///
/// # Errors
/// [`Refusal`] with [`ErrorCode::InconsistentResponse`] and each header that differs.
pub fn check_answer(fields: &[Field], sent: &AnswerContext<'_>) -> Result<(), Refusal> {
    let mut refusal = Refusal::new(ErrorCode::InconsistentResponse);
    for expected in sent.fields() {
        let found: Vec<&Field> = fields.iter().filter(|field| field.is(expected.name())).collect();
        if !matches!(found.as_slice(), [field] if field.value() == expected.value()) {
            refusal.add(
                expected.name(),
                CodeError::new(
                    "answer-differs",
                    format!("Tiêu đề {} của câu trả lời không khớp với yêu cầu.", expected.name()),
                    format!(
                        "The header {} of the answer is not that of the request.",
                        expected.name()
                    ),
                ),
            );
        }
    }
    if refusal.problems().is_empty() {
        Ok(())
    } else {
        Err(refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(fields: &[Field]) -> Vec<String> {
        fields.iter().map(|field| format!("{field:?}")).collect()
    }

    #[test]
    fn an_answer_carries_five_headers_that_no_provider_can_set() {
        let client: ClientId = "VN/GOV/H26/motcua".parse().expect("a client");
        let service: ServiceId = "VN/GOV/G22/dvcqg/h%E1%BB%93".parse().expect("a service");
        let context = AnswerContext {
            client: &client,
            service: &service,
            id: "my-id",
            request_id: Uuid::nil(),
            request_hash: "aGFzaA==",
        };
        let raw: [(&[u8], &[u8]); 11] = [
            (b"Content-Type", b"text/csv"),
            (b"Location", b"https://elsewhere/"),
            (b"Date", b"one"),
            (b"Date", b"two"),
            (b"Set-Cookie", b"a=1"),
            (b"Set-Cookie", b"b=2"),
            (b"X-Road-Error", b"Server.ServerProxy.AccessDenied"),
            (b"X-Road-Id", b"another"),
            (b"x-road-service", b"VN/GOV/X/y/z"),
            (b"X-Road-Request-Hash", b"forged"),
            (b"Server", b"secret/1.0"),
        ];
        let mut fields = answer_fields(raw, &context).expect("sound fields");
        assert_eq!(
            lines(&fields),
            [
                "content-type: text/csv",
                "location: https://elsewhere/",
                "date: one",
                "set-cookie: a=1",
                "set-cookie: b=2",
                "x-road-id: my-id",
                "x-road-client: VN/GOV/H26/motcua",
                "x-road-service: VN/GOV/G22/dvcqg/h%E1%BB%93",
                "x-road-request-id: 00000000-0000-0000-0000-000000000000",
                "x-road-request-hash: aGFzaA==",
            ]
        );
        assert_eq!(check_answer(&fields, &context), Ok(()));

        fields.push(Field::ours(ID, "my-id"));
        let hash = AnswerContext {
            request_hash: "b3RoZXI=",
            ..context
        };
        let refusal = check_answer(&fields, &hash).expect_err("twice, and another hash");
        assert_eq!(refusal.code(), ErrorCode::InconsistentResponse);
        let places: Vec<_> = refusal.problems().iter().map(|p| p.at.as_str()).collect();
        assert_eq!(places, [ID, REQUEST_HASH]);
    }

    #[test]
    fn an_answer_that_is_no_http_is_refused() {
        let client: ClientId = "VN/GOV/H26/motcua".parse().expect("a client");
        let service: ServiceId = "VN/GOV/G22/dvcqg/x".parse().expect("a service");
        let context = AnswerContext {
            client: &client,
            service: &service,
            id: "1",
            request_id: Uuid::nil(),
            request_hash: "",
        };
        let raw: [(&[u8], &[u8]); 1] = [(b"X", b"a\r\nX-Road-Id: forged")];
        assert_eq!(
            answer_fields(raw, &context).expect_err("refused").code(),
            ErrorCode::ServiceHttpError
        );
    }
}
