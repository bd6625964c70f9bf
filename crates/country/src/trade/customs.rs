//! Customs declarations.

use base::Dong;

use crate::{
    day::Day,
    dice::{Dice, scatter},
    people::MAX_COMMUNITIES,
    plan::Plot,
    work::Company,
};

/// Into the country or out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Import.
    Import,
    /// Export.
    Export,
}

/// Goods of one line of the tariff.
#[derive(Debug, Clone, Copy)]
pub struct Goods {
    /// Eight digits: a heading of the ASEAN Harmonised Tariff Nomenclature.
    pub code: &'static str,
    /// What it is.
    pub name: &'static str,
    /// What it mostly does.
    pub direction: Direction,
    /// Import duty in per cent. Illustrative: no tariff of any year.
    pub duty: u8,
    /// Value of an ordinary consignment, in million dong.
    value: u32,
}

const fn goods(code: &'static str, name: &'static str, direction: Direction, duty: u8, value: u32) -> Goods {
    Goods {
        code,
        name,
        direction,
        duty,
        value,
    }
}

use Direction::{Export, Import};

/// What the country trades in.
pub const GOODS: [Goods; 18] = [
    goods("84713020", "Máy tính xách tay", Import, 0, 2_400),
    goods("85171300", "Điện thoại thông minh", Export, 0, 6_000),
    goods("85423100", "Mạch tích hợp, bộ xử lý", Import, 0, 3_500),
    goods("39012000", "Polyetylen tỷ trọng từ 0,94", Import, 0, 1_100),
    goods("52010000", "Bông chưa chải thô", Import, 0, 1_800),
    goods("72085100", "Thép cán nóng dạng tấm dày trên 10 mm", Import, 10, 2_600),
    goods("23040090", "Khô dầu đậu tương", Import, 1, 1_500),
    goods("10059099", "Ngô hạt", Import, 2, 1_300),
    goods("30049099", "Thuốc đã đóng gói để bán lẻ", Import, 3, 900),
    goods("10063099", "Gạo đã xát", Export, 0, 1_700),
    goods("03061790", "Tôm đông lạnh", Export, 0, 2_200),
    goods("08013200", "Hạt điều đã bóc vỏ", Export, 0, 1_900),
    goods("40012220", "Cao su tự nhiên định chuẩn kỹ thuật", Export, 0, 1_400),
    goods("61091010", "Áo phông bông cho nam", Export, 0, 800),
    goods("64029990", "Giày đế cao su hoặc plastic", Export, 0, 1_000),
    goods("94036090", "Đồ nội thất bằng gỗ", Export, 0, 950),
    goods("85444294", "Cáp điện bọc plastic", Import, 5, 700),
    goods("84182110", "Tủ lạnh gia đình đến 230 lít", Import, 25, 500),
];

const PARTNERS: [&str; 10] = ["CN", "KR", "US", "JP", "TH", "TW", "DE", "SG", "IN", "AU"];

/// A declaration (tờ khai hải quan).
#[derive(Debug, Clone, Copy)]
pub struct Declaration {
    /// Twelve digits: 10… for imports, 30… for exports; the last counts additions, 0 for none (Circular 38/2015/TT-BTC app. II).
    pub number: u64,
    /// Whose: a company by its place in the community's list.
    pub company: usize,
    /// Into the country or out of it.
    pub direction: Direction,
    /// What.
    pub goods: &'static Goods,
    /// From where or to where: ISO 3166-1.
    pub partner: &'static str,
    /// Customs value.
    pub value: Dong,
    /// Import duty.
    pub duty: Dong,
    /// Value added tax on an import: 10 % of value and duty.
    pub vat: Dong,
    /// The day of registration.
    pub on: Day,
}

/// The first day whose declarations are told.
const FIRST_DAY: Day = Day::of(2023, 1, 1);
/// Serial numbers of a community, of the nine digits in the middle.
const NUMBERS: u64 = 1_000_000_000 / MAX_COMMUNITIES as u64;

/// The declarations of a community's companies, each company's in order.
pub fn declare(plot: &Plot, seed: u64, until: Day, companies: &[Company]) -> Vec<Declaration> {
    let mut dice = Dice::of(&[seed, 6, plot.index.into()]);
    let mut declarations = Vec::new();
    for (at, company) in companies.iter().enumerate() {
        if !dice.chance(f64::from(company.industry.trades) / 100.0) {
            continue;
        }
        let own = [0; 2].map(|_| &GOODS[dice.place(GOODS.len())]);
        let mut on = company.founded.plus(90).max(FIRST_DAY).plus(dice.below(60) as i32);
        let last = company.stopped().map_or(until, |stopped| stopped.plus(-1).min(until));
        while on <= last && (declarations.len() as u64) < NUMBERS {
            let goods = dice.pick(&own);
            let number = number(seed, plot.index, declarations.len() as u64, goods.direction);
            let value = i64::from(goods.value) * dice.between(200, 1_800) as i64 * 1_000;
            let duty = if goods.direction == Import {
                value * i64::from(goods.duty) / 100
            } else {
                0
            };
            let vat = if goods.direction == Import {
                (value + duty) / 10
            } else {
                0
            };
            declarations.push(Declaration {
                number,
                company: at,
                direction: goods.direction,
                goods,
                partner: dice.pick_front(&PARTNERS),
                value: Dong::new(value),
                duty: Dong::new(duty),
                vat: Dong::new(vat),
                on,
            });
            on = on.plus(dice.between(5, 160));
        }
    }
    declarations
}

fn number(seed: u64, community: u32, nth: u64, direction: Direction) -> u64 {
    let at = u64::from(community) * NUMBERS + nth;
    let (top, rest) = (at / 1_000_000, at % 1_000_000);
    let serial = top * 1_000_000 + scatter(rest, 1_000, seed ^ 0x33 << 56 ^ top);
    let first = match direction {
        Import => 100_000_000_000,
        Export => 300_000_000_000,
    };
    first + serial * 10
}
