//! The log in words.

use base::{Text, Timestamp};
use jiff::civil::Date;
use procedure::package::Package;

use crate::model::{
    action::{Action, ActorRef, Channel, Detail, Entry, File, PaymentMethod},
    state::{Answer, State},
    writes::Wrote,
};

/// One line of the history.
#[derive(Debug, Clone)]
pub struct HistoryLine {
    /// Version after it.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: ActorRef,
    /// What.
    pub text: Text,
    /// Details for those who may see them.
    pub detail: Vec<Text>,
    /// Whether only officers may see it.
    pub internal: bool,
}

/// What an entry says, in a few words.
pub(in crate::service) fn line_text(action: &Action) -> Text {
    match action {
        Action::Submitted(s) => match s.channel {
            Channel::Online => Text::new("Nộp hồ sơ trực tuyến", "Filed online"),
            Channel::Counter => Text::new("Nộp hồ sơ trực tiếp", "Filed at the counter"),
            Channel::Post => Text::new("Nộp hồ sơ qua bưu chính", "Filed by post"),
        },
        Action::StepCompleted(step) => match &step.detail {
            Detail::None => Text::new("Hoàn thành một bước xử lý", "A step was completed"),
            Detail::Grounds { .. } => Text::new("Từ chối, có nêu lý do", "Refused, with grounds"),
            Detail::Supplement { .. } => Text::new("Yêu cầu bổ sung, hoàn thiện hồ sơ", "Papers were asked for"),
            Detail::Delivery { .. } => Text::new("Trả kết quả", "The result was handed over"),
            Detail::Stop { .. } => Text::new("Dừng giải quyết hồ sơ", "Handling was stopped"),
        },
        Action::Supplemented { .. } => Text::new("Đã bổ sung hồ sơ", "Papers were added"),
        Action::ConsultationAnswered { agrees: true, .. } => {
            Text::new("Cơ quan phối hợp trả lời: thống nhất", "The consulted agency agrees")
        }
        Action::ConsultationAnswered { agrees: false, .. } => Text::new(
            "Cơ quan phối hợp trả lời: không thống nhất",
            "The consulted agency does not agree",
        ),
        Action::RegistryWrote { wrote, .. } => match wrote {
            Wrote::Done { .. } => Text::new("Đã cập nhật cơ sở dữ liệu", "A registry was told"),
            Wrote::Refused { .. } => Text::new("Cơ sở dữ liệu từ chối cập nhật", "A registry refused"),
            Wrote::Unknown { .. } => Text::new(
                "Thôi chờ cơ sở dữ liệu trả lời; chưa rõ nội dung đã được ghi hay chưa",
                "The waiting for a registry was ended; whether it was told is not known yet",
            ),
            Wrote::TakenBack { .. } => Text::new(
                "Đã thu hồi nội dung cập nhật",
                "What a registry was told was taken back",
            ),
            Wrote::Left { .. } => Text::new("Nội dung cập nhật được giữ lại", "What a registry was told stays"),
        },
        Action::RegistriesAnswered { .. } => Text::new(
            "Đối chiếu tờ khai với cơ sở dữ liệu",
            "The form was verified with the registers",
        ),
        Action::TimerFired { .. } => {
            Text::new("Hết thời hạn chờ theo quy trình", "A waiting time of the process ended")
        }
        Action::ServiceDone { .. } => Text::new(
            "Hệ thống thực hiện xong một bước tự động",
            "The platform did an automatic step",
        ),
        Action::PaymentRecorded { .. } => Text::new("Đã nộp phí, lệ phí", "The fee was paid"),
        Action::FeeWaived { .. } => Text::new("Miễn phí, lệ phí", "The fee was waived"),
        Action::Assigned { officer: Some(_), .. } => Text::new("Phân công xử lý", "The step was taken"),
        Action::Assigned { officer: None, .. } => Text::new("Trả lại hàng chờ chung", "The step was put back"),
        Action::Noted { .. } => Text::new("Ghi chú nội bộ", "Internal note"),
        Action::Reappointed { .. } => Text::new("Xin lỗi và hẹn lại ngày trả kết quả", "Apology and a new date"),
        Action::Withdrawn { .. } => Text::new("Người nộp rút hồ sơ", "The applicant withdrew the dossier"),
        Action::Stopped { .. } => Text::new("Dừng giải quyết hồ sơ", "Handling was stopped"),
        Action::DocumentIssued(document) => document.kind.label(),
    }
}

/// The lines of a log, oldest first, in the words of its procedure.
pub(super) fn lines(log: &[Entry], state: &State, package: &Package) -> Vec<HistoryLine> {
    log.iter()
        .map(|entry| {
            let mut line = line(entry.seq, entry.at, &entry.actor, &entry.action, package);
            for (text, agency) in silent(entry.seq, state, package) {
                line.text = text;
                line.detail.push(agency);
            }
            line
        })
        .collect()
}

