//! Pairs that hang together: A with B and B with C are one group, which a steward sees as one, and in which decisions have to agree.

use std::collections::{BTreeMap, BTreeSet};

use base::{Error, Kind, Result, Timestamp};
use identity::{Ctx, Permission};
use linkage::cluster::{Constraints, Edge, cluster};
use store::{Read, Tx};
use uuid::Uuid;

use super::{
    Pair, PairId, State, Verdict,
    decide::{no_pair, pair, place},
};
use crate::{
    model::RegistryCode,
    pages::short,
    service::{Registries, Slice},
    store::pairs::{self as tables, PairRow},
};

/// A group of more records is not followed to its end.
pub const MOST_RECORDS: usize = 200;
/// Pairs that one step along records looks at, from either side.
const MOST_PAIRS: i64 = 10_000;
/// What holds records together: pairs about which nobody said that they are different.
const HOLDS: [State; 3] = [State::Open, State::Later, State::Merged];

/// Pairs that hang together.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// How many records they join.
    pub records: usize,
    /// Open ones, those left for later and merged ones, the likeliest first.
    pub pairs: Vec<Pair>,
    /// Whether these are all: a group of more than [`MOST_RECORDS`] is not followed to its end.
    pub whole: bool,
}

/// Records that hang together, with the pairs that hold them.
struct Hanging {
    records: BTreeSet<Uuid>,
    pairs: Vec<PairRow>,
    whole: bool,
}

impl Registries {
    /// The group of a pair. It says nothing of what the records say.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; `NotFound`.
    pub async fn group(&self, ctx: &Ctx, code: &RegistryCode, id: PairId) -> Result<Group> {
        self.open(ctx, code, Permission::KeepRegistry)?;
        let db = self.store().read();
        let row = tables::get(&db, code, id.uuid()).await?.ok_or_else(no_pair)?;
        let from = BTreeSet::from([row.one_id, row.other_id]);
        let found = hanging(&db, from, &HOLDS).await?;
        // Records that were said to be different need not hang together: then there are two groups, and the pair is in neither.
        let of = found.into_iter().find(|group| group.pairs.contains(&row));
        of.map_or_else(|| alone(row), group)
    }

