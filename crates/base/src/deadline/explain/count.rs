//! The lines on what was counted and what was not, and on the due date.

use jiff::civil::Date;

use super::{
    LineKind, Teller,
    words::{civil_code, clock, lower_first, shown, span, weekday},
};
use crate::{
    calendar::{DayKind, OffReason},
    deadline::period::{Laid, Left, after, days_between},
    lang::Text,
    time::Timestamp,
};

impl<'a> Teller<'a> {
    /// What was counted and what was not in one stretch, up to its due date or to where it was stopped.
    pub fn run(&mut self, laid: &Laid, stopped: Option<Timestamp>) {
        let start = self.lines.len();
        let last = stopped.map_or(laid.counted_to, |at| at.legal_date().min(laid.counted_to));
        match laid.left {
            Left::WorkingDays(_) | Left::WorkingTime(_) => {
                let delayed = laid.delay.is_some() || matches!(laid.left, Left::WorkingTime(_));
                let first = if delayed {
                    after(laid.from.legal_date(), 1)
                } else {
                    after(laid.anchor, 1)
                };
                self.days_off(first, last);
                self.make_up_days(first, last);
                if let Some(lines) = self.lines.get_mut(start..) {
                    lines.sort_by_key(|line| line.from);
                }
            }
            _ => {}
        }
        if stopped.is_none() {
            self.counted(laid);
            self.due(laid);
        }
    }

    /// One line for each stretch of days off around a holiday, and one for all plain weekends.
    fn days_off(&mut self, first: Date, last: Date) {
        let mut weekends: Vec<(Date, Date)> = Vec::new();
        let mut day = first;
        while day <= last {
            let end = self.stretch_end(day, last);
            let Some(end) = end else {
                day = after(day, 1);
                continue;
            };
            let parts = self.parts(day, end);
            if parts.iter().all(|part| part.weekly) {
                weekends.push((day, end));
            } else {
                let list = |lang: fn(&Text) -> &str| match parts.as_slice() {
                    [one] => lang(&one.name).to_owned(),
                    many => {
                        let named = many
                            .iter()
                            .map(|p| format!("{} ({})", lang(&p.name), span(p.from, p.to)));
                        named.collect::<Vec<_>>().join("; ")
                    }
                };
                let text = Text::new(
                    format!("Không tính {}: {}.", span(day, end), list(|t| &t.vi)),
                    format!("Not counted, {}: {}.", span(day, end), list(|t| &t.en)),
                );
                let sources: Vec<&str> = parts.iter().flat_map(|p| p.sources.iter().copied()).collect();
                let mut unique: Vec<&str> = Vec::new();
                sources.into_iter().for_each(|s| {
                    if !unique.contains(&s) {
                        unique.push(s)
                    }
                });
                let basis = unique.join("; ");
                self.tell(LineKind::Skipped, (day, end), text, Some(Text::new(basis, "")));
            }
            day = after(end, 1);
        }
        self.weekends(&weekends);
    }

    fn weekends(&mut self, weekends: &[(Date, Date)]) {
        let (Some((first, _)), Some((_, last))) = (weekends.first(), weekends.last()) else {
            return;
        };
        let text = if weekends.len() > 5 {
            let days: i64 = weekends.iter().map(|(a, b)| days_between(*a, *b) + 1).sum();
            Text::new(
                format!(
                    "Không tính {days} ngày nghỉ hằng tuần trong khoảng từ {} đến {}.",
                    shown(*first),
                    shown(*last)
                ),
                format!(
                    "Not counted: {days} days of weekly rest from {} to {}.",
                    shown(*first),
                    shown(*last)
                ),
            )
        } else {
            let list = weekends
                .iter()
                .map(|(a, b)| span(*a, *b))
                .collect::<Vec<_>>()
                .join(", ");
            Text::new(
                format!("Không tính ngày nghỉ hằng tuần: {list}."),
                format!("Not counted, weekly rest: {list}."),
            )
        };
        self.tell(LineKind::Skipped, (*first, *last), text, None);
    }

    fn make_up_days(&mut self, first: Date, last: Date) {
        let rows = self
            .calendar
            .data()
            .make_up
            .iter()
            .filter(|row| (first..=last).contains(&row.date));
        for row in rows {
            let (day, moved) = (shown(row.date), shown(row.in_place_of));
            let weekday = weekday(row.date);
            let text = Text::new(
                format!("Có tính {} {day}: ngày làm bù cho ngày {moved}.", weekday.vi),
                format!("Counted, {} {day}: worked in place of {moved}.", weekday.en),
            );
            self.tell(
                LineKind::Counted,
                (row.date, row.date),
                text,
                Some(Text::new(row.source.as_str(), "")),
            );
        }
    }

