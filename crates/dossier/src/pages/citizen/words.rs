//! Where a dossier stands, in plain words: what happens next, by when, who acts.

use base::{
    Lang, Text, Timestamp,
    deadline::{Due, Outcome, Status},
};
use procedure::{
    package::Package,
    process::{DrawOptions, StepState, WhereNow, draw, outline},
};
use view::ui::Tone;

use crate::{
    model::status::{Decision, Delivery, NationalStatus},
    pages::text::{role, working_time},
    service::HistoryLine,
};

/// `17:00 ngày 24/11/2026`.
pub(super) fn moment(lang: Lang, at: Timestamp) -> String {
    match lang {
        Lang::Vi => at.legal().strftime("%H:%M ngày %d/%m/%Y").to_string(),
        Lang::En => at.legal().strftime("%d/%m/%Y, %H:%M").to_string(),
    }
}

/// The meter of a dossier's time limit.
#[derive(Debug, Clone)]
pub(super) struct Meter {
    /// Share of the time that is used.
    pub percent: u32,
    /// How much is left.
    pub label: String,
    /// How that is meant.
    pub tone: Tone,
    /// By when the result is due; none while the clock stands.
    pub due: Option<Timestamp>,
}

/// How the dossier stands against its time limit.
pub(super) fn meter(
    lang: Lang,
    due: Option<Due>,
    standing: Option<Status>,
    received: Option<Timestamp>,
    now: Timestamp,
    calendar: &base::Calendar,
) -> Option<Meter> {
    let (due, standing) = (due?, standing?);
    let used = |left: i64| {
        let gone = received
            .map_or(0, |from| calendar.working_minutes_between(from, now))
            .max(0);
        let whole = gone.saturating_add(left).max(1);
        u32::try_from(gone.saturating_mul(100) / whole).unwrap_or(100)
    };
    let time = |minutes| working_time(lang, minutes);
    let (percent, label, tone) = match standing {
        Status::OnTime { working_minutes: left } => (
            used(left),
            format!("{} {}", lang.t("Còn", "Time left:"), time(left)),
            Tone::Info,
        ),
        Status::DueSoon { working_minutes: left } => (
            used(left),
            format!("{} {}", lang.t("Sắp đến hạn, còn", "Due soon, time left:"), time(left)),
            Tone::Warn,
        ),
        Status::Overdue { working_minutes } => (
            100,
            format!("{} {}", lang.t("Đã quá hạn", "Overdue by"), time(working_minutes)),
            Tone::Late,
        ),
        Status::Suspended => (
            0,
            lang.t("Thời hạn đang tạm dừng", "The time limit is paused").to_owned(),
            Tone::Neutral,
        ),
        Status::Closed(outcome) => match outcome {
            Outcome::Early { working_minutes } => (
                100,
                format!(
                    "{} {}",
                    lang.t("Giải quyết trước hạn", "Settled early by"),
                    time(working_minutes)
                ),
                Tone::Good,
            ),
            Outcome::OnTime => (
                100,
                lang.t("Giải quyết đúng hạn", "Settled on time").to_owned(),
                Tone::Good,
            ),
            Outcome::Late { .. } => (100, lang.t("Giải quyết quá hạn", "Settled late").to_owned(), Tone::Late),
        },
    };
    let over = matches!(standing, Status::Closed(_));
    let shown = due.current.or(if over { Some(due.original) } else { None });
    Some(Meter {
        percent,
        label,
        tone,
        due: shown,
    })
}

/// How a status is meant.
pub(super) const fn tone(status: NationalStatus) -> Tone {
    match status {
        NationalStatus::New => Tone::Neutral,
        NationalStatus::Received | NationalStatus::Processing => Tone::Info,
        NationalStatus::SupplementRequested | NationalStatus::PaymentRequested => Tone::Warn,
        NationalStatus::NotReceived | NationalStatus::Stopped => Tone::Late,
        NationalStatus::Withdrawn => Tone::Neutral,
        NationalStatus::Decided | NationalStatus::Returned => Tone::Good,
    }
}

/// Who acts now and what happens next.
#[derive(Debug, Clone)]
pub(super) struct Next {
    /// Who acts.
    pub who: String,
    /// Nobody any more: the dossier is closed.
    pub over: bool,
    /// What happens.
    pub what: String,
}

/// What of a dossier decides what is said; the tracking page knows no decision and no delivery.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing<'a> {
    pub status: NationalStatus,
    pub decision: Option<Decision>,
    pub delivery: Option<Delivery>,
    pub agency: &'a str,
}