    /// The pairs of a state in their groups. A group stands where its likeliest pair of that state does, with its other pairs of the
    /// state beside it; each has at least one. A pair of a group that is too large to be followed stands by itself.
    ///
    /// # Errors
    /// As [`Self::pairs`].
    pub async fn grouped(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        state: State,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Slice<Group>> {
        self.open(ctx, code, Permission::KeepRegistry)?;
        let db = self.store().read();
        let mut after = after.map(place).transpose()?;
        loop {
            let mut rows = tables::list(&db, code, state.code(), after, i64::from(limit) + 1).await?;
            let more = rows.len() > limit as usize;
            rows.truncate(limit as usize);
            after = rows.last().filter(|_| more).map(|row| (row.weight, row.id));
            let items = in_groups(&db, rows, state).await?;
            // All of a page may stand with groups of an earlier one.
            if !items.is_empty() || after.is_none() {
                let next = after.map(|(weight, id)| format!("{weight}_{id}"));
                return Ok(Slice { items, next });
            }
        }
    }
}

/// The groups whose likeliest pair of a state is among these.
async fn in_groups(db: &impl Read, rows: Vec<PairRow>, state: State) -> Result<Vec<Group>> {
    if state == State::Different {
        return rows.into_iter().map(alone).collect();
    }
    let from = rows.iter().flat_map(|row| [row.one_id, row.other_id]).collect();
    let mut of_record = BTreeMap::new();
    let mut groups: Vec<Option<Hanging>> = Vec::new();
    for mut hanging in hanging(db, from, &HOLDS).await? {
        let records = hanging.records.iter().map(|record| (*record, groups.len()));
        of_record.extend(records);
        hanging
            .pairs
            .sort_by_key(|pair| std::cmp::Reverse((pair.weight, pair.id)));
        groups.push(Some(hanging));
    }
    let mut items = Vec::new();
    for row in rows {
        let hanging = of_record.get(&row.one_id).and_then(|n| groups.get_mut(*n));
        match hanging {
            Some(Some(hanging)) if !hanging.whole => {
                let mut one = alone(row)?;
                (one.records, one.whole) = (hanging.records.len(), false);
                items.push(one);
            }
            Some(found) => {
                let is_first = |hanging: &mut Hanging| {
                    let mut of_state = hanging.pairs.iter().filter(|pair| pair.state == state.code());
                    of_state.next().is_some_and(|first| first.id == row.id)
                };
                if let Some(hanging) = found.take_if(is_first) {
                    items.push(group(hanging)?);
                }
            }
            // It was decided since it was listed.
            None => {}
        }
    }
    Ok(items)
}

/// What hangs together with these records along pairs of these states.
async fn hanging(db: &impl Read, from: BTreeSet<Uuid>, states: &[State]) -> Result<Vec<Hanging>> {
    let states: Vec<&str> = states.iter().map(|state| state.code()).collect();
    let mut pairs: BTreeMap<Uuid, PairRow> = BTreeMap::new();
    let mut records = from.clone();
    let (mut next, mut all) = (from, true);
    loop {
        let asked: Vec<Uuid> = next.iter().copied().collect();
        let found = tables::touching(db, &asked, &states, MOST_PAIRS).await?;
        all &= (found.len() as i64) < MOST_PAIRS;
        let known = records.clone();
        records.extend(found.iter().flat_map(|pair| [pair.one_id, pair.other_id]));
        pairs.extend(found.into_iter().map(|pair| (pair.id, pair)));
        let mut groups = together(&records, &pairs);
        for group in &mut groups {
            group.whole = all && group.records.len() <= MOST_RECORDS;
        }
        let followed = groups.iter().filter(|group| group.whole);
        next = followed
            .flat_map(|group| group.records.difference(&known))
            .copied()
            .collect();
        if next.is_empty() {
            return Ok(groups);
        }
    }
}

/// Records and pairs in the groups that they make.
fn together(records: &BTreeSet<Uuid>, pairs: &BTreeMap<Uuid, PairRow>) -> Vec<Hanging> {
    let numbered = Numbered::of(records);
    let edges = pairs.values().map(|pair| numbered.edge(pair)).collect();
    let clusters = cluster(records.len(), edges, &Constraints::default());
    let mut groups: BTreeMap<u32, Hanging> = BTreeMap::new();
    let of = |record: &Uuid| {
        let first = clusters.first.get(numbered.number(record) as usize).copied();
        first.unwrap_or_default()
    };
    for record in records {
        let group = groups.entry(of(record)).or_insert_with(|| Hanging {
            records: BTreeSet::new(),
            pairs: Vec::new(),
            whole: true,
        });
        group.records.insert(*record);
    }
    for pair in pairs.values() {
        if let Some(group) = groups.get_mut(&of(&pair.one_id)) {
            group.pairs.push(pair.clone());
        }
    }
    groups.into_values().collect()
}

/// Records by number.
struct Numbered(Vec<Uuid>);

impl Numbered {
    fn of(records: &BTreeSet<Uuid>) -> Self {
        Self(records.iter().copied().collect())
    }

    /// The number of a record; of one that is not among them one beyond them all, which clusters pass over.
    fn number(&self, record: &Uuid) -> u32 {
        let found = self.0.binary_search(record).unwrap_or(self.0.len());
        u32::try_from(found).unwrap_or(u32::MAX)
    }

    fn both(&self, pair: &PairRow) -> (u32, u32) {
        (self.number(&pair.one_id), self.number(&pair.other_id))
    }

