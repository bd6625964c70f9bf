//! A little country: families, enterprises and what agencies know of them. Invented: names are common, numbers follow the
//! rules and belong to nobody known.

use std::collections::{BTreeMap, BTreeSet};

use base::codes::TaxCode;
use identity::{NewAccount, Sex};
use jiff::{ToSpan as _, civil::Date};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

use crate::demo::{
    answers::{FAMILY, GIVEN, STREETS, person_number},
    people,
};

/// Families.
const FAMILIES: usize = 1_200;
/// Enterprises.
const ENTERPRISES: usize = 300;
/// Customs declarations.
const DECLARATIONS: usize = 2_000;
/// The last day that the country knows of.
const TODAY: Date = jiff::civil::date(2026, 11, 1);
/// Calls about persons that are about the one whom the demonstration plays: one in so many.
const OFTEN: u32 = 12;

const MEN: [&str; 5] = ["Văn", "Đức", "Quang", "Minh", "Hữu"];
const WOMEN: [&str; 5] = ["Thị", "Ngọc", "Thu", "Thanh", "Thùy"];
const TRADES: [&str; 8] = [
    "Xây dựng",
    "Thương mại",
    "Vận tải",
    "May mặc",
    "Cơ khí",
    "Chế biến thực phẩm",
    "Du lịch",
    "Điện tử",
];
const BRANDS: [&str; 10] = [
    "Tràng An",
    "Hoa Lư",
    "Tam Cốc",
    "Vân Long",
    "Phát Diệm",
    "Đồng Giao",
    "Non Nước",
    "Bái Đính",
    "Cúc Phương",
    "Sông Vân",
];
const GOODS: [&str; 6] = [
    "Linh kiện điện tử",
    "Vải dệt thoi",
    "Máy công cụ",
    "Hạt nhựa",
    "Thép cuộn",
    "Phụ tùng ô tô",
];
const CLINICS: [&str; 3] = [
    "Trung tâm Y tế thành phố Hoa Lư",
    "Bệnh viện Đa khoa tỉnh Ninh Bình",
    "Trạm Y tế phường Hoa Lư",
];

/// A person, as the population database has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub number: String,
    pub name: String,
    pub born: Date,
    pub sex: Sex,
    pub street: String,
    pub mother: Option<String>,
    pub father: Option<String>,
    pub spouse: Option<String>,
    /// Code of the enterprise that employs them.
    pub employer: Option<String>,
}

/// An enterprise, as the business register has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enterprise {
    pub code: String,
    pub name: String,
    pub street: String,
    pub representative: String,
    pub founded: Date,
    pub closed: bool,
    /// In đồng.
    pub capital: i64,
    /// Taxes that it owes, in đồng, and how many days they are overdue.
    pub debt: i64,
    pub overdue_days: i64,
    pub employees: usize,
}

/// A customs declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    pub number: String,
    pub declared: Date,
    pub goods: &'static str,
    /// In đồng.
    pub value: i64,
    pub duty: i64,
}

/// A health insurance card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    pub number: String,
    pub kind: &'static str,
    pub from: Date,
    pub to: Date,
    pub clinic: &'static str,
}

/// Everything that the agencies know.
#[derive(Debug, PartialEq, Eq)]
pub struct Country {
    pub persons: BTreeMap<String, Person>,
    pub enterprises: BTreeMap<String, Enterprise>,
    pub cards: BTreeMap<String, Card>,
    /// By importer, each in the order of the numbers.
    pub declarations: BTreeMap<String, Vec<Declaration>>,
    /// The citizen and the business person of the demonstration.
    citizen: String,
    numbers: Vec<String>,
    codes: Vec<String>,
    importers: Vec<String>,
}

impl Country {
    /// The country of a seed.
    pub fn make(seed: u64) -> Self {
        let mut maker = Maker {
            rng: StdRng::seed_from_u64(seed),
            taken: BTreeSet::new(),
            persons: BTreeMap::new(),
        };
        let [citizen, business] = people::accounts();
        let own = maker.family(Some(&citizen));
        let other = maker.family(Some(&business));
        for _ in 2..FAMILIES {
            maker.family(None);
        }
        let enterprises = maker.enterprises(&business, &other);
        let cards = maker.cards();
        let declarations = maker.declarations(&enterprises);
        Self {
            numbers: maker.persons.keys().cloned().collect(),
            codes: enterprises.keys().cloned().collect(),
            importers: declarations.keys().cloned().collect(),
            citizen: own,
            persons: maker.persons,
            enterprises,
            cards,
            declarations,
        }
    }

    /// The day on which everything here is so.
    pub const fn today() -> Date {
        TODAY
    }

