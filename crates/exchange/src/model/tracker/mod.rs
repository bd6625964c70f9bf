//! The data tracker (nhật ký truy cập dữ liệu): who read what about whom.
//!
//! A rule for each service says where the number of the person is. What is found is indexed under a keyed hash, so the
//! index alone names nobody. The exchange itself answers Estonia's protocol for every provider (reference 7.4).

mod index;
mod read;
mod subject;
mod usage;

pub use index::{SubjectIndex, SubjectKey};
pub use read::ReadRecord;
pub use subject::{MOST_SUBJECTS, Place, Seen, SubjectRule, Subjects};
pub use usage::{FindProof, FindUsage, FindUsageFlaw, Health, Heartbeat, Usage, UsagePage, UsagePeriod};
