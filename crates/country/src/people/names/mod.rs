//! Names by sex, decade, region and ethnic group.

mod foreign;
mod kinh;
mod minorities;

use std::fmt;

use base::codes::Sex;

pub use foreign::foreigner;

use super::Ethnicity;
use crate::dice::Dice;

/// How the parts of a name stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Surname, middle, given: `Nguyễn Thị Hoa`.
    SurnameFirst,
    /// Given, then clan: `H'Hen Niê`, `Y Moan Êñuôl`.
    ClanLast,
}

/// A name in its parts. Parts that a people has not are empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name {
    /// How they stand.
    pub order: Order,
    /// Surname or clan.
    pub surname: &'static str,
    /// Up to two middle names.
    pub middle: [&'static str; 2],
    /// Given name; may hold a particle of the people: `H'Hen`, `Y Moan`.
    pub given: &'static str,
}

impl Name {
    /// The parts as they are written, without empty ones.
    pub fn parts(&self) -> impl Iterator<Item = &'static str> + use<> {
        let [first, second] = self.middle;
        let parts = match self.order {
            Order::SurnameFirst => [self.surname, first, second, self.given],
            Order::ClanLast => [first, second, self.given, self.surname],
        };
        parts.into_iter().filter(|part| !part.is_empty())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, part) in self.parts().enumerate() {
            if n > 0 {
                f.write_str(" ")?;
            }
            f.write_str(part)?;
        }
        Ok(())
    }
}

/// Where surnames sound how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// Hoàng, Vũ.
    North,
    /// Huỳnh, Võ.
    South,
}

/// A name for a child. `inherited` is the surname of the parent whose name it takes.
pub fn name_of(
    ethnicity: Ethnicity,
    region: Region,
    sex: Sex,
    born: i32,
    inherited: Option<&'static str>,
    dice: &mut Dice,
) -> Name {
    match minorities::people_of(ethnicity) {
        Some(people) => people.name(sex, born, inherited, dice),
        None => kinh::name(region, sex, born, inherited, dice),
    }
}

#[cfg(test)]
mod tests {
    use base::text::is_person_name;

    use super::*;

    #[test]
    fn every_people_has_names_that_are_names() {
        use Ethnicity::*;
        let mut dice = Dice::of(&[1]);
        for ethnicity in [
            Kinh, Tay, Thai, Hoa, Khmer, Muong, Nung, Hmong, Dao, GiaRai, EDe, BaNa, XoDang, CoHo, Cham,
        ] {
            for sex in [Sex::Male, Sex::Female] {
                for born in [1935, 1970, 2015] {
                    for _ in 0..50 {
                        let name = name_of(ethnicity, Region::South, sex, born, None, &mut dice);
                        let text = name.to_string();
                        assert!(is_person_name(&text), "{text}");
                        assert_eq!(base::text::nfc(&text), text);
                        assert_eq!(base::text::normalise_tone(&text), text, "one place for the tone");
                        assert!(text.split(' ').count() >= 2, "{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn surnames_have_their_published_shares() {
        let mut dice = Dice::of(&[2]);
        let names: Vec<Name> = (0..20_000)
            .map(|_| name_of(Ethnicity::Kinh, Region::North, Sex::Male, 1990, None, &mut dice))
            .collect();
        for (surname, share) in [
            ("Nguyễn", 0.384),
            ("Trần", 0.11),
            ("Lê", 0.095),
            ("Phạm", 0.071),
            ("Hoàng", 0.051),
        ] {
            let found = names.iter().filter(|n| n.surname == surname).count() as f64 / 20_000.0;
            assert!((found - share).abs() < 0.012, "{surname}: {found}");
        }
        assert!(names.iter().all(|n| n.surname != "Huỳnh" && n.surname != "Võ"));
    }

    #[test]
    fn thi_fades_over_the_decades() {
        let share = |born| {
            let mut dice = Dice::of(&[3]);
            let of = |_| name_of(Ethnicity::Kinh, Region::South, Sex::Female, born, None, &mut dice);
            (0..5_000).map(of).filter(|n| n.middle[0] == "Thị").count() as f64 / 5_000.0
        };
        let (old, young) = (share(1940), share(2015));
        assert!(old > 0.75 && young < 0.35, "{old} {young}");
    }
}
