//! The copies that two agencies keep.

use base::codes::Sex;

use super::{Profile, Slip, Slips, spelling};
use crate::{
    community::Community,
    day::{Day, MERGER},
    dice::Dice,
    people::{Person, PersonId},
    places::Units,
};

/// Who keeps the copies. The two never agreed on a key, a form or a spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Agency {
    /// Something like a register of residents: dates as `1990-05-12`, names as in the papers, nearly everybody.
    A,
    /// Something like an insurer: dates as `12/05/1990`, names often in capitals, fewer people, some dead ones left in.
    B,
}

/// A copy of a person's record as an agency keeps it. Every field is the text that its file has; empty where it has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The key in the agency's file: its letter and a number.
    pub key: String,
    /// Full name.
    pub name: String,
    /// Day of birth in the agency's form; the year alone where it knows no more.
    pub birth: String,
    /// `Nam` or `Nữ`; `1` or `0` at B.
    pub sex: &'static str,
    /// Personal number, or what stands in its place.
    pub number: String,
    /// Telephone.
    pub phone: String,
    /// Address in free text.
    pub address: String,
    /// Code of the commune, from the list of the address.
    pub commune: String,
    /// The father's name.
    pub father: String,
    /// The mother's name.
    pub mother: String,
    /// The truth: whose copy it is.
    pub cluster: PersonId,
    /// The truth: what is wrong with it.
    pub slips: Slips,
}

/// The copies that an agency keeps of a community.
pub fn records(community: &Community, units: &Units, agency: Agency, profile: Profile) -> Vec<Record> {
    let stream = 8 + agency as u64;
    let mut clerk = Clerk {
        community,
        units,
        agency,
        profile,
        dice: Dice::of(&[community.seed(), stream, community.index.into()]),
        written: 0,
        slips: Slips::default(),
    };
    let mut records = Vec::new();
    for person in &community.persons {
        if !clerk.knows(person) {
            continue;
        }
        records.push(clerk.record(person));
        if clerk.dice.chance(profile.rate(Slip::Duplicate)) {
            let mut second = clerk.record(person);
            second.slips.add(Slip::Duplicate);
            records.push(second);
        }
    }
    records
}

struct Clerk<'a> {
    community: &'a Community,
    units: &'a Units,
    agency: Agency,
    profile: Profile,
    dice: Dice,
    written: u32,
    /// Of the copy being written.
    slips: Slips,
}