    fn counted(&mut self, laid: &Laid) {
        let (first, last) = (after(laid.anchor, 1), laid.counted_to);
        let (text, basis) = match laid.left {
            Left::WorkingDays(n) if n > 0 => {
                let first = self.calendar.next_working_day(laid.anchor);
                let text = if n == 1 {
                    Text::new(
                        format!("Ngày làm việc được tính: {}.", shown(last)),
                        format!("The working day counted: {}.", shown(last)),
                    )
                } else {
                    Text::new(
                        format!(
                            "Ngày làm việc thứ nhất là {}, ngày làm việc thứ {n} là {}.",
                            shown(first),
                            shown(last)
                        ),
                        format!(
                            "The first working day is {}, working day {n} is {}.",
                            shown(first),
                            shown(last)
                        ),
                    )
                };
                (text, None)
            }
            Left::Days(n) if n > 0 => {
                let text = Text::new(
                    format!("Tính {n} ngày liên tục, từ {} đến {}.", shown(first), shown(last)),
                    format!("Counted: {n} days in a row, from {} to {}.", shown(first), shown(last)),
                );
                (text, Some(civil_code("148", "1, 2")))
            }
            Left::Months { .. } => {
                let text = Text::new(
                    format!(
                        "Thời hạn kết thúc vào ngày tương ứng của tháng cuối, hoặc ngày cuối tháng nếu không có ngày tương ứng: {}.",
                        shown(last)
                    ),
                    format!(
                        "It ends on the same day of the last month, or on that month's last day if it has none: {}.",
                        shown(last)
                    ),
                );
                (text, Some(civil_code("148", "3, 4")))
            }
            _ => return,
        };
        self.tell(LineKind::Counted, (first.min(last), last), text, basis);
    }

    fn due(&mut self, laid: &Laid) {
        let day = laid.due.legal_date();
        if let Left::Passed(_) = laid.left {
            let at = clock(laid.due);
            let text = Text::new(
                format!(
                    "Thời hạn đã hết lúc {}, trước khi tạm dừng, nên hạn trả kết quả không thay đổi.",
                    at.vi
                ),
                format!(
                    "The period had ended at {}, before the clock was stopped, so the due date stays.",
                    at.en
                ),
            );
            return self.tell(LineKind::Due, (day, day), text, None);
        }
        if day > laid.counted_to {
            let (from, to) = (shown(laid.counted_to), shown(day));
            let text = if self.calendar.is_working_day(laid.counted_to) {
                Text::new(
                    format!("Giờ làm việc ngày {from} đã hết: thời hạn kết thúc vào ngày làm việc tiếp theo, {to}."),
                    format!("Work on {from} had ended: the period ends on the next working day, {to}."),
                )
            } else {
                let why = self
                    .parts(laid.counted_to, laid.counted_to)
                    .into_iter()
                    .next()
                    .map(|part| part.name)
                    .unwrap_or_default();
                Text::new(
                    format!(
                        "Ngày cuối {from} là ngày nghỉ ({}): thời hạn kết thúc vào ngày làm việc tiếp theo, {to}.",
                        why.vi
                    ),
                    format!(
                        "The last day, {from}, is a day off ({}): the period ends on the next working day, {to}.",
                        why.en
                    ),
                )
            };
            self.tell(
                LineKind::Skipped,
                (laid.counted_to, day),
                text,
                Some(civil_code("148", "5")),
            );
        }
        let at = clock(laid.due);
        let midnight = laid.due.legal().time() == jiff::civil::time(23, 59, 59, 999_999_000);
        let (text, basis) = if midnight {
            let text = Text::new(
                format!("Hạn trả kết quả: hết ngày {}.", shown(day)),
                format!("Due by the end of {}.", shown(day)),
            );
            (text, Some(civil_code("148", "6")))
        } else if self.calendar.end_of_work(day) == Some(laid.due) {
            let text = Text::new(
                format!("Hạn trả kết quả: {}, hết giờ làm việc.", at.vi),
                format!("Due at {}, the end of working hours.", at.en),
            );
            (text, None)
        } else {
            (
                Text::new(format!("Hạn trả kết quả: {}.", at.vi), format!("Due at {}.", at.en)),
                None,
            )
        };
        self.tell(LineKind::Due, (day, day), text, basis);
    }

    /// The last day of the stretch of days off that begins on `day`; none where work is done on `day`.
    fn stretch_end(&self, day: Date, last: Date) -> Option<Date> {
        let mut end = None;
        let mut next = day;
        while next <= last && !self.calendar.is_working_day(next) {
            end = Some(next);
            next = after(next, 1);
        }
        end
    }

    /// A stretch of days off in parts of one name each.
    fn parts(&self, from: Date, to: Date) -> Vec<Part<'a>> {
        let mut parts: Vec<Part<'a>> = Vec::new();
        let mut day = from;
        while day <= to {
            let (name, source, weekly) = match self.calendar.explain_day(day).kind {
                DayKind::Holiday(off) => {
                    let name = match off.reason {
                        OffReason::Holiday => Text::new(format!("nghỉ {}", off.name.vi), off.name.en.as_str()),
                        OffReason::Compensatory | OffReason::Swap => {
                            Text::new(lower_first(&off.name.vi), lower_first(&off.name.en))
                        }
                    };
                    (name, Some(off.source.as_str()), false)
                }
                _ => (Text::new("nghỉ hằng tuần", "weekly rest"), None, true),
            };
            match parts.last_mut() {
                Some(part) if part.name == name => {
                    part.to = day;
                    part.sources.extend(source);
                }
                _ => parts.push(Part {
                    name,
                    sources: source.into_iter().collect(),
                    weekly,
                    from: day,
                    to: day,
                }),
            }
            day = after(day, 1);
        }
        parts
    }
}

struct Part<'a> {
    name: Text,
    sources: Vec<&'a str>,
    weekly: bool,
    from: Date,
    to: Date,
}
