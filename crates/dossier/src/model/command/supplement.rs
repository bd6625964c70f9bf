//! Asking for papers, and answering.

use base::{Error, Kind, Problems, Result, Timestamp};
use procedure::form::{Answers, Context, Form, Journey};

use super::{
    super::{
        action::{Action, Detail, MissingItem, Paper},
        state::{Rules, State, leaves, merged},
    },
    note_text, required,
};

/// What new answers bring up beyond what was asked: questions and papers that the form asks for because of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BroughtUp {
    /// Ids of fields, in the order of the form, and whether each must be answered.
    pub fields: Vec<(String, bool)>,
    /// Ids of papers, and whether the dossier is incomplete without them.
    pub papers: Vec<(String, bool)>,
}

/// What the change from `before` to `after` makes the form ask for: what was not shown and now is, and what was optional,
/// left open, and now is required.
pub fn brought_up(form: &Form, before: &Answers, after: &Answers, ctx: &Context<'_>) -> BroughtUp {
    let (old, new) = (form.journey(before, ctx), form.journey(after, ctx));
    let known = fields(form, &old);
    let fields = fields(form, &new)
        .into_iter()
        .filter(|(id, must)| match known.iter().find(|(old, _)| old == id) {
            None => true,
            Some((_, was)) => *must && !was && before.get(id).is_none(),
        })
        .map(|(id, must)| (id.to_owned(), must))
        .collect();
    let papers = new
        .papers
        .iter()
        .filter(|need| match old.papers.iter().find(|n| n.paper == need.paper) {
            None => true,
            Some(was) => need.required && !was.required,
        })
        .filter_map(|need| Some((form.papers.get(need.paper)?.id.clone(), need.required)))
        .collect();
    BroughtUp { fields, papers }
}

/// The fields that a journey asks a person, with whether each must be answered.
fn fields<'f>(form: &'f Form, journey: &Journey) -> Vec<(&'f str, bool)> {
    journey
        .pages
        .iter()
        .filter_map(|state| Some((form.pages.get(state.page)?, state)))
        .flat_map(|(page, state)| state.fields.iter().filter_map(|f| Some((page.fields.get(f.field)?, f))))
        .filter(|(_, state)| !state.origin.fixed())
        .map(|(field, state)| (field.id.as_str(), state.required))
        .collect()
}

/// One complete list (NĐ 61/2018/NĐ-CP, Điều 17 and 19 via TT 03/2025 form 02): every item at a place of the form or a
/// paper, with its ground; what could be seen the first time is not asked for a second time without a ground of its own.
pub(super) fn missing(problems: &mut Problems, state: &State, detail: &Detail, rules: Rules<'_>) {
    let Detail::Supplement { items, second_ground } = detail else {
        required(problems, "items");
        return;
    };
    if items.is_empty() {
        problems.add(
            "required",
            "items",
            "Nêu đầy đủ, một lần những giấy tờ, nội dung cần bổ sung.",
            "List everything that is missing, once.",
        );
    }
    for (
        n,
        MissingItem {
            at,
            reason,
            text,
            basis,
        },
    ) in items.iter().enumerate()
    {
        if !known_place(rules, at) {
            problems.add(
                "unknown-place",
                format!("items.{n}.at"),
                "Chọn nội dung của tờ khai hoặc thành phần hồ sơ cần bổ sung.",
                "Choose the field or the paper that this is about.",
            );
        }
        if !rules.package.meta.supplement_reasons.iter().any(|r| r.id == *reason) {
            problems.add(
                "unknown-reason",
                format!("items.{n}.reason"),
                "Chọn lý do bổ sung.",
                "Choose a reason.",
            );
        }
        note_text(problems, &format!("items.{n}.text"), text, true);
        note_text(problems, &format!("items.{n}.basis"), basis, true);
    }
    if !state.supplements.is_empty() && second_ground.trim().is_empty() {
        problems.add(
            "second-request",
            "second_ground",
            "Hồ sơ đã được yêu cầu bổ sung một lần. Chỉ yêu cầu thêm khi có căn cứ pháp lý nêu rõ vì sao lần trước chưa thể yêu cầu.",
            "Papers were asked for once already. A second request needs a legal ground that says why this could not be asked the first time.",
        );
    }
    note_text(problems, "second_ground", second_ground, false);
}

