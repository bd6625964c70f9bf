//! Published data put into words for readers: what is known plainly, what is not known honestly.

use ::view::Page;
use base::{Lang, Text};

use super::model::{Channel, Code, Entry, Fee, Method, Qualifier, TimeLimit, Unit, grouped, number};

/// A statement with a caution where it cannot be relied on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The statement.
    pub main: Text,
    /// What to mind.
    pub caution: Option<Text>,
    /// The words of the source.
    pub words: Text,
}

impl Shown {
    fn plain(main: Text, words: &Text) -> Self {
        Self {
            main,
            caution: None,
            words: words.clone(),
        }
    }
}

/// A time limit.
pub fn time(time: &TimeLimit) -> Shown {
    let words = if time.text.vi.chars().count() > 1 {
        time.text.clone()
    } else {
        Text::default()
    };
    if let Some(main) = time.display() {
        return Shown::plain(main, &words);
    }
    let unclear = |vi: String, en: String| Shown {
        main: Text::new("Chưa rõ thời hạn", "Time limit unclear"),
        caution: Some(Text::new(vi, en)),
        words: words.clone(),
    };
    match (time.qty, time.unit) {
        (Some(qty), Unit::Other) if qty > 0.0 => unclear(
            format!(
                "Số liệu công bố ghi “{}” nhưng không nêu đơn vị; cơ quan chưa nêu rõ.",
                number(qty, ',')
            ),
            format!(
                "The published number is \"{}\" without a unit; the agency has not made it clear.",
                number(qty, '.')
            ),
        ),
        (Some(_), _) => unclear(
            "Số liệu công bố ghi “0”; cơ quan chưa nêu rõ.".to_owned(),
            "The published number is \"0\"; the agency has not made it clear.".to_owned(),
        ),
        (None, _) if !words.vi.is_empty() => {
            Shown::plain(Text::new("Theo nội dung công bố", "As the published text says"), &words)
        }
        (None, _) => Shown {
            main: Text::new("Chưa công bố thời hạn", "No time limit published"),
            caution: None,
            words,
        },
    }
}

/// A fee.
pub fn fee(fee: &Fee) -> Shown {
    let words = fee.text.clone();
    let amount = |mark: char| grouped(fee.amount.unwrap_or(0), mark);
    match fee.qualifier {
        Qualifier::Fixed => Shown::plain(
            Text::new(format!("{} đồng", amount('.')), format!("{} VND", amount(','))),
            &words,
        ),
        Qualifier::Free => Shown::plain(Text::new("Không thu", "Free"), &words),
        Qualifier::SetByProvince => Shown {
            main: Text::new("Do địa phương quy định", "Set by the province"),
            caution: fee.amount.map(|_| {
                Text::new(
                    format!("Danh mục ghi “{} đồng”; đây không phải là mức thu.", amount('.')),
                    format!(
                        "The catalogue says \"{} VND\"; that is not the amount charged.",
                        amount(',')
                    ),
                )
            }),
            words,
        },
        Qualifier::SuspiciousScale => Shown {
            main: Text::new("Chưa rõ mức thu", "Amount unclear"),
            caution: Some(Text::new(
                format!(
                    "Số liệu công bố ghi “{} đồng”, có thể thiếu nghìn đồng hoặc tính bằng tiền khác. Đề nghị hỏi cơ quan tiếp nhận trước khi nộp.",
                    amount('.')
                ),
                format!(
                    "The published amount is \"{} VND\": probably in thousands, or in another currency. Ask the receiving agency before paying.",
                    amount(',')
                ),
            )),
            words,
        },
        Qualifier::Unknown if words.vi.is_empty() => {
            Shown::plain(Text::new("Chưa công bố mức thu", "No amount published"), &words)
        }
        Qualifier::Unknown => Shown::plain(Text::new("Theo nội dung công bố", "As the published text says"), &words),
    }
}

/// Ways to file that share time limit, fees and remarks.
#[derive(Debug, Clone, PartialEq)]
pub struct Way {
    /// The ways.
    pub methods: Vec<Method>,
    /// The time limit.
    pub time: Shown,
    /// Kind of payment and what to pay.
    pub fees: Vec<(Text, Shown)>,
    /// Remarks.
    pub note: Text,
}

