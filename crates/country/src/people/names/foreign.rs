//! Names of those who came from abroad.

use base::codes::Sex;

use super::{Name, Order};
use crate::dice::Dice;

struct Nation {
    /// ISO 3166-1.
    code: &'static str,
    order: Order,
    surnames: &'static [&'static str],
    men: &'static [&'static str],
    women: &'static [&'static str],
}

const NATIONS: [Nation; 5] = [
    Nation {
        code: "KR",
        order: Order::SurnameFirst,
        surnames: &["Kim", "Lee", "Park", "Choi", "Jung", "Kang"],
        men: &["Min Jun", "Sung Ho", "Jae Hyun", "Dong Hyun"],
        women: &["Ji Woo", "Soo Jin", "Min Seo", "Hye Jin"],
    },
    Nation {
        code: "TW",
        order: Order::SurnameFirst,
        surnames: &["Chen", "Lin", "Huang", "Chang", "Wu", "Tsai"],
        men: &["Chih Ming", "Chun Chieh", "Wei Lun", "Chien Hung"],
        women: &["Shu Fen", "Ya Ting", "Mei Ling", "Yi Chun"],
    },
    Nation {
        code: "CN",
        order: Order::SurnameFirst,
        surnames: &["Wang", "Li", "Zhang", "Liu", "Yang", "Zhao"],
        men: &["Wei", "Qiang", "Jianguo", "Lei"],
        women: &["Fang", "Xiulan", "Jing", "Yan"],
    },
    Nation {
        code: "US",
        order: Order::ClanLast,
        surnames: &["Miller", "Johnson", "Nguyen", "Tran", "Brown", "Davis"],
        men: &["James", "David", "Michael", "Kevin Minh"],
        women: &["Linda", "Karen", "Jennifer", "Amy Lan"],
    },
    Nation {
        code: "JP",
        order: Order::SurnameFirst,
        surnames: &["Sato", "Suzuki", "Tanaka", "Watanabe", "Ito"],
        men: &["Kenji", "Hiroshi", "Takashi", "Daiki"],
        women: &["Yuko", "Keiko", "Aya", "Naomi"],
    },
];

/// The nationality and the name of somebody from abroad.
pub fn foreigner(sex: Sex, dice: &mut Dice) -> (&'static str, Name) {
    let nation = &NATIONS[dice.place(NATIONS.len())];
    let given = if sex == Sex::Male { nation.men } else { nation.women };
    let name = Name {
        order: nation.order,
        surname: dice.pick(nation.surnames),
        middle: ["", ""],
        given: dice.pick(given),
    };
    (nation.code, name)
}
