//! How many are born in a year, and how long they live. In the spirit of the censuses of 1979 to 2019 and the United Nations'
//! estimates before them; no figure here is a statistic.

use base::codes::Sex;

use crate::{day::Day, dice::Dice};

/// Births a year in hundred thousands, every five years from 1910.
const BIRTHS: [f64; 24] = [
    4.5, 4.8, 5.2, 5.8, 6.4, 7.0, 7.8, 8.2, 9.5, 12.5, 14.5, 15.5, 16.5, 17.0, 18.0, 19.0, 19.6, 16.4, 13.6, 13.8,
    14.9, 15.8, 15.0, 13.6,
];
const FIRST_YEAR: i32 = 1910;

/// The weight of a year's births among all years'.
pub fn births_in(year: i32) -> f64 {
    let since = f64::from((year - FIRST_YEAR).max(0)) / 5.0;
    let at = (since as usize).min(BIRTHS.len() - 1);
    let next = BIRTHS[(at + 1).min(BIRTHS.len() - 1)];
    BIRTHS[at] + (next - BIRTHS[at]) * (since - at as f64).clamp(0.0, 1.0)
}

/// The chances of one life.
struct Chances {
    /// Dying in the first year.
    infant: f64,
    /// Dying of an accident or an illness between 1 and 60.
    early: f64,
    /// The most common age of those who die old, and how far around it they spread (Gompertz).
    old_age: f64,
    spread: f64,
}

fn chances(born: i32, sex: Sex) -> Chances {
    let modern = (f64::from(born - 1920) / 100.0).clamp(0.0, 1.0);
    let (early, old_age) = if sex == Sex::Male { (0.12, 77.0) } else { (0.06, 85.0) };
    Chances {
        infant: 0.11 - 0.098 * modern,
        early: early - 0.4 * early * modern,
        old_age: old_age + 2.0 * modern,
        spread: 9.5,
    }
}

/// The day of death of somebody born on `birth`.
pub fn death_after(birth: Day, sex: Sex, dice: &mut Dice) -> Day {
    let chances = chances(birth.year(), sex);
    let fate = dice.share();
    let days = if fate < chances.infant {
        let share = dice.share();
        share * share * 365.0
    } else if fate < chances.infant + chances.early {
        (1.0 + dice.share() * 59.0) * 365.25
    } else {
        // The share who live beyond an age x is exp(-exp((x - old_age) / spread)).
        let age = chances.old_age + chances.spread * (-dice.share().max(1e-12).ln()).ln();
        age.clamp(1.0, 108.0) * 365.25
    };
    birth.plus(days as i32)
}

/// The share of those born in a year who still live at an age.
fn survival(born: i32, sex: Sex, age: f64) -> f64 {
    let chances = chances(born, sex);
    let early = chances.early * ((age - 1.0) / 59.0).clamp(0.0, 1.0);
    let rest = 1.0 - chances.infant - chances.early;
    let infant_left = chances.infant * (1.0 - age.min(1.0).sqrt());
    let old = (-((age - chances.old_age) / chances.spread).exp()).exp();
    infant_left + chances.early - early + rest * old
}

/// The weight of those who still live on a day among all who were born since `first`: births are this many times fewer.
pub fn expected_living(first: i32, until: Day) -> f64 {
    let share_of_last = f64::from(until.since(Day::of(until.year(), 1, 1)) + 1) / 365.25;
    (first..=until.year())
        .map(|year| {
            let (births, age) = if year == until.year() {
                (births_in(year) * share_of_last, share_of_last / 2.0)
            } else {
                (births_in(year), f64::from(until.year() - year) + share_of_last - 0.5)
            };
            births * (survival(year, Sex::Male, age) + survival(year, Sex::Female, age)) / 2.0
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deaths_follow_the_survival() {
        for (born, sex) in [(1930, Sex::Male), (1960, Sex::Female), (2000, Sex::Male)] {
            let mut dice = Dice::of(&[born as u64]);
            let ages: Vec<i32> = (0..20_000)
                .map(|_| death_after(Day::of(born, 6, 1), sex, &mut dice).since(Day::of(born, 6, 1)))
                .collect();
            for age in [0.3, 1.0, 20.0, 50.0, 70.0, 85.0, 95.0] {
                let alive = ages.iter().filter(|d| f64::from(**d) > age * 365.25).count() as f64 / 20_000.0;
                let said = survival(born, sex, age);
                assert!(
                    (alive - said).abs() < 0.012,
                    "{born} {sex:?} at {age}: {alive} for {said}"
                );
            }
        }
    }
}
