//! Which header fields pass, which are set here, and what they say (X-Road PR-REST 4.3, reference 1.2 and 1.3).

mod answer;
mod request;

use base::codes::CodeError;

pub use answer::{AnswerContext, answer_fields, check_answer};
pub use request::{Edge, RepresentedParty, RequestHead};

use super::{
    field::{Field, FieldFlaw},
    reason::reasons,
};

/// Most fields of one message.
pub const MOST_FIELDS: usize = 100;

/// Largest sum of names and values of one message, in bytes.
pub const LARGEST_HEAD: usize = 32 * 1024;

/// The longest id, user, issue or represented party, in bytes.
pub const LONGEST_TEXT: usize = 255;

/// Who asks. The one mandatory header of X-Road.
pub const CLIENT: &str = "x-road-client";
/// The same in the GovStack dialect.
pub const GOVSTACK_CLIENT: &str = "x-govstack-client";
/// Which service answered.
pub const SERVICE: &str = "x-road-service";
/// The message id, chosen by the consumer or by its node.
pub const ID: &str = "x-road-id";
/// The id of this request, set by the consumer's node.
pub const REQUEST_ID: &str = "x-road-request-id";
/// The hash of the request, in the answer.
pub const REQUEST_HASH: &str = "x-road-request-hash";
/// The end user, with a country code: `VN037190001234`.
pub const USER_ID: &str = "x-road-userid";
/// The dossier or document that is the cause.
pub const ISSUE: &str = "x-road-issue";
/// For whom the consumer acts.
pub const REPRESENTED_PARTY: &str = "x-road-represented-party";
/// Which node of the provider is meant.
pub const SECURITY_SERVER: &str = "x-road-security-server";
/// The type of a refusal; its absence says that the provider answered.
pub const ERROR: &str = "x-road-error";
/// Why: the code of a purpose that a grant has. Ours, and mandatory.
pub const PURPOSE: &str = "x-motcua-purpose";
/// How the client of a metaservice speaks, said by its node: `govstack`, or not there.
pub const DIALECT: &str = "x-motcua-dialect";
/// The digest of the body (RFC 9530). Each node sets it; what an information system sends under this name ends here.
pub const CONTENT_DIGEST: &str = "content-digest";
/// What headers between nodes begin with. No information system can send one.
pub const NODE_PREFIX: &str = "motcua-";

reasons! {
    /// Why the head of a message is refused as a whole, or one header in it.
    pub enum HeadFlaw {
        TooMany = "headers-too-many",
            "Thông điệp có hơn 100 tiêu đề.",
            "The message has more than 100 headers.";
        TooLarge = "headers-too-large",
            "Tổng dung lượng tiêu đề lớn hơn 32 KiB.",
            "The headers are larger than 32 KiB together.";
        ClientMissing = "client-missing",
            "Thiếu tiêu đề X-Road-Client, ví dụ VN/GOV/000.00.00.H26/motcua.",
            "The header X-Road-Client is missing, such as VN/GOV/000.00.00.H26/motcua.";
        Text = "header-text",
            "Giá trị phải là văn bản UTF-8, từ 1 đến 255 byte, không có ký tự điều khiển.",
            "The value is UTF-8 text of 1 to 255 bytes without control characters.";
        RepresentedParty = "represented-party-form",
            "X-Road-Represented-Party có dạng [memberClass/]memberCode.",
            "X-Road-Represented-Party has the form [memberClass/]memberCode.";
    }
}

/// Whether a field stays on the line that it came on. Hop-by-hop headers, those that tell the name or address of a
/// machine, and those that the next hop makes anew (reference 1.2, `SKIPPED_HEADERS`).
pub(crate) fn is_of_the_hop(field: &Field) -> bool {
    is_of_nodes(field)
        || matches!(
            field.name(),
            "transfer-encoding"
                | "keep-alive"
                | "proxy-authenticate"
                | "proxy-authorization"
                | "te"
                | "trailer"
                | "upgrade"
                | "connection"
                | "user-agent"
                | "host"
                | "content-length"
                | "server"
                | "expect"
        )
}

fn is_of_nodes(field: &Field) -> bool {
    field.name().starts_with(NODE_PREFIX) || field.is(CONTENT_DIGEST)
}