impl Clerk<'_> {
    fn knows(&mut self, person: &Person) -> bool {
        let chance = match (self.agency, person.death) {
            (Agency::A, None) => 0.98,
            (Agency::B, None) => 0.9,
            (Agency::A, Some(_)) => 0.0,
            (Agency::B, Some(death)) if death >= Day::of(2015, 1, 1) => 0.08,
            (Agency::B, Some(_)) => 0.0,
        };
        self.dice.chance(chance)
    }

    /// Whether a mistake is made that can be made; it is noted.
    fn slips(&mut self, slip: Slip) -> bool {
        let slipped = self.dice.chance(self.profile.rate(slip));
        if slipped {
            self.slips.add(slip);
        }
        slipped
    }

    fn record(&mut self, person: &Person) -> Record {
        self.slips = Slips::default();
        self.written += 1;
        let key = format!("{:?}{:05}{:05}", self.agency, self.community.index, self.written);
        let name = self.name(person);
        let (address, commune) = self.address(person);
        let parents = !self.slips(Slip::NoParents);
        let parent = |id: Option<PersonId>| {
            id.filter(|_| parents)
                .map(|id| self.as_typed(self.community.person(id)))
        };
        let (father, mother) = (parent(person.father), parent(person.mother));
        Record {
            key,
            name,
            birth: self.birth(person),
            sex: self.sex(person),
            number: self.number(person),
            phone: self.phone(person),
            address,
            commune,
            father: father.unwrap_or_default(),
            mother: mother.unwrap_or_default(),
            cluster: person.id,
            slips: self.slips,
        }
    }

    fn name(&mut self, person: &Person) -> String {
        let parts: Vec<&str> = person.name.parts().collect();
        let mut name = self.parts(&parts, person);
        if self.slips(Slip::Typo) {
            name = spelling::typo(&name, &mut self.dice);
        } else {
            let sounds = spelling::by_sound(&name, &mut self.dice);
            if sounds != name && self.slips(Slip::Sound) {
                name = sounds;
            }
        }
        let capitals = self.dice.chance(if self.agency == Agency::B { 0.5 } else { 0.05 });
        let marks = spelling::without_marks(&name) != name;
        if marks && self.slips(Slip::NoMarks) {
            name = spelling::without_marks(&name);
        } else if marks && self.slips(Slip::Telex) {
            name = spelling::telex(&name);
        } else if marks && self.slips(Slip::Vni) {
            name = spelling::vni(&name);
        } else {
            name = self.marks(name);
        }
        if capitals { name.to_uppercase() } else { name }
    }

    /// The name of a parent, by the same hand on the same keys.
    fn as_typed(&self, person: &Person) -> String {
        let name = person.name.to_string();
        if self.slips.has(Slip::NoMarks) {
            spelling::without_marks(&name)
        } else if self.slips.has(Slip::Telex) {
            spelling::telex(&name)
        } else if self.slips.has(Slip::Vni) {
            spelling::vni(&name)
        } else {
            name
        }
    }

    /// Marks that are there but not where they should be.
    fn marks(&mut self, mut name: String) -> String {
        if name.contains(['đ', 'Đ']) && self.slips(Slip::PlainD) {
            name = spelling::plain_d(&name);
        }
        let placed = spelling::other_tone_place(&name);
        if placed != name && self.slips(Slip::TonePlace) {
            name = placed;
        }
        let apart = spelling::decomposed(&name);
        if apart != name && self.slips(Slip::Decomposed) {
            name = apart;
        }
        name
    }

    /// The parts of the name as they are put together.
    fn parts(&mut self, parts: &[&str], person: &Person) -> String {
        let (Some((first, rest)), Some((last, middle))) = (
            parts.split_first(),
            parts
                .split_last()
                .map(|(last, before)| (last, before.get(1..).unwrap_or_default())),
        ) else {
            return String::new();
        };
        if self.slips(Slip::OtherName) {
            // What the neighbours call them: the given name of a grandparent's fashion.
            let other = crate::people::name_of(
                person.ethnicity,
                crate::people::Region::North,
                person.sex,
                person.birth.year() - 25,
                Some(person.name.surname),
                &mut self.dice,
            );
            return other.to_string();
        }
        if rest.is_empty() {
            return (*first).to_owned();
        }
        if !middle.is_empty() && self.slips(Slip::ShortMiddle) {
            let initial = middle[0].chars().next().filter(|_| self.dice.chance(0.5));
            return match initial {
                Some(initial) => format!("{first} {initial}. {last}"),
                None => format!("{first} {last}"),
            };
        }
        if self.slips(Slip::Order) {
            return format!("{last} {first} {}", middle.join(" ")).trim_end().to_owned();
        }
        parts.join(" ")
    }

    fn birth(&mut self, person: &Person) -> String {
        let (mut year, mut month, mut day) = person.birth.parts();
        if self.slips(Slip::YearOnly) {
            return year.to_string();
        }
        if (month, day) != (1, 1) && self.slips(Slip::DefaultBirthday) {
            (month, day) = (1, 1);
        } else if day <= 12 && day != month && self.slips(Slip::DayMonth) {
            (month, day) = (day, month);
        } else if self.slips(Slip::YearOff) {
            year += if self.dice.chance(0.5) { 1 } else { -1 };
            // 29 February is no day of another year.
            day = if (month, day) == (2, 29) { 28 } else { day };
        }
        match self.agency {
            Agency::A => format!("{year:04}-{month:02}-{day:02}"),
            Agency::B => format!("{day:02}/{month:02}/{year:04}"),
        }
    }

    fn sex(&mut self, person: &Person) -> &'static str {
        let male = (person.sex == Sex::Male) != self.slips(Slip::Sex);
        match (self.agency, male) {
            (Agency::A, true) => "Nam",
            (Agency::A, false) => "Nữ",
            (Agency::B, true) => "1",
            (Agency::B, false) => "0",
        }
    }

    fn number(&mut self, person: &Person) -> String {
        let old = person.old_card.map(|(card, _)| format!("{card:09}"));
        let new = person.number.map(|(number, _)| format!("{number:012}"));
        let mut number = match (new, old) {
            (Some(_), Some(old)) if self.slips(Slip::OldCard) => old,
            (Some(new), _) => new,
            (None, old) => old.unwrap_or_default(),
        };
        if number.is_empty() {
            return number;
        }
        if self.slips(Slip::NoNumber) {
            return String::new();
        }
        let at = self.dice.below(number.len() as u64 - 1) as usize;
        let mut digits = number.into_bytes();
        if digits[at] != digits[at + 1] && self.slips(Slip::Transposed) {
            digits.swap(at, at + 1);
        } else if self.slips(Slip::Digit) {
            digits[at] = b'0' + (digits[at] - b'0' + 1 + self.dice.below(9) as u8) % 10;
        }
        number = digits.into_iter().map(char::from).collect();
        if number.starts_with('0') && self.slips(Slip::LeadingZero) {
            number = number.trim_start_matches('0').to_owned();
        }
        number
    }

    fn phone(&mut self, person: &Person) -> String {
        let other = self
            .housemate(person)
            .and_then(|mate| mate.phone)
            .filter(|phone| Some(*phone) != person.phone);
        let phone = match (person.phone, other) {
            (_, Some(other)) if self.slips(Slip::OthersPhone) => other,
            (Some(own), _) if !self.slips(Slip::NoPhone) => own,
            _ => return String::new(),
        };
        match (self.agency, self.dice.below(3)) {
            (Agency::A, _) => format!("0{phone:09}"),
            (Agency::B, 0) => format!("+84{phone:09}"),
            (Agency::B, 1) => {
                let digits = format!("0{phone:09}");
                format!("{} {} {}", &digits[..4], &digits[4..7], &digits[7..])
            }
            (Agency::B, _) => format!("{phone:09}"),
        }
    }

    /// Somebody of the same household.
    fn housemate(&mut self, person: &Person) -> Option<&Person> {
        let household = person.residences.last()?.household as usize;
        let members = self
            .community
            .households
            .get(household)
            .filter(|members| members.len() > 1)?;
        let mate = self.dice.pick(members);
        (mate != person.id).then(|| self.community.person(mate))
    }

    fn address(&mut self, person: &Person) -> (String, String) {
        if self.slips(Slip::NoAddress) {
            return Default::default();
        }
        let mut day = person.death.unwrap_or(self.community.until);
        let mut stay = person.residences.last();
        if person.residences.len() > 1 && self.slips(Slip::FormerAddress) {
            stay = person.residences.get(person.residences.len() - 2);
            // It was written down while they lived there.
            day = person.residences.last().map_or(day, |last| last.from.plus(-1));
        }
        let Some(stay) = stay else { return Default::default() };
        if day >= MERGER && stay.from < MERGER && self.slips(Slip::OldUnits) {
            day = MERGER.plus(-1);
        }
        let text = stay.address.text(self.units, day);
        let text = if self.agency == Agency::B {
            shortened(&text)
        } else {
            text
        };
        (text, stay.address.commune_code(self.units, day).to_owned())
    }
}

/// As it is written where there is little room.
fn shortened(address: &str) -> String {
    let short = [
        (", phường ", ", P. "),
        (", xã ", ", X. "),
        (", thị trấn ", ", TT. "),
        (", quận ", ", Q. "),
        (", huyện ", ", H. "),
        (", thị xã ", ", TX. "),
        (", thành phố ", ", TP. "),
        (", tỉnh ", ", "),
        ("Số ", ""),
        (" đường ", " "),
    ];
    short
        .iter()
        .fold(address.to_owned(), |text, (long, short)| text.replace(long, short))
}