    fn edge(&self, pair: &PairRow) -> Edge {
        let (left, right) = self.both(pair);
        Edge {
            left,
            right,
            weight: pair.weight as f64,
        }
    }
}

fn group(hanging: Hanging) -> Result<Group> {
    let mut pairs = hanging.pairs;
    pairs.sort_by_key(|pair| std::cmp::Reverse((pair.weight, pair.id)));
    Ok(Group {
        records: hanging.records.len(),
        pairs: pairs.into_iter().map(pair).collect::<Result<_>>()?,
        whole: hanging.whole,
    })
}

fn alone(row: PairRow) -> Result<Group> {
    Ok(Group {
        records: 2,
        pairs: vec![pair(row)?],
        whole: true,
    })
}

/// That a decision agrees with those before: nobody is said to be the same as somebody from whom others say that they are different,
/// be it by way of a third.
///
/// # Errors
/// `Conflict`, which names the decision that stands against it.
pub(super) async fn agrees(tx: &Tx, row: &PairRow, verdict: Verdict) -> Result<()> {
    if !matches!(verdict, Verdict::Same(_) | Verdict::Different) {
        return Ok(());
    }
    let from = BTreeSet::from([row.one_id, row.other_id]);
    let groups = hanging(tx, from, &[State::Merged]).await?;
    if groups.iter().any(|group| !group.whole) {
        return Err(too_many());
    }
    let records: BTreeSet<Uuid> = groups.iter().flat_map(|group| &group.records).copied().collect();
    let numbered = Numbered::of(&records);
    let merged = groups.iter().flat_map(|group| &group.pairs);
    let asked: Vec<Uuid> = records.iter().copied().collect();
    let different = tables::touching(tx, &asked, &[State::Different.code()], MOST_PAIRS).await?;
    let constraints = Constraints {
        same: merged.map(|pair| numbered.both(pair)).collect(),
        different: different.iter().map(|pair| numbered.both(pair)).collect(),
        ..Constraints::default()
    };
    let edges = match verdict {
        Verdict::Same(_) => vec![numbered.edge(row)],
        _ => Vec::new(),
    };
    let clusters = cluster(records.len(), edges, &constraints);
    let of = |record: &Uuid| clusters.first.get(numbered.number(record) as usize).copied();
    if matches!(verdict, Verdict::Different) {
        return match of(&row.one_id) == of(&row.other_id) {
            true => Err(joined()),
            false => Ok(()),
        };
    }
    if clusters.refused.is_empty() {
        return Ok(());
    }
    let (one, other) = (of(&row.one_id), of(&row.other_id));
    let between = |pair: &&PairRow| {
        let ends = [of(&pair.one_id), of(&pair.other_id)];
        ends == [one, other] || ends == [other, one]
    };
    let said = different.iter().find(between).unwrap_or(row);
    let last = tables::acts(tx, said.id).await?.pop();
    Err(parted(said, last.as_ref()))
}

fn parted(said: &PairRow, act: Option<&tables::ActRow>) -> Error {
    let [one, other] = [said.one_id, said.other_id].map(short);
    let (who, at) = act.map_or_else(Default::default, |act| {
        (act.actor.clone(), Timestamp::from_micros(act.at).display())
    });
    Error::refused(
        Kind::Conflict,
        "group-contradicts",
        format!(
            "Quyết định này đưa hai bản ghi {one} và {other} vào cùng một nhóm, trong khi {who} đã kết luận lúc {at} rằng hai bản ghi \
             đó khác nhau. Xem lại hai kết luận; nếu kết luận trước sai thì hoàn tác kết luận đó trước."
        ),
        format!(
            "This would join the records {one} and {other}, of which {who} said at {at} that they are different. Look at both decisions; \
             if the one before was wrong, undo it first."
        ),
    )
}

fn joined() -> Error {
    Error::refused(
        Kind::Conflict,
        "group-contradicts",
        "Hai bản ghi này đã được hợp nhất với nhau qua các cặp khác của nhóm nên không thể kết luận là khác nhau. Xem lại nhóm; nếu một \
         lần hợp nhất sai thì hoàn tác lần đó trước.",
        "Both records were merged by way of other pairs of the group, so they cannot be said to be different. Look at the group; if one of \
         the merges was wrong, undo it first.",
    )
}

fn too_many() -> Error {
    Error::refused(
        Kind::Conflict,
        "group-too-large",
        format!(
            "Nhóm này có hơn {MOST_RECORDS} bản ghi đã hợp nhất với nhau. Rà soát lại các lần hợp nhất trong nhóm trước khi quyết định \
             tiếp."
        ),
        format!(
            "More than {MOST_RECORDS} records of this group are merged. Look at those merges before deciding more."
        ),
    )
}
