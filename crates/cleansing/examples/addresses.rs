//! How many addresses a second one core locates: `cargo run -p cleansing --release --example addresses [COUNT]`.
//!
//! The addresses are made from the units themselves: half of the old list and half of the new, in full, abbreviated, without
//! marks, and with one letter dropped.

use std::{error::Error, io::Write as _, time::Instant};

use cleansing::address::{Certainty, Gazetteer, Level};

fn main() -> Result<(), Box<dyn Error>> {
    let count: usize = std::env::args().nth(1).map_or(Ok(200_000), |n| n.parse())?;
    let begun = Instant::now();
    let gazetteer = Gazetteer::from_csv(
        [
            include_str!("../../../data/units/provinces.csv"),
            include_str!("../../../data/units/districts-2024.csv"),
            include_str!("../../../data/units/communes.csv"),
        ],
        include_str!("../../../data/units/changes-2025.csv"),
    )?;
    let built = begun.elapsed();
    let communes: Vec<_> = gazetteer.units().iter().filter(|u| u.level == Level::Commune).collect();
    let addresses: Vec<String> = communes
        .iter()
        .cycle()
        .step_by(7)
        .take(count)
        .enumerate()
        .map(|(n, unit)| {
            let above = [gazetteer.district_of(unit), gazetteer.province_of(unit)];
            let parts: Vec<String> = above.into_iter().flatten().map(|u| u.title()).collect();
            let full = format!("Số {n}, đường Trần Phú, {}, {}", unit.title(), parts.join(", "));
            match n % 4 {
                0 => full,
                1 => full
                    .replace("phường ", "P.")
                    .replace("quận ", "Q.")
                    .replace("thành phố ", "TP "),
                2 => base::text::fold(&full),
                _ => {
                    let mut name: Vec<char> = unit.title().chars().collect();
                    name.pop();
                    format!("{}, {}", name.into_iter().collect::<String>(), parts.join(", "))
                }
            }
        })
        .collect();
    let mut found = [0_usize; 4];
    let begun = Instant::now();
    for address in &addresses {
        let at = match gazetteer.locate(address, None).certainty {
            Certainty::Unknown => 0,
            Certainty::Choose => 1,
            Certainty::Likely => 2,
            Certainty::Certain => 3,
        };
        if let Some(n) = found.get_mut(at) {
            *n += 1;
        }
    }
    let took = begun.elapsed();
    let [unknown, choose, likely, certain] = found;
    writeln!(
        std::io::stdout(),
        "index in {built:.1?}; {count} addresses in {took:.2?}: {:.0} a second; certain {certain}, likely {likely}, choose {choose}, unknown {unknown}",
        count as f64 / took.as_secs_f64()
    )?;
    Ok(())
}
