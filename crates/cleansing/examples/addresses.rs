//! How many addresses a second one core locates: `cargo run -p cleansing --release --example addresses [COUNT]`.
//!
//! The addresses are made from the units themselves: half of the old list and half of the new, in full, abbreviated, without
//! marks, and with one letter dropped.

use std::{error::Error, io::Write as _};

use cleansing::address::{Certainty, Gazetteer, Level};

/// Seconds of processor time that this thread has had: on a shared machine, the clock on the wall says little.
fn processor_seconds() -> Result<f64, Box<dyn Error>> {
    let figures = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = figures.split(' ').next().unwrap_or_default().parse()?;
    Ok(nanoseconds / 1e9)
}

fn main() -> Result<(), Box<dyn Error>> {
    let count: usize = std::env::args().nth(1).map_or(Ok(200_000), |n| n.parse())?;
    let begun = processor_seconds()?;
    let gazetteer = Gazetteer::from_csv(
        [
            include_str!("../../../data/units/provinces.csv"),
            include_str!("../../../data/units/districts-2024.csv"),
            include_str!("../../../data/units/communes.csv"),
        ],
        include_str!("../../../data/units/changes-2025.csv"),
    )?;
    let built = processor_seconds()? - begun;
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
    let begun = processor_seconds()?;
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
    let took = processor_seconds()? - begun;
    let [unknown, choose, likely, certain] = found;
    writeln!(
        std::io::stdout(),
        "index in {built:.2} s; {count} addresses in {took:.2} s of processor time: {:.0} a second; certain {certain}, likely {likely}, choose {choose}, unknown {unknown}",
        count as f64 / took
    )?;
    Ok(())
}
