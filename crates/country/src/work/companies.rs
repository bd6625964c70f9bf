//! Companies, public employers and household businesses.

use base::{Dong, codes::TaxCode};

use super::{INDUSTRIES, Industry};
use crate::{
    day::Day,
    dice::Dice,
    people::{Person, PersonId, company_stem},
    places::{Address, PROVINCES, Units},
    plan::Plot,
};

/// The legal form of an employer that has a tax code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// Công ty TNHH một thành viên.
    OneMember,
    /// Công ty TNHH hai thành viên trở lên.
    Limited,
    /// Công ty cổ phần.
    JointStock,
    /// Doanh nghiệp tư nhân.
    Private,
    /// A school, health station or people's committee.
    Public,
}

impl Form {
    /// A stable name for files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::OneMember => "one-member",
            Self::Limited => "limited",
            Self::JointStock => "joint-stock",
            Self::Private => "private",
            Self::Public => "public",
        }
    }
}

/// Whether a company still works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It does.
    Active,
    /// It paused on this day.
    Suspended(Day),
    /// It was dissolved on this day.
    Closed(Day),
}

/// How a company insures its workers: the truth behind the question that no agency answers alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Insuring {
    /// All of them, paid up.
    All,
    /// It has paid nothing since the month of this day.
    Behind(Day),
    /// It registered none.
    Never,
}

/// A company or public employer. The tax code is also its enterprise code.
#[derive(Debug, Clone)]
pub struct Company {
    /// Ten digits.
    pub tax_code: u64,
    /// Registered name.
    pub name: String,
    /// Legal form.
    pub form: Form,
    /// Main branch of the economy.
    pub industry: &'static Industry,
    /// Charter capital; zero for public employers.
    pub capital: Dong,
    /// Day of registration.
    pub founded: Day,
    /// Status now.
    pub status: Status,
    /// Members or shareholders at the start; none for public employers.
    pub founders: Vec<PersonId>,
    /// Legal representatives, each from a day until the next.
    pub directors: Vec<(Day, PersonId)>,
    /// Head office.
    pub address: Address,
    /// Dependent units, numbered from 001.
    pub branches: Vec<Branch>,
    /// How it insures.
    pub insuring: Insuring,
}

/// A dependent unit of a company; its code is the company's and its own three digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Branch {
    /// Where.
    pub address: Address,
    /// Since when.
    pub from: Day,
}

/// A household business. Its owner's personal number is its tax code (Law on Tax Administration art. 35.7).
#[derive(Debug, Clone)]
pub struct Shop {
    /// Who runs it.
    pub owner: PersonId,
    /// The name on the sign.
    pub name: String,
    /// Branch of the economy.
    pub industry: &'static Industry,
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Option<Day>,
    /// Where.
    pub address: Address,
}

impl Company {
    /// The code of the company, or of its branch by its place in the list.
    pub fn code(&self, branch: Option<usize>) -> Option<TaxCode> {
        match branch {
            None => format!("{:010}", self.tax_code).parse().ok(),
            Some(branch) => format!("{:010}-{:03}", self.tax_code, branch + 1).parse().ok(),
        }
    }

    /// The last day, where there is one.
    pub const fn closed(&self) -> Option<Day> {
        match self.status {
            Status::Closed(day) => Some(day),
            Status::Active | Status::Suspended(_) => None,
        }
    }

    /// The last day on which anybody works there.
    pub const fn stopped(&self) -> Option<Day> {
        match self.status {
            Status::Closed(day) | Status::Suspended(day) => Some(day),
            Status::Active => None,
        }
    }

    /// Whether people work there on a day.
    pub fn is_open(&self, day: Day) -> bool {
        self.founded <= day && self.stopped().is_none_or(|stopped| day < stopped)
    }
}

/// Employers with a tax code, and household businesses.
pub struct Founded {
    pub companies: Vec<Company>,
    pub shops: Vec<Shop>,
}

struct Founding<'a> {
    units: &'a Units,
    plot: &'a Plot,
    seed: u64,
    until: Day,
    persons: &'a [Person],
    dice: Dice,
    /// Serial places that were tried.
    tried: u64,
}

/// Founds what a community's people founded, in no order of days.
pub fn found(units: &Units, plot: &Plot, seed: u64, until: Day, persons: &[Person]) -> Founded {
    let dice = Dice::of(&[seed, 2, plot.index.into()]);
    let mut founding = Founding {
        units,
        plot,
        seed,
        until,
        persons,
        dice,
        tried: 0,
    };
    let mut companies = founding.public_employers();
    let share = plot.size as f64 / 500.0;
    for _ in 0..founding.dice.rounded(9.0 * share) {
        companies.extend(founding.company());
    }
    let shops = (0..founding.dice.rounded(26.0 * share))
        .filter_map(|_| founding.shop())
        .collect();
    Founded { companies, shops }
}