/// The consultations that ended without an answer by this entry: what that means, and who was asked.
fn silent(seq: i64, state: &State, package: &Package) -> Vec<(Text, Text)> {
    let name = |symbol: &str| {
        let known = package.meta.agencies.iter().find(|a| a.id == symbol);
        known.map_or_else(|| Text::new(symbol, symbol), |a| a.name.clone())
    };
    let text = |answer: &Answer| match answer {
        Answer::Deemed { seq: by, .. } if *by == seq => Some(Text::new(
            "Cơ quan phối hợp không trả lời trong thời hạn: được coi là đã đồng ý",
            "The consulted agency did not answer in time and is deemed to agree",
        )),
        Answer::Unanswered { seq: by, .. } if *by == seq => Some(Text::new(
            "Hết thời hạn, cơ quan phối hợp chưa trả lời",
            "The consulted agency did not answer in time",
        )),
        _ => None,
    };
    state
        .consultations
        .iter()
        .filter_map(|c| Some((c.answer.as_ref().and_then(text)?, name(&c.agency))))
        .collect()
}

/// The words of an entry; a step that says nothing else is called by its name.
fn entry_text(action: &Action, package: &Package) -> Text {
    match action {
        Action::StepCompleted(step) if matches!(step.detail, Detail::None) => {
            let node = package.process.node(&step.node);
            node.map_or_else(
                || line_text(action),
                |node| {
                    Text::new(
                        format!("Đã xong: {}", node.label(base::Lang::Vi)),
                        format!("Done: {}", node.label(base::Lang::En)),
                    )
                },
            )
        }
        _ => line_text(action),
    }
}

fn line(seq: i64, at: Timestamp, actor: &ActorRef, action: &Action, package: &Package) -> HistoryLine {
    let same = |text: &str| Text::new(text, text);
    let mut detail = Vec::new();
    let mut internal = false;
    match action {
        Action::StepCompleted(step) => match &step.detail {
            Detail::Grounds { grounds } => {
                detail.extend(grounds.iter().map(|g| same(&format!("{} ({})", g.text, g.basis))))
            }
            Detail::Supplement { items, .. } => {
                detail.extend(items.iter().map(|i| same(&format!("{} ({})", i.text, i.basis))))
            }
            Detail::Stop { reason, basis } => detail.push(same(&format!("{reason} ({basis})"))),
            Detail::Delivery { recipient, .. } => detail.push(same(recipient)),
            Detail::None => {}
        },
        Action::ConsultationAnswered {
            opinion,
            document,
            dated,
            respondent,
            files,
            ..
        } => {
            detail.push(same(opinion));
            detail.extend(document_text(document, *dated));
            detail.extend(respondent.as_ref().map(|by| same(&by.signature())));
            detail.extend(files_text(files));
        }
        Action::PaymentRecorded {
            amount,
            method,
            reference,
        } => {
            detail.push(payment_text(*amount, *method, reference));
        }
        Action::FeeWaived { basis } => detail.push(same(basis)),
        Action::Noted { text } => {
            internal = true;
            detail.push(same(text));
        }
        Action::Assigned { officer, .. } => {
            internal = true;
            detail.extend(officer.iter().map(|o| same(&o.name)));
        }
        Action::Reappointed { due, reason, .. } => detail.push(Text::new(
            format!("Ngày hẹn mới: {}. {reason}", due.display()),
            format!("New date: {}. {reason}", due.display()),
        )),
        Action::Withdrawn { reason } if !reason.is_empty() => detail.push(same(reason)),
        Action::Stopped { reason, basis } => detail.push(same(&format!("{reason} ({basis})"))),
        Action::DocumentIssued(document) => detail.push(same(&document.number)),
        Action::RegistryWrote { write, wrote, .. } => {
            let named = package.writes.iter().find(|w| w.id == *write);
            detail.extend(named.map(|w| w.name.clone()));
            if let Wrote::Refused { problems } | Wrote::Left { problems, .. } = wrote {
                detail.extend(problems.iter().map(|p| p.text.clone()));
            }
            if let Wrote::Unknown { reason } = wrote {
                detail.push(same(reason));
            }
        }
        Action::RegistriesAnswered { said } => {
            for attribute in said.keys() {
                detail.extend(package.form.asked_by(attribute).map(|field| field.label.clone()));
            }
        }
        Action::ServiceDone { .. } => internal = true,
        Action::Submitted(_) | Action::Supplemented { .. } | Action::TimerFired { .. } | Action::Withdrawn { .. } => {}
    }
    HistoryLine {
        seq,
        at,
        actor: actor.clone(),
        text: entry_text(action, package),
        detail,
        internal,
    }
}

/// Number and date of a document; none without a number.
fn document_text(number: &str, dated: Option<Date>) -> Option<Text> {
    if number.is_empty() {
        return None;
    }
    let Some(date) = dated.map(|date| date.strftime("%d/%m/%Y").to_string()) else {
        return Some(Text::new(number, number));
    };
    Some(Text::new(
        format!("{number} ngày {date}"),
        format!("{number} of {date}"),
    ))
}

/// The names of files; none without files.
fn files_text(files: &[File]) -> Option<Text> {
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    let names = Some(names.join(", ")).filter(|names| !names.is_empty())?;
    Some(Text::new(format!("Tệp kèm theo: {names}"), format!("Files: {names}")))
}

fn payment_text(amount: i64, method: PaymentMethod, reference: &str) -> Text {
    let amount = base::Dong::new(amount);
    let label = method.label();
    Text::new(
        format!("{amount}, {}, {reference}", label.vi),
        format!("{amount}, {}, {reference}", label.en),
    )
}