impl Way {
    /// `Trực tuyến, Trực tiếp`.
    pub fn name(&self) -> Text {
        let joined = |lang: Lang| {
            let names: Vec<String> = self.methods.iter().map(|m| m.label().get(lang).to_owned()).collect();
            names.join(", ")
        };
        Text::new(joined(Lang::Vi), joined(Lang::En))
    }
}

/// The ways to file of an entry, those that are alike put together.
pub fn ways(entry: &Entry) -> Vec<Way> {
    let mut groups: Vec<(Vec<Method>, &Channel)> = Vec::new();
    for channel in &entry.channels {
        let same = |c: &Channel| c.time == channel.time && c.fees == channel.fees && c.note == channel.note;
        match groups.iter_mut().find(|(_, c)| same(c)) {
            Some((methods, _)) => {
                if !methods.contains(&channel.method) {
                    methods.push(channel.method);
                }
            }
            None => groups.push((vec![channel.method], channel)),
        }
    }
    groups
        .into_iter()
        .map(|(mut methods, channel)| {
            methods.sort_unstable();
            let mut fees: Vec<(Text, Shown)> = Vec::new();
            for published in &channel.fees {
                let shown = (published.kind.label(), fee(published));
                if !fees.contains(&shown) {
                    fees.push(shown);
                }
            }
            Way {
                methods,
                time: time(&channel.time),
                fees,
                note: channel.note.clone(),
            }
        })
        .collect()
}

/// ` lang="vi"` for a text that exists in Vietnamese only, on an English page: so that it is read aloud rightly.
pub fn tongue(page: &Page, text: &Text) -> &'static str {
    if text.en.is_empty() && !text.vi.is_empty() {
        vietnamese(page)
    } else {
        ""
    }
}

/// The same for a text that never has English.
pub fn vietnamese(page: &Page) -> &'static str {
    if page.lang == Lang::En { " lang=\"vi\"" } else { "" }
}

/// `Đã thay thế bởi 3.000722`.
pub fn replaced_by(page: &Page, successor: &Code) -> String {
    format!("{} {successor}", page.t("Đã thay thế bởi", "Replaced by"))
}

/// A line of a published text: a paragraph, or an item of a list at a depth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A paragraph.
    Paragraph(String),
    /// Items of a list.
    List(Vec<String>),
}

/// Cuts a published text at its line ends into paragraphs and lists.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut out: Vec<Block> = Vec::new();
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let item = line
            .strip_prefix(['-', '+', '•', '–', '*'])
            .map(str::trim)
            .filter(|i| !i.is_empty());
        match (item, out.last_mut()) {
            (Some(item), Some(Block::List(items))) => items.push(item.to_owned()),
            (Some(item), _) => out.push(Block::List(vec![item.to_owned()])),
            (None, _) => out.push(Block::Paragraph(line.to_owned())),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_said() {
        let open = time(&TimeLimit {
            qty: Some(7.0),
            unit: Unit::Other,
            text: Text::default(),
        });
        assert!(open.caution.as_ref().is_some_and(|c| c.vi.contains("“7”")), "{open:?}");
        let odd = fee(&Fee {
            amount: Some(45),
            qualifier: Qualifier::SuspiciousScale,
            ..Fee::default()
        });
        assert!(
            odd.caution.as_ref().is_some_and(|c| c.vi.contains("45 đồng")),
            "{odd:?}"
        );
        let good = fee(&Fee {
            amount: Some(1_500_000),
            qualifier: Qualifier::Fixed,
            ..Fee::default()
        });
        assert_eq!(good.main.vi, "1.500.000 đồng");
        assert_eq!(good.main.en, "1,500,000 VND");
    }

    #[test]
    fn published_text_becomes_paragraphs_and_lists() {
        assert_eq!(
            blocks("Một\n- a\n+ b\n\nHai"),
            vec![
                Block::Paragraph("Một".into()),
                Block::List(vec!["a".into(), "b".into()]),
                Block::Paragraph("Hai".into()),
            ]
        );
    }
}
