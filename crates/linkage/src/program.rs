//! Conditions ready to be judged for millions of pairs: columns by number, values by number, similarities remembered.

use crate::distance::{self, Distance};
use crate::sql::{Operator, Side};
use crate::table::{Dictionary, NULL};

/// A column of all records, taken from a file or computed from one.
#[derive(Debug)]
pub(crate) enum Column {
    /// Numbers of texts in the dictionary.
    Text(Vec<u32>),
    /// Not a number where there is none.
    Number(Vec<f64>),
    /// Numbers of lists.
    List(Vec<u32>),
}

/// A text or list of a pair: a column of one of its records, or a text that the condition itself contains.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Field {
    Of(Side, usize),
    Literal(u32),
}

/// What can be true or false of a pair, or unknown.
#[derive(Debug)]
pub(crate) enum Test {
    Constant(Option<bool>),
    Missing(Field),
    NotComputable(Number),
    Same(Field, Field),
    /// Texts in the order of their bytes.
    Ordered(Operator, Field, Field),
    Compared(Operator, Number, Number),
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
}

/// A number computed from a pair.
#[derive(Debug)]
pub(crate) enum Number {
    Constant(f64),
    Field(Side, usize),
    /// A similarity or distance, by its number.
    Measure(usize),
    Unary(fn(f64) -> f64, Box<Number>),
    Binary(Operator, Box<Number>, Box<Number>),
    Least(Vec<Number>),
    Greatest(Vec<Number>),
    Case(Vec<(Test, Number)>, Option<Box<Number>>),
}

/// What is measured between two fields.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Measured {
    Texts(Distance),
    /// How many members two lists share.
    Overlap,
}

/// A measure of a pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Measure {
    pub(crate) of: Measured,
    pub(crate) a: Field,
    pub(crate) b: Field,
    /// It is only asked whether it is at most something, and never more than this.
    pub(crate) bound: Option<f64>,
}

/// All columns and measures that the conditions of a model speak of.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) columns: Vec<Column>,
    pub(crate) measures: Vec<Measure>,
    /// The members of each list, sorted, each once; the first stands for "no list".
    pub(crate) lists: Vec<Box<[u32]>>,
    /// The texts and lists of one record after the other, so many a record: a pair touches two places of memory, and not two
    /// for each column.
    rows: Vec<u32>,
    stride: usize,
}

/// Numbers of texts in a line of the cache.
const LINE: usize = 16;

impl Store {
    /// The columns of files, laid out once all others are there too.
    pub(crate) fn new(columns: Vec<Column>) -> Self {
        Self {
            columns,
            ..Self::default()
        }
    }

    /// Lays the columns out by record; to be done when one was added.
    pub(crate) fn arrange(&mut self) {
        let columns = self.columns.len().max(1);
        self.stride = match columns {
            0..LINE => columns.next_power_of_two(),
            _ => columns.next_multiple_of(LINE),
        };
        let records = self.columns.iter().map(Column::len).max().unwrap_or(0);
        self.rows = vec![NULL; records * self.stride];
        for (row, ids) in self.rows.chunks_exact_mut(self.stride).enumerate() {
            for (id, column) in ids.iter_mut().zip(&self.columns) {
                if let Column::Text(column) | Column::List(column) = column {
                    *id = column.get(row).copied().unwrap_or(NULL);
                }
            }
        }
    }

    /// The number of a text or list of a record.
    #[inline]
    pub(crate) fn id(&self, row: usize, column: usize) -> u32 {
        self.rows.get(row * self.stride + column).copied().unwrap_or(NULL)
    }
}

impl Column {
    fn len(&self) -> usize {
        match self {
            Self::Text(ids) | Self::List(ids) => ids.len(),
            Self::Number(numbers) => numbers.len(),
        }
    }
}

/// Judges pairs. Each thread has one: it remembers measures of pairs of values in tables of fixed size, in which a newer
/// pair takes the place of an older one.
pub(crate) struct Judge<'a> {
    store: &'a Store,
    dictionary: &'a Dictionary,
    remembered: Vec<Vec<(u64, f64)>>,
    left: usize,
    right: usize,
}

impl Measured {
    /// How many pairs of values are worth remembering, a power of two: what is measured faster than a table outside the
    /// nearest cache is read is only kept from one level of a comparison to the next.
    const fn worth_remembering(self) -> usize {
        match self {
            Self::Texts(Distance::Levenshtein | Distance::DamerauLevenshtein) | Self::Overlap => 1,
            Self::Texts(Distance::Jaro | Distance::JaroWinkler | Distance::Jaccard) => 1 << 12,
        }
    }
}

impl<'a> Judge<'a> {
    pub(crate) fn new(store: &'a Store, dictionary: &'a Dictionary) -> Self {
        let remembered = store
            .measures
            .iter()
            .map(|m| vec![(0, 0.0); m.of.worth_remembering()])
            .collect();
        Self {
            store,
            dictionary,
            remembered,
            left: 0,
            right: 0,
        }
    }

    /// Takes up a pair.
    #[inline]
    pub(crate) fn look_at(&mut self, left: u32, right: u32) {
        self.left = left as usize;
        self.right = right as usize;
    }

    #[inline]
    fn row(&self, side: Side) -> usize {
        match side {
            Side::Left => self.left,
            Side::Right => self.right,
        }
    }