/// What happens next, by whom.
pub(super) fn next(lang: Lang, at: Standing<'_>, package: &Package, here: &WhereNow) -> Next {
    let agency = at.agency.to_owned();
    let you = lang.t("Quý vị", "You").to_owned();
    let over = matches!(
        at.status,
        NationalStatus::NotReceived | NationalStatus::Withdrawn | NationalStatus::Stopped | NationalStatus::Returned
    );
    let nobody = lang.t("Hồ sơ đã kết thúc", "The dossier is closed").to_owned();
    let open = open_steps(lang, package, here);
    let (who, what) = match at.status {
        NationalStatus::New => (
            agency,
            lang.t(
                "Bộ phận Một cửa đang kiểm tra hồ sơ. Cơ quan sẽ tiếp nhận và hẹn ngày trả kết quả, yêu cầu bổ sung một lần, đầy đủ, hoặc từ chối và nêu rõ lý do.",
                "The one-stop shop is checking the dossier. The agency will receive it and give a date for the result, ask once for everything that is missing, or refuse it and say why.",
            )
            .to_owned(),
        ),
        NationalStatus::Received | NationalStatus::Processing => {
            let mut what = lang.t("Cơ quan đang giải quyết hồ sơ", "The agency is working on the dossier").to_owned();
            if !open.is_empty() {
                what.push_str(&format!(": {}", open.join("; ")));
            }
            what.push_str(lang.t(". Quý vị không phải làm gì thêm lúc này.", ". There is nothing for you to do now."));
            (agency, what)
        }
        NationalStatus::SupplementRequested => (
            you,
            lang.t(
                "Cơ quan yêu cầu bổ sung, hoàn thiện hồ sơ. Thời hạn giải quyết tạm dừng cho đến khi nhận đủ nội dung bổ sung.",
                "The agency has asked for more. The time limit is paused until everything has arrived.",
            )
            .to_owned(),
        ),
        NationalStatus::PaymentRequested => (
            you,
            lang.t(
                "Hồ sơ đang chờ nộp phí, lệ phí. Cơ quan tiếp tục giải quyết ngay sau khi ghi nhận khoản nộp.",
                "The dossier waits for its fee. The agency goes on as soon as the payment is recorded.",
            )
            .to_owned(),
        ),
        NationalStatus::NotReceived => (
            nobody,
            lang.t(
                "Hồ sơ không được tiếp nhận. Lý do và căn cứ được nêu trong phiếu từ chối. Quý vị có thể nộp hồ sơ mới khi đã đủ điều kiện.",
                "The dossier was not received. The refusal gives the reasons and their legal grounds. You may file a new one when the conditions are met.",
            )
            .to_owned(),
        ),
        NationalStatus::Withdrawn => {
            (nobody, lang.t("Quý vị đã rút hồ sơ này.", "You have withdrawn this dossier.").to_owned())
        }
        NationalStatus::Stopped => (
            nobody,
            lang.t(
                "Cơ quan đã dừng giải quyết hồ sơ. Lý do và căn cứ được nêu trong thông báo.",
                "The agency has stopped handling the dossier. The notice gives the reason and its legal ground.",
            )
            .to_owned(),
        ),
        NationalStatus::Decided => decided(lang, at, agency, you),
        NationalStatus::Returned => {
            (nobody, lang.t("Kết quả đã được trả.", "The result has been handed over.").to_owned())
        }
    };
    Next { who, what, over }
}

fn decided(lang: Lang, at: Standing<'_>, agency: String, you: String) -> (String, String) {
    let verdict = match at.decision {
        Some(Decision::Approved) => lang.t("Hồ sơ đã được giải quyết. ", "The dossier has been approved. "),
        Some(Decision::Rejected) => lang.t(
            "Cơ quan đã giải quyết và không chấp thuận; lý do được nêu trong văn bản kết quả. ",
            "The agency has decided against the application; the result gives the reasons. ",
        ),
        _ => lang.t("Hồ sơ đã được giải quyết. ", "The dossier has been decided. "),
    };
    match at.delivery {
        Some(Delivery::None) => {
            let what = lang.t("Văn bản kết quả đang được hoàn tất.", "The document is being prepared.");
            (agency, format!("{verdict}{what}"))
        }
        Some(_) => {
            let what = lang.t(
                "Quý vị tải kết quả tại trang này hoặc nhận tại Bộ phận Một cửa.",
                "Download the result on this page, or collect it at the one-stop shop.",
            );
            (you, format!("{verdict}{what}"))
        }
        None => {
            let what = lang.t(
                "Người nộp đăng nhập để tải kết quả, hoặc nhận tại Bộ phận Một cửa và mang theo giấy hẹn.",
                "The applicant signs in to download the result, or collects it at the one-stop shop with the receipt.",
            );
            (you, format!("{verdict}{what}"))
        }
    }
}