const WORDS: [&str; 36] = [
    "An Phát",
    "Minh Tâm",
    "Hoàng Long",
    "Thành Công",
    "Đại Dương",
    "Phú Thịnh",
    "Tân Tiến",
    "Việt Hưng",
    "Hồng Hà",
    "Trường Sơn",
    "Bình Minh",
    "Sao Mai",
    "Hải Đăng",
    "Kim Liên",
    "Đông Á",
    "Thiên Phúc",
    "Nam Việt",
    "Gia Khánh",
    "Quang Vinh",
    "Ngọc Lan",
    "Hưng Thịnh",
    "Tràng An",
    "Cửu Long",
    "Lạc Hồng",
    "Phương Nam",
    "Bắc Hà",
    "Sông Đà",
    "Hoa Sen",
    "Toàn Cầu",
    "Tín Nghĩa",
    "Vạn Xuân",
    "Đức Long",
    "Tâm Đức",
    "Thăng Long",
    "Âu Lạc",
    "Hòa Bình",
];

impl<'a> Founding<'a> {
    /// The next tax code of a range; numbers that would need the check "10" are passed over.
    fn tax_code(&mut self, before: u16) -> Option<u64> {
        let range = PROVINCES[self.units.province_at(before)].tax;
        for _ in 0..20 {
            self.tried += 1;
            if let Some(code) = company_stem(self.seed, self.plot.index, range, self.tried - 1) {
                return Some(code);
            }
        }
        None
    }