    /// The number of somebody; now and then of the citizen whom the demonstration plays.
    pub fn somebody(&self, rng: &mut StdRng) -> &str {
        if rng.random_ratio(1, OFTEN) {
            return &self.citizen;
        }
        self.numbers.choose(rng).unwrap_or(&self.citizen)
    }

    /// The code of some enterprise.
    pub fn some_enterprise(&self, rng: &mut StdRng) -> &str {
        self.codes.choose(rng).map_or("", String::as_str)
    }

    /// The code of an enterprise that imports.
    pub fn some_importer(&self, rng: &mut StdRng) -> &str {
        self.importers.choose(rng).map_or("", String::as_str)
    }

    /// The citizen whom the demonstration plays.
    pub fn citizen(&self) -> &str {
        &self.citizen
    }
}

struct Maker {
    rng: StdRng,
    taken: BTreeSet<String>,
    persons: BTreeMap<String, Person>,
}

impl Maker {
    /// Parents and children; one of the parents may be somebody who is known already. The number of that one, or of a parent.
    fn family(&mut self, known: Option<&NewAccount>) -> String {
        let street = format!("Số {}, đường {}", self.rng.random_range(1..300), self.pick(&STREETS));
        let known_born = known.and_then(|account| account.birth_date);
        let father_born = known_born.unwrap_or_else(|| self.day_in(1952, 1998));
        let mother_born = known_born.unwrap_or_else(|| {
            let year = father_born.year() + self.rng.random_range(-3..6);
            self.day_in(year, year)
        });
        let [mut father, mut mother] = [(Sex::Male, father_born), (Sex::Female, mother_born)].map(|(sex, born)| {
            match known.filter(|account| account.sex == Some(sex)) {
                Some(account) => self.known(account, born, sex, &street),
                None => {
                    let family = self.pick(&FAMILY);
                    self.person(family, born, sex, &street)
                }
            }
        });
        father.spouse = Some(mother.number.clone());
        mother.spouse = Some(father.number.clone());
        let family = father.name.split(' ').next().unwrap_or(FAMILY[0]).to_owned();
        let first = mother.born.year() + 22;
        for _ in 0..self.rng.random_range(0..4) {
            let last = (mother.born.year() + 38).min(TODAY.year() - 1);
            if first > last {
                break;
            }
            let (born, sex) = (self.day_in(first, last), self.sex());
            let mut child = self.person(&family, born, sex, &street);
            child.mother = Some(mother.number.clone());
            child.father = Some(father.number.clone());
            self.add(child);
        }
        let own = match known.and_then(|account| account.sex) {
            Some(Sex::Female) => mother.number.clone(),
            _ => father.number.clone(),
        };
        self.add(father);
        self.add(mother);
        own
    }

    fn add(&mut self, person: Person) {
        self.persons.insert(person.number.clone(), person);
    }

    fn known(&mut self, account: &NewAccount, born: Date, sex: Sex, street: &str) -> Person {
        let number = account.person_number.clone().unwrap_or_default();
        self.taken.insert(number.clone());
        Person {
            name: account.name.clone(),
            number,
            ..Self::blank(born, sex, street)
        }
    }

    fn person(&mut self, family: &str, born: Date, sex: Sex, street: &str) -> Person {
        let middle = if sex == Sex::Female { WOMEN } else { MEN };
        let name = format!("{family} {} {}", self.pick(&middle), self.pick(&GIVEN));
        let number = loop {
            let number = person_number(&mut self.rng, born.year(), sex == Sex::Female);
            if self.taken.insert(number.clone()) {
                break number;
            }
        };
        Person {
            number,
            name,
            ..Self::blank(born, sex, street)
        }
    }

    fn blank(born: Date, sex: Sex, street: &str) -> Person {
        Person {
            number: String::new(),
            name: String::new(),
            born,
            sex,
            street: street.to_owned(),
            mother: None,
            father: None,
            spouse: None,
            employer: None,
        }
    }

    fn enterprises(&mut self, business: &NewAccount, owner: &str) -> BTreeMap<String, Enterprise> {
        let adults: Vec<String> = self.of_age(25, 70);
        let mut all = BTreeMap::new();
        if let Some(own) = business.organisations.first() {
            let mut enterprise = self.enterprise(own.tax_code.clone(), owner);
            enterprise.name.clone_from(&own.name);
            (enterprise.closed, enterprise.debt, enterprise.overdue_days) = (false, 0, 0);
            all.insert(own.tax_code.clone(), enterprise);
        }
        while all.len() < ENTERPRISES {
            let code = self.tax_code();
            let representative = adults.choose(&mut self.rng).map_or(owner, String::as_str).to_owned();
            let enterprise = self.enterprise(code.clone(), &representative);
            all.insert(code, enterprise);
        }
        let open: Vec<String> = all.values().filter(|e| !e.closed).map(|e| e.code.clone()).collect();
        for number in self.of_age(18, 60) {
            if !self.rng.random_bool(0.7) {
                continue;
            }
            let Some(code) = open.choose(&mut self.rng) else { break };
            if let (Some(person), Some(enterprise)) = (self.persons.get_mut(&number), all.get_mut(code)) {
                person.employer = Some(code.clone());
                enterprise.employees += 1;
            }
        }
        all
    }

