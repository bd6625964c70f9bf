//! Persons out of pairs: one machine, whose memory holds a number or two for each record and each pair.

use std::{collections::HashMap, fs::File, path::Path};

use base::{Error, Kind, Result};
use datafusion::{
    arrow::{
        array::{AsArray as _, RecordBatch},
        datatypes::{Float64Type, Int64Type},
    },
    parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder,
};
use linkage::cluster::{Constraints, Edge, cluster};

use crate::buckets::{Bucket, Buckets};

/// Joins the records of pairs of at least this weight and writes each record with its cluster, which is named by its first
/// record, as CSV: `cluster,source,id`. Gives how many clusters have more than one record.
///
/// # Errors
/// `not-buckets`; `pairs-not-whole` where a bucket has no pairs yet; `too-many-records`; what cannot be read or written.
pub fn write_clusters(records: &Path, pairs: &Path, least_weight: f64, out: &Path) -> Result<u64> {
    let buckets = Buckets::open(records)?;
    let count = buckets.written.records;
    if count >= u64::from(u32::MAX) {
        return Err(Error::refused(
            Kind::TooLarge,
            "too-many-records",
            "Quá nhiều bản ghi để gộp nhóm trên một máy.",
            "Too many records to make clusters of on one machine.",
        ));
    }
    let mut edges = Vec::new();
    for bucket in buckets.all() {
        let file = pairs.join(Bucket::name(bucket.rule, bucket.number));
        if !file.exists() {
            return Err(Error::refused(
                Kind::Conflict,
                "pairs-not-whole",
                format!("Thiếu {}: hãy chạy lại `motcua-scale link` cho xong.", file.display()),
                format!("{} is missing: run `motcua-scale link` to its end.", file.display()),
            ));
        }
        each_batch(&file, |batch| edges_of(batch, least_weight, &mut edges))?;
    }
    let found = cluster(count as usize, edges, &Constraints::default());
    let mut members: HashMap<u32, u32> = HashMap::new();
    for (row, first) in (0u32..).zip(&found.first) {
        if row != *first {
            *members.entry(*first).or_insert(1) += 1;
        }
    }
    write_out(&buckets.names(), &found.first, &members, out)?;
    Ok(members.len() as u64)
}

fn edges_of(batch: &RecordBatch, least: f64, edges: &mut Vec<Edge>) -> Option<()> {
    let row = |name: &str| batch.column_by_name(name)?.as_primitive_opt::<Int64Type>();
    let (left, right) = (row("row_l")?, row("row_r")?);
    let weight = batch.column_by_name("weight")?.as_primitive_opt::<Float64Type>()?;
    for n in (0..batch.num_rows()).filter(|n| weight.value(*n) >= least) {
        edges.push(Edge {
            left: u32::try_from(left.value(n)).ok()?,
            right: u32::try_from(right.value(n)).ok()?,
            weight: weight.value(n),
        });
    }
    Some(())
}

/// Names stand in the order of the records; those of the first of each cluster are kept until all its others are written.
fn write_out(names: &Path, first: &[u32], members: &HashMap<u32, u32>, out: &Path) -> Result<()> {
    let failed = |error: csv::Error| Error::internal(format!("{}: {error}", out.display()));
    let mut csv = csv::Writer::from_path(out).map_err(failed)?;
    csv.write_record(["cluster", "source", "id"]).map_err(failed)?;
    let mut open: HashMap<u32, (String, u32)> = HashMap::new();
    let mut row = 0u32;
    let mut written = Ok(());
    each_batch(names, |batch| {
        let text = |name: &str| batch.column_by_name(name)?.as_string_opt::<i32>();
        let (sources, ids) = (text("_source")?, text("_id")?);
        for (source, id) in sources.iter().zip(ids) {
            let (source, id) = (source?, id?);
            let leader = *first.get(row as usize)?;
            let own = || format!("{source}/{id}");
            let cluster = match open.get_mut(&leader) {
                Some((name, left)) => {
                    *left -= 1;
                    let (name, left) = (name.clone(), *left);
                    if left == 0 {
                        open.remove(&leader);
                    }
                    name
                }
                None => {
                    if let Some(members) = members.get(&row) {
                        open.insert(row, (own(), members - 1));
                    }
                    own()
                }
            };
            if written.is_ok() {
                written = csv.write_record([cluster.as_str(), source, id]);
            }
            row += 1;
        }
        Some(())
    })?;
    written.map_err(failed)?;
    csv.flush().map_err(|error| failed(error.into()))
}

/// Reads a Parquet file; `visit` gives nothing where the columns are not those it needs.
fn each_batch(path: &Path, mut visit: impl FnMut(&RecordBatch) -> Option<()>) -> Result<()> {
    let failed = |error: &dyn std::fmt::Display| Error::internal(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(|error| failed(&error))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(|builder| builder.build());
    for batch in reader.map_err(|error| failed(&error))? {
        let batch = batch.map_err(|error| failed(&error))?;
        visit(&batch).ok_or_else(|| failed(&"other columns than were written there"))?;
    }
    Ok(())
}