/// Whether `at` is the place or a part of it.
fn within(at: &str, place: &str) -> bool {
    at.strip_prefix(place)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Judges the answer to the open request: what it asks for and what that brings up, all of it and nothing else. What was
/// accepted at filing and is not asked again is not judged again.
pub(super) fn answer(
    state: &State,
    answers: &Answers,
    papers: &[Paper],
    rules: Rules<'_>,
    now: Timestamp,
) -> Result<Action> {
    let open = state.open_supplement().ok_or_else(|| {
        Error::refused(
            Kind::Conflict,
            "nothing-asked",
            "Hồ sơ không có yêu cầu bổ sung nào đang chờ.",
            "No papers are asked for at the moment.",
        )
    })?;
    let form = &rules.package.form;
    let ctx = rules.context(&state.applicant, state.channel, now.legal_date());
    let whole = merged(&state.answers, answers);
    let brought = brought_up(form, &state.answers, &whole, &ctx);
    let asked = |at: &str| open.items.iter().any(|i| within(at, &i.at));
    let may_answer = |at: &str| asked(at) || brought.fields.iter().any(|(id, _)| within(at, id));

    let mut problems = Problems::new();
    for paper in papers {
        if !asked(&paper.paper) && !brought.papers.iter().any(|(id, _)| *id == paper.paper) {
            not_asked(&mut problems, &paper.paper);
        }
    }
    let changed: Vec<String> = leaves(answers).into_iter().map(|(at, _)| at).collect();
    for at in changed.iter().filter(|at| !may_answer(at)) {
        not_asked(&mut problems, at);
    }
    let handed_in = |id: &str| papers.iter().any(|p| p.paper == id && !p.files.is_empty());
    let after = form.journey(&whole, &ctx);
    let shown = fields(form, &after);
    for item in &open.items {
        let given = handed_in(&item.at) || changed.iter().any(|at| within(at, &item.at));
        // A question that another asked answer has taken away is settled by that answer.
        let gone = form.paper(&item.at).is_none() && !changed.is_empty() && !shown.iter().any(|(id, _)| *id == item.at);
        if !given && !gone {
            problems.add(
                "required",
                &item.at,
                "Nội dung này được yêu cầu bổ sung nhưng chưa có.",
                "This was asked for and is not there yet.",
            );
        }
    }
    for (id, _) in brought.papers.iter().filter(|(_, must)| *must) {
        let here = state.papers.iter().any(|p| p.paper == *id && !p.files.is_empty());
        if !here && !handed_in(id) {
            problems.add(
                "required",
                id,
                "Câu trả lời mới dẫn đến giấy tờ này; hãy nộp cùng nội dung bổ sung.",
                "Your new answer makes this paper necessary; send it along.",
            );
        }
    }
    for problem in after.problems.iter().filter(|p| may_answer(&p.at)) {
        problems.add(&problem.code, &problem.at, &problem.text.vi, &problem.text.en);
    }
    problems.into_result()?;
    Ok(Action::Supplemented {
        answers: answers.clone(),
        papers: papers.to_vec(),
    })
}

fn not_asked(problems: &mut Problems, at: &str) {
    problems.add(
        "not-asked",
        at,
        "Nội dung này không nằm trong yêu cầu bổ sung.",
        "This is not among what was asked for.",
    );
}

fn known_place(rules: Rules<'_>, at: &str) -> bool {
    rules.package.form.field(at).is_some() || rules.package.form.paper(at).is_some()
}
