//! Cleans a generated file and says how fast, and with how much memory: `cargo run -p cleansing --release --example clean
//! [MEGABYTES]`. The persons are invented.

use std::{
    error::Error,
    fs::File,
    io::{BufWriter, Write},
};

use cleansing::{
    address::{Gazetteer, Level},
    clean::{Options, clean},
    layout::Layout,
};

const LAYOUT: &str = "
    keys = ['cccd']
    [[field]]
    id = 'ho_ten'
    names = ['Họ và tên']
    type = 'name'
    [[field]]
    id = 'ngay_sinh'
    names = ['Ngày sinh']
    type = 'birthday'
    [[field]]
    id = 'cccd'
    names = ['Số CCCD']
    type = 'id-number'
    [[field]]
    id = 'dien_thoai'
    names = ['Điện thoại']
    type = 'phone'
    [[field]]
    id = 'dia_chi'
    names = ['Địa chỉ']
    type = 'address'
";

/// Seconds of processor time that this thread has had: on a shared machine, the clock on the wall says little.
fn processor_seconds() -> Result<f64, Box<dyn Error>> {
    let figures = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = figures.split(' ').next().unwrap_or_default().parse()?;
    Ok(nanoseconds / 1e9)
}

fn main() -> Result<(), Box<dyn Error>> {
    let megabytes: u64 = std::env::args().nth(1).map_or(Ok(300), |n| n.parse())?;
    let folder = tempfile::tempdir()?;
    let [input, good, report] = ["in.csv", "good.csv", "report.csv"].map(|f| folder.path().join(f));
    let gazetteer = Gazetteer::from_csv(
        [
            include_str!("../../../data/units/provinces.csv"),
            include_str!("../../../data/units/districts-2024.csv"),
            include_str!("../../../data/units/communes.csv"),
        ],
        include_str!("../../../data/units/changes-2025.csv"),
    )?;
    generate(BufWriter::new(File::create(&input)?), megabytes << 20, &gazetteer)?;
    let layout = Layout::from_toml(LAYOUT)?;
    let options = Options {
        input: &input,
        layout: &layout,
        good: &good,
        report: &report,
        strict: false,
        resume: false,
        show_values: false,
        today: jiff::civil::date(2026, 11, 26),
        written: None,
        gazetteer: Some(&gazetteer),
        checkpoint_rows: 20_000,
        key_memory: 64 << 20,
    };
    let begun = processor_seconds()?;
    let summary = clean(&options, &mut |_| {})?;
    let took = processor_seconds()? - begun;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|l| l.starts_with("VmHWM")).unwrap_or("VmHWM: ?");
    writeln!(
        std::io::stdout(),
        "{megabytes} MB, {} rows in {took:.1} s of processor time: {:.0} rows and {:.1} MB a second; {peak}\n{summary:#?}",
        summary.rows,
        summary.rows as f64 / took,
        megabytes as f64 / took
    )?;
    Ok(())
}

fn generate(mut out: impl Write, size: u64, gazetteer: &Gazetteer) -> Result<(), Box<dyn Error>> {
    writeln!(out, "\u{feff}Họ và tên;Ngày sinh;Số CCCD;Điện thoại;Địa chỉ")?;
    let communes: Vec<_> = gazetteer.units().iter().filter(|u| u.level == Level::Commune).collect();
    let families = ["NGUYỄN", "Trần", "lê", "Phạm", "HOÀNG", "Vũ"];
    let given = ["VĂN AN", "Thị Hoà", "thị thuý", "Đức  Bình", "MINH KHUÊ"];
    let (mut written, mut n) = (0, 0_usize);
    while written < size {
        let unit = communes.get(n * 7 % communes.len()).ok_or("no communes")?;
        let above = [gazetteer.district_of(unit), gazetteer.province_of(unit)];
        let above: Vec<String> = above.into_iter().flatten().map(|u| u.title()).collect();
        let family = families.get(n % families.len()).ok_or("none")?;
        let given = given.get(n % given.len()).ok_or("none")?;
        // One telephone number in a hundred has lost its zero.
        let zero = if n.is_multiple_of(100) { "" } else { "0" };
        let line = format!(
            "{family} {given};{:02}/{:02}/19{:02};0370{:02}{:06};{zero}91{:07};Số {n}, {}, {}\n",
            n % 28 + 1,
            n % 12 + 1,
            n % 90 + 10,
            n % 90 + 10,
            n % 999_983,
            n % 10_000_000,
            unit.title(),
            above.join(", ")
        );
        out.write_all(line.as_bytes())?;
        written += line.len() as u64;
        n += 1;
    }
    out.flush()?;
    Ok(())
}
