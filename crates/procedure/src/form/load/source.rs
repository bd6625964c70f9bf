//! Where the answer to a question comes from.

use toml::Spanned;

use super::{
    super::{Attribute, Claim, FieldSource, is_public, kind::Kind},
    Loader,
};

impl Loader<'_, '_> {
    pub(super) fn source(&mut self, raw: Option<&Spanned<String>>, id: &str, at: usize, kind: &Kind) -> FieldSource {
        let Some(raw) = raw else {
            self.error(
                at,
                "missing-source",
                format!("“{id}” chưa ghi nguồn của câu trả lời (source)."),
                format!("“{id}” does not say where the answer comes from (source)."),
            );
            return FieldSource::Asked;
        };
        let (text, at) = (raw.get_ref().trim(), raw.span().start);
        if text == "asked" {
            return FieldSource::Asked;
        }
        if let Some(claim) = text.strip_prefix("eid:") {
            let (claim, fits) = match claim {
                "name" => (Claim::Name, matches!(kind, Kind::PersonName | Kind::Text { .. })),
                "person-number" => (Claim::PersonNumber, matches!(kind, Kind::PersonNumber)),
                "birth-date" => (Claim::BirthDate, matches!(kind, Kind::Date { .. } | Kind::PartialDate)),
                "sex" => (Claim::Sex, matches!(kind, Kind::Sex)),
                "phone" => (Claim::Phone, matches!(kind, Kind::Phone)),
                "email" => (Claim::Email, matches!(kind, Kind::Email)),
                other => {
                    self.error(
                        at,
                        "bad-source",
                        format!("Định danh điện tử không có thông tin “{other}”."),
                        format!("The e-ID has no claim “{other}”."),
                    );
                    return FieldSource::Asked;
                }
            };
            if !fits {
                self.error(
                    at,
                    "bad-source",
                    format!(
                        "Kiểu {} không nhận được thông tin này của định danh điện tử.",
                        kind.name()
                    ),
                    format!("The type {} cannot take this claim of the e-ID.", kind.name()),
                );
            }
            return FieldSource::Eid(claim);
        }
        if let Some(attribute) = text.strip_prefix("registry:") {
            let Ok(attribute) = attribute.parse::<Attribute>() else {
                self.error(
                    at,
                    "bad-source",
                    "Nguồn từ cơ sở dữ liệu viết là registry:tên.thuộc-tính hoặc registry:tên.thuộc-tính of mã-trường."
                        .to_owned(),
                    "A registry source is written registry:name.attribute or registry:name.attribute of field."
                        .to_owned(),
                );
                return FieldSource::Asked;
            };
            let may_ask =
                |of: &String| self.tells_whom.contains(of) || (self.enterprises.contains(of) && is_public(&attribute));
            if let Some(of) = &attribute.of
                && !may_ask(of)
            {
                self.error(
                    at,
                    "looks-up-anybody",
                    format!(
                        "“{of}” phải là một số định danh đứng trước và do định danh điện tử hoặc cơ sở dữ liệu cho biết; nếu để \
                         người khai tự nhập thì ai cũng tra cứu được thông tin của người khác. Mã số doanh nghiệp tự nhập chỉ dùng để hỏi thông tin công khai."
                    ),
                    format!(
                        "“{of}” must be a personal number before this field that the e-ID or a registry tells; if it could be typed, \
                         anybody could look up anybody. An enterprise code that is typed asks for what is public only."
                    ),
                );
            }
            return FieldSource::Registry(attribute);
        }
        if let Some(expression) = text.strip_prefix("derived:") {
            let text = Spanned::new(raw.span(), expression.trim().to_owned());
            if let Some(expr) = self.expression(&text, false) {
                if !expr.ty().fits(&kind.feel()) {
                    self.error(
                        at,
                        "type",
                        format!(
                            "Biểu thức cho {}, không hợp với kiểu {}.",
                            expr.ty().name(base::Lang::Vi),
                            kind.name()
                        ),
                        format!(
                            "The expression gives {}, which does not fit the type {}.",
                            expr.ty().name(base::Lang::En),
                            kind.name()
                        ),
                    );
                }
                return FieldSource::Derived(expr);
            }
            return FieldSource::Asked;
        }
        self.error(
            at,
            "bad-source",
            format!("Không hiểu nguồn “{text}”; dùng asked, eid:…, registry:… hoặc derived: …"),
            format!("Unknown source “{text}”; use asked, eid:…, registry:… or derived: …"),
        );
        FieldSource::Asked
    }
}
