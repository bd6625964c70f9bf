//! The two agencies' files.

use super::rows::Rows;
use crate::{
    community::Community,
    mess::{Agency, Profile, records},
    places::Units,
};

/// `cluster` and `slips` are the truth: the person, as `id` in `people.csv`, and the mistakes.
pub const HEADER: [&str; 12] = [
    "record",
    "full_name",
    "birth_date",
    "sex",
    "person_number",
    "phone",
    "address",
    "commune",
    "father_name",
    "mother_name",
    "cluster",
    "slips",
];

pub fn fill(
    community: &Community,
    units: &Units,
    agency: Agency,
    profile: Profile,
    rows: &mut Rows,
) -> csv::Result<()> {
    for r in records(community, units, agency, profile) {
        rows.row(&[
            &r.key, &r.name, &r.birth, &r.sex, &r.number, &r.phone, &r.address, &r.commune, &r.father, &r.mother,
            &r.cluster, &r.slips,
        ])?;
    }
    Ok(())
}
