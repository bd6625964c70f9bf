//! How access speaks on its pages.

use base::{Lang, Text};
use view::ui::{Choice, Tone};

use crate::{
    access::model::{Entry, Event, Side, Standing, Terms},
    model::{Method, rights::Rate},
};

/// How a standing is meant.
pub(super) const fn tone(standing: Standing) -> Tone {
    match standing {
        Standing::Filed | Standing::Requested | Standing::NotYet => Tone::Info,
        Standing::MoreAsked => Tone::Warn,
        Standing::Active => Tone::Good,
        Standing::NotTaken | Standing::Refused | Standing::Suspended => Tone::Late,
        Standing::Withdrawn | Standing::Over => Tone::Neutral,
    }
}

/// The methods of a form.
pub(super) fn methods(lang: Lang) -> Vec<Choice> {
    let every = Choice::new("*", lang.t("Mọi phương thức", "Every method"));
    let one = Method::ALL.into_iter().map(|method| Choice::new(method, method));
    std::iter::once(every).chain(one).collect()
}

pub(super) fn side(side: Side) -> Text {
    match side {
        Side::Incoming => Text::new("Đề nghị đến", "Asked of us"),
        Side::Outgoing => Text::new("Đề nghị đi", "Asked by us"),
    }
}

pub(super) fn rate(rate: Option<&Rate>) -> Text {
    match rate {
        None => Text::new("Không giới hạn riêng", "No limit of its own"),
        Some(rate) => Text::new(
            format!(
                "{} lượt trong {} giây, tối đa {} lượt liền nhau",
                rate.calls, rate.seconds, rate.burst
            ),
            format!(
                "{} calls in {} seconds, at most {} at once",
                rate.calls, rate.seconds, rate.burst
            ),
        ),
    }
}

/// Terms as rows of a summary: what, and the words.
pub(super) fn terms(terms: &Terms) -> Vec<(Text, Text)> {
    let plain = |text: String| Text::new(text.clone(), text);
    let purposes: Vec<&str> = terms.purposes.iter().map(|purpose| purpose.as_str()).collect();
    let (from, to) = (
        terms.from.display_date(),
        terms.last_day().strftime("%d/%m/%Y").to_string(),
    );
    let fields = match &terms.fields {
        None => Text::new("Mọi trường của câu trả lời", "Every field of the answer"),
        Some(fields) => {
            let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
            plain(fields.join(", "))
        }
    };
    vec![
        (Text::new("Phương thức", "Methods"), plain(terms.methods.to_string())),
        (
            Text::new("Đường dẫn", "Paths"),
            plain(if terms.path.as_str().is_empty() {
                "“”".to_owned()
            } else {
                terms.path.to_string()
            }),
        ),
        (Text::new("Mục đích", "Purposes"), plain(purposes.join(", "))),
        (
            Text::new("Căn cứ pháp lý", "Legal basis"),
            plain(terms.legal_basis.clone()),
        ),
        (
            Text::new("Thời hạn", "Time"),
            Text::new(
                format!("Từ {from} đến hết {to}"),
                format!("From {from} to the end of {to}"),
            ),
        ),
        (Text::new("Mức gọi", "Rate"), rate(terms.rate.as_ref())),
        (Text::new("Trường dữ liệu", "Fields"), fields),
    ]
}

/// What an entry says happened, and the words that go with it.
pub(super) fn entry(entry: &Entry) -> (Text, Vec<Text>) {
    let said = |vi: &str, en: &str, text: &str| Text::new(format!("{vi}: {text}"), format!("{en}: {text}"));
    let reason = |text: &str| said("Lý do", "Reason", text);
    let (title, mut lines) = match &entry.event {
        Event::Requested { terms, reason: why, .. } => (
            Text::new("Bên khai thác đề nghị", "The consumer asked"),
            vec![reason(why), said("Căn cứ", "Legal basis", &terms.legal_basis)],
        ),
        Event::MoreAsked { question } => (
            Text::new("Bên cung cấp yêu cầu giải trình", "The provider asked for more"),
            vec![Text::new(question, question)],
        ),
        Event::Supplemented { answer, terms } => {
            let changed = terms
                .as_ref()
                .map(|_| Text::new("Nội dung đề nghị đã được sửa.", "What is asked for was changed."));
            (
                Text::new("Bên khai thác giải trình", "The consumer answered"),
                std::iter::once(Text::new(answer, answer)).chain(changed).collect(),
            )
        }
        Event::Approved { note, .. } => (
            Text::new("Bên cung cấp chấp thuận", "The provider approved"),
            if note.is_empty() {
                Vec::new()
            } else {
                vec![said("Lưu ý", "Note", note)]
            },
        ),
        Event::Refused { ground, reason: why } => (
            Text::new("Bên cung cấp từ chối", "The provider refused"),
            vec![said("Căn cứ từ chối", "Legal ground", ground), reason(why)],
        ),
        Event::Withdrawn { reason: why } => (
            Text::new("Bên khai thác rút đề nghị", "The consumer withdrew"),
            vec![reason(why)],
        ),
        Event::SuspensionSet {
            from,
            reason: why,
            incident,
        } => {
            let from = Text::new(
                format!("Tạm ngừng từ {}.", from.display()),
                format!("Suspended from {}.", from.display()),
            );
            let ground = incident
                .as_ref()
                .map(|ground| said("Căn cứ tạm ngừng ngay", "Ground for doing so at once", ground));
            (
                match incident {
                    Some(_) => Text::new(
                        "Tạm ngừng ngay do sự cố an toàn",
                        "Suspended at once for a security incident",
                    ),
                    None => Text::new(
                        "Bên cung cấp báo trước việc tạm ngừng",
                        "The provider gave notice of a suspension",
                    ),
                },
                [from, reason(why)].into_iter().chain(ground).collect(),
            )
        }
        Event::Resumed { reason: why } => (
            Text::new("Bên cung cấp khôi phục", "The provider resumed"),
            vec![reason(why)],
        ),
        Event::EndSet { from, reason: why } => (
            Text::new("Chấm dứt quyền", "The grant is ended"),
            vec![
                Text::new(
                    format!("Chấm dứt từ {}.", from.display()),
                    format!("It ends on {}.", from.display()),
                ),
                reason(why),
            ],
        ),
        Event::ExpiryNear => (Text::new("Sắp hết hạn", "It will soon be over"), Vec::new()),
        Event::Over => (Text::new("Hết hiệu lực", "It is over"), Vec::new()),
    };
    if let Event::Requested { filed, .. } = &entry.event
        && filed.legal_date() != entry.at.legal_date()
    {
        lines.push(Text::new(
            format!("Lập ngày {}, nút bên cung cấp nhận sau đó.", filed.display()),
            format!("Filed on {}; the provider's node received it later.", filed.display()),
        ));
    }
    (title, lines)
}

/// Who did it.
pub(super) fn by(entry: &Entry, lang: Lang) -> String {
    let Some(side) = entry.side else {
        return lang.t("Hệ thống, theo thời hạn", "The clock").to_owned();
    };
    let who = &entry.who;
    let parts = [
        who.name.as_str(),
        who.title.as_str(),
        who.agency.as_str(),
        side.party().get(lang),
    ]
    .map(str::to_owned);
    parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" · ")
}