/// Reads the fields of a head and drops those of the hop, among them what `Connection` names (RFC 9110, 7.6.1).
pub(crate) fn kept<F>(raw: impl IntoIterator<Item = F>) -> Result<Vec<Field>, Vec<(String, CodeError)>>
where
    F: TryInto<Field, Error = (String, FieldFlaw)>,
{
    let raw = raw.into_iter();
    let (mut fields, mut flaws, mut bytes) = (Vec::with_capacity(raw.size_hint().0), Vec::new(), 0);
    for field in raw {
        if fields.len() + flaws.len() == MOST_FIELDS {
            flaws.push((String::new(), HeadFlaw::TooMany.into()));
            break;
        }
        match field.try_into() {
            Ok(field) => {
                bytes += field.name().len() + field.value().len();
                fields.push(field);
            }
            Err((name, flaw)) => flaws.push((name, flaw.into())),
        }
        if bytes > LARGEST_HEAD {
            flaws.push((String::new(), HeadFlaw::TooLarge.into()));
            break;
        }
    }
    if !flaws.is_empty() {
        return Err(flaws);
    }
    let named: Vec<String> = fields
        .iter()
        .filter(|field| field.is("connection"))
        .filter_map(Field::text)
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    fields.retain(|field| !is_of_the_hop(field) && !named.iter().any(|name| field.is(name)));
    Ok(fields)
}

/// Keeps the last of the fields of one name, and gives it. PR-REST 4.3 lets the last `X-Road-Client` count; were the
/// others passed on, a provider might read one of them.
pub(crate) fn last<'a>(fields: &'a mut Vec<Field>, name: &str) -> Option<&'a Field> {
    let last = fields.iter().rposition(|field| field.is(name))?;
    let mut at = 0;
    fields.retain(|field| {
        at += 1;
        !field.is(name) || at == last + 1
    });
    fields.iter().find(|field| field.is(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(raw: &[(&str, &str)]) -> Vec<String> {
        let raw = raw.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes()));
        let fields = kept(raw).expect("sound fields");
        fields.into_iter().map(|field| field.name().to_owned()).collect()
    }

    #[test]
    fn fields_of_the_hop_end_here_in_any_case() {
        // Reference 1.2: case-insensitive, both directions.
        let raw = [
            ("Transfer-Encoding", "chunked"),
            ("Keep-Alive", "1"),
            ("Proxy-Authenticate", "x"),
            ("PROXY-AUTHORIZATION", "x"),
            ("TE", "trailers"),
            ("Trailer", "x"),
            ("Upgrade", "h2c"),
            ("Connection", "close, X-Once"),
            ("x-once", "named by Connection"),
            ("User-Agent", "x"),
            ("Host", "10.0.0.1"),
            ("Content-Length", "3"),
            ("Server", "x"),
            ("Expect", "100-continue"),
            ("Motcua-Proof", "forged"),
            ("Content-Digest", "sha-256=:x:"),
            ("Accept", "*/*"),
            ("Cache-Control", "no-cache"),
            ("X-Powered-By", "PHP/5.2.17"),
            ("Content-Type", "text/plain"),
        ];
        assert_eq!(names(&raw), ["accept", "cache-control", "x-powered-by", "content-type"]);
    }

    #[test]
    fn a_head_is_bounded() {
        let codes = |raw: Vec<(&[u8], &[u8])>| -> Vec<String> {
            let flaws = kept(raw).expect_err("refused");
            flaws.into_iter().map(|(_, flaw)| flaw.code().to_owned()).collect()
        };
        assert_eq!(
            codes(vec![(&b"a"[..], &b"b"[..]); MOST_FIELDS + 1]),
            ["headers-too-many"]
        );
        assert_eq!(codes(vec![(&b"a"[..], &[b'x'; 8000][..]); 5]), ["headers-too-large"]);
        let injected: Vec<(&[u8], &[u8])> = vec![(b"a b", b"c"), (b"d", b"e\r\nX-Road-Client: f")];
        assert_eq!(codes(injected), ["header-name", "header-value"], "all problems at once");
    }

    #[test]
    fn only_the_last_of_a_name_stays() {
        let raw: [(&[u8], &[u8]); 4] = [(b"X-A", b"1"), (b"b", b"2"), (b"x-a", b"3"), (b"c", b"4")];
        let mut fields = kept(raw).expect("sound fields");
        assert_eq!(
            last(&mut fields, "x-a").map(|f| f.value().to_owned()),
            Some(b"3".to_vec())
        );
        assert_eq!(fields.len(), 3);
        assert_eq!(last(&mut fields, "x-z"), None);
    }
}
