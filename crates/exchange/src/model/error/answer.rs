//! The answer that carries a refusal: status, headers, body (reference 1.6).

use base::{Problem, xml};
use serde_json::json;
use uuid::Uuid;

use super::{
    Refusal,
    code::{Origin, Spelling},
};

/// What a client has been built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// What PR-REST 4.6 says: 400 when the consumer erred, 500 otherwise. The body has our `problems` after the members
    /// of X-Road.
    #[default]
    Spec,
    /// What X-Road 7 does: 500 for everything. The body has the members of X-Road only.
    XRoad7,
}

/// The two switches of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wire {
    /// How types are spelled.
    pub spelling: Spelling,
    /// Which status codes, which body.
    pub style: Style,
}

/// The media type of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `application/json`, the default.
    Json,
    /// `text/xml`.
    TextXml,
    /// `application/xml`.
    ApplicationXml,
}

impl Format {
    /// Chooses by the values of `Accept` as the reference implementation does: the first of `text/xml`,
    /// `application/xml` and `text/*` that is there, wherever it stands and whatever its `q` is; JSON when none is.
    pub fn accepted<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Self {
        values
            .into_iter()
            .flat_map(|value| value.split(|b| *b == b','))
            .find_map(|range| {
                let media_type = range.split(|b| *b == b';').next().unwrap_or_default().trim_ascii();
                match media_type.to_ascii_lowercase().as_slice() {
                    b"text/xml" | b"text/*" => Some(Self::TextXml),
                    b"application/xml" => Some(Self::ApplicationXml),
                    _ => None,
                }
            })
            .unwrap_or(Self::Json)
    }

    /// The header `Content-Type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::TextXml => "text/xml;charset=utf-8",
            Self::ApplicationXml => "application/xml;charset=utf-8",
        }
    }
}

/// A refusal ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The header `X-Road-Error`: by it a client tells a failure of the exchange from an answer of the provider.
    pub error: String,
    /// The header `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl Refusal {
    /// The answer in one format. `detail` is a random id that stands in the node's log too.
    pub fn answer(&self, detail: Uuid, format: Format, wire: Wire) -> Answer {
        let error = self.code().name(wire.spelling);
        Answer {
            status: match (self.code().origin(), wire.style) {
                (Origin::Client, Style::Spec) => 400,
                _ => 500,
            },
            content_type: format.content_type(),
            body: match format {
                Format::Json => self.json(&error, detail, wire.style),
                Format::TextXml | Format::ApplicationXml => self.xml(&error, detail),
            },
            error,
        }
    }

    fn json(&self, error: &str, detail: Uuid, style: Style) -> String {
        let mut body = json!({"type": error, "message": self.message(), "detail": detail.to_string()});
        if style == Style::Spec && !self.problems().is_empty() {
            let problem = |p: &Problem| json!({"code": p.code, "at": p.at, "vi": p.text.vi, "en": p.text.en});
            body["problems"] = self.problems().iter().map(problem).collect();
        }
        body.to_string()
    }

    fn xml(&self, error: &str, detail: Uuid) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<error><type>{}</type><message>{}</message><detail>{detail}</detail></error>",
            xml::escape(error),
            xml::escape(&self.message())
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{error::ErrorCode, purpose::PurposeFlaw};

    #[test]
    fn the_format_is_chosen_as_x_road_chooses() {
        // RestProxyTest.shouldRespectAcceptHeaderInErrorResponse, case by case.
        for (accept, content_type) in [
            (vec!["application/json;charset=utf-8"], "application/json"),
            (vec!["foobarbaz"], "application/json"),
            (vec![], "application/json"),
            (vec!["application/xml"], "application/xml;charset=utf-8"),
            (vec!["text/xml"], "text/xml;charset=utf-8"),
            (vec!["application/xml, text/xml"], "application/xml;charset=utf-8"),
            (vec!["text/xml, application/xml"], "text/xml;charset=utf-8"),
            (vec!["text/xml-patch+xml"], "application/json"),
            (vec!["application/xml; q=0.2"], "application/xml;charset=utf-8"),
            (
                vec!["text/xml, application/xml, application/json"],
                "text/xml;charset=utf-8",
            ),
            (vec!["text/*"], "text/xml;charset=utf-8"),
            (vec!["application/json", "TEXT/XML"], "text/xml;charset=utf-8"),
        ] {
            let format = Format::accepted(accept.iter().map(|value| value.as_bytes()));
            assert_eq!(format.content_type(), content_type, "{accept:?}");
        }
    }

    #[test]
    fn json_has_the_members_of_x_road_and_then_ours() {
        let refusal = Refusal::at(ErrorCode::PurposeMissing, "x-motcua-purpose", PurposeFlaw::Malformed);
        let answer = refusal.answer(Uuid::nil(), Format::Json, Wire::default());
        assert_eq!((answer.status, answer.error.as_str()), (400, "Client.PurposeMissing"));
        assert!(
            answer
                .body
                .starts_with(r#"{"type":"Client.PurposeMissing","message":"The code of a purpose has"#),
            "{}",
            answer.body
        );
        assert!(answer.body.contains(r#""detail":"00000000-0000-0000-0000-000000000000","problems":[{"code":"purpose-malformed","at":"x-motcua-purpose","vi":"Mã mục đích"#));
    }

    #[test]
    fn x_road_7_answers_500_with_its_own_members_only() {
        let wire = Wire {
            spelling: Spelling::Snake,
            style: Style::XRoad7,
        };
        let refusal = Refusal::at(ErrorCode::PurposeMissing, "x-motcua-purpose", PurposeFlaw::Malformed);
        let answer = refusal.answer(Uuid::nil(), Format::Json, wire);
        assert_eq!((answer.status, answer.error.as_str()), (500, "client.purpose_missing"));
        assert!(!answer.body.contains("problems"));
    }

    #[test]
    fn xml_has_three_elements() {
        let refusal = Refusal::new(ErrorCode::AccessDenied);
        let answer = refusal.answer(Uuid::nil(), Format::TextXml, Wire::default());
        assert_eq!(answer.status, 500, "never 403: clients test 500 and X-Road-Error");
        assert_eq!(
            answer.body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<error><type>Server.ServerProxy.AccessDenied</type><message>The \
             provider does not allow this call. See the reasons that are listed, and ask the provider for a grant.\
             </message><detail>00000000-0000-0000-0000-000000000000</detail></error>"
        );
    }
}
