//! Conditions ready to be judged for millions of pairs: columns by number, values by number, similarities remembered.

use crate::dictionary::{Dictionary, NULL};
use crate::distance::{Distance, Ruler};
use crate::layout::Layout;
use crate::sql::{Operator, Side};

/// A column of all records, taken from a file or computed from one.
#[derive(Debug)]
pub(crate) enum Column {
    /// Numbers of texts in the dictionary.
    Text(Vec<u32>),
    /// Not a number where there is none.
    Number(Vec<f64>),
    /// Numbers of lists.
    List(Vec<u32>),
    /// How many records have the value that this one has in another column; 0 where it has none.
    Count(Vec<u32>),
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
    MissingEither(Field, Field),
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
    /// It is only asked on which side of something it is, and never beyond this.
    pub(crate) bound: Option<f64>,
}

/// All columns and measures that the conditions of a model speak of.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) columns: Vec<Column>,
    pub(crate) measures: Vec<Measure>,
    /// The members of each list, sorted, each once; the first stands for "no list".
    pub(crate) lists: Vec<Box<[u32]>>,
    layout: Layout,
    /// How many columns and measures there were when they were laid out.
    arranged: (usize, usize),
}

impl Store {
    /// The columns of files, laid out once all others are there too.
    pub(crate) fn new(columns: Vec<Column>) -> Self {
        Self {
            columns,
            ..Self::default()
        }
    }

    /// Lays the records out for judging; to be done when a column or a measure was added.
    pub(crate) fn arrange(&mut self, dictionary: &Dictionary) {
        let now = (self.columns.len(), self.measures.len());
        if self.arranged == now {
            return;
        }
        let mut measured = Vec::new();
        for measure in self.measures.iter().filter(|m| matches!(m.of, Measured::Texts(_))) {
            for field in [measure.a, measure.b] {
                if let Field::Of(_, column) = field
                    && !measured.contains(&column)
                {
                    measured.push(column);
                }
            }
        }
        self.layout = Layout::default();
        self.layout = Layout::new(&self.columns, &measured, dictionary);
        self.arranged = now;
    }

    /// The number of a text, list or count of a record.
    #[inline]
    pub(crate) fn number(&self, row: u32, column: usize) -> u32 {
        self.layout.numbers(row).get(column).copied().unwrap_or(NULL)
    }

    /// Has the records of some pairs brought near.
    #[inline]
    pub(crate) fn bring(&self, pairs: &[(u32, u32)]) {
        self.layout.bring(pairs);
    }
}

impl Column {
    /// How many records it has.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Text(numbers) | Self::List(numbers) | Self::Count(numbers) => numbers.len(),
            Self::Number(numbers) => numbers.len(),
        }
    }

    /// The numbers of its texts or lists, or its counts.
    pub(crate) fn numbers(&self) -> Option<&[u32]> {
        match self {
            Self::Text(numbers) | Self::List(numbers) | Self::Count(numbers) => Some(numbers),
            Self::Number(_) => None,
        }
    }
}

/// Judges pairs. Each thread has one: it remembers measures of pairs of values in tables of fixed size, in which a newer
/// pair takes the place of an older one.
pub(crate) struct Judge<'a> {
    store: &'a Store,
    dictionary: &'a Dictionary,
    remembered: Vec<Vec<(u64, f64)>>,
    ruler: Ruler,
    left: Record<'a>,
    right: Record<'a>,
}

/// A record of the pair that is judged.
#[derive(Debug, Clone, Copy, Default)]
struct Record<'a> {
    row: u32,
    numbers: &'a [u32],
}

impl Measured {
    /// How many pairs of values are worth remembering, a power of two: what is measured faster than a table outside the
    /// nearest cache is read is only kept from one level of a comparison to the next.
    const fn worth_remembering(self) -> usize {
        match self {
            Self::Texts(Distance::Jaccard) => 1 << 12,
            Self::Texts(_) | Self::Overlap => 1,
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
            ruler: Ruler::default(),
            left: Record::default(),
            right: Record::default(),
        }
    }

    /// Takes up a pair.
    #[inline]
    pub(crate) fn look_at(&mut self, left: u32, right: u32) {
        let record = |row| Record {
            row,
            numbers: self.store.layout.numbers(row),
        };
        (self.left, self.right) = (record(left), record(right));
    }

    #[inline]
    fn record(&self, side: Side) -> Record<'a> {
        match side {
            Side::Left => self.left,
            Side::Right => self.right,
        }
    }

    /// The number of a text, list or count of one of the two.
    #[inline]
    pub(crate) fn number_of(&self, side: Side, column: usize) -> u32 {
        self.record(side).numbers.get(column).copied().unwrap_or(NULL)
    }

    #[inline]
    fn id(&self, field: Field) -> u32 {
        match field {
            Field::Literal(id) => id,
            Field::Of(side, column) => self.number_of(side, column),
        }
    }

    fn text(&self, field: Field, id: u32) -> &'a [u8] {
        let here = match field {
            Field::Literal(_) => &[][..],
            Field::Of(side, column) => self.store.layout.text(self.record(side).row, column),
        };
        if here.is_empty() {
            self.dictionary.bytes(id)
        } else {
            here
        }
    }

    /// Whether a test holds for the pair; `None` where a missing value leaves it open.
    pub(crate) fn holds(&mut self, test: &Test) -> Option<bool> {
        match test {
            Test::Constant(value) => *value,
            Test::Missing(field) => Some(self.id(*field) == NULL),
            Test::MissingEither(a, b) => Some(self.id(*a) == NULL || self.id(*b) == NULL),
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

    #[inline]
    fn number(&mut self, number: &Number) -> f64 {
        match number {
            Number::Constant(n) => *n,
            Number::Measure(n) => self.measure(*n),
            other => self.computed(other),
        }
    }

    fn computed(&mut self, number: &Number) -> f64 {
        match number {
            Number::Constant(n) => *n,
            Number::Field(side, column) => match self.store.columns.get(*column) {
                Some(Column::Number(numbers)) => numbers
                    .get(self.record(*side).row as usize)
                    .copied()
                    .unwrap_or(f64::NAN),
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
            Measured::Texts(by) => {
                let (a, b) = (self.text(measure.a, a), self.text(measure.b, b));
                self.ruler.measure(by, a, b, measure.bound)
            }
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
