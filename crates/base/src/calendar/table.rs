//! The compiled table: for each day its kind and how much work lies before it. Days beyond the table are answered by the same
//! rules, day by day; the table reaches 30 years back and 60 ahead of the loaded years, so nobody meets that in practice. Counts
//! are held at the years 1600 and 2599, so that no date makes the walk long.

use jiff::civil::{Date, Weekday, date};

use super::{
    data::{CalendarData, FixedDay},
    days::{DayNumber, date_of, day_number},
};

const YEARS_BACK: i16 = 30;
const YEARS_AHEAD: i16 = 60;

/// What a day is; the numbers are rows of [`CalendarData`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    Working,
    Rest,
    Off(u16),
    Fixed(u16),
    MakeUp(u16),
    Half(u16),
}

impl Cell {
    pub const fn works(self) -> bool {
        matches!(self, Self::Working | Self::MakeUp(_) | Self::Half(_))
    }
}

#[derive(Debug, Clone)]
pub struct Table {
    /// The first day of the table.
    first: DayNumber,
    cells: Vec<Cell>,
    /// Working days, and working minutes, before each day; one longer than `cells`.
    days: Vec<u32>,
    minutes: Vec<u32>,
}

impl Table {
    pub fn new(data: &CalendarData) -> Self {
        let new_year = |year: i16| Date::new(year, 1, 1).map_or(0, day_number);
        let first = new_year(data.first_year - YEARS_BACK);
        let last = new_year(data.last_year + YEARS_AHEAD);
        let week: [Cell; 7] = std::array::from_fn(|n| by_weekday(data, first + i64::try_from(n).unwrap_or(0)));
        let length = usize::try_from(last - first).unwrap_or(0);
        let mut cells: Vec<Cell> = week.into_iter().cycle().take(length).collect();

        let mut set = |date: Date, cell: Cell| {
            let index = usize::try_from(day_number(date) - first).ok();
            if let Some(place) = index.and_then(|n| cells.get_mut(n)) {
                *place = cell;
            }
        };
        let loaded = data.first_year..=data.last_year;
        let years = data.first_year - YEARS_BACK..data.last_year + YEARS_AHEAD;
        for year in years.filter(|year| !loaded.contains(year)) {
            // The first row that speaks of a date holds, as in `by_rule`.
            for (n, row) in data
                .fixed
                .iter()
                .enumerate()
                .rev()
                .filter(|(_, row)| row.holds_in(year))
            {
                if let Ok(date) = Date::new(year, row.month, row.day) {
                    set(date, Cell::Fixed(number(n)));
                }
            }
        }
        data.off
            .iter()
            .enumerate()
            .for_each(|(n, row)| set(row.date, Cell::Off(number(n))));
        data.make_up
            .iter()
            .enumerate()
            .for_each(|(n, row)| set(row.date, Cell::MakeUp(number(n))));
        data.half_days
            .iter()
            .enumerate()
            .for_each(|(n, row)| set(row.date, Cell::Half(number(n))));

        let full = data.minutes(Cell::Working);
        let (mut days, mut minutes) = (Vec::with_capacity(length + 1), Vec::with_capacity(length + 1));
        let (mut day_sum, mut minute_sum) = (0, 0);
        for cell in &cells {
            days.push(day_sum);
            minutes.push(minute_sum);
            if cell.works() {
                day_sum += 1;
                minute_sum += if let Cell::Half(_) = cell {
                    data.minutes(*cell)
                } else {
                    full
                };
            }
        }
        days.push(day_sum);
        minutes.push(minute_sum);
        Self {
            first,
            cells,
            days,
            minutes,
        }
    }

    pub fn cell(&self, data: &CalendarData, day: DayNumber) -> Cell {
        self.index(day)
            .and_then(|n| self.cells.get(n))
            .copied()
            .unwrap_or_else(|| by_rule(data, day))
    }

    /// Working days before a day, from the origin of the table.
    pub fn days_before(&self, data: &CalendarData, day: DayNumber) -> i64 {
        self.before(&self.days, day, |cell| i64::from(cell.works()), data)
    }

