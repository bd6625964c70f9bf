//! An address: a house that stays where it is while the unit around it changes its name.

use std::fmt::Write as _;

use super::units::Units;
use crate::{
    day::{Day, MERGER},
    dice::Dice,
};

/// Streets that nearly every town has.
const STREETS: [&str; 28] = [
    "Trần Hưng Đạo",
    "Lê Lợi",
    "Nguyễn Huệ",
    "Quang Trung",
    "Lý Thường Kiệt",
    "Hai Bà Trưng",
    "Lê Duẩn",
    "Hùng Vương",
    "Nguyễn Trãi",
    "Phan Đình Phùng",
    "Lê Hồng Phong",
    "Nguyễn Du",
    "Điện Biên Phủ",
    "Trần Phú",
    "Nguyễn Văn Cừ",
    "Lý Thái Tổ",
    "Phan Chu Trinh",
    "Ngô Quyền",
    "Bà Triệu",
    "Hoàng Diệu",
    "Nguyễn Thị Minh Khai",
    "Cách Mạng Tháng Tám",
    "Đinh Tiên Hoàng",
    "Lê Đại Hành",
    "Tràng An",
    "Trường Chinh",
    "Võ Thị Sáu",
    "Phan Bội Châu",
];
const HAMLETS: [&str; 10] = [
    "Đông",
    "Đoài",
    "Trung",
    "Thượng",
    "Hạ",
    "Phú Thịnh",
    "Tân Lập",
    "An Hòa",
    "Bình Minh",
    "Đồng Tâm",
];

/// What stands before the commune in an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Detail {
    /// A house in a street of a town.
    House {
        /// House number.
        number: u16,
        /// Street.
        street: &'static str,
    },
    /// A residential group of a town.
    Group(u8),
    /// A numbered village: `Thôn 3`, `Ấp 4`, `Xóm 2`, `Bản 1`.
    Village {
        /// The word for it, which differs by region.
        word: &'static str,
        /// Its number.
        number: u8,
    },
    /// A village with a name.
    Hamlet {
        /// The word for it.
        word: &'static str,
        /// Its name.
        name: &'static str,
    },
}

/// A house in an old commune, and in the new one that its ground belongs to since 1 July 2025.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address {
    /// The place of the commune until 30 June 2025 in [`Units`].
    pub before: u16,
    /// The place of the commune from 1 July 2025.
    pub after: u16,
    /// House, street or village.
    pub detail: Detail,
}

impl Address {
    /// A house somewhere in an old commune. Where that commune was divided, the house lies in one of its parts.
    pub(crate) fn in_commune(units: &Units, before: u16, dice: &mut Dice) -> Self {
        let commune = units.before(before);
        let town = matches!(commune.kind.as_str(), "phường" | "thị trấn");
        let detail = if town && dice.chance(0.8) {
            Detail::House {
                number: 1 + dice.below(399) as u16,
                street: dice.pick(&STREETS),
            }
        } else if town {
            Detail::Group(1 + dice.below(18) as u8)
        } else {
            // Places in the list of provinces: after Hà Nội come the mountains of the north, with Long An begins the delta of the south.
            let word = match units.province_at(before) {
                1..10 => dice.pick(&["Bản", "Thôn"]),
                0..50 => dice.pick(&["Thôn", "Xóm", "Thôn"]),
                _ => "Ấp",
            };
            if dice.chance(0.6) {
                Detail::Village {
                    word,
                    number: 1 + dice.below(12) as u8,
                }
            } else {
                Detail::Hamlet {
                    word,
                    name: dice.pick(&HAMLETS),
                }
            }
        };
        let successors = units.successors(before);
        // The likely part of a divided commune is the larger one.
        let after = if dice.chance(0.6) {
            successors[0]
        } else {
            dice.pick(successors)
        };
        Self { before, after, detail }
    }

    /// The code of the commune that the house belongs to on a day.
    pub fn commune_code<'a>(&self, units: &'a Units, on: Day) -> &'a str {
        if on < MERGER {
            &units.before(self.before).code
        } else {
            &units.after(self.after).code
        }
    }

    /// The code of the province that the house belongs to on a day.
    pub fn province_code<'a>(&self, units: &'a Units, on: Day) -> &'a str {
        if on < MERGER {
            &units.province_before(units.before(self.before)).code
        } else {
            &units.province_after(units.after(self.after)).code
        }
    }

    /// As it is written on a day: with district before 1 July 2025, without after.
    pub fn text(&self, units: &Units, on: Day) -> String {
        let mut text = self.detail.to_string();
        let commune = if on < MERGER {
            units.before(self.before)
        } else {
            units.after(self.after)
        };
        let above = if on < MERGER {
            [units.district(commune), Some(units.province_before(commune))]
        } else {
            [None, Some(units.province_after(commune))]
        };
        // Writing to a text cannot fail.
        let _ = write!(text, ", {} {}", commune.kind, commune.name);
        for unit in above.into_iter().flatten() {
            let _ = write!(text, ", {} {}", unit.kind, unit.name);
        }
        text
    }
}

impl std::fmt::Display for Detail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::House { number, street } => write!(f, "Số {number} đường {street}"),
            Self::Group(number) => write!(f, "Tổ dân phố {number}"),
            Self::Village { word, number } => write!(f, "{word} {number}"),
            Self::Hamlet { word, name } => write!(f, "{word} {name}"),
        }
    }
}