    /// The numbers of those who are so many years old.
    fn of_age(&self, from: i16, to: i16) -> Vec<String> {
        let years = (TODAY.year() - to)..=(TODAY.year() - from);
        let found = self
            .persons
            .values()
            .filter(|person| years.contains(&person.born.year()));
        found.map(|person| person.number.clone()).collect()
    }

    fn enterprise(&mut self, code: String, representative: &str) -> Enterprise {
        let name = format!("Công ty TNHH {} {}", self.pick(&TRADES), self.pick(&BRANDS));
        let owes = self.rng.random_bool(0.25);
        Enterprise {
            code,
            name,
            street: format!("Số {}, đường {}", self.rng.random_range(1..300), self.pick(&STREETS)),
            representative: representative.to_owned(),
            founded: self.day_in(2001, TODAY.year() - 1),
            closed: self.rng.random_bool(0.06),
            capital: self.rng.random_range(1..400) * 50_000_000,
            debt: if owes {
                self.rng.random_range(1..900) * 1_000_000
            } else {
                0
            },
            overdue_days: if owes { self.rng.random_range(1..400) } else { 0 },
            employees: 0,
        }
    }

    /// A code that follows the rules: of Ninh Bình, with its check digit.
    fn tax_code(&mut self) -> String {
        loop {
            let stem = format!("27{:07}", self.rng.random_range(1..2_000_000));
            let code = (0..=9)
                .map(|digit| format!("{stem}{digit}"))
                .find(|code| code.parse::<TaxCode>().is_ok());
            if let Some(code) = code.filter(|code| self.taken.insert(code.clone())) {
                return code;
            }
        }
    }

    fn cards(&mut self) -> BTreeMap<String, Card> {
        let mut cards = BTreeMap::new();
        let persons: Vec<(String, i16, bool)> = self
            .persons
            .values()
            .map(|person| (person.number.clone(), person.born.year(), person.employer.is_some()))
            .collect();
        for (n, (number, born, employed)) in persons.into_iter().enumerate() {
            let kind = match (TODAY.year() - born, employed) {
                (age, _) if age < 6 => "TE",
                (age, _) if age < 18 => "HS",
                (_, true) => "DN",
                (age, _) if age > 60 => "HT",
                // Some have none.
                _ if self.rng.random_bool(0.2) => continue,
                _ => "GD",
            };
            let from = self.day_in(TODAY.year() - 1, TODAY.year() - 1);
            let card = Card {
                number: format!("37{:08}", n + 1),
                kind,
                from,
                to: from.saturating_add(2.years()),
                clinic: self.pick(&CLINICS),
            };
            cards.insert(number, card);
        }
        cards
    }

    fn declarations(&mut self, enterprises: &BTreeMap<String, Enterprise>) -> BTreeMap<String, Vec<Declaration>> {
        let importers: Vec<&str> = enterprises
            .values()
            .filter(|e| !e.closed)
            .map(|e| e.code.as_str())
            .step_by(3)
            .collect();
        let mut all: BTreeMap<String, Vec<Declaration>> = BTreeMap::new();
        for n in 0..DECLARATIONS {
            let Some(importer) = importers.choose(&mut self.rng) else {
                break;
            };
            let value = self.rng.random_range(20..5_000) * 1_000_000;
            let declaration = Declaration {
                number: format!("10{:010}", 500_000 + n * 7),
                declared: TODAY.saturating_sub(self.rng.random_range(1..300_i64).days()),
                goods: self.pick(&GOODS),
                value,
                duty: value * self.rng.random_range(0..25) / 100,
            };
            all.entry((*importer).to_owned()).or_default().push(declaration);
        }
        all
    }

    fn pick(&mut self, list: &[&'static str]) -> &'static str {
        list.choose(&mut self.rng).copied().unwrap_or_default()
    }

    fn sex(&mut self) -> Sex {
        if self.rng.random() { Sex::Female } else { Sex::Male }
    }

    fn day_in(&mut self, first: i16, last: i16) -> Date {
        let year = self.rng.random_range(first..=last.max(first));
        Date::new(year, self.rng.random_range(1..=12), self.rng.random_range(1..=28)).unwrap_or(TODAY)
    }
}