    /// Working time before a day, from the origin of the table.
    pub fn micros_before(&self, data: &CalendarData, day: DayNumber) -> i64 {
        self.before(&self.minutes, day, |cell| i64::from(data.minutes(cell)), data) * super::MINUTE
    }

    /// The working day that has `n` working days before it.
    pub fn nth_working_day(&self, data: &CalendarData, n: i64) -> DayNumber {
        self.reach(&self.days, n + 1, |cell| i64::from(cell.works()), data).0
    }

    /// The day in which the working time since the origin reaches `micros`, and the working time before it.
    pub fn day_of_work(&self, data: &CalendarData, micros: i64) -> (DayNumber, i64) {
        let minutes = micros.div_euclid(super::MINUTE) + i64::from(micros.rem_euclid(super::MINUTE) > 0);
        let (day, before) = self.reach(&self.minutes, minutes, |cell| i64::from(data.minutes(cell)), data);
        (day, before * super::MINUTE)
    }

    fn index(&self, day: DayNumber) -> Option<usize> {
        usize::try_from(day - self.first).ok()
    }

    fn last(&self) -> DayNumber {
        self.first + i64::try_from(self.cells.len()).unwrap_or(0)
    }

    fn before(&self, sums: &[u32], day: DayNumber, of: impl Fn(Cell) -> i64, data: &CalendarData) -> i64 {
        let day = clamped(day);
        if let Some(sum) = self.index(day).and_then(|n| sums.get(n)) {
            return i64::from(*sum);
        }
        if day < self.first {
            return -(day..self.first).map(|d| of(by_rule(data, d))).sum::<i64>();
        }
        let whole = sums.last().copied().map_or(0, i64::from);
        whole + (self.last()..day).map(|d| of(by_rule(data, d))).sum::<i64>()
    }

    /// The first day whose end has a sum of at least `target`, and the sum before that day.
    fn reach(&self, sums: &[u32], target: i64, of: impl Fn(Cell) -> i64, data: &CalendarData) -> (DayNumber, i64) {
        let whole = sums.last().copied().map_or(0, i64::from);
        if target > whole {
            let (mut day, mut sum) = (self.last(), whole);
            while day < ceiling() && sum + of(by_rule(data, day)) < target {
                sum += of(by_rule(data, day));
                day += 1;
            }
            return (day, sum);
        }
        if target <= 0 {
            let (mut day, mut sum) = (self.first, 0);
            while day > floor() && sum >= target {
                day -= 1;
                sum -= of(by_rule(data, day));
            }
            return (day, sum);
        }
        let end = sums.partition_point(|sum| i64::from(*sum) < target);
        let index = end.saturating_sub(1);
        let day = self.first + i64::try_from(index).unwrap_or(0);
        (day, sums.get(index).copied().map_or(0, i64::from))
    }
}

fn clamped(day: DayNumber) -> DayNumber {
    day.clamp(floor(), ceiling())
}

fn floor() -> DayNumber {
    day_number(date(1600, 1, 1))
}

fn ceiling() -> DayNumber {
    day_number(date(2599, 12, 31))
}

/// A day of which no row speaks. Fixed holidays count only outside the loaded years: within them the table has every day off.
fn by_rule(data: &CalendarData, day: DayNumber) -> Cell {
    if !data.fixed.is_empty() {
        let date = date_of(day);
        let loaded = (data.first_year..=data.last_year).contains(&date.year());
        let fixed = |row: &FixedDay| row.month == date.month() && row.day == date.day() && row.holds_in(date.year());
        if let Some(n) = data.fixed.iter().position(fixed).filter(|_| !loaded) {
            return Cell::Fixed(number(n));
        }
    }
    by_weekday(data, day)
}

fn by_weekday(data: &CalendarData, day: DayNumber) -> Cell {
    // 1 January 1970 was a Thursday.
    let weekday = i8::try_from((day + 3).rem_euclid(7))
        .ok()
        .and_then(|n| Weekday::from_monday_zero_offset(n).ok());
    if weekday.is_some_and(|day| data.rest_days.contains(&day)) {
        Cell::Rest
    } else {
        Cell::Working
    }
}

/// The number of a row; the check of the data keeps it in range.
fn number(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}