/// The names of the steps where something is open.
fn open_steps(lang: Lang, package: &Package, here: &WhereNow) -> Vec<String> {
    let named = |id: &String| {
        package
            .process
            .node(id)
            .filter(|n| n.is_activity())
            .map(|n| n.label(lang).to_lowercase_first())
    };
    here.active.iter().filter_map(named).collect()
}

trait LowercaseFirst {
    fn to_lowercase_first(&self) -> String;
}

impl LowercaseFirst for str {
    /// For a name in the middle of a sentence; abbreviations (`UBND …`) stay as they are.
    fn to_lowercase_first(&self) -> String {
        let mut chars = self.chars();
        match (chars.next(), chars.clone().next()) {
            (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(chars).collect(),
            _ => self.to_owned(),
        }
    }
}

/// One step of the process as a list shows it.
#[derive(Debug, Clone)]
pub(super) struct StepRow {
    pub label: String,
    pub state: view::ui::StepState,
    pub who: Option<String>,
    pub time: Option<String>,
}

/// The process as a list and as a drawing, with where the dossier stands.
#[derive(Debug, Clone)]
pub(super) struct Way {
    pub steps: Vec<StepRow>,
    pub svg: String,
}

/// The process of a package, with where a dossier stands.
pub(super) fn way(lang: Lang, package: &Package, here: &WhereNow) -> Way {
    let options = DrawOptions::of(lang, here);
    let over = here.active.is_empty();
    // A reader asks who does what: waits, ends and the ways round are on the drawing. Of a closed dossier only what was done.
    let told = |node: &str, state: StepState| {
        package.process.node(node).is_some_and(|n| n.is_activity()) && (!over || state == StepState::Done)
    };
    let steps = outline(&package.process, &options)
        .into_iter()
        .filter(|step| told(&step.node, step.state))
        .map(|step| {
            let unit = step
                .unit
                .as_deref()
                .and_then(|id| package.meta.agencies.iter().find(|a| a.id == id));
            let who = unit
                .map(|a| a.name.get(lang).to_owned())
                .or_else(|| role(lang, &step.role).map(str::to_owned));
            let budget = step
                .budget
                .map(|b| format!("{} {}", lang.t("Trong", "Within"), b.display(lang)));
            let beside = step
                .beside
                .then(|| lang.t("Thực hiện song song", "At the same time as others").to_owned());
            StepRow {
                label: step.label,
                state: match step.state {
                    StepState::Done => view::ui::StepState::Done,
                    StepState::Here => view::ui::StepState::Current,
                    StepState::Ahead => view::ui::StepState::Todo,
                },
                who,
                time: match (budget, beside) {
                    (Some(b), Some(s)) => Some(format!("{b} · {s}")),
                    (a, b) => a.or(b),
                },
            }
        })
        .collect();
    Way {
        steps,
        svg: draw(&package.process, &options),
    }
}

/// One line of the history as pages show it, newest first.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub title: String,
    pub at: String,
    pub who: Option<String>,
    pub text: Option<String>,
}

/// The history, newest first.
pub(super) fn events(lang: Lang, history: &[HistoryLine], agency_name: impl Fn(&str) -> String) -> Vec<Event> {
    let join = |texts: &[Text]| texts.iter().map(|t| t.get(lang)).collect::<Vec<_>>().join(" · ");
    history
        .iter()
        .rev()
        .map(|line| {
            let actor = &line.actor;
            let mut who: Vec<String> = Vec::new();
            who.extend(Some(actor.name.clone()).filter(|n| !n.is_empty()));
            who.extend(Some(actor.title.clone()).filter(|t| !t.is_empty()));
            who.extend(Some(agency_name(&actor.agency)).filter(|a| !a.is_empty()));
            Event {
                title: line.text.get(lang).to_owned(),
                at: moment(lang, line.at),
                who: Some(who.join(", ")).filter(|w| !w.is_empty()),
                text: Some(join(&line.detail)).filter(|d| !d.is_empty()),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_begin_small_within_a_sentence_but_for_letters_that_stand_for_words() {
        assert_eq!("Thẩm định hồ sơ".to_lowercase_first(), "thẩm định hồ sơ");
        assert_eq!("UBND xã ký".to_lowercase_first(), "UBND xã ký");
    }

    #[test]
    fn every_status_says_who_acts_in_both_languages() {
        for status in NationalStatus::ALL {
            let label = status.label();
            assert!(!label.vi.is_empty() && !label.en.is_empty());
            let _ = tone(status);
            let asked = status.waits_for_applicant();
            assert_eq!(asked, [5, 6, 9].contains(&status.code()), "{status:?}");
        }
    }
}