    /// Somebody between two ages who lives on a day.
    fn grown(&mut self, day: Day, from: i32, to: i32) -> Option<&'a Person> {
        for _ in 0..40 {
            let person = &self.persons[self.dice.place(self.persons.len())];
            // Not on the last day: a death then comes first.
            if person.lives_on(day) && person.death != Some(day) && (from..=to).contains(&person.age_on(day)) {
                return Some(person);
            }
        }
        None
    }

    /// A day between two years, more often a late one.
    fn recent_day(&mut self, first: i32) -> Day {
        let start = Day::of(first, 1, 1);
        let span = f64::from(self.until.since(start).max(1));
        start.plus((span * self.dice.share().sqrt()) as i32)
    }

    fn public_employers(&mut self) -> Vec<Company> {
        let home = self.plot.homes[0];
        let place = self.units.before(home);
        let of = |division| INDUSTRIES.iter().find(|i| i.division == division);
        [
            ("Trường Tiểu học", of("85")),
            ("Trường Trung học cơ sở", of("85")),
            ("Trạm Y tế", of("86")),
        ]
        .into_iter()
        .filter_map(|(what, industry)| {
            Some(Company {
                tax_code: self.tax_code(home)?,
                name: format!("{what} {} {}", place.kind, place.name),
                form: Form::Public,
                industry: industry?,
                capital: Dong::ZERO,
                founded: Day::of(1990, 1, 1).plus(self.dice.below(1_800) as i32),
                status: Status::Active,
                founders: Vec::new(),
                directors: Vec::new(),
                address: Address::in_commune(self.units, home, &mut self.dice),
                branches: Vec::new(),
                insuring: Insuring::All,
            })
        })
        .collect()
    }

    fn company(&mut self) -> Option<Company> {
        // The first Law on Companies is of 21 December 1990; few were founded before 1996.
        let founded = self.recent_day(1996);
        let founder = self.grown(founded, 22, 60)?;
        let home = founder.residence_on(founded)?.address.before;
        let form = match self.dice.below(100) {
            ..48 => Form::OneMember,
            48..74 => Form::Limited,
            74..94 => Form::JointStock,
            _ => Form::Private,
        };
        let mut founders = vec![founder.id];
        let others = match form {
            Form::Limited => 1 + self.dice.below(2),
            Form::JointStock => 2 + self.dice.below(3),
            Form::OneMember | Form::Private | Form::Public => 0,
        };
        for _ in 0..others {
            let other = self.grown(founded, 20, 65).map(|p| p.id);
            founders.extend(other.filter(|other| !founders.contains(other)));
        }
        // A form must have its members: two at least, three shareholders at least (Law on Enterprises 59/2020/QH14).
        let form = match (form, founders.len()) {
            (Form::JointStock | Form::Limited, 1) => Form::OneMember,
            (Form::JointStock, 2) => Form::Limited,
            (form, _) => form,
        };
        let industry = &INDUSTRIES[self.dice.weighted(&INDUSTRIES, |i| i.companies.into())];
        let mut status = if self.dice.chance(0.42) {
            Status::Closed(founded.plus(self.dice.between(200, 4_500)))
        } else if self.dice.chance(0.06) {
            Status::Suspended(founded.plus(self.dice.between(400, 6_000)))
        } else {
            Status::Active
        };
        if let Status::Closed(day) | Status::Suspended(day) = status
            && day > self.until
        {
            status = Status::Active;
        }
        let (directors, dissolved) = self.directors(founded, &founders, status);
        if let Some(day) = dissolved {
            status = Status::Closed(day);
        }
        let insuring = match self.dice.below(100) {
            ..84 => Insuring::All,
            84..93 => Insuring::Behind(self.until.plus(-self.dice.between(60, 900)).month().max(founded)),
            _ => Insuring::Never,
        };
        let name = self.company_name(form, industry);
        Some(Company {
            tax_code: self.tax_code(home)?,
            name,
            form,
            industry,
            capital: Dong::new(self.capital()),
            founded,
            status,
            founders,
            directors,
            address: Address::in_commune(self.units, home, &mut self.dice),
            branches: Vec::new(),
            insuring,
        })
    }

    /// Who represents the company until it ends. When one dies or grows old another takes over; where nobody can, it is dissolved.
    fn directors(
        &mut self,
        founded: Day,
        founders: &[PersonId],
        status: Status,
    ) -> (Vec<(Day, PersonId)>, Option<Day>) {
        let ends = match status {
            Status::Closed(day) | Status::Suspended(day) => day,
            Status::Active => self.until,
        };
        let mut directors = vec![(founded, founders[0])];
        let mut now = founded;
        loop {
            let director = &self.persons[directors[directors.len() - 1].1.at()];
            let old = director.birth.plus_years(70);
            let leaves = director.death.map_or(old, |death| death.min(old)).max(now.plus(1));
            if leaves >= ends || leaves > self.until {
                return (directors, None);
            }
            let gone = director.id;
            let fits =
                |p: &Person| p.id != gone && p.lives_on(leaves) && p.death != Some(leaves) && p.age_on(leaves) < 68;
            let founder = founders.iter().copied().find(|id| fits(&self.persons[id.at()]));
            let next = founder.or_else(|| self.grown(leaves, 25, 60).map(|p| p.id).filter(|id| *id != gone));
            match next {
                Some(next) => directors.push((leaves, next)),
                None => return (directors, Some(leaves)),
            }
            now = leaves;
        }
    }

    fn company_name(&mut self, form: Form, industry: &Industry) -> String {
        let word = self.dice.pick(&WORDS);
        let (before, trade) = match form {
            Form::OneMember => ("Công ty TNHH Một thành viên", industry.name),
            Form::JointStock => ("Công ty Cổ phần", industry.name),
            Form::Private => ("Doanh nghiệp tư nhân", ""),
            Form::Limited | Form::Public => ("Công ty TNHH", industry.name),
        };
        let mut name = format!("{before} {trade} {word}").replace("  ", " ");
        if self.dice.chance(0.3) {
            name = format!(
                "{name} {}",
                self.dice
                    .pick(&["Việt Nam", "Miền Bắc", "Sài Gòn", "Miền Trung", "24", "68"])
            );
        }
        name
    }

    /// From 100 million to 100 billion dong, small ones more often, in round sums.
    fn capital(&mut self) -> i64 {
        let millions = 10f64.powf(2.0 + 3.0 * self.dice.share() * self.dice.share());
        (millions / 100.0).round() as i64 * 100_000_000
    }

    fn shop(&mut self) -> Option<Shop> {
        let from = self.recent_day(1995);
        let owner = self.grown(from, 20, 64)?;
        let address = owner.residence_on(from)?.address;
        let industry = &INDUSTRIES[self.dice.weighted(&INDUSTRIES, |i| i.shops.into())];
        let lasts = from.plus(self.dice.between(300, 9_000));
        let to = Some(owner.death.map_or(lasts, |death| death.min(lasts))).filter(|to| *to <= self.until);
        let name = format!("Hộ kinh doanh {}", owner.name.given);
        Some(Shop {
            owner: owner.id,
            name,
            industry,
            from,
            to,
            address,
        })
    }
}