    #[inline]
    fn id(&self, field: Field) -> u32 {
        match field {
            Field::Literal(id) => id,
            Field::Of(side, column) => self.store.id(self.row(side), column),
        }
    }

    /// Whether a test holds for the pair; `None` where a missing value leaves it open.
    pub(crate) fn holds(&mut self, test: &Test) -> Option<bool> {
        match test {
            Test::Constant(value) => *value,
            Test::Missing(Field::Of(side, column)) => Some(match self.store.columns.get(*column) {
                Some(Column::Number(numbers)) => numbers.get(self.row(*side)).is_none_or(|n| n.is_nan()),
                _ => self.store.id(self.row(*side), *column) == NULL,
            }),
            Test::Missing(Field::Literal(id)) => Some(*id == NULL),
            Test::NotComputable(number) => Some(self.number(number).is_nan()),
            Test::Same(a, b) => {
                let (a, b) = (self.id(*a), self.id(*b));
                if a == NULL || b == NULL { None } else { Some(a == b) }
            }
            Test::Ordered(operator, a, b) => {
                let (a, b) = (self.id(*a), self.id(*b));
                if a == NULL || b == NULL {
                    return None;
                }
                Some(ordered(*operator, self.dictionary.get(a).cmp(self.dictionary.get(b))))
            }
            Test::Compared(operator, a, b) => {
                let order = self.number(a).partial_cmp(&self.number(b))?;
                Some(ordered(*operator, order))
            }
            Test::All(tests) => {
                let mut open = false;
                for test in tests {
                    match self.holds(test) {
                        Some(false) => return Some(false),
                        Some(true) => {}
                        None => open = true,
                    }
                }
                if open { None } else { Some(true) }
            }
            Test::Any(tests) => {
                let mut open = false;
                for test in tests {
                    match self.holds(test) {
                        Some(true) => return Some(true),
                        Some(false) => {}
                        None => open = true,
                    }
                }
                if open { None } else { Some(false) }
            }
            Test::Not(test) => self.holds(test).map(|b| !b),
        }
    }

    fn number(&mut self, number: &Number) -> f64 {
        match number {
            Number::Constant(n) => *n,
            Number::Field(side, column) => match self.store.columns.get(*column) {
                Some(Column::Number(numbers)) => numbers.get(self.row(*side)).copied().unwrap_or(f64::NAN),
                _ => f64::NAN,
            },
            Number::Measure(n) => self.measure(*n),
            Number::Unary(function, a) => function(self.number(a)),
            Number::Binary(operator, a, b) => {
                let (a, b) = (self.number(a), self.number(b));
                let result = match operator {
                    Operator::Add => a + b,
                    Operator::Sub => a - b,
                    Operator::Mul => a * b,
                    _ => a / b,
                };
                if result.is_finite() { result } else { f64::NAN }
            }
            // f64::min and max pass over what is not a number, as LEAST and GREATEST pass over NULL in DuckDB.
            Number::Least(list) => list.iter().map(|n| self.number(n)).fold(f64::NAN, f64::min),
            Number::Greatest(list) => list.iter().map(|n| self.number(n)).fold(f64::NAN, f64::max),
            Number::Case(whens, otherwise) => {
                for (when, then) in whens {
                    if self.holds(when) == Some(true) {
                        return self.number(then);
                    }
                }
                otherwise.as_ref().map_or(f64::NAN, |n| self.number(n))
            }
        }
    }

    fn measure(&mut self, number: usize) -> f64 {
        let Some(measure) = self.store.measures.get(number).copied() else {
            return f64::NAN;
        };
        let (a, b) = (self.id(measure.a), self.id(measure.b));
        if a == NULL || b == NULL {
            return f64::NAN;
        }
        let key = u64::from(a) << 32 | u64::from(b);
        let mixed = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize;
        let place = mixed & (measure.of.worth_remembering() - 1);
        if let Some((known, value)) = self.remembered.get(number).and_then(|t| t.get(place))
            && *known == key
        {
            return *value;
        }
        let value = match measure.of {
            Measured::Texts(by) => distance::measure(by, self.dictionary.get(a), self.dictionary.get(b), measure.bound),
            Measured::Overlap => {
                let list = |n: u32| self.store.lists.get(n as usize).map_or(&[][..], |l| l);
                overlap(list(a), list(b)) as f64
            }
        };
        if let Some(slot) = self.remembered.get_mut(number).and_then(|t| t.get_mut(place)) {
            *slot = (key, value);
        }
        value
    }
}

#[inline]
fn ordered(operator: Operator, order: std::cmp::Ordering) -> bool {
    match operator {
        Operator::Eq => order.is_eq(),
        Operator::Ne => order.is_ne(),
        Operator::Lt => order.is_lt(),
        Operator::Le => order.is_le(),
        Operator::Gt => order.is_gt(),
        _ => order.is_ge(),
    }
}

/// How many members two sorted lists share.
fn overlap(mut a: &[u32], mut b: &[u32]) -> usize {
    let mut common = 0;
    while let ([x, rest_a @ ..], [y, rest_b @ ..]) = (a, b) {
        match x.cmp(y) {
            std::cmp::Ordering::Less => a = rest_a,
            std::cmp::Ordering::Greater => b = rest_b,
            std::cmp::Ordering::Equal => {
                common += 1;
                (a, b) = (rest_a, rest_b);
            }
        }
    }
    common
}
